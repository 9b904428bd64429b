"""The REST API and bad input: refused with a problem document, and nothing is changed; and the promises that HTTP
makes about repetition, versions, pages and limits."""

import json
import socket
import ssl
import threading
import time
import urllib.parse

import pytest

from api_client import NOBODY, bearer, wait_for
from api_world import PASSWORD, admin, api, tenant  # fixtures too

NETWORKS = "/v1/tenants/{}/networks"


def state(api, tenant):
    """All that a write of these tests could have changed."""
    return {o: api.ok(o, tenant.owner, query={"limit": 200}, tenant=tenant.id)
            for o in ("listNetworks", "listUsers", "listApiKeys", "listEnrolmentKeys")}


def post(api, tenant, body, headers=None):
    return api.send("POST", NETWORKS.format(tenant.id), tenant.owner, data=body,
                    headers={"Content-Type": "application/json", **(headers or {})})


BODIES = [
    (b"", "name"), (b"{", None), (b"[]", None), (b"null", None), (b"{}", "name"), (b'{"name":', None),
    (b'{"name":"a"}x', None), (b'{"name":1}', "name"), (b'{"name":null}', "name"), (b'{"name":["a"]}', "name"),
    (b'{"name":"a","mtu":"1400"}', "mtu"), (b'{"name":"a","mtu":-1}', "mtu"), (b'{"name":"a","mtu":1e3}', "mtu"),
    (b'{"name":"a","mtu":4294967296}', "mtu"), (b'{"name":"a","mtu":70000}', "mtu"),
    (b'{"name":"a","nothing":1}', "nothing"), (b'{"name":"a","id":"x"}', "id"), (b'{"name":"a","version":1}', "version"),
    (b'{"name":"a","tenant":"x"}', "tenant"), (b'{"name":"a","name":"b"}', None),
    (b'{"name":"' + b"a" * 5000 + b'"}', "name"), (b'{"name":"' + b"a" * 64 + b'"}', "name"),
    (b'{"name":"\xff\xfe"}', None), (b'{"name":"\xc0\xaf"}', None), (b'{"name":"\xed\xa0\x80"}', None),
    (b'{"name":"a\\u0000b"}', None), (b'{"name":"a\x00b"}', None), (b'{"name":"a\\ud800"}', None),
    (b'{"name":"x\'; DROP TABLE provision.network; --"}', "name"), (b'{"name":"$(reboot)"}', "name"),
    (b'{"name":"../../etc/passwd"}', "name"), (b'{"name":"A"}', "name"), (b'{"name":"-a"}', "name"), (b'{"name":""}', "name"),
    (b'{"name":"a","ipv4":"10.0.0.0/33"}', "ipv4"), (b'{"name":"a","ipv4":"1\' OR 1=1"}', "ipv4"),
    (b'{"name":"a","ipv6":"10.0.0.0/24"}', "ipv6"), (b"[" * 60000, None), (b'{"a":' * 10000, None),
    (b'{"name":' + b"[" * 3000 + b"]" * 3000 + b"}", None),
]


def test_bad_bodies_change_nothing(api, tenant):
    before = state(api, tenant)
    for body, field in BODIES:
        reply = post(api, tenant, body)
        assert reply.status_code == 400, f"{body[:80]}: {reply.status_code} {reply.text}"
        api.check(api.operations["createNetwork"], reply)
        if field:
            assert reply.json()["field"] == field, f"{body[:80]}: {reply.text}"
    assert state(api, tenant) == before


WRONG = [
    ("createUser", {"name": "", "role": "member", "password": PASSWORD}, "name"),
    ("createUser", {"name": "x" * 129, "role": "member", "password": PASSWORD}, "name"),
    ("createUser", {"name": "tab\there", "role": "member", "password": PASSWORD}, "name"),
    ("createUser", {"name": "x", "role": "emperor", "password": PASSWORD}, "role"),
    ("createUser", {"name": "x", "role": "device", "password": PASSWORD}, "role"),
    ("createUser", {"name": "x", "role": "member", "password": "short"}, "password"),
    ("createUser", {"name": "x", "role": "member", "password": "x" * 257}, "password"),
    ("createApiKey", {"name": "x", "role": "member", "scopes": ["users:write"]}, "scopes"),
    ("createApiKey", {"name": "x", "role": "member", "scopes": ["no:such"]}, "scopes"),
    ("createApiKey", {"name": "x", "role": "member", "secret": "lyk_mine"}, "secret"),
    ("createEnrolmentKey", {"name": "x", "network": "office"}, "network"),
    ("createEnrolmentKey", {"name": "x", "tags": ["Not A Label"]}, "tags"),
    ("createEnrolmentKey", {"name": "x", "tags": ["t"] * 17}, "tags"),
    ("createEnrolmentKey", {"name": "x", "tags": "t"}, "tags"),
    ("createEnrolmentKey", {"name": "x", "approve": "yes"}, "approve"),
    ("createMember", {"network": "x", "device": "y"}, "network"),
]


def test_bad_values_change_nothing(api, tenant):
    before = state(api, tenant)
    for operation, body, field in WRONG:
        reply = api.call(operation, tenant.owner, body, tenant=tenant.id)
        assert reply.status_code == 400 and reply.json()["field"] == field, f"{operation} {body}: {reply.text}"
    assert state(api, tenant) == before


def test_sql_in_names_is_text(api, tenant):
    name = "'; DROP TABLE auth.\"user\"; -- \\ %s $1"
    user = api.ok("createUser", tenant.owner, {"name": name, "role": "member", "password": PASSWORD}, tenant=tenant.id)
    assert [u["id"] for u in api.ok("listUsers", tenant.owner, query={"name": name}, tenant=tenant.id)["items"]] \
        == [user["id"]]
    api.ok("deleteUser", tenant.owner, id_=user["id"], tenant=tenant.id)


def test_bad_queries(api, tenant):
    for query in ("limit=x", "limit=-1", "limit=99999999999", "nothing=1", "state=approved", "limit=1&limit=2",
                  "name=%00", "name=%ff", "name=%zz", "cursor=%27", "cursor=x", "version=1", "id=1", "name=" + "a" * 9000):
        reply = api.send("GET", NETWORKS.format(tenant.id) + "?" + query, tenant.owner)
        api.check_problem(reply, 414 if len(query) > 4096 else 400)


def test_bad_paths(api, tenant):
    for path, status in (("/", 404), ("/v1", 404), ("/v2/tenants", 404), ("/v1/tenants/", 404), ("/v1//tenants", 404),
                         ("/v1/openapi.yaml/x", 404), ("/v1/%2e%2e/etc/passwd", 404), ("/v1/%00", 400), ("/v1/%c0%af", 400),
                         ("/a" * 9, 404), (NETWORKS.format(tenant.id) + "/x", 404), (NETWORKS.format("x"), 404),
                         (NETWORKS.format(tenant.id) + "/' OR 1=1 --", 404), (NETWORKS.format(tenant.id.upper()), 404)):
        api.check_problem(api.send("GET", path, tenant.owner), status)


def test_methods_and_types(api, tenant):
    url = NETWORKS.format(tenant.id)
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "BREW"):
        reply = api.send(method, url, tenant.owner)
        api.check_problem(reply, 405)
        assert reply.headers["Allow"] == "GET, POST"
    head = api.send("HEAD", url, tenant.owner)
    assert head.status_code == 200 and head.content == b""
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/jsonx", ""):
        api.check_problem(post(api, tenant, b'{"name":"a"}', {"Content-Type": kind}), 415)
    api.check_problem(api.send("GET", url, tenant.owner, data=b"{}", headers={"Content-Type": "application/json"}), 400)


def test_size_limits(api, tenant):
    before = state(api, tenant)
    fits = b'{"name":"a-name-with-room"' + b" " * (65536 - 27) + b"}"
    assert len(fits) == 65536
    assert post(api, tenant, fits).status_code == 201
    api.ok("deleteNetwork", tenant.owner, tenant=tenant.id, id_=api.ok(
        "listNetworks", tenant.owner, query={"name": "a-name-with-room"}, tenant=tenant.id)["items"][0]["id"])
    api.check_problem(post(api, tenant, fits + b" "), 413)
    api.check_problem(post(api, tenant, b" " * 900_000), 413)
    api.check_problem(post(api, tenant, (b" " * 4096 for _ in range(40))), 413)  # chunked
    api.check_problem(api.send("GET", "/v1/" + "a" * 5000, tenant.owner), 414)
    api.check_problem(api.send("GET", "/v1/tenants", tenant.owner, headers={"X-Long": "a" * 20000}), 431)
    assert state(api, tenant) == before


def raw(api, request):
    """Sends bytes as they are; what comes back until the other side closes."""
    parts = urllib.parse.urlsplit(api.base_url)
    context = ssl.create_default_context(cafile=api.session.verify)
    with context.wrap_socket(socket.create_connection((parts.hostname, parts.port), timeout=30),
                             server_hostname=parts.hostname) as sock:
        sock.sendall(request)
        answer = b""
        try:
            while part := sock.recv(65536):
                answer += part
        except (ConnectionError, ssl.SSLError):
            pass
        return answer


POST = b"POST /v1/tokens HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\n"


@pytest.mark.parametrize("request_bytes", [
    POST + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
    POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x",
    POST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    POST + b"Content-Length : 2\r\n\r\n{}",
    POST + b"Content-Length: -1\r\n\r\n",
    POST + b"Content-Length: 2\r\nAuthorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n{}",
    b"GET /v1/jwks.json HTTP/1.1\r\nConnection: close\r\n\r\n",
    b"GET /v1/jwks.json\r\n\r\n",
    b"\x00\x01\x02\x03 / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
    POST + b"Content-Length: 999999999999\r\n\r\n",
], ids=range(12))
def test_doubtful_http_is_refused(api, request_bytes):
    answer = raw(api, request_bytes)
    assert answer == b"" or answer.split()[1][:1] in (b"4", b"5"), answer
    assert api.send("GET", "/v1/jwks.json").status_code == 200


# ---- promises ----

def test_a_repetition_changes_nothing_again(api, tenant):
    of, key = {"tenant": tenant.id}, {"Idempotency-Key": "one-and-the-same"}
    body = {"name": "once", "ipv4": "10.79.0.0/24"}
    first = api.call("createNetwork", tenant.owner, body, headers=key, **of)
    second = api.call("createNetwork", tenant.owner, body, headers=key, **of)
    assert first.status_code == second.status_code == 201 and first.json() == second.json()
    assert first.headers["Location"] == second.headers["Location"]
    assert len(api.ok("listNetworks", tenant.owner, query={"name": "once"}, **of)["items"]) == 1
    assert api.call("createNetwork", tenant.owner, {"name": "other"}, headers=key, **of).status_code == 400
    assert api.call("createNetwork", tenant.keys["owner"], body, headers=key, **of).status_code == 409
    assert api.call("createNetwork", tenant.owner, body, **of).status_code == 409
    assert api.call("createNetwork", tenant.owner, body, headers={"Idempotency-Key": "x" * 129},
                    **of).status_code == 400
    secret = api.ok("createApiKey", tenant.owner, {"name": "i", "role": "member"}, headers=key, **of)
    assert api.ok("createApiKey", tenant.owner, {"name": "i", "role": "member"}, headers=key, **of) == secret
    api.ok("deleteNetwork", tenant.owner, id_=first.json()["id"], **of)


def test_a_crowd_with_one_key_is_one(api, tenant):
    replies = []

    def create():
        replies.append(api.call("createNetwork", tenant.owner, {"name": "crowd"},
                                headers={"Idempotency-Key": "crowd"}, tenant=tenant.id))

    threads = [threading.Thread(target=create) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {r.status_code for r in replies} == {201} and len({r.json()["id"] for r in replies}) == 1
    api.ok("deleteNetwork", tenant.owner, id_=replies[0].json()["id"], tenant=tenant.id)


def test_an_old_version_is_refused(api, tenant):
    made = api.call("createNetwork", tenant.owner, {"name": "versions"}, tenant=tenant.id)
    where = {"tenant": tenant.id, "id_": made.json()["id"]}
    read = api.call("getNetwork", tenant.owner, **where)
    assert read.headers["ETag"] == made.headers["ETag"] == f'"{made.json()["version"]}"'
    old = {"If-Match": read.headers["ETag"]}
    changed = api.call("updateNetwork", tenant.owner, {"mtu": 1300}, headers=old, **where)
    assert changed.status_code == 200 and changed.headers["ETag"] != old["If-Match"]
    assert api.call("updateNetwork", tenant.owner, {"mtu": 1301}, headers=old, **where).status_code == 412
    assert api.call("deleteNetwork", tenant.owner, headers=old, **where).status_code == 412
    for nonsense in ("1", '"x"', 'W/"1"', '""', '"1", "2"'):
        reply = api.call("updateNetwork", tenant.owner, {"mtu": 1302}, headers={"If-Match": nonsense}, **where)
        assert reply.status_code == 400 and reply.json()["field"] == "If-Match"
    assert api.ok("getNetwork", tenant.owner, **where) == changed.json()
    api.ok("updateNetwork", tenant.owner, {"mtu": 1303}, headers={"If-Match": "*"}, **where)
    api.ok("deleteNetwork", tenant.owner, **where)


def test_pages(api, tenant):
    of = {"tenant": tenant.id}
    made = [api.ok("createEnrolmentKey", tenant.owner, {"name": f"page-{i}"}, **of)["id"] for i in range(7)]
    seen, cursor, pages = [], "", 0
    while True:
        page = api.ok("listEnrolmentKeys", tenant.owner, query={"limit": 3, "cursor": cursor}, **of)
        assert len(page["items"]) <= 3
        seen += [k["id"] for k in page["items"]]
        cursor, pages = page["next_cursor"], pages + 1
        if not cursor:
            break
    assert len(seen) == len(set(seen)) and pages == -(-len(seen) // 3)
    assert [i for i in seen if i in made] == made
    for key in made:
        api.ok("revokeEnrolmentKey", tenant.owner, id_=key, **of)


def test_rate_limit(api, tenant):
    """Several threads ask for what costs little, until one is told to wait; then it goes on."""
    key = api.ok("createApiKey", tenant.owner, {"name": "hasty", "role": "member"}, tenant=tenant.id)
    token = api.ok("createToken", NOBODY, {"api_key": key["secret"]})
    hasty = {"Authorization": "Bearer " + token["access_token"]}
    url = f"{api.base_url}/v1/tenants/{tenant.id}/users"
    limited = []

    def hurry():
        session = type(api.session)()
        session.verify, session.trust_env = api.session.verify, False
        until = time.monotonic() + 30
        while not limited and time.monotonic() < until:
            reply = session.get(url, headers=hasty, timeout=30)
            if reply.status_code == 429:
                limited.append(reply)
            else:
                assert reply.status_code == 403

    threads = [threading.Thread(target=hurry) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert limited, "nobody was told to wait"
    api.check_problem(limited[0], 429)
    assert int(limited[0].headers["Retry-After"]) >= 1
    api.ok("listNetworks", tenant.owner, tenant=tenant.id)
    wait_for("the end of the limit",
             lambda: api.session.get(url, headers=hasty, timeout=30).status_code == 403)


def test_replies_tell_browsers_nothing(api, tenant):
    for reply in (api.call("listNetworks", tenant.owner, tenant=tenant.id), api.send("GET", "/nothing")):
        assert reply.headers["Cache-Control"] == "no-store"
        assert reply.headers["X-Content-Type-Options"] == "nosniff"
        assert "max-age" in reply.headers["Strict-Transport-Security"]
        assert reply.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert "Server" not in reply.headers
        json.loads(reply.text)
