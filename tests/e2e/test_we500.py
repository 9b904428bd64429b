"""The portal as a WE500 sees it: an address, a port, a serial number. Numbers in the names of tests are those of the
statements of the provisioning contract."""

import base64
import hashlib
import pathlib
import re
import secrets
import socket
import ssl
import struct
import subprocess
import tarfile

import pytest

from api_client import WAIT_S, wait_for
from api_world import admin, api  # noqa: F401
from portal_world import CONF, EMPTY_MD5, FILES, Portal, in_future, md5, read, unpack


@pytest.fixture(scope="module")
def portal(fleet, api, admin):
    return Portal(fleet, api, admin)


# ---- the flow ----

def test_a_device_comes_up_from_nothing(portal):
    device = portal.add()
    told = portal.status(device)
    assert told.status == 3 and told.interval == 10
    assert list(told.info) == ["auth_type", "md5_ca_cert", "md5_client_conf", "md5_ta_key", "md5_credentials"]
    archive = portal.fetch(device)
    assert archive.headers["Content-Type"] == "application/x-tar" and archive.headers["Cache-Control"] == "no-store"
    files = unpack(archive.content)
    assert list(files) == FILES
    assert [md5(files[name]) for name in FILES] == list(told.info.values())[1:]
    assert portal.shown(device)["state"] == "delivered"
    assert read(portal.acknowledge(device)).status == 2
    told = portal.status(device)
    assert told.status == 2 and 405 <= told.interval <= 1395
    shown = portal.shown(device)
    assert shown["state"] == "enabled" and shown["acknowledged"] == 1 and shown["polled_at"]


def test_15_17_18_19_the_archive_is_plain_ustar_and_always_the_same(portal, tmp_path):
    device = portal.add()
    archive = portal.fetch(device)
    assert archive.content[257:263] == b"ustar\0" and len(archive.content) % 10240 == 0
    assert portal.fetch(device).content == archive.content
    assert archive.headers["ETag"] == f'"{hashlib.sha256(archive.content).hexdigest()}"'
    (tmp_path / "vpn.tar").write_bytes(archive.content)
    for tar in (["tar"], ["busybox", "tar"]):
        done = subprocess.run([*tar, "-xvf", "vpn.tar"], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, check=True)
        assert done.stdout.split() == FILES and done.stderr == ""
    assert "Gerät für" in (tmp_path / "client.conf").read_text() and (tmp_path / "ta.key").stat().st_size == 0
    assert portal.status(device).info["md5_ta_key"] == EMPTY_MD5
    with tarfile.open(tmp_path / "vpn.tar") as tar:
        assert {(m.mode, m.uid, m.gid, m.mtime, m.uname, m.gname, m.isreg()) for m in tar} == {
            (0o600, 0, 0, 0, "", "", True)}


def test_24_credentials_are_two_lines_and_of_each_device_alone(portal):
    passwords = set()
    for _ in range(3):
        device = portal.add()
        user, password, rest = unpack(portal.fetch(device).content)["credentials"].decode().split("\n")
        assert user == device.id and len(password) == 48 and rest == ""
        passwords.add(password)
    assert len(passwords) == 3


def test_20_21_what_was_announced_is_delivered_and_only_the_current_one_is_enough(portal):
    device = portal.add()
    first = portal.status(device).info
    portal.publish(device)
    files = unpack(portal.fetch(device).content)
    assert md5(files["credentials"]) == first["md5_credentials"]
    assert read(portal.acknowledge(device)).status == 3
    second = portal.status(device)
    assert second.status == 3 and second.info["md5_credentials"] != first["md5_credentials"]
    portal.serve(device)


def test_22_63_an_acknowledgement_of_nothing_and_one_that_is_repeated(portal):
    device = portal.add()
    assert read(portal.acknowledge(device)).status == 3
    portal.set(strict=True)
    assert portal.acknowledge(device).status_code == 409
    portal.set(strict=False)
    portal.serve(device)
    assert read(portal.acknowledge(device)).status == 2


def test_23_a_download_that_is_cut_short_is_not_delivered(portal):
    """The device's kernel has room for a part of the package only, so what was not read did not arrive either."""
    device = portal.add()
    connection, _ = begin_download(portal, device)
    assert portal.shown(device)["state"] == "pending"
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()  # a reset
    assert read(portal.acknowledge(device)).status == 3 and portal.shown(device)["delivered"] == 0

    connection, start = begin_download(portal, device)
    assert portal.shown(device)["state"] == "pending"
    length, content = end_download(connection, start)
    assert len(content) == length and list(unpack(content)) == FILES
    assert portal.shown(device)["state"] == "delivered" and read(portal.acknowledge(device)).status == 2
    assert [r["action"] for r in portal.records(device.id)].count("package.delivered") == 1


def test_23_a_device_that_was_disabled_meanwhile_does_not_get_the_end(portal):
    device = portal.add()
    connection, start = begin_download(portal, device)
    portal.block(device)
    length, content = end_download(connection, start)
    assert len(content) == length - 1
    assert portal.shown(device)["delivered"] == 0


def begin_download(portal, device):
    """A connection on which a package has begun to come, and what was read of it."""
    port = int(portal.fleet.base_url.rpartition(":")[2])
    bare = socket.socket()
    bare.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    bare.settimeout(WAIT_S)
    bare.connect(("127.0.0.1", port))
    connection = ssl.create_default_context(cafile=portal.fleet.ca_file).wrap_socket(bare, server_hostname="localhost")
    connection.sendall(f"GET /api/v1/vpn/packet HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                       f"Authorization: Basic {basic(device.auth)}\r\n\r\n".encode())
    return connection, connection.recv(100)


def end_download(connection, reply):
    """Reads to the end; what length was announced, and the body."""
    while part := connection.recv(4096):
        reply += part
    connection.close()
    head, _, body = reply.partition(b"\r\n\r\n")
    return int(re.search(rb"Content-Length: (\d+)", head)[1]), body


def test_a_disabled_device_is_told_so(portal):
    device = portal.add()
    portal.serve(device)
    portal.block(device)
    for code in (1, 0):
        portal.set(disable_code=code)
        told = portal.status(device)
        assert told.status == code and told.info is None
    assert portal.fetch(device).status_code == 404
    assert portal.acknowledge(device).status_code == 409
    portal.block(device, "approved")
    assert portal.status(device).status == 2


def test_26_a_package_in_use_is_given_out_once(portal):
    device = portal.add()
    portal.set(one_shot=True)
    portal.serve(device)
    assert portal.fetch(device).status_code == 404
    portal.publish(device)
    portal.serve(device)
    portal.set(one_shot=False)
    assert portal.fetch(device).status_code == 200


def test_67_who_does_not_get_on_is_asked_later_and_later(portal):
    device = portal.add()
    assert [portal.status(device).interval for _ in range(9)] == [10, 20, 40, 80, 160, 320, 640, 900, 900]


def test_68_what_has_not_changed_is_not_sent(portal):
    device = portal.add()
    for ask in (portal.poll, portal.fetch):
        etag = ask(device).headers["ETag"]
        again = ask(device, headers={"If-None-Match": etag})
        assert again.status_code == 304 and again.content == b"" and again.headers["ETag"] == etag
    before = portal.poll(device).headers["ETag"]
    portal.publish(device)
    assert portal.poll(device, headers={"If-None-Match": before}).status_code == 200


# ---- HTTP ----

def test_head_and_options(portal):
    device = portal.add()
    for path in ("/api/v1/vpn", "/api/v1/vpn/packet"):
        head = portal.ask("HEAD", path, device)
        got = portal.ask("GET", path, device)
        assert head.status_code == 200 and head.content == b""
        assert head.headers["Content-Type"] == got.headers["Content-Type"]
        assert head.headers["ETag"] == got.headers["ETag"]
    assert portal.ask("OPTIONS", "/api/v1/vpn").headers["Allow"] == "GET, HEAD, OPTIONS"
    assert portal.ask("OPTIONS", "/api/v1/vpn/packet").headers["Allow"] == "GET, HEAD, PUT, OPTIONS"
    wrong = portal.ask("DELETE", "/api/v1/vpn/packet", device)
    assert wrong.status_code == 405 and wrong.headers["Allow"] == "GET, HEAD, PUT, OPTIONS"


def test_a_head_request_delivers_nothing(portal):
    device = portal.add()
    portal.ask("HEAD", "/api/v1/vpn/packet", device)
    assert portal.shown(device)["delivered"] == 0


def test_53_paths(portal):
    device = portal.add()
    for path in ("/api/v1/vpn/", "/api/vi/vpn", "/api/v1/%76pn", "/api/v1/vpn?"):
        assert raw(portal, f"GET {path} HTTP/1.1\r\nAuthorization: Basic {basic(device.auth)}\r\n") == 200, path
        assert raw(portal, f"GET {path} HTTP/1.1\r\n") == 401, path
    for path in ("//api/v1/vpn", "/api/v1/./vpn", "/api/v1/vpn/packet/../..", "/api/v1/vpn%2Fpacket", "/API/v1/vpn"):
        assert raw(portal, f"GET {path} HTTP/1.1\r\nAuthorization: Basic {basic(device.auth)}\r\n") == 404, path


def basic(auth):
    return base64.b64encode(":".join(auth).encode()).decode()


def connect(portal):
    context = ssl.create_default_context(cafile=portal.fleet.ca_file)
    plain = socket.create_connection(("127.0.0.1", portal.fleet.gateway_port), timeout=WAIT_S)
    return context.wrap_socket(plain, server_hostname="127.0.0.1")


def whole(portal, text):
    """Sends bytes as they are: all that comes until the end of the connection."""
    with connect(portal) as sock:
        sock.sendall(text.encode("latin-1"))
        return b"".join(iter(lambda: sock.recv(4096), b""))


def raw(portal, head, body=b""):
    """Sends bytes as they are: the status of the answer, None if the connection was closed without one."""
    with connect(portal) as sock:
        sock.sendall((head + "Host: portal.test\r\n\r\n").encode("latin-1") + body)
        answer = b""
        while b"\r\n" not in answer:
            part = sock.recv(4096)
            if not part:
                return None
            answer += part
    return int(answer.split()[1])


def test_45_authorization_headers_of_every_kind(portal):
    device = portal.add()
    good = basic(device.auth)
    for value in ("Basic", "Basic ", "Basic" + good, "Basic !!!!", "Basic " + good[:-3] + "\x80", "Bearer " + good,
                  "Basic " + base64.b64encode(b"nocolon").decode(), "Basic " + base64.b64encode(b"a\0b:c").decode(),
                  "Basic " + base64.b64encode(b"\x01:\x02").decode(), "Digest " + good, "Basic " + "A" * 10000,
                  f"Basic {good}\0", f"Basic {good}\0x", f"Basic {good}\x01"):
        assert raw(portal, f"GET /api/v1/vpn HTTP/1.1\r\nAuthorization: {value}\r\n") in (400, 401), value
    twice = f"GET /api/v1/vpn HTTP/1.1\r\nAuthorization: Basic {good}\r\nAuthorization: Basic {good}\r\n"
    assert raw(portal, twice) == 400
    for scheme in ("basic", "BASIC", "Basic  "):
        assert raw(portal, f"GET /api/v1/vpn HTTP/1.1\r\nAuthorization: {scheme} {good}\r\n") == 200, scheme


def test_46_serials_that_are_none(portal):
    for serial in ("../../etc/passwd", "%00", "' OR 1=1--", "a" * 65, "", "sériel", "WE\u0415"):
        reply = portal.poll(None, headers={"Authorization": "Basic " + basic((serial, md5(serial)))})
        assert reply.status_code == 401, serial


def test_31_32_every_refusal_is_the_same(portal):
    own, legacy = portal.add(), portal.add(legacy=True)
    retired = portal.add()
    portal.api.ok("retireDevice", portal.owner, id_=retired.id, **portal.of)
    replies = [portal.poll(None, auth=auth) for auth in (
        None, ("unknown", md5("unknown")), ("unknown", own.secret), (own.serial, "wrong"),
        (own.serial, legacy.serial), retired.auth, legacy.auth, (own.serial, md5(own.serial)))]
    changing = ("Date", "Trace-Id")
    seen = {(r.status_code, r.content, tuple(sorted((k, v) for k, v in r.headers.items() if k not in changing)))
            for r in replies}
    assert len(seen) == 1 and replies[0].status_code == 401
    assert replies[0].headers["WWW-Authenticate"] == 'Basic realm="vpn", charset="UTF-8"'


# ---- the legacy password ----

def test_33_34_35_the_password_that_anybody_can_compute(portal):
    legacy, own = portal.add(legacy=True), portal.add()
    assert portal.poll(legacy).status_code == 401
    portal.set(legacy_until=in_future(days=1))
    told = portal.status(legacy)
    assert told.status == 3
    assert portal.poll(None, auth=(legacy.serial, md5(legacy.serial).upper())).status_code == 200
    assert portal.poll(None, auth=(legacy.serial, md5(legacy.serial + "\n"))).status_code == 401
    assert portal.poll(None, auth=(own.serial, md5(own.serial))).status_code == 401
    portal.serve(legacy)
    assert portal.fetch(legacy).status_code == 404  # one package, once
    portal.set(legacy_until=in_future(days=-1))
    assert portal.poll(legacy).status_code == 401
    too_long = portal.api.call("updatePortal", portal.owner, {"legacy_until": in_future(days=400)}, **portal.of)
    assert too_long.status_code == 400
    portal.set(legacy_until="")
    assert portal.poll(legacy).status_code == 401


def test_35_a_secret_ends_the_password_that_anybody_can_compute_and_any_secret_before_it(portal):
    device = portal.add(legacy=True)
    portal.set(legacy_until=in_future(days=1))
    assert portal.status(device).status == 3
    first = new_secret(portal, device)
    assert portal.poll(device).status_code == 401  # MD5(serial)
    assert portal.poll(None, auth=(device.serial, first)).status_code == 200
    second = new_secret(portal, device)
    assert portal.poll(None, auth=(device.serial, first)).status_code == 401
    device.auth = device.serial, second
    portal.serve(device)
    assert portal.shown(device)["legacy"] is False and portal.shown(device)["secret"] == ""
    issued = [record for record in portal.records(device.id) if record["action"] == "device.secret_issued"]
    assert [record["before"] for record in issued] == ["MD5(serial)", "a secret of its own"]
    portal.api.ok("retireDevice", portal.owner, id_=device.id, **portal.of)
    assert portal.api.call("issuePortalSecret", portal.owner, id_=device.id, **portal.of).status_code == 409
    portal.set(legacy_until="")


def new_secret(portal, device):
    return portal.api.ok("issuePortalSecret", portal.owner, id_=device.id, **portal.of)["secret"]


def test_a_line_feed_in_the_password_that_anybody_can_compute_is_told_to_the_operator(fleet, portal):
    def refused(cause):
        text = fleet.ops("provision", "/metrics")
        return int(re.search(rf'lanyard_portal_refused_total{{cause="{cause}"}} (\d+)', text).group(1))

    def told():
        assert portal.poll(None, auth=(legacy.serial, md5(legacy.serial + "\n"))).status_code == 401
        return [line for line in fleet.log("provision").splitlines() if "device_newline" in line and legacy.id in line]

    legacy = portal.add(legacy=True)
    portal.set(legacy_until=in_future(days=1))
    before = refused("newline")
    usual = portal.poll(None, auth=(legacy.serial, "wrong"))
    reply = portal.poll(None, auth=(legacy.serial, md5(legacy.serial + "\n")))
    assert (reply.status_code, reply.content) == (usual.status_code, usual.content)  # who asks is told nothing
    assert refused("newline") == before + 1
    lines = wait_for("a line in the log", told)
    assert " warn " in lines[0] and md5(legacy.serial + "\n") not in lines[0]
    assert portal.status(legacy).status == 3  # without it, it is good
    portal.set(legacy_until="")


# ---- tenants ----

def test_37_71_72_tenants(portal, fleet, api, admin):
    other = Portal(fleet, api, admin)
    device = portal.add()
    twin = other.api.ok("createPortalDevice", other.owner, {"name": "twin", "serial": device.serial}, **other.of)
    twin_auth = (device.serial, twin["secret"])
    assert portal.poll(device).status_code == 401  # whose is it?
    host = secrets.token_hex(13) + ".portal.test"
    other.set(host=host)
    assert portal.poll(device).status_code == 200
    assert portal.poll(None, auth=twin_auth).status_code == 401
    assert portal.poll(None, auth=twin_auth, headers={"Host": host.upper() + ":443"}).status_code == 200
    taken = portal.api.call("updatePortal", portal.owner, {"host": host}, **portal.of)
    assert taken.status_code == 409 and taken.json()["field"] == "host"
    api.ok("updateTenant", admin, {"state": "suspended"}, tenant=other.tenant.id)
    assert portal.poll(None, auth=twin_auth, headers={"Host": host}).status_code == 401
    assert portal.poll(device).status_code == 200


# ---- PUT ----

@pytest.mark.parametrize("body", [
    b"", b"\r\n", b"<ntx><vpn><status>2</status></vpn></ntx>", b"<status>enable</status>", b"status=2",
    b"status=ENABLE", b"<?xml version='1.0'?>\n<a><b/><status>Enable</status></a>"])
def test_a_device_says_in_many_ways_that_it_is_enabled(portal, body):
    device = portal.add()
    portal.fetch(device)
    assert read(portal.acknowledge(device, body)).status == 2


@pytest.mark.parametrize("word", ["0", "1", "3", "255", "-1", "2 ", "２", ""])
def test_52_any_other_status_changes_nothing(portal, word):
    device = portal.add()
    portal.fetch(device)
    assert read(portal.acknowledge(device, f"<ntx><status>{word}</status></ntx>".encode())).status == 3
    assert portal.shown(device)["acknowledged"] == 0


BILLION = ('<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">' + "".join(
    f'<!ENTITY {chr(98 + i)} "{("&" + chr(97 + i) + ";") * 10}">' for i in range(9)) + "]><status>&j;</status>")


@pytest.mark.parametrize("body", [
    b"<!DOCTYPE ntx><ntx><status>2</status></ntx>",
    b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><status>&x;</status>',
    BILLION.encode(), b"<ntx><status>2</status>", b"<ntx><status>2</status><status>2</status></ntx>", b"<ntx/>",
    "<status>2</status>".encode("utf-16"), b"\xef\xbb\xbf<status>2</status>", b"<a>" * 1300, b"\0", b"hello",
    b"<status>2\x00</status>", b"<status>\xff</status>", b"<ntx><status>&#x0;</status></ntx>"])
def test_47_48_what_is_no_status_is_refused(portal, body):
    device = portal.add()
    portal.fetch(device)
    assert portal.acknowledge(device, body).status_code == 400
    assert portal.shown(device)["acknowledged"] == 0


def test_what_is_not_public_of_the_protocol_is_a_setting(fleet, api, admin):
    other = Portal(fleet, api, admin)
    device = other.add()
    assert other.poll(device).text.startswith("<?xml") and other.status(device).info["auth_type"] == "0"
    assert api.call("updatePortal", other.owner, {"auth_type": 10}, **other.of).status_code == 400
    shown = other.set(auth_type=7, xml_prolog=False, status_after_ack=True, learn=True)
    assert (shown["auth_type"], shown["xml_prolog"], shown["status_after_ack"], shown["learn"]) == (7, False, True, True)
    assert other.poll(device).text.startswith("<ntx>") and other.status(device).info["auth_type"] == "7"
    assert unpack(other.fetch(device).content)["client.conf"]
    secret = secrets.token_hex(16)
    assert read(other.acknowledge(device, f"VPN is up, key={secret}".encode())).status == 2
    assert read(other.fetch(device)).status == 2  # the manual's step 7
    lines = [line for line in fleet.log("gateway").splitlines() if "portal_learned" in line and device.id in line]
    assert len(lines) == 1 and "VPN is up" in lines[0] and secret not in lines[0]


def test_new_packages_and_disabled_devices_have_intervals_of_their_own(fleet, api, admin):
    other = Portal(fleet, api, admin)
    shown = other.set(interval_s=86400)
    assert (shown["update_interval_s"], shown["disabled_interval_s"]) == (10, 900)
    for refused in ({"update_interval_s": 901}, {"update_interval_s": 9}, {"disabled_interval_s": 86401}):
        assert api.call("updatePortal", other.owner, refused, **other.of).status_code == 400
    other.set(update_interval_s=70, disabled_interval_s=1000)
    device = other.add()
    assert [other.status(device).interval for _ in range(5)] == [70, 140, 280, 560, 900]
    other.serve(device)
    assert other.status(device).interval > 86400 * 0.4
    other.block(device)
    assert {450 <= other.status(device).interval <= 1550 for _ in range(5)} == {True}  # also from the gateway's memory


def test_49_50_51_bodies_whose_size_is_wrong(portal):
    device = portal.add()
    portal.fetch(device)
    start = f"PUT /api/v1/vpn/packet HTTP/1.1\r\nAuthorization: Basic {basic(device.auth)}\r\n"
    too_large = portal.acknowledge(device, b" " * 5000)
    assert too_large.status_code == 413 and too_large.headers["Connection"] == "close"
    assert raw(portal, start + "Content-Length: 99999999999999999999\r\n") in (400, 413)
    assert raw(portal, start + "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n") == 400
    assert raw(portal, start + "Content-Length: 0\r\nContent-Length: 5\r\n", b"hello") == 400
    assert raw(portal, start + "Content-Length : 0\r\n") == 400
    for bytes_ in ("+3", "-3", "0x3", "3, 3"):
        assert raw(portal, start + f"Content-Length: {bytes_}\r\n", b"abc") == 400, bytes_
    assert portal.acknowledge(device, iter([b" " * 2500] * 2)).status_code == 413
    assert read(portal.acknowledge(device, iter([b"status", b"=2"]))).status == 2


@pytest.mark.parametrize("lines", [
    "X-A: b\r\n c\r\n", "X-A: b\r\n\tc\r\n", "Content-: 5\r\n Length\r\n",  # folded
    "X-A: b\nX-B: c\r\n", "X-A: b\nContent-Length: 5\r\n", "X-A: b\rContent-Length: 5\r\n",
    "X-A: b\0\r\nX-B: c\r\n", "X-A: b\0c\r\n", "X-A\0: b\r\n", "X A: b\r\n", ": b\r\n", "X-A\r\n"])
def test_50_lines_that_somebody_else_would_read_in_another_way_are_refused(portal, lines):
    login = f"Authorization: Basic {basic(portal.add().auth)}\r\n"
    for head in (f"{lines}{login}", f"{login}{lines}"):
        answer = whole(portal, f"PUT /api/v1/vpn/packet HTTP/1.1\r\n{head}Host: x\r\n\r\nhello")
        assert answer.startswith(b"HTTP/1.1 400 ") and b"HTTP/1.1 2" not in answer  # and the connection ended


@pytest.mark.parametrize("first", [
    "GET /api/v1/vpn HTTP/1.1\n", "GET /api/v1/vpn\0 HTTP/1.1\r\n", "GET /api/v1/vpn\0x HTTP/1.1\r\n", "GET /api/v1/vpn\r\n"])
def test_50_a_first_line_that_somebody_else_would_read_in_another_way_is_refused(portal, first):
    answer = whole(portal, f"{first}Host: x\r\nAuthorization: Basic {basic(portal.add().auth)}\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ")


def test_54_headers_without_end(portal):
    login = f"Authorization: Basic {basic(portal.add().auth)}\r\n"
    for n, status in ((98, 200), (99, 431)):  # two more are there
        assert raw(portal, f"GET /api/v1/vpn HTTP/1.1\r\n{login}" + "X-A: b\r\n" * n) == status
    assert raw(portal, f"GET /{'a' * 9000} HTTP/1.1\r\n") == 414
    assert raw(portal, "GET /api/v1/vpn HTTP/1.1\r\n" + "".join(
        f"X-{n}: {'a' * 200}\r\n" for n in range(100))) == 431


# ---- templates ----

@pytest.mark.parametrize("line", [
    "up /bin/sh", "plugin x.so", "script-security 2", "config other.conf", "<connection>", "route-up a", "down a",
    "ca /etc/passwd", "auth-user-pass /etc/shadow", "remote a\rup b", 'setenv "a b"', "redirect-gateway def1",
    "management 127.0.0.1 1", "log x", "cd x", "remote {{secret}} 1", "remote a;b 1", "dev tap # up", "remote $(x) 1",
    "remote 1 2 3 4"])
def test_58_a_directive_that_is_not_allowed_is_refused_with_its_line(portal, line):
    reply = portal.api.call("updatePortal", portal.owner, {"client_conf": CONF + line + "\n"}, **portal.of)
    assert reply.status_code == 400 and reply.json()["field"] == "client_conf"
    if "\r" not in line:
        assert f"line {CONF.count(chr(10)) + 1}:" in reply.json()["detail"]


def test_59_variables_are_plain_words(portal):
    device = portal.add()
    conf = unpack(portal.fetch(device).content)["client.conf"].decode()
    assert f"verify-x509-name {device.serial}.example.org name\n" in conf and "{{" not in conf
    assert "<cert>\n-----BEGIN CERTIFICATE" in conf and "<key>\n-----BEGIN PRIVATE KEY" in conf


def test_files_may_be_in_a_directory_of_the_devices(fleet, api, admin):
    other = Portal(fleet, api, admin)
    conf = "client\ndev tap\nremote vpn.example.org 1194\nca {{dir}}ca.crt\nauth-user-pass {{dir}}credentials\n"
    assert other.set(client_conf=conf)["dir"] == ""
    plain = other.add()
    assert "\nca ca.crt\n" in unpack(other.fetch(plain).content)["client.conf"].decode()
    for refused in ("/etc/vpn", "/etc/../", "/etc/vpn two/", "/etc\n/", "{{dir}}/", "/" + 128 * "d" + "/"):
        reply = api.call("updatePortal", other.owner, {"dir": refused}, **other.of)
        assert reply.status_code == 400 and reply.json()["field"] == "dir"
    for line in ("ca {{dir}}{{dir}}ca.crt", "ca {{dir}}other.crt", "ca {{dir}}"):
        assert api.call("updatePortal", other.owner, {"client_conf": line}, **other.of).status_code == 400
    other.set(dir="/etc/openvpn/")
    device = other.add()
    archive = unpack(other.fetch(device).content)
    assert list(archive) == FILES  # the directory is the device's, not the archive's
    text = archive["client.conf"].decode()
    assert "\nca /etc/openvpn/ca.crt\n" in text and "\nauth-user-pass /etc/openvpn/credentials\n" in text
    assert "\nca ca.crt\n" in unpack(other.fetch(plain).content)["client.conf"].decode()  # a package never changes


def test_files_have_the_names_that_the_devices_want_and_a_package_keeps_its_own(fleet, api, admin):
    other = Portal(fleet, api, admin)
    shown, old = other.set(vpn_copies=False), other.add()
    assert shown["file_names"] == " ".join(FILES)
    before = other.fetch(old)
    names = ["root.pem", "vpn.conf", "static.key", "user"]
    for refused in ("", "a b c", "a b c d e", "a a c d", "a  b c d", "../a b c d", ".a b c d", "a/b c d e", "a ca.crt c d",
                    "a b c agent.json", " ".join(names) + " ", "a" * 33 + " b c d"):
        reply = api.call("updatePortal", other.owner, {"file_names": refused}, **other.of)
        assert reply.status_code == 400 and reply.json()["field"] == "file_names", refused
    reply = api.call("updatePortal", other.owner, {"file_names": " ".join(names)}, **other.of)
    assert reply.status_code == 400 and "expected ca root.pem" in reply.json()["detail"]  # the template names the old ones
    conf = CONF.replace("ca ca.crt", "ca {{dir}}root.pem").replace("auth-user-pass credentials", "auth-user-pass user")
    other.set(file_names=" ".join(names), vpn_copies=True, client_conf=conf)
    device = other.add()
    archive = other.fetch(device)
    files = unpack(archive.content)
    assert list(files) == names + [f"vpn/{name}" for name in names]
    assert all(files[name] == files[f"vpn/{name}"] for name in names)
    assert [md5(files[name]) for name in names] == list(other.status(device).info.values())[1:]
    assert b"\nca root.pem\nauth-user-pass user\n" in files["vpn.conf"]
    other.set(file_names=" ".join(FILES), vpn_copies=False, client_conf=CONF)
    assert other.fetch(device).content == archive.content  # a package never changes
    assert other.fetch(old).content == before.content and other.fetch(old).headers["ETag"] == before.headers["ETag"]
    other.publish(device)
    other.status(device)
    assert list(unpack(other.fetch(device).content)) == FILES


# ---- when something is away ----

def test_70_polls_are_answered_while_provision_is_away(portal, whole_fleet):
    device = portal.add()
    told = portal.status(device)
    whole_fleet.sv("stop", "provision")
    try:
        later = wait_for("an answer from memory", lambda: portal.poll(device).status_code == 200 and portal.poll(device))
        assert read(later).info == told.info
        assert portal.acknowledge(device).status_code == 503
        assert portal.poll(None, auth=(device.serial, "wrong")).status_code == 503
    finally:
        whole_fleet.sv("start", "provision")
    wait_for("provision", lambda: portal.acknowledge(device).status_code == 200)


def test_75_a_restart_changes_nothing(portal, whole_fleet):
    device = portal.add()
    before, archive = portal.poll(device).headers["ETag"], portal.fetch(device)
    whole_fleet.sv("restart", "provision")
    wait_for("provision", lambda: portal.fetch(device).status_code == 200)
    assert portal.poll(device).headers["ETag"] == before
    assert portal.fetch(device).content == archive.content
    assert read(portal.acknowledge(device)).status == 2


def test_42_no_secret_in_any_log(portal):
    device = portal.add()
    credentials = unpack(portal.fetch(device).content)["credentials"].decode().split()
    portal.acknowledge(device)
    wrong = secrets.token_urlsafe(32)
    pages = [portal.poll(None, auth=(device.serial, wrong)).text,
             portal.acknowledge(device, f"<a>{wrong}</a>".encode()).text]
    pages += [portal.fleet.ops(service, "/metrics") for service in ("gateway", "provision", "auth")]
    logs = [log.read_text(errors="replace") for log in (portal.fleet.var / "log").glob("*/[@c]*")]  # also those set aside
    assert len(logs) >= 6
    for secret in (device.secret, credentials[1], basic(device.auth), wrong):
        assert not [text for text in pages + logs if secret in text]


def test_42_nobody_but_root_reads_the_memory_of_a_service_and_it_leaves_no_core_dump(portal):
    for service in ("auth", "provision", "gateway", "dataplane"):
        process = pathlib.Path(f"/proc/{portal.fleet.pid(service)}")
        uid = int(re.search(r"^Uid:\s+(\d+)", (process / "status").read_text(), re.MULTILINE).group(1))
        assert uid != 0 and (process / "mem").stat().st_uid == 0, service  # its own would be it if it were dumpable


def test_76_every_change_of_a_device_is_written_down(portal):
    device = portal.add()
    portal.serve(device)
    portal.block(device)
    portal.api.ok("retireDevice", portal.owner, id_=device.id, **portal.of)
    records = portal.records(device.id)
    assert [r["action"] for r in records] == [
        "device.registered", "package.published", "package.delivered", "package.acknowledged", "device.changed",
        "device.retired"]
    assert [r["package"] for r in records] == [0, 1, 1, 1, 0, 0]
    by_device = [r for r in records if r["actor"] == "device:" + device.id]
    assert [r["action"] for r in by_device] == ["package.delivered", "package.acknowledged"]
    assert {r["source"] for r in by_device} == {"127.0.0.1"}
    assert records[4]["before"].endswith(" approved") and records[4]["after"].endswith(" blocked")
    assert records[4]["source"] == "127.0.0.1"  # the operator's
    assert records[4]["actor"].startswith("user:") and all(len(r["trace"]) == 32 for r in records)
    operator = portal.tenant.users["operator"]
    assert portal.api.call("listAuditRecords", operator, **portal.of).status_code == 403
