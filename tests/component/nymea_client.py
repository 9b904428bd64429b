"""Clients of nymea that speak to its doors in plain bytes, over TLS or not, and a tunnel server with its frames."""

import base64
import json
import secrets
import socket
import ssl
import struct

WAIT_S = 30
UNVERIFIED = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
UNVERIFIED.check_hostname, UNVERIFIED.verify_mode = False, ssl.CERT_NONE


class Closed(Exception):
    """The server closed: code and reason of a WebSocket, or (None, "") of TCP."""

    def __init__(self, code=None, reason=""):
        super().__init__(code, reason)
        self.code, self.reason = code, reason


class Connection:
    """A socket, with or without TLS, and JSON-RPC as nymea's clients speak it. `tls` may be a context that verifies."""

    def __init__(self, port, tls):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=WAIT_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            self.socket = (UNVERIFIED if tls is True else tls).wrap_socket(self.socket, server_hostname="localhost")
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

    def some(self):
        return self.take(max(1, len(self.buffer)))

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

    def some(self):
        return self.message()[1]

    def expect_closed(self, reason, code=1011):
        try:
            while True:
                self.message()
        except Closed as closed:
            assert (closed.code, closed.reason) == (code, reason), closed


# ---- the tunnel proxy ----

def unslip(data):
    return data.replace(b"\xdb\xdc", b"\xc0").replace(b"\xdb\xdd", b"\xdb")


class Server:
    """A registered tunnel server, on a connection to the tunnel proxy."""

    def __init__(self, connection):
        self.uuid = f"{{{secrets.token_hex(4)}-3333-3333-3333-333333333333}}"
        self.connection = connection
        answer = self.connection.call("TunnelProxy.RegisterServer", {"serverName": "srv", "serverUuid": self.uuid})
        assert answer["params"] == {"slipEnabled": True, "tunnelProxyError": "TunnelProxyErrorNoError"}, answer
        self.frames = b""

    def frame(self):
        while b"\xc0" not in self.frames:
            self.frames += self.connection.some()
        frame, _, self.frames = self.frames.partition(b"\xc0")
        frame = unslip(frame)
        return struct.unpack(">H", frame[:2])[0], frame[2:]

    def send(self, address, data):
        data = struct.pack(">H", address) + data
        binary = {"opcode": 2} if isinstance(self.connection, WebSocket) else {}
        self.connection.send(data.replace(b"\xdb", b"\xdb\xdd").replace(b"\xc0", b"\xdb\xdc") + b"\xc0", **binary)


def register_client(connection, server, name="cliB"):
    uuid = "44444444-4444-4444-4444-444444444444"
    return connection.call("TunnelProxy.RegisterClient", {"clientName": name, "clientUuid": uuid,
                                                          "serverUuid": server})["params"]["tunnelProxyError"]


def token():
    return "token-" + secrets.token_hex(8)


def pair(first, second, **more):
    """Two connections, joined."""
    shared = token()
    first.expect_success(shared, name="one", uuid="{1}", **more)
    second.expect_success(shared, name="two", uuid="{2}", **more)
    assert first.expect_tunnel() == {"name": "two", "uuid": "{2}"}
    assert second.expect_tunnel() == {"name": "one", "uuid": "{1}"}
    return first, second
