"""The portal for devices that know an address and a port and nothing else: one port a tenant, and ports without TLS.
Numbers in the names of tests are those of the statements of the provisioning contract."""

import base64
import re
import socket
import types

import pytest
import requests

from api_client import WAIT_S, wait_for
from api_world import admin, api  # noqa: F401
from conftest import free_ports
from portal_world import From, Portal, read

HOST = "fifth.portal.test"


@pytest.fixture(scope="module")
def ports(fleet):
    """A TLS port of the tenant with HOST, a plain one of the same, and a plain one of nobody."""
    first = free_ports(3)
    run = fleet.var / "service/gateway/run"
    settings = (f"'LANYARD_PORTAL_LISTEN=127.0.0.1:{first}={HOST}' "
                f"'LANYARD_PORTAL_PLAIN_LISTEN=127.0.0.1:{first + 1}={HOST},127.0.0.1:{first + 2}'")
    run.write_text(run.read_text().replace("'PATH=", f"{settings} 'PATH=", 1))
    fleet.sv("restart", "gateway")
    wait_for("the gateway", lambda: fleet.is_ready())
    return types.SimpleNamespace(tls=f"https://127.0.0.1:{first}", plain=f"http://127.0.0.1:{first + 1}",
                                 open=f"http://127.0.0.1:{first + 2}", open_port=first + 2)


@pytest.fixture(scope="module")
def portal(ports, fleet, api, admin):
    portal = Portal(fleet, api, admin)
    portal.set(host=HOST)
    return portal


def ask(portal, base, device, path="/api/v1/vpn", method="GET"):
    return portal.fleet.session.request(method, base + path, auth=device.auth, verify=portal.fleet.ca_file, timeout=WAIT_S)


def test_71_a_port_says_which_tenant_is_meant(ports, portal, fleet, api, admin):
    other = Portal(fleet, api, admin)
    device = portal.add()
    twin = other.api.ok("createPortalDevice", other.owner, {"name": "twin", "serial": device.serial}, **other.of)
    twin = types.SimpleNamespace(auth=(device.serial, twin["secret"]))
    assert read(ask(portal, ports.tls, device)).status == 3
    assert ask(portal, ports.tls, twin).status_code == 401
    assert ask(portal, ports.tls, device, "/api/v1/vpn/packet").status_code == 200
    assert portal.poll(device).status_code == 401 and portal.poll(twin).status_code == 200  # the front door


def test_38_without_tls_there_is_a_status_and_never_a_package(ports, portal):
    device = portal.add()
    assert read(ask(portal, ports.plain, device)).status == 3
    for method in ("GET", "HEAD", "PUT"):
        assert ask(portal, ports.plain, device, "/api/v1/vpn/packet", method).status_code == 401
    assert portal.shown(device)["delivered"] == 0
    for path in ("/v1/tenants", "/v1/openapi.yaml", "/v1/claims", "/.well-known/est/csrattrs"):
        assert ask(portal, ports.plain, device, path).status_code == 404, path


def test_8_http_1_0_without_a_host(ports, fleet, api, admin):
    portal = Portal(fleet, api, admin)
    device = portal.add()
    basic = base64.b64encode(":".join(device.auth).encode()).decode()
    with socket.create_connection(("127.0.0.1", ports.open_port), timeout=WAIT_S) as sock:
        sock.sendall(f"GET /api/v1/vpn HTTP/1.0\r\nAuthorization: Basic {basic}\r\n\r\n".encode())
        answer = b"".join(iter(lambda: sock.recv(4096), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith((b"HTTP/1.0 200", b"HTTP/1.1 200"))
    assert f"content-length: {len(body)}".encode() in head.lower() and b"<status>3</status>" in body


# ---- who tries serial numbers ----

def poll_from(portal, address, auth):
    with requests.Session() as session:
        session.mount("https://", From(address))
        return session.get(portal.fleet.base_url + "/api/v1/vpn", auth=auth, verify=portal.fleet.ca_file,
                           timeout=WAIT_S).status_code


def test_39_who_tries_serial_numbers_is_held_back_and_known_devices_of_the_same_address_are_not(fleet, api, admin):
    portal, address = Portal(fleet, api, admin), "127.0.9.1"
    device, late = portal.add(), portal.add()
    assert poll_from(portal, address, device.auth) == 200
    tries = [poll_from(portal, address, (f"WE-{n:06d}", "guess")) for n in range(450)]
    assert set(tries) == {401, 429} and tries[0] == 401
    assert [poll_from(portal, address, device.auth) for _ in range(20)] == [200] * 20
    assert poll_from(portal, "127.0.9.2", late.auth) == 200  # another address
    wait_for("a new device behind that address", lambda: poll_from(portal, address, late.auth) == 200)


def test_77_what_is_asked_of_the_portal_is_counted(fleet, api, admin):
    portal = Portal(fleet, api, admin)
    device = portal.add()

    def count(kind, outcome):
        text = fleet.ops("gateway", "/metrics")
        return int(re.search(rf'lanyard_portal_requests_total{{kind="{kind}",outcome="{outcome}"}} (\d+)', text).group(1))
    before = {key: count(*key) for key in (("poll", "answered"), ("poll", "unknown"), ("packet", "answered"),
                                           ("acknowledge", "answered"))}
    portal.status(device)
    portal.serve(device)
    portal.poll(None, auth=(device.serial, "wrong"))
    assert {key: count(*key) - n for key, n in before.items()} == dict.fromkeys(before, 1)
    text = fleet.ops("provision", "/metrics")
    for name in ('lanyard_portal_devices{state="enabled"}', "lanyard_portal_legacy_devices",
                 "lanyard_portal_oldest_update_seconds", "lanyard_issuing_days_left"):
        assert name in text, name
