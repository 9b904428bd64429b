"""A box that has its names and certificates keeps them for years: renewals, an authority, a portal and nodes that come and go,
a lost token, a long sleep, a name that somebody else gets."""

import json
import os
import signal
import socket
import ssl
import time

import pytest

from api_client import wait_for
from api_world import admin, api, stranger, tenant  # fixtures
from conftest import free_ports
from expose_world import CERTIFICATE_S, authority, box, make_box, served_certificate, text_status, visit  # fixtures too
from test_certificates import Authority
from test_names import ZONE, dig, psql


@pytest.fixture
def hasty(fleet, tmp_path):
    """An authority whose certificates live so shortly that they are renewed while one waits."""
    folder = tmp_path / "hasty"
    folder.mkdir()
    authority = Authority(folder, fleet.dns_port, 0, {"PEBBLE_VA_NOSLEEP": "1"}, certificateValidityPeriod=45)
    yield authority
    authority.stop()


def test_renewal_is_taken_up_without_dropping_anybody(make_box, hasty):
    box = make_box(authority=hasty)
    port = free_ports(1)
    box.start(box.service("still here").port, "--tls", "--listen", f"127.0.0.1:{port}")
    box.wait_until_connected()
    key = (box.place(box.mac) / "key.pem").read_text()
    account = next(box.state.glob("acme/*/account.json")).read_text()
    first = served_certificate(box.mac_name, port)
    context = ssl._create_unverified_context()
    with socket.create_connection(("127.0.0.1", port)) as plain, context.wrap_socket(plain, server_hostname=box.mac_name) as tls:
        for end in range(300):
            if served_certificate(box.mac_name, port) != first:
                break
            time.sleep(0.2)
        assert served_certificate(box.mac_name, port) != first
        tls.sendall(b"GET / HTTP/1.0\r\n\r\n")  # on the connection that was there before
        answer = b""
        while part := tls.recv(4096):
            answer += part
        assert answer.endswith(b"still here")
    assert (box.place(box.mac) / "key.pem").read_text() == key
    assert next(box.state.glob("acme/*/account.json")).read_text() == account
    assert not list(box.state.glob(f"acme/*/{box.mac_name}/cert-*.pem"))


def test_failed_renewal_keeps_the_certificate_and_says_why(make_box, hasty):
    box = make_box(authority=hasty)
    port = free_ports(1)
    box.start(box.service("x").port, "--tls", "--listen", f"127.0.0.1:{port}")
    box.wait_until_connected()
    hasty.process.terminate()
    status = wait_for("the reason", lambda: (status := box.name_status(box.mac)).get("certificate_reason") and status,
                      CERTIFICATE_S)
    assert status["certificate_reason"] == "ca" and "can't reach the authority" in status["certificate_problem"]
    assert "certificate_until" in status and "certificate_retry" in status
    assert served_certificate(box.mac_name, port)


def test_a_box_without_the_portal_serves_its_neighbours(fleet, box, tmp_path):
    port = free_ports(1)
    words = [box.service("offline").port, "--tls", "--listen", f"127.0.0.1:{port}"]
    process = box.start(*words)
    box.wait_until_connected()
    box.stop(process)
    fleet.sv("down", "gateway")
    try:
        box.start(*words)
        status = wait_for("the problem", lambda: (status := box.name_status(box.mac)).get("problem") and status)
        assert "can't reach the portal" in status["problem"]
        assert visit("local." + box.mac_name, port, box.authority.roots(), tmp_path) == "offline"
    finally:
        fleet.sv("up", "gateway")
    box.wait_until_connected()


def test_the_token_is_lost(box):
    process = box.start(box.service("x").port, "--tls")
    box.wait_until_connected()
    file = box.place(box.mac) / "registration.json"
    before = json.loads(file.read_text())
    box.stop(process)
    file.unlink()
    box.start(box.service("x").port, "--tls")
    box.wait_until_connected()
    after = json.loads(file.read_text())
    assert after["name"] == before["name"] and after["token"] != before["token"]


def test_expired_and_back(fleet, box, tmp_path):
    """A box that slept too long has lost its addresses and its tunnel; when it reports again, all is as before."""
    box.start(box.service("awake").port, "--tls")
    box.wait_until_connected()
    os.kill(box.processes[0].pid, signal.SIGSTOP)
    psql(fleet, f"UPDATE dns.registration SET seen_at = now() - interval '1 day' WHERE label = '{box.mac}'")
    wait_for("no addresses", lambda: dig(fleet, box.mac_name, "A")[1] == [], CERTIFICATE_S)
    os.kill(box.processes[0].pid, signal.SIGCONT)
    wait_for("addresses again", lambda: dig(fleet, box.mac_name, "A")[1] != [], CERTIFICATE_S)
    box.wait_until_connected()
    assert visit(box.mac_name, fleet.https_port, box.authority.roots(), tmp_path) == "awake"


def test_the_node_begins_anew(fleet, box, tmp_path):
    box.start(box.service("still here").port, "--tls")
    box.wait_until_connected()
    fleet.kill("dataplane")
    wait_for("the loss to be told", lambda: not box.is_connected())
    box.wait_until_connected()
    assert visit(box.mac_name, fleet.https_port, box.authority.roots(), tmp_path) == "still here"


def test_the_name_is_taken_over(fleet, api, tenant, stranger, box):
    """The tenant's admin lets the name go while the box is off, and somebody else gets it."""
    label = "n" + box.mac
    process = box.start(box.service("x").port, "--tls", "--name", label)
    box.wait_until_connected()
    box.stop(process)
    mine = [name for name in api.ok("listRegistrations", tenant.owner, query={"device": box.device}, tenant=tenant.id)["items"]
            if name["name"] == f"{label}.{ZONE}"]
    api.ok("deleteRegistration", tenant.owner, tenant=tenant.id, id_=mine[0]["id"])
    api.ok("createRegistration", stranger.owner, {"name": label}, tenant=stranger.id)
    box.start(box.service("x").port, "--tls", "--name", label)
    status = wait_for("the word about it", lambda: (status := box.name_status(label)).get("state") == "taken" and status)
    assert "the name is taken" in status["problem"]
    wait_for("the other name goes on", lambda: box.name_status(box.mac).get("state") == "held")
    assert text_status(box).returncode == 3
