"""nymea's doors of a fleet as scripts/up starts it: what its own tenants' tokens and keys open there."""

import json
import os
import pathlib
import secrets
import ssl
import subprocess
import sys
import threading

import pytest

from api_client import WAIT_S, bearer, wait_for
from api_world import admin, api, stranger, tenant  # fixtures
from terminal import Terminal

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "component"))

from nymea_client import Closed, Server, Tcp, WebSocket, register_client  # noqa: E402


@pytest.fixture(scope="module")
def trust(fleet):
    return ssl.create_default_context(cafile=fleet.ca_file)


@pytest.fixture
def doors(fleet, trust):
    """Opens a connection at one of nymea's doors, over TLS that is verified."""
    ports = {"pair": fleet.pair_port, "tunnel": fleet.tunnel_port}
    kinds = {"wss": (WebSocket, 0), "ssl": (Tcp, 1)}
    return lambda door, kind: kinds[kind][0](ports[door] + kinds[kind][1], trust)


def access_token(api, tenant):
    return api.ok("createNarrowToken", tenant.owner, {"scopes": ["pairs:claim"]}, tenant=tenant.id)["access_token"]


def enrolment_key(api, tenant):
    return api.ok("createEnrolmentKey", tenant.owner, {"name": "pairing " + secrets.token_hex(4)}, tenant=tenant.id)


def refusal(connection, token):
    return connection.authenticate(token)["params"]["authenticationError"]


@pytest.mark.parametrize("first", ["wss", "ssl"])
@pytest.mark.parametrize("second", ["wss", "ssl"])
@pytest.mark.parametrize("secret", ["access token", "enrolment key"])
def test_clients_meet_by_the_tenant_s_secrets(api, tenant, doors, secret, first, second):
    token = access_token(api, tenant) if secret == "access token" else enrolment_key(api, tenant)["secret"]
    one, two = doors("pair", first), doors("pair", second)
    one.expect_success(token, "nonce", name="one", uuid="{1}")
    two.expect_success(token, "nonce", name="two", uuid="{2}")
    assert one.expect_tunnel() == {"name": "two", "uuid": "{2}"}
    assert two.expect_tunnel() == {"name": "one", "uuid": "{1}"}
    one.send("question")
    assert two.receive(8) == b"question"
    two.send("answer")
    assert one.receive(6) == b"answer"


def test_secrets_that_open_nothing(api, tenant, stranger, doors):
    token = access_token(api, tenant)
    for bad in ("", "nonsense", token[:-4] + "AAAA", tenant.keys["owner"].authorization.removeprefix("Bearer ")):
        assert refusal(doors("pair", "ssl"), bad) == "AuthenticationErrorAuthenticationFailed", bad
    key = enrolment_key(api, tenant)
    one = doors("pair", "ssl").expect_success(key["secret"], "nonce")
    other = doors("pair", "ssl").expect_success(enrolment_key(api, stranger)["secret"], "nonce")
    pairs = api.ok("listPairs", tenant.owner, query={"state": "waiting"}, tenant=tenant.id)["items"]
    assert [pair["nonce"] for pair in pairs] == ["nonce"], "who has another tenant's key waits there"
    one.close(), other.close()
    api.ok("revokeEnrolmentKey", tenant.owner, id_=key["id"], tenant=tenant.id)
    wait_for("the end of the key", lambda: refusal(doors("pair", "wss"), key["secret"]) ==
             "AuthenticationErrorAuthenticationFailed")


def test_a_revoked_key_ends_its_clients_and_pairs(api, tenant, doors):
    key, kept = enrolment_key(api, tenant), enrolment_key(api, tenant)
    pairs = [[doors("pair", kind).expect_success(one["secret"], "nonce") for kind in ("wss", "ssl")]
             for one in (key, kept)]
    for pair in pairs:
        for client in pair:
            client.expect_tunnel()
    waiting = doors("pair", "wss").expect_success(key["secret"], "another")
    api.ok("revokeEnrolmentKey", tenant.owner, id_=key["id"], tenant=tenant.id)
    waiting.expect_closed("revoked")
    for client in pairs[0]:
        with pytest.raises(Closed):
            client.receive(1)
    pairs[1][0].send("still here")
    assert pairs[1][1].receive(10) == b"still here"


def test_the_tokens_of_a_key_that_is_deleted_end_their_clients_and_pairs(api, tenant, doors):
    key = api.ok("createApiKey", tenant.owner, {"name": secrets.token_hex(4), "role": "operator"}, tenant=tenant.id)
    token = api.ok("createNarrowToken", bearer("short-lived key", key["secret"]), {"scopes": ["pairs:claim"]},
                   tenant=tenant.id)["access_token"]
    one, two = (doors("pair", kind).expect_success(token, "nonce") for kind in ("wss", "ssl"))
    one.expect_tunnel(), two.expect_tunnel()
    waiting = doors("pair", "ssl").expect_success(token, "another")
    api.ok("deleteApiKey", tenant.owner, id_=key["id"], tenant=tenant.id)
    assert waiting.expect_closed() == b""
    for client in (one, two):
        with pytest.raises(Closed):
            client.receive(1)


@pytest.mark.parametrize("kind", ["wss", "ssl"])
def test_a_tunnel_server_is_reached_over_each_door(doors, kind):
    server, clients = Server(doors("tunnel", kind)), []
    for number, way in enumerate(("wss", "ssl"), 1):
        client = doors("tunnel", way)
        clients.append(client)
        assert register_client(client, server.uuid) == "TunnelProxyErrorNoError"
        address, document = server.frame()
        assert address == 0 and json.loads(document)["params"]["socketAddress"] == number
        client.send("question")
        assert server.frame() == (number, b"question")
        server.send(number, b"answer")
        assert client.receive(6) == b"answer"


# ---- lanyard pair at a node's own /pair ----

def lanyard_pair(fleet, *arguments, url=None, **more):
    lanyard = pathlib.Path(fleet.environment["LANYARD_BUILD"]) / "bin/lanyard"
    return subprocess.Popen([str(lanyard), "pair", *arguments, "--url", url or fleet.dataplane_url + "/pair", "--ca",
                             fleet.ca_file], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)


def test_two_shells_meet_at_a_node(fleet, api, tenant):
    environment = {**os.environ, "LANYARD_PAIR_TOKEN": access_token(api, tenant)}
    one, two = (lanyard_pair(fleet, "-", "--nonce", "a nonce/ü", env=environment) for _ in range(2))
    data = bytes(range(256)) * 4000
    writer = threading.Thread(target=lambda: (one.stdin.write(data), one.stdin.flush()))
    writer.start()
    assert two.stdout.read(len(data)) == data
    writer.join()
    two.stdin.write(b"answer")
    two.stdin.flush()
    assert one.stdout.read(6) == b"answer"
    one.stdin.close()
    assert one.wait(timeout=WAIT_S) == 0 and two.wait(timeout=WAIT_S) == 0, one.stderr.read() + two.stderr.read()


def test_a_node_refuses_a_wrong_token(fleet):
    shell = lanyard_pair(fleet, "nonsense", "--nonce", "n")
    assert shell.wait(timeout=WAIT_S) == 1
    assert shell.stderr.read() == b"lanyard pair: the server refuses the token\n"


def test_the_token_is_asked_for_without_an_echo(fleet, api, tenant):
    token = access_token(api, tenant)
    lanyard = str(pathlib.Path(fleet.environment["LANYARD_BUILD"]) / "bin/lanyard")
    terminal = Terminal([lanyard, "pair", "-", "--nonce", "typed", "--url", fleet.dataplane_url + "/pair", "--ca",
                         fleet.ca_file])
    terminal.line("token:")
    terminal.type(token + "\n")
    other = lanyard_pair(fleet, token, "--nonce", "typed")
    other.stdin.write(b"hello\n")
    other.stdin.flush()
    terminal.line("hello")
    assert token.encode() not in terminal.raw
    other.stdin.close()
    assert terminal.end() == 0 and other.wait(timeout=WAIT_S) == 0
