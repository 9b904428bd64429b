"""The portal for devices that know an address and a port and nothing else: one port a tenant, and ports without TLS.
Numbers in the names of tests are those of the statements of the provisioning contract."""

import base64
import http.client
import re
import socket
import ssl
import subprocess
import types
import warnings

import pytest
import requests

from api_client import WAIT_S, wait_for
from api_world import admin, api  # noqa: F401
from conftest import free_ports
from portal_world import FILES, From, Portal, in_future, md5, read, unpack

HOST = "fifth.portal.test"


@pytest.fixture(scope="module")
def ports(fleet):
    """A TLS port of the tenant with HOST, a plain one of the same, a plain one of nobody, and one for old TLS."""
    first = free_ports(4)
    run = fleet.var / "service/gateway/run"
    settings = (f"'LANYARD_PORTAL_ALIASES=false' 'LANYARD_PORTAL_LISTEN=127.0.0.1:{first}={HOST}' "
                f"'LANYARD_PORTAL_PLAIN_LISTEN=127.0.0.1:{first + 1}={HOST},127.0.0.1:{first + 2}' "
                f"'LANYARD_PORTAL_LEGACY_LISTEN=127.0.0.1:{first + 3}={HOST}'")
    usual = run.read_text()
    run.write_text(usual.replace("'PATH=", f"{settings} 'PATH=", 1))
    fleet.sv("restart", "gateway")
    wait_for("the gateway", lambda: fleet.is_ready())
    yield types.SimpleNamespace(tls=f"https://127.0.0.1:{first}", plain=f"http://127.0.0.1:{first + 1}",
                                 open=f"http://127.0.0.1:{first + 2}", open_port=first + 2, tls_port=first, old_port=first + 3)
    run.write_text(usual)
    fleet.sv("restart", "gateway")
    wait_for("the gateway", lambda: fleet.is_ready())


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


def ask_by(version, fleet, port, path, device, method="GET"):
    """One request with this version of TLS and no other, and with no host in its handshake."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(fleet.ca_file)
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of old versions
        context.minimum_version = context.maximum_version = version
    connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=WAIT_S)
    basic = base64.b64encode(":".join(device.auth).encode()).decode()
    try:
        connection.request(method, path, headers={"Authorization": f"Basic {basic}"})
        reply = connection.getresponse()
        return types.SimpleNamespace(status=reply.status, body=reply.read())
    finally:
        connection.close()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_2])
def test_old_tls_has_a_port_of_its_own_for_the_portal_alone(ports, portal, fleet, version):
    device = portal.add()
    packet = "/api/v1/vpn/packet"
    assert b"<status>3</status>" in ask_by(version, fleet, ports.old_port, "/api/v1/vpn", device).body
    assert list(unpack(ask_by(version, fleet, ports.old_port, packet, device).body)) == FILES
    assert b"<status>2</status>" in ask_by(version, fleet, ports.old_port, packet, device, "PUT").body
    for path in ("/v1/tenants", "/v1/openapi.yaml", "/.well-known/est/csrattrs", "/.well-known/vpn-user-portal"):
        assert ask_by(version, fleet, ports.old_port, path, device).status == 404, path
    for port in (fleet.gateway_port, ports.tls_port):
        if version == ssl.TLSVersion.TLSv1_2:
            assert ask_by(version, fleet, port, "/v1/openapi.yaml", device).status == 200
        else:
            with pytest.raises((ssl.SSLError, ConnectionError)):
                ask_by(version, fleet, port, "/v1/openapi.yaml", device)
    warned = [line for line in fleet.log("gateway").splitlines() if " old_tls " in line and str(ports.old_port) in line]
    assert warned and " warn " in warned[0]


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
    def refused(cause):
        text = fleet.ops("provision", "/metrics")
        return int(re.search(rf'lanyard_portal_refused_total{{cause="{cause}"}} (\d+)', text).group(1))
    causes = {cause: refused(cause) for cause in ("password", "unknown", "retired", "legacy", "malformed")}
    before = {key: count(*key) for key in (("poll", "answered"), ("poll", "unknown"), ("packet", "answered"),
                                           ("acknowledge", "answered"))}
    portal.status(device)
    portal.serve(device)
    portal.poll(None, auth=(device.serial, "wrong"))
    assert {key: count(*key) - n for key, n in before.items()} == dict.fromkeys(before, 1)
    portal.poll(None, auth=(device.serial + "x", device.secret))
    portal.poll(None, auth=(device.serial, md5(device.serial)))
    portal.poll(None, auth=("no serial!", "x"))
    portal.api.ok("retireDevice", portal.owner, id_=device.id, **portal.of)
    portal.poll(device)
    assert {cause: refused(cause) - n for cause, n in causes.items()} == dict.fromkeys(causes, 1)
    text = fleet.ops("provision", "/metrics")
    for name in ('lanyard_portal_devices{state="enabled"}', "lanyard_portal_legacy_devices",
                 "lanyard_portal_oldest_update_seconds", "lanyard_issuing_days_left"):
        assert name in text, name


# ---- what operators are warned of ----

def test_11_aliases_can_be_turned_off(ports, portal):
    device = portal.add()
    assert ask(portal, ports.tls, device).status_code == 200
    for path in ("/api/vi/vpn", "/api/v1/vpn/", "/api/v1/vpn/packet/"):
        assert ask(portal, ports.tls, device, path).status_code == 404, path


def alarms(portal, action):
    page = portal.api.ok("listAuditRecords", portal.owner, query={"limit": 200}, **portal.of)["items"]
    return [record for record in page if record["action"] == action]


def test_34_legacy_passwords_end_with_a_warning_before(ports, fleet, api, admin):
    portal = Portal(fleet, api, admin)
    portal.add(legacy=True)
    portal.set(legacy_until=in_future(days=100))
    until = in_future(days=5)
    portal.set(legacy_until=until)
    told = wait_for("the warning", lambda: alarms(portal, "portal.legacy_ends"))
    assert [(record["before"], record["after"]) for record in told] == [("1", until)]
    assert "legacy_ends" in fleet.log("provision")
    days = wait_for("the metric", lambda: re.search(r"lanyard_portal_legacy_days_left (\d+)",
                                                    fleet.ops("provision", "/metrics")))
    assert int(days.group(1)) <= 5


def test_40_serial_numbers_tried_from_many_addresses_raise_an_alarm(ports, fleet, api, admin):
    portal = Portal(fleet, api, admin)
    device = portal.add()
    other = Portal(fleet, api, admin)
    other.api.ok("createPortalDevice", other.owner, {"name": "far", "serial": "zz-" + device.serial}, **other.of)
    for n in range(120):
        assert poll_from(portal, f"127.0.10.{n + 1}", (f"{device.serial[:-3]}x{n:03d}", "guess")) == 401
    told = wait_for("the alarm", lambda: alarms(portal, "portal.scanned"))
    assert len(told) == 1 and int(told[0]["after"].split()[0]) >= 100
    assert not alarms(other, "portal.scanned")
    assert "lanyard_portal_scans_total 1" in fleet.ops("provision", "/metrics")


# ---- who is slow, and who speaks no TLS ----

def test_55_ten_thousand_slow_clients_do_not_keep_others_out(ports, fleet, api, admin):
    """They send the first byte of a handshake and no more, from 50 addresses."""
    portal = Portal(fleet, api, admin)
    device = portal.add()
    sockets = []
    for n in range(10000):
        sock = socket.socket()
        sock.bind((f"127.0.{20 + n % 50}.1", 0))
        sock.settimeout(WAIT_S)
        try:
            sock.connect(("127.0.0.1", fleet.gateway_port))
            sock.sendall(b"\x16")
        except OSError:
            pass  # refused: there is a limit
        sockets.append(sock)

    def answered():
        try:
            return portal.poll(device).status_code == 200
        except requests.ConnectionError:
            return False
    try:
        wait_for("a poll among them", answered)

        def is_open(sock):
            try:
                return sock.recv(1, socket.MSG_DONTWAIT) != b""
            except BlockingIOError:
                return True
            except OSError:
                return False
        wait_for("the end of most of them", lambda: sum(map(is_open, sockets)) <= 1100)
        assert all(answered() for _ in range(10))
    finally:
        for sock in sockets:
            sock.close()


CLIENT_HELLO_3 = bytes.fromhex("160300002f0100002b0300") + bytes(32) + bytes.fromhex("00000400050004" + "0100")


@pytest.mark.parametrize("data", [CLIENT_HELLO_3, b"GET / HTTP/1.1\r\n\r\n", bytes(range(256)), b"\x80" * 5000,
                                  b"\x16\x03\x01\xff\xff" + b"A" * 70000, b"\x15\x03\x01\x00\x02\x02\x28"])
def test_56_what_is_no_tls_of_our_time_ends_at_once(ports, portal, fleet, data):
    with socket.create_connection(("127.0.0.1", fleet.gateway_port), timeout=WAIT_S) as sock:
        answer = b""
        try:  # a time-out is a failure: the other side may not wait for more
            sock.sendall(data)
            while part := sock.recv(4096):
                answer += part
        except ConnectionError:
            pass  # it ended with bytes that nobody had read
        assert answer == b"" or answer[0] == 0x15  # an alert, or nothing


@pytest.mark.parametrize("options", [["-tls1"], ["-tls1_1"], ["-tls1_2", "-cipher", "NULL:EXPORT:LOW:aNULL"]])
def test_56_old_versions_and_weak_ciphers_are_refused(ports, fleet, options):
    done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{fleet.gateway_port}", *options],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=WAIT_S)
    assert done.returncode != 0 and "Cipher is (NONE)" in done.stdout or "no cipher" in done.stdout.lower(), done.stdout


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_a_device_resumes_its_tls_session(ports, fleet, tmp_path, version):
    def connect(*options):
        client = subprocess.Popen(["openssl", "s_client", "-connect", f"127.0.0.1:{fleet.gateway_port}", version, "-CAfile",
                                   fleet.ca_file, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True)
        client.stdin.write("GET /v1/jwks.json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        client.stdin.flush()
        said = client.stdout.read()
        client.wait(WAIT_S)
        assert "HTTP/1.1 200" in said, said
        return said
    assert "\nNew, " in connect("-sess_out", tmp_path / "session")
    assert "\nReused, " in connect("-sess_in", tmp_path / "session")


def test_56_a_client_does_not_renegotiate(ports, fleet):
    client = subprocess.Popen(["openssl", "s_client", "-connect", f"127.0.0.1:{fleet.gateway_port}", "-tls1_2"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    client.stdin.write("R\n")
    client.stdin.flush()
    said, _ = client.communicate(timeout=WAIT_S)
    assert "RENEGOTIATING" in said and "error" in said.lower(), said
