"""A box: a device with a MAC address of its own (an interface that carries nothing), its state folder, and lanyard expose
for it; pebble is the authority."""

import http.server
import json
import os
import secrets
import socket
import ssl
import subprocess
import threading

import pytest

from agent_world import LANYARD, run
from api_client import wait_for
from conftest import SANITIZER
from test_certificates import Authority
from test_names import ZONE

ZONE_DOTTED = "." + ZONE
CERTIFICATE_S = 120  # uacme sleeps 5 s whenever it asks before the authority has made up its mind


@pytest.fixture(scope="module")
def authority(fleet, tmp_path_factory):
    authority = Authority(tmp_path_factory.mktemp("pebble"), fleet.dns_port, 0, {"PEBBLE_VA_NOSLEEP": "1"})
    yield authority
    authority.stop()


@pytest.fixture
def make_box(whole_fleet, api, tenant, authority, tmp_path):
    boxes = []

    def make(**other):
        folder = tmp_path / f"box{len(boxes)}"
        folder.mkdir()
        boxes.append(Box(whole_fleet, api, other.get("tenant", tenant), other.get("authority", authority), folder))
        return boxes[-1]
    yield make
    for box in boxes:
        box.close()


@pytest.fixture
def box(make_box):
    return make_box()


class Web(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = self.server.text.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Service:
    """What a box has to offer: plain HTTP at a port of 127.0.0.1, or https with a certificate that is read for each connection."""

    def __init__(self, text, certificate=None):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Web)
        self.server.text = text
        self.server.daemon_threads = True
        self.certificate = certificate
        if certificate:
            self.server.get_request = self.accept
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def accept(self):
        connection, address = self.server.socket.accept()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*map(str, self.certificate))
        return context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False), address

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Box:
    def __init__(self, fleet, api, tenant, authority, folder):
        self.fleet, self.authority, self.folder = fleet, authority, folder
        self.state = folder / "state"
        mac = "02" + secrets.token_hex(5)
        self.mac = mac
        self.interface = "lyx" + mac[-8:]
        self.address = f"10.{secrets.randbelow(200) + 20}.{secrets.randbelow(250)}.{secrets.randbelow(250) + 2}"
        self.processes, self.services = [], []
        key = api.ok("createEnrolmentKey", tenant.owner, {"name": mac, "approve": True}, tenant=tenant.id)["secret"]
        for words in (["tuntap", "add", "dev", self.interface, "mode", "tap"],
                      ["link", "set", self.interface, "address", ":".join(mac[i:i + 2] for i in range(0, 12, 2))],
                      ["address", "add", self.address + "/32", "dev", self.interface]):
            done = run("ip", *words)
            assert done.returncode == 0, done.stdout
        done = run(LANYARD, "enroll", fleet.base_url, "--state", self.state, "--ca", fleet.ca_file, "--name", "b" + mac,
                   stdin=None, input=key)
        assert done.returncode == 0, done.stdout
        self.device = json.loads((self.state / "device.json").read_text())["device"]

    @property
    def mac_name(self):
        return self.mac + ZONE_DOTTED

    def place(self, label):
        return self.state / "names" / label

    def service(self, text, label=None):
        certificate = (self.place(label) / "fullchain.pem", self.place(label) / "key.pem") if label else None
        self.services.append(Service(text, certificate))
        return self.services[-1]

    def start(self, *words, environment=None, acme=None):
        """lanyard expose; its log is self.log()."""
        log = open(self.folder / "expose.log", "a")
        acme = acme or ["--acme", self.authority.url, "--acme-ca", self.authority.ca]
        process = subprocess.Popen(
            [str(word) for word in [LANYARD, "expose", *words, "--state", self.state, "--interface", self.interface,
                                    *acme]],
            env={**os.environ, "no_proxy": "localhost,127.0.0.1", **(environment or {})}, stdin=subprocess.DEVNULL,
            stdout=log, stderr=log)
        log.close()
        self.processes.append(process)
        return process

    def log(self):
        return (self.folder / "expose.log").read_text(errors="replace")

    def status(self, label=None):
        """What lanyard status says of the process; {} if it is not there."""
        done = run(LANYARD, "status", "--json", "--state", self.state, *(["--name", label] if label else []))
        return json.loads(done.stdout) if done.returncode in (0, 3) and done.stdout.startswith("{") else {}

    def name_status(self, label, process=None):
        """What it says of one name; {} if it does not know it."""
        for name in self.status(process).get("names", []):
            if name["name"] in (label, label + ZONE_DOTTED):
                return name
        return {}

    def is_connected(self, process=None):
        return self.status(process).get("state") == "connected"

    def wait_until_connected(self, process=None):
        wait_for("names, certificates and tunnels", lambda: self.is_connected(process), CERTIFICATE_S)

    def stop(self, process):
        process.terminate()
        return process.wait(30)

    def close(self):
        for process in self.processes:
            if process.poll() is None:
                process.terminate()
        codes = [process.wait(30) for process in self.processes]
        for service in self.services:
            service.stop()
        run("ip", "link", "delete", self.interface)
        text = self.log() if (self.folder / "expose.log").exists() else ""
        print(text)  # pytest shows it when the test has failed
        assert not SANITIZER.search(text), text
        return codes


def text_status(box, *more):
    return run(LANYARD, "status", "--state", box.state, *more)


def visit(host, port, roots, folder, path="/"):
    """GET over https at 127.0.0.1:PORT as HOST, the certificate verified by these roots: the body."""
    (folder / "roots.pem").write_text(roots)
    done = run("curl", "-fsS", "--noproxy", "*", "--cacert", folder / "roots.pem", "--max-time", "20", "--resolve",
               f"{host}:{port}:127.0.0.1", f"https://{host}:{port}{path}")
    assert done.returncode == 0, done.stdout
    return done.stdout


def served_certificate(host, port):
    """What a visitor is shown, as PEM."""
    context = ssl._create_unverified_context()
    with socket.create_connection(("127.0.0.1", port), 20) as plain, context.wrap_socket(plain, server_hostname=host) as tls:
        return ssl.DER_cert_to_PEM_cert(tls.getpeercert(True))
