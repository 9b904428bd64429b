"""lanyard-rendezvous and two nodes with the faces of nymea, against the PostgreSQL of tests/postgres, and clients that
speak to them in plain bytes, over TLS or not."""

import base64
import json
import os
import pathlib
import secrets
import signal
import socket
import ssl
import struct
import subprocess
import tempfile
import time

BUILD = pathlib.Path(os.environ["LANYARD_BUILD"])
DATABASE = os.environ["LANYARD_TEST_DATABASE_URL"]
WAIT_S = 30


def wait_for(what, condition):
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"waited in vain for {what}")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Process:
    """One lanyard-NAME, which ends with the tests."""

    def __init__(self, world, name, arguments=(), **settings):
        self.name = name
        self.log_path = world.folder / f"{name}-{secrets.token_hex(4)}.log"
        self.arguments = [str(BUILD / "bin" / f"lanyard-{name}"), *arguments]
        self.environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("LANYARD_")},
            "LANYARD_DATABASE_URL": f"{DATABASE.split('&user=')[0]}&user=lanyard_{name}",
            "LANYARD_FLEET_KEY_FILE": str(world.key_file), **settings}
        self.start()

    def start(self):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(self.arguments, env=self.environment, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log)

    def log(self):
        return self.log_path.read_text(errors="replace")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(timeout=WAIT_S) == 0, self.log()
        assert "Sanitizer" not in self.log() and "runtime error" not in self.log(), self.log()

    def rss_kb(self):
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        raise AssertionError("no memory")


class Node(Process):
    def __init__(self, world, arguments=(), **settings):
        self.ports = {name: free_port() for name in ("PAIR_WS", "PAIR_TCP", "TUNNEL_WS", "TUNNEL_TCP")}
        doors = {f"LANYARD_NYMEA_{name}": f"127.0.0.1:{port}" for name, port in self.ports.items()}
        self.tls = settings.get("LANYARD_NYMEA_TLS", "false") == "true"
        super().__init__(world, "dataplane", arguments, **{
            "LANYARD_LISTEN": "127.0.0.1:0", "LANYARD_NYMEA_AUTHENTICATOR": "mock", "LANYARD_NYMEA_TLS": "false",
            **({} if arguments else doors), **settings})
        if not arguments:
            wait_for("the node", lambda: self.is_open("PAIR_WS") or self.process.poll() is not None)
        assert self.process.poll() is None, self.log()

    def is_open(self, door):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.ports[door])) == 0

    def ws(self, door="PAIR_WS", **more):
        return WebSocket(self.ports[door], self.tls, **more)

    def tcp(self, door="PAIR_TCP"):
        return Tcp(self.ports[door], self.tls)


class World:
    def __init__(self):
        self.temporary = tempfile.TemporaryDirectory(prefix="lanyard-nymea-")
        self.folder = pathlib.Path(self.temporary.name)
        self.key_file = self.folder / "fleet.key"
        self.key_file.write_text("first:" + secrets.token_hex(32) + "\n")
        self.cert, self.key = self.folder / "cert.pem", self.folder / "key.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", self.key, "-out", self.cert], check=True,
                       stderr=subprocess.DEVNULL)
        self.rendezvous = Process(self, "rendezvous")
        self.processes = [self.rendezvous]

    def node(self, arguments=(), **settings):
        node = Node(self, arguments, **settings)
        self.processes.append(node)
        return node

    def close(self):
        failures = []
        for process in reversed(self.processes):
            try:
                if process.process.poll() is None or process.process.returncode != -signal.SIGKILL:
                    process.stop()
            except AssertionError as failure:
                failures.append(str(failure))
        self.temporary.cleanup()
        assert not failures, "\n".join(failures)


class Closed(Exception):
    """The server closed: code and reason of a WebSocket, or (None, "") of TCP."""

    def __init__(self, code=None, reason=""):
        super().__init__(code, reason)
        self.code, self.reason = code, reason


class Connection:
    """A socket, with or without TLS, and JSON-RPC as nymea's clients speak it."""

    def __init__(self, port, tls):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=WAIT_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            self.socket = context.wrap_socket(self.socket)
        self.buffer = b""

    def more(self):
        try:
            data = self.socket.recv(1 << 20)
        except (ConnectionResetError, ssl.SSLError):
            data = b""
        self.buffer += data
        return bool(data)

    def take(self, n):
        while len(self.buffer) < n:
            if not self.more():
                raise Closed()
        taken, self.buffer = self.buffer[:n], self.buffer[n:]
        return taken

    def close(self):
        self.socket.close()

    # ---- JSON-RPC ----

    def call(self, method, params=None, number=0):
        self.send(json.dumps({"id": number, "method": method, **({} if params is None else {"params": params})},
                             separators=(",", ":")) + "\n")
        return self.answer()

    def answer(self):
        return json.loads(self.document())

    def authenticate(self, token, nonce="", name="client", uuid=None):
        params = {"name": name, "token": token, "uuid": uuid or f"{{{secrets.token_hex(16)}}}"}
        if nonce:
            params["nonce"] = nonce
        return self.call("Authentication.Authenticate", params)

    def expect_success(self, *args, **more):
        answer = self.authenticate(*args, **more)
        assert answer == {"id": 0, "params": {"authenticationError": "AuthenticationErrorNoError"},
                          "status": "success"}, answer
        return self

    def expect_tunnel(self):
        answer = self.answer()
        assert answer["notification"] == "RemoteProxy.TunnelEstablished" and answer["id"] > 0, answer
        return answer["params"]


class Tcp(Connection):
    def send(self, data):
        self.socket.sendall(data.encode() if isinstance(data, str) else data)

    def document(self):
        while b"}\n" not in self.buffer:
            if not self.more():
                raise Closed()
        document, _, self.buffer = self.buffer.partition(b"}\n")
        return document + b"}\n"

    def receive(self, n):
        return self.take(n)

    def expect_closed(self, reason=None):
        while self.more():
            pass
        return self.buffer


class WebSocket(Connection):
    def __init__(self, port, tls, origin="libnymea-remoteproxyclient"):
        super().__init__(port, tls)
        key = base64.b64encode(secrets.token_bytes(16)).decode()
        self.socket.sendall((f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                             f"Sec-WebSocket-Key: {key}\r\nOrigin: {origin}\r\nSec-WebSocket-Version: 13\r\n\r\n").encode())
        while b"\r\n\r\n" not in self.buffer:
            assert self.more(), "no answer to the upgrade"
        self.head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        assert self.head.startswith(b"HTTP/1.1 101"), self.head

    def send(self, data, opcode=1, final=True):
        data = data.encode() if isinstance(data, str) else data
        length = (bytes([0x80 | len(data)]) if len(data) < 126 else bytes([0xFE]) + struct.pack(">H", len(data))
                  if len(data) < 65536 else bytes([0xFF]) + struct.pack(">Q", len(data)))
        self.socket.sendall(bytes([opcode | (0x80 if final else 0)]) + length + bytes(4) + data)

    def frame(self):
        first, second = self.take(2)
        length = second & 0x7F
        if length > 125:
            length = int.from_bytes(self.take(2 if length == 126 else 8), "big")
        assert not second & 0x80, "a server does not mask"
        return first & 0x0F, bool(first & 0x80), self.take(length)

    def message(self):
        """The next whole message: (opcode, data)."""
        opcode, data = None, b""
        while True:
            kind, final, payload = self.frame()
            if kind == 8:
                raise Closed(int.from_bytes(payload[:2], "big"), payload[2:].decode())
            if kind == 9:
                self.send(payload, 10)
                continue
            opcode, data = opcode or kind, data + payload
            if final:
                return opcode, data

    def document(self):
        opcode, data = self.message()
        assert opcode == 1 and data.endswith(b"}\n"), data
        return data

    def receive(self, n):
        data = b""
        while len(data) < n:
            data += self.message()[1]
        assert len(data) == n
        return data

    def expect_closed(self, reason, code=1011):
        try:
            while True:
                self.message()
        except Closed as closed:
            assert (closed.code, closed.reason) == (code, reason), closed
