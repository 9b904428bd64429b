"""nymea's doors of a fleet as scripts/up starts it: what its own tenants' tokens and keys open there."""

import json
import pathlib
import secrets
import ssl
import sys

import pytest

from api_client import wait_for
from api_world import admin, api, stranger, tenant  # fixtures

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "component"))

from nymea_client import Server, Tcp, WebSocket, register_client  # noqa: E402


@pytest.fixture(scope="session")
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
