"""lanyard expose on a real fleet: a box gets its names and real certificates, serves https by them, carries what comes, and keeps its secrets."""

import contextlib
import json
import os
import select
import socket
import socketserver
import ssl
import stat
import subprocess
import threading

import pytest

from agent_world import LANYARD, run
from api_client import wait_for
from api_world import admin, api, tenant  # fixtures
from conftest import free_ports
from expose_world import CERTIFICATE_S, authority, box, make_box, text_status, visit  # fixtures too
from test_certificates import Authority
from test_names import ZONE, dig


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


@pytest.fixture
def token(tmp_path):
    """A PKCS#11 token with a key on P-256: the environment by which it is found, the key's URI, and its public half."""
    configuration, pin, key = (tmp_path / name for name in ("softhsm2.conf", "pin", "token-key.pem"))
    (tmp_path / "tokens").mkdir()
    configuration.write_text(f"directories.tokendir = {tmp_path}/tokens\nobjectstore.backend = file\n")
    pin.write_text("567890")
    environment = {**os.environ, "SOFTHSM2_CONF": str(configuration)}
    for words in (["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key],
                  ["softhsm2-util", "--init-token", "--free", "--label", "box", "--so-pin", "123456", "--pin", "567890"],
                  ["softhsm2-util", "--import", key, "--token", "box", "--label", "door", "--id", "01", "--pin", "567890"]):
        subprocess.run(words, env=environment, check=True, stdout=subprocess.DEVNULL)
    public = run("openssl", "pkey", "-in", key, "-pubout").stdout
    key.unlink()
    return {"SOFTHSM2_CONF": str(configuration)}, f"pkcs11:token=box;object=door?pin-source=file:{pin}", public


def test_the_key_may_stay_in_a_token(fleet, box, token, tmp_path):
    environment, uri, public = token
    label = "n" + box.mac
    box.start(box.service("by a token").port, "--tls", "--name", label, "--pkcs11", uri, environment=environment)
    box.wait_until_connected()
    for name in box.mac_name, f"{label}.{ZONE}":
        assert visit(name, fleet.https_port, box.authority.roots(), tmp_path) == "by a token"
    certificate = box.place(label) / "fullchain.pem"
    assert run("openssl", "x509", "-in", certificate, "-noout", "-pubkey").stdout == public
    assert box.name_status(label)["key"] == uri
    keys = [path for path in box.state.rglob("*.pem") if "PRIVATE KEY" in path.read_text()]
    assert [path.parent.name for path in keys] == ["private"], "only the account's key is in a file"

    for wrong, words in ((uri.replace("door", "window"), "no private key in a token is"), (uri.replace("source=file", "value"), "expected pin-source"),
                         ("door", "--pkcs11: expected a URI")):
        again = subprocess.run([LANYARD, "expose", "1", "--state", box.state, "--interface", box.interface, "--pkcs11", wrong],
                               env={**os.environ, **environment}, text=True, stderr=subprocess.PIPE)
        assert again.returncode == 1 and words in again.stderr, again.stderr


class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(65536):
            self.request.sendall(data)


def echoed(tls, data):
    """What comes back while it is sent; in one thread, since OpenSSL's connections are for one at a time."""
    tls.setblocking(False)
    sent, back = 0, bytearray()
    while len(back) < len(data):
        select.select([tls], [tls] if sent < len(data) else [], [], 60)
        with contextlib.suppress(ssl.SSLWantReadError, ssl.SSLWantWriteError):
            sent += tls.send(data[sent:sent + 65536]) if sent < len(data) else 0
        with contextlib.suppress(ssl.SSLWantReadError, ssl.SSLWantWriteError):
            part = tls.recv(1 << 20)
            assert part, f"the end after {len(back)} bytes"
            back += part
    return back


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
            assert echoed(tls, data) == data
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
