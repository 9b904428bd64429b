"""Who and what the tests of the REST API act with: two tenants with a user and an API key of each role, a network, a
device. Fixture `fleet` (conftest.py) has base_url of the gateway, ca_file, admin_api_key of the first operator."""

import base64
import contextlib
import secrets
import socket
import ssl
import types
import urllib.parse

import pytest

from api_client import Api, Caller, NOBODY, bearer

ROLES = ["owner", "admin", "operator", "auditor", "member"]
FLEET = "00000000-0000-7000-8000-000000000000"
PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="session")
def api(fleet):
    return Api(fleet.base_url, fleet.ca_file)


@pytest.fixture(scope="session")
def admin(fleet):
    return bearer("fleet owner's key", fleet.admin_api_key)


class Tenant:
    """A tenant with a user (as a token) and an API key of each role."""

    def __init__(self, api, admin):
        self.name = "t" + secrets.token_hex(6)
        self.id = api.ok("createTenant", admin, {"name": self.name})["id"]
        self.users, self.keys = {}, {}
        for role in ROLES:
            self.add(api, admin, role)
        self.owner = self.users["owner"]

    def add(self, api, admin, role):
        api.ok("createUser", admin, {"name": role, "role": role, "password": PASSWORD}, tenant=self.id)
        self.users[role] = self.log_in(api, role)
        key = api.ok("createApiKey", admin, {"name": role, "role": role}, tenant=self.id)
        self.keys[role] = bearer(f"{role}'s key", key["secret"])

    def log_in(self, api, user):
        token = api.ok("createToken", NOBODY, {"tenant_name": self.name, "user": user, "password": PASSWORD})
        return bearer(f"{user}'s token", token["access_token"])


class Device:
    """A device with a membership and a token for the dataplane."""

    def __init__(self, api, tenant, network, name):
        self.key = api.ok("createEnrolmentKey", tenant.owner,
                          {"name": name, "network": network, "approve": True, "tags": ["test"]}, tenant=tenant.id)
        enrolment = api.ok("enrol", NOBODY, {"enrolment_key": self.key["secret"], "name": name})
        self.id = enrolment["device"]
        self.basic = Caller("device", basic=(self.id, enrolment["secret"]))
        self.attachment = api.ok("attach", self.basic, {})
        self.token = bearer("device's token", self.attachment["access_token"])


@pytest.fixture(scope="module")
def tenant(api, admin):
    return Tenant(api, admin)


@pytest.fixture(scope="module")
def stranger(api, admin):
    return Tenant(api, admin)


@pytest.fixture(scope="module")
def things(api, tenant):
    """One of each resource of the tenant."""
    network = api.ok("createNetwork", tenant.owner, {"name": "office", "ipv4": "10.77.0.0/24"}, tenant=tenant.id)
    device = Device(api, tenant, network["id"], "first")
    member = api.ok("listMembers", tenant.owner, tenant=tenant.id)["items"][0]
    return types.SimpleNamespace(network=network, device=device, member=member)


def websocket(fleet, url, token, protocol=None):
    """Opens wss://..., and returns the socket once the other side agreed."""
    parts = urllib.parse.urlsplit(url)
    context = ssl.create_default_context(cafile=fleet.ca_file)
    context.check_hostname = False
    plain = socket.create_connection((parts.hostname, parts.port), timeout=30)
    sock = context.wrap_socket(plain)
    target = parts.path + ("?" + parts.query if parts.query else "")
    key = base64.b64encode(secrets.token_bytes(16)).decode()
    words = f"Sec-WebSocket-Protocol: {protocol}\r\n" if protocol else ""
    sock.sendall((f"GET {target} HTTP/1.1\r\nHost: {parts.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n{words}"
                  f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nAuthorization: Bearer {token}\r\n\r\n")
                 .encode())
    answer = b""
    while b"\r\n\r\n" not in answer:
        part = sock.recv(4096)
        assert part, answer
        answer += part
    assert b" 101 " in answer.split(b"\r\n")[0], answer
    return sock


@contextlib.contextmanager
def site_of(api, caller, tenant):
    """The gateway's address is a site of the tenant meanwhile."""
    site = api.ok("createSite", caller, {"name": "127.0.0.1"}, tenant=tenant)
    yield site
    api.ok("deleteSite", caller, tenant=tenant, id_=site["id"])


@pytest.fixture(scope="session")
def fleet_users(api, admin):
    """Role to API key of the fleet tenant."""
    keys = {}
    for role in ROLES:
        key = api.ok("createApiKey", admin, {"name": "t" + secrets.token_hex(6), "role": role}, tenant=FLEET)
        keys[role] = bearer(f"fleet {role}'s key", key["secret"])
    yield keys
    for key in api.ok("listApiKeys", admin, query={"limit": 200}, tenant=FLEET)["items"]:
        if key["name"].startswith("t") and len(key["name"]) == 13:
            api.ok("deleteApiKey", admin, tenant=FLEET, id_=key["id"])
