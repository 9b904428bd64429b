"""What vpn-ws's users have, for tests: a node with its doors, nginx before it, clients that send byte for byte what
vpn-ws-client sends, and hosts in network namespaces that reach each other through their TAPs."""

import base64
import contextlib
import fcntl
import http.client
import json
import os
import pathlib
import re
import secrets
import select
import signal
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
import time

from ports import free_port

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("LANYARD_BUILD", ROOT / "build/test"))
SANITIZER = re.compile(r"ERROR: \w+Sanitizer|runtime error:")
TENANT = "0199a000-0000-7000-8000-0000000000aa"
NETWORK = "0199a000-0000-7000-8000-0000000000bb"
WAIT_S = 30
BROADCAST = "ff:ff:ff:ff:ff:ff"


def wait_for(what, condition, limit_s=WAIT_S):
    """What the condition returns when it is something."""
    end = time.monotonic() + limit_s
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < end, f"waited {limit_s} s for {what}"
        time.sleep(0.02)


def run(*words, **more):
    return subprocess.run([str(word) for word in words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=60, **more)


def mac_bytes(text):
    return bytes.fromhex(text.replace(":", ""))


def frame(to, source, payload=b"payload of a frame", kind=0x88b5):
    return mac_bytes(to) + mac_bytes(source) + struct.pack(">H", kind) + payload


def random_mac():
    return "02:" + ":".join(f"{byte:02x}" for byte in secrets.token_bytes(5))


# ---- the node ----

class Node:
    """lanyard-dataplane alone, with a database, in the folder."""

    def __init__(self, folder, *options, environment=None, name="node"):
        self.log_file = folder / f"{name}.log"
        key = folder / "fleet.key"
        if not key.exists():
            key.write_text("first:" + secrets.token_hex(32) + "\n")
        self.port, self.ops_port = free_port(), free_port()
        url = os.environ["LANYARD_TEST_DATABASE_URL"].replace("user=postgres", "user=lanyard_dataplane")
        self.environment = {
            "PATH": os.environ["PATH"], "LANYARD_DATABASE_URL": url, "LANYARD_FLEET_KEY_FILE": str(key),
            "LANYARD_LISTEN": f"127.0.0.1:{self.port}", "LANYARD_OPS_LISTEN": f"127.0.0.1:{self.ops_port}",
            "LANYARD_VPNWS_TENANT": TENANT, "LANYARD_VPNWS_NETWORK": NETWORK, **(environment or {})}
        self.command = [str(BUILD / "bin/lanyard-dataplane"), *map(str, options)]
        self.process = None

    def check(self):
        """What --check says."""
        return run(*self.command, "--check", env=self.environment)

    def launch(self):
        with self.log_file.open("a") as log:
            self.process = subprocess.Popen(self.command, env=self.environment, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log)
        return self

    def start(self):
        self.launch()
        wait_for("the node", self.is_listening)
        return self

    def is_listening(self):
        assert self.process.poll() is None, self.log()
        return " listening " in self.log()

    def log(self):
        return self.log_file.read_text()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            status = self.process.wait(WAIT_S)
            assert status == 0, self.log()
        assert not SANITIZER.search(self.log()), self.log()

    def cpu_s(self):
        """Processor time that it has used."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def metric(self, line):
        """The value of a line of /metrics, which begins with this."""
        connection = http.client.HTTPConnection("127.0.0.1", self.ops_port, timeout=WAIT_S)
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        found = re.search("^" + re.escape(line) + r"(?:\{\})? (\d+)$", text, re.M)
        return int(found.group(1)) if found else 0


# ---- uwsgi, as a proxy sends it ----

def uwsgi_packet(modifier1, variables):
    body = b"".join(struct.pack("<H", len(part)) + part for pair in variables.items()
                    for part in (text.encode("latin-1") for text in pair))
    return struct.pack("<BHB", modifier1, len(body), 0) + body


def connect_to(address, limit_s=WAIT_S):
    """A socket connected to a path, or to a pair of host and port; one that is a socket already is left so."""
    if isinstance(address, socket.socket):
        return address
    if isinstance(address, tuple):
        return socket.create_connection(address, limit_s)
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(limit_s)
    connection.connect(str(address))
    return connection


def read_all(connection):
    parts = []
    while part := connection.recv(65536):
        parts.append(part)
    return b"".join(parts)


def control(address, query=""):
    """The status page, as a proxy asks for it: head and body."""
    with connect_to(address) as connection:
        connection.sendall(uwsgi_packet(1, {"QUERY_STRING": query, "REMOTE_ADDR": "127.0.0.1"}))
        head, _, body = read_all(connection).partition(b"\r\n\r\n")
    return head.decode(), body.decode()


def peers(address):
    return json.loads(control(address)[1])["peers"]


# ---- nginx ----

class Nginx:
    """nginx with this configuration of its servers, in the folder."""

    def __init__(self, folder, servers):
        self.folder = folder
        (folder / "nginx.conf").write_text(f"""
            daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/nginx.log info;
            user root; events {{ worker_connections 256; }}
            http {{
                access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
                uwsgi_temp_path {folder}/uwsgi; fastcgi_temp_path {folder}/fastcgi; scgi_temp_path {folder}/scgi;
                {servers}
            }}""")
        self.process = subprocess.Popen(["nginx", "-c", str(folder / "nginx.conf"), "-e", str(folder / "nginx.log")],
                                        stdin=subprocess.DEVNULL)

    def wait(self, address):
        def answers():
            assert self.process.poll() is None, (self.folder / "nginx.log").read_text()
            with contextlib.suppress(OSError):
                connect_to(address).close()
                return True
        wait_for("nginx", answers)
        return self

    def stop(self):
        self.process.terminate()
        self.process.wait(WAIT_S)


UWSGI_PARAMS = """
    uwsgi_param QUERY_STRING $query_string; uwsgi_param REQUEST_METHOD $request_method;
    uwsgi_param CONTENT_TYPE $content_type; uwsgi_param CONTENT_LENGTH $content_length;
    uwsgi_param REQUEST_URI $request_uri; uwsgi_param PATH_INFO $document_uri;
    uwsgi_param DOCUMENT_ROOT $document_root; uwsgi_param SERVER_PROTOCOL $server_protocol;
    uwsgi_param REQUEST_SCHEME $scheme; uwsgi_param HTTPS $https if_not_empty;
    uwsgi_param REMOTE_ADDR $remote_addr; uwsgi_param REMOTE_PORT $remote_port;
    uwsgi_param SERVER_PORT $server_port; uwsgi_param SERVER_NAME $server_name;
    uwsgi_param REMOTE_USER $remote_user; uwsgi_param HTTPS_DN $ssl_client_s_dn;
"""


# ---- clients ----

class Refused(Exception):
    """The status line of an answer that is not 101."""


def masked(payload, mask, opcode=0x82, long=False):
    length = len(payload)
    short = length < 126 and not long
    header = bytes([opcode, 0x80 | length]) if short else struct.pack(">BBH", opcode, 0xfe, length)
    masks = (mask * (length // 4 + 1))[:length]
    return header + mask + bytes(one ^ other for one, other in zip(payload, masks))


class OldClient:
    """vpn-ws-client on the wire: its handshake, one mask for a connection, an unmasked ping, no pong."""

    def __init__(self, address, path="/vpn", host="localhost", mac=None, userinfo=None, bridge=False, context=None,
                 headers=()):
        self.socket = connect_to(address)
        if context:
            self.socket = context.wrap_socket(self.socket, server_hostname=host)
        self.mac, self.mask, self.buffer = mac, secrets.token_bytes(4), b""
        lines = [f"GET {path} HTTP/1.1", f"Host: {host}"]
        if userinfo:
            lines.append("Authorization: Basic " + base64.b64encode(userinfo.encode()).decode())
        lines += ["Upgrade: websocket", "Connection: Upgrade",
                  "Sec-WebSocket-Key: " + base64.b64encode(secrets.token_bytes(10)).decode()]
        if mac:
            lines.append("X-vpn-ws-MAC: " + mac)
        if bridge:
            lines.append("X-vpn-ws-bridge: on")
        self.socket.sendall("\r\n".join([*lines, *headers, "", ""]).encode())
        self.head = self.read_head()
        if not self.head.startswith("HTTP/1.1 101"):
            self.socket.close()
            raise Refused(self.head.split("\r\n")[0])

    def read_head(self):
        """As the original does: what is read together with the end of the head is thrown away, and here noted."""
        data = b""
        while b"\r\n\r\n" not in data:
            part = self.socket.recv(8192)
            if not part:
                break
            data += part
        head, _, self.lost = data.partition(b"\r\n\r\n")
        assert len(head) + 4 <= 8192
        return head.decode()

    def send_message(self, payload, opcode=0x82, long=False):
        """`long`: with more bytes for the length than it needs."""
        self.socket.sendall(masked(payload, self.mask, opcode, long))

    def send(self, to, payload=b"payload of a frame", source=None):
        sent = frame(to, source or self.mac, payload)
        self.send_message(sent)
        return sent

    def ping(self):
        self.socket.sendall(b"\x89\x00")

    def read_exactly(self, length):
        while len(self.buffer) < length:
            part = self.socket.recv(65536)
            if not part:
                raise ConnectionError("the node hung up")
            self.buffer += part
        data, self.buffer = self.buffer[:length], self.buffer[length:]
        return data

    def receive_message(self, limit_s=WAIT_S):
        """Opcode with FIN, and payload, of the next frame on the wire; checks that no byte of the header is odd."""
        self.socket.settimeout(limit_s)
        first, length = self.read_exactly(2)
        assert not length & 0x80, "a server does not mask"
        if length == 126:
            length, = struct.unpack(">H", self.read_exactly(2))
            assert length >= 126
        elif length == 127:
            length, = struct.unpack(">Q", self.read_exactly(8))
            assert length >= 65536
        return first, self.read_exactly(length)

    def receive(self, limit_s=WAIT_S):
        """The next Ethernet frame; pongs are passed over as the original does."""
        while True:
            first, payload = self.receive_message(limit_s)
            if first in (0x8a, 0x89):
                continue
            if first == 0x88:
                raise ConnectionError(payload[2:].decode())
            assert first == 0x82 and len(payload) >= 14, (first, payload)
            return payload

    def receive_until(self, wanted):
        """Whether this frame comes; others may come before it."""
        got = []
        while not got or got[-1] != wanted:
            got.append(self.receive())
        return got

    def is_closed(self):
        with contextlib.suppress(ConnectionError):
            self.receive(limit_s=WAIT_S)
            return False
        return True

    def close(self):
        self.socket.close()


# ---- hosts ----

TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454ca, 2, 0x1000


class Host:
    """A network namespace, and in it a TAP whose other end is `fd`."""

    def __init__(self, address):
        self.address = address
        self.name = "lanyard-vpnws-" + secrets.token_hex(4)
        self.interface = "lyt" + secrets.token_hex(4)
        assert run("ip", "netns", "add", self.name).returncode == 0
        self.run("ip", "link", "set", "lo", "up")
        self.fd, self.mac = None, None

    def run(self, *words):
        return run("ip", "netns", "exec", self.name, *words)

    def make_tap(self):
        self.fd = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
        fcntl.ioctl(self.fd, TUNSETIFF, struct.pack("16sH22x", self.interface.encode(), IFF_TAP | IFF_NO_PI))
        return self.take(self.interface)

    def take(self, interface, mtu=None):
        """Moves an interface of this namespace to the host, and sets it up."""
        self.interface = interface
        assert run("ip", "link", "set", interface, "netns", self.name).returncode == 0
        for words in (["ip", "addr", "add", self.address + "/24", "dev", interface],
                      ["ip", "link", "set", interface, "up", *(["mtu", str(mtu)] if mtu else [])]):
            done = self.run(*words)
            assert done.returncode == 0, done.stdout
        self.mac = self.run("cat", f"/sys/class/net/{interface}/address").stdout.strip()
        return self

    def can_ping(self, other, *options):
        return self.run("ping", "-c1", "-W2", *options, other.address).returncode == 0

    def remove(self):
        if self.fd is not None:
            os.close(self.fd)
        run("ip", "netns", "del", self.name)


class Pump:
    """vpn-ws-client's loop: frames of at most 1500 bytes from the TAP, one each message, and back."""

    def __init__(self, host, client):
        self.host, self.client, self.ended = host, client, threading.Event()
        self.thread = threading.Thread(target=self.loop, daemon=True)
        self.thread.start()

    def loop(self):
        connection = self.client.socket
        connection.settimeout(None)
        while not self.ended.is_set():
            ready, _, _ = select.select([connection, self.host.fd], [], [], 0.2)
            if self.host.fd in ready:
                self.client.send_message(os.read(self.host.fd, 1500))
            while connection in ready or self.client.buffer or getattr(connection, "pending", int)():
                try:
                    os.write(self.host.fd, self.client.receive())
                except OSError:
                    return
                ready = []

    def stop(self):
        self.ended.set()
        self.thread.join(WAIT_S)
        self.client.close()


def make_certificate(folder, name, subject, ca=None):
    """A certificate, of itself or of the authority with that name: FOLDER/NAME.crt and .key."""
    signer = ["-CA", folder / f"{ca}.crt", "-CAkey", folder / f"{ca}.key"] if ca else []
    done = run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
               "2", "-subj", subject, "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", *signer,
               "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.crt")
    assert done.returncode == 0, done.stdout
    return folder / f"{name}.crt", folder / f"{name}.key"


@contextlib.contextmanager
def temporary_folder():
    with tempfile.TemporaryDirectory(prefix="lanyard-vpnws-") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)  # processes without privileges work in it
        yield folder
