"""lanyard expose on a real fleet: a box gets its names and real certificates, serves https by them, keeps both, and says
what is wrong when something is."""

import json
import os
import signal
import socket
import socketserver
import ssl
import stat
import subprocess
import threading
import time

import pytest

from agent_world import LANYARD, run
from api_client import wait_for
from api_world import admin, api, stranger, tenant  # fixtures
from conftest import free_ports
from expose_world import CERTIFICATE_S, authority, box, make_box, served_certificate, text_status, visit  # fixtures too
from test_certificates import Authority
from test_names import ZONE, dig, psql


# ---- names and certificates ----


def test_a_new_box_serves_https_by_its_names(fleet, box, tmp_path):
    port = free_ports(1)
    label = "n" + box.mac
    process = box.start(box.service("hello from the box").port, "--tls", "--listen", f"127.0.0.1:{port}", "--name", label)
    box.wait_until_connected()
    for name in box.mac_name, f"{label}.{ZONE}":  # through a node
        assert visit(name, fleet.https_port, box.authority.roots(), tmp_path) == "hello from the box"
    for name in f"local.{label}.{ZONE}", "local." + box.mac_name:  # in the local network
        assert visit(name, port, box.authority.roots(), tmp_path) == "hello from the box"
    assert dig(fleet, "local." + box.mac_name, "A") == ("NOERROR", ["A " + box.address])

    status = text_status(box)
    assert status.returncode == 0
    for words in (f"name        {label}.{ZONE}", "state       held", "tunnel      open", "good until  20",
                  f"certificate {box.place(label)}/fullchain.pem"):
        assert words in status.stdout, status.stdout
    assert box.stop(process) == 0
    assert text_status(box).returncode == 3


def test_secrets_stay_where_they_are(box):
    label = "n" + box.mac
    box.start(box.service("x").port, "--tls", "--name", label)
    seen = set()

    def look():
        for process in subprocess.run(["ps", "-ww", "-eo", "args"], stdout=subprocess.PIPE, text=True).stdout.splitlines():
            seen.add(process)
        return box.is_connected()
    wait_for("certificates", look, CERTIFICATE_S)
    assert any(line.startswith("uacme") and label in line for line in seen)
    tokens = [json.loads((box.place(name) / "registration.json").read_text())["token"] for name in (label, box.mac)]
    secret = json.loads((box.state / "device.json").read_text())["secret"]
    shown = "\n".join(seen) + box.log() + json.dumps(box.status()) + text_status(box).stdout
    for word in (*tokens, secret):
        assert word not in shown
    for folder, folders, files in os.walk(box.state):
        assert stat.S_IMODE(os.stat(folder).st_mode) & 0o077 == 0 or folder != str(box.state), folder
        for name in files:
            path = os.path.join(folder, name)
            if name in ("registration.json", "key.pem", "device.json", "account.json"):
                assert stat.S_IMODE(os.stat(path).st_mode) & 0o077 == 0, path


def test_a_server_of_its_own_gets_the_files_and_is_told(fleet, box, tmp_path):
    label = "n" + box.mac
    told = tmp_path / "told"
    service = box.service("its own server", label)
    box.start(service.port, "--name", label, "--reload", f'echo "$LANYARD_NAME $LANYARD_CERTIFICATE $LANYARD_KEY" >>{told}')
    box.wait_until_connected()
    assert visit(f"{label}.{ZONE}", fleet.https_port, box.authority.roots(), tmp_path) == "its own server"
    place = box.place(label)
    wait_for("the command of --reload",
             lambda: f"{label}.{ZONE} {place}/fullchain.pem {place}/key.pem\n" in (told.read_text() if told.exists() else ""))


class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(65536):
            self.request.sendall(data)


def test_the_door_carries_bytes_both_ways(box):
    """As many as its buffers hold many times over, at the same time, while somebody else says nothing."""
    port = free_ports(1)
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Echo) as service:
        service.daemon_threads = True
        threading.Thread(target=service.serve_forever, daemon=True).start()
        box.start(service.server_address[1], "--tls", "--listen", f"127.0.0.1:{port}")
        box.wait_until_connected()
        data = os.urandom(16 << 20)
        context = ssl._create_unverified_context()
        with socket.create_connection(("127.0.0.1", port)), socket.create_connection(("127.0.0.1", port), 60) as plain, \
                context.wrap_socket(plain, server_hostname=box.mac_name) as tls:
            assert tls.version() == "TLSv1.3"
            sender = threading.Thread(target=tls.sendall, args=(data,), daemon=True)
            sender.start()
            back = b""
            while len(back) < len(data):
                part = tls.recv(1 << 20)
                assert part, f"the end after {len(back)} bytes"
                back += part
            sender.join()
            assert back == data
        service.shutdown()
    answer = run("curl", "-sk", "-o", "/dev/null", "-w", "%{http_code}", "--noproxy", "*", f"https://127.0.0.1:{port}/").stdout
    assert answer == "502"


def test_names_side_by_side(fleet, box, tmp_path):
    labels = ["a" + box.mac, "b" + box.mac]
    for label in labels:
        box.start(box.service(label).port, "--tls", "--name", label)
        box.wait_until_connected(label)
    for label in labels:
        assert visit(f"{label}.{ZONE}", fleet.https_port, box.authority.roots(), tmp_path) == label
    assert len(box.status(labels[0])["names"]) == 2 and len(box.status(labels[1])["names"]) == 1  # one has the MAC name
    everything = text_status(box)
    assert everything.returncode == 0
    assert all(f"{name}.{ZONE}" in everything.stdout for name in (box.mac, *labels))

    again = box.start(1, "--name", labels[1])
    assert again.wait(30) == 1
    assert f"lanyard expose runs for the name {labels[1]} already" in box.log()
    assert run(LANYARD, "down", "--state", box.state, "--name", labels[1]).returncode == 0
    assert box.processes[1].wait(30) == 0
    assert box.is_connected(labels[0])


def test_an_authority_that_rejects_nonces_and_takes_its_time(fleet, make_box, tmp_path):
    slow = Authority(tmp_path, fleet.dns_port, 20, {"PEBBLE_VA_SLEEPTIME": "2"})
    try:
        box = make_box(authority=slow)
        box.start(box.service("patience").port, "--tls")
        box.wait_until_connected()
        assert visit(box.mac_name, fleet.https_port, slow.roots(), tmp_path) == "patience"
    finally:
        slow.stop()


def test_wrong_command_lines(box):
    for words, code, text in ((["expose"], 2, "TARGET is missing"), (["expose", "no-port-and-no-path:"], 1, "expected a port"),
                              (["expose", "443", "--name", "a.b"], 1, "--name: expected 1 to 63"),
                              (["expose", "443", "--listen", "127.0.0.1:1"], 1, "--listen is for --tls"),
                              (["expose", "443", "--acme", "http://ca/"], 1, "--acme: expected the https URL"),
                              (["expose", "443", "--interface", "lo"], 1, "no Ethernet interface"),
                              (["expose", "443", "--page", "nowhere"], 1, "--page nowhere: expected ADDRESS:PORT")):
        done = run(LANYARD, *words, "--state", box.state)
        assert done.returncode == code and text in done.stdout, done.stdout
    done = run(LANYARD, "expose", "443", "--state", box.folder / "none")
    assert done.returncode == 1 and "not enrolled" in done.stdout


# ---- what goes on for years ----


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
