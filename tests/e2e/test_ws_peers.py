"""WebSocket's framing (RFC 6455) of both our ends, byte for byte against a table and against other implementations: Python's
websockets and libwebsockets. The cases are those of the Autobahn test suite, told by section."""

import asyncio
import base64
import hashlib
import os
import pathlib
import socket
import struct
import subprocess
import threading

import pytest
import websockets

BIN = pathlib.Path(os.environ.get("LANYARD_BUILD", pathlib.Path(__file__).resolve().parents[2] / "build/test")) / "bin"
WAIT_S = 60
MESSAGE_MAX = 16 << 20  # of our echo programs
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, BINARY, CONTINUATION, CLOSE, PING, PONG = 1, 2, 0, 8, 9, 10
KAPPA = "κόσμε".encode()
LENGTHS = (0, 1, 125, 126, 127, 128, 65535, 65536, 65537, 1 << 20)


def frame(opcode, payload=b"", fin=True, rsv=0, mask=None, form=None, length=None):
    """A frame; `form`: that of its length, 126 or 127, whatever is shortest; `length`: what it says to be."""
    length = len(payload) if length is None else length
    form = form or (length if length < 126 else 126 if length < 65536 else 127)
    head = bytes([fin << 7 | rsv << 4 | opcode, (0x80 if mask else 0) | form])
    head += {126: struct.pack(">H", length & 0xffff), 127: struct.pack(">Q", length)}.get(form, b"")
    if not mask:
        return head + payload
    return head + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(payload))


def close(code=None, reason=b""):
    return CLOSE, (b"" if code is None else struct.pack(">H", code)) + reason


# ---- the table ----

def sends(*frames):
    return [one if isinstance(one, dict) else dict(zip(("opcode", "payload", "fin"), one)) for one in frames]


def good(*frames, back=None):
    """These come back, or what `back` says."""
    return sends(*frames), back if back is not None else [frame[:2] for frame in frames], sends(close(1000)), 1000


def bad(*frames, code=1002, after=()):
    """This breaks the protocol, after what comes back."""
    return sends(*after), list(after), sends(*frames), code


CASES = {
    "1.1 text": good((TEXT, b"hello")),
    **{f"1 {length} bytes": good((BINARY, b"x" * length)) for length in LENGTHS},
    "2.1 ping": good((PING, b""), back=[(PONG, b"")]),
    "2.4 ping with 125 bytes": good((PING, b"\xfe" * 125), back=[(PONG, b"\xfe" * 125)]),
    "2.5 ping with 126 bytes": bad((PING, b"\xfe" * 126)),
    "2.7 a pong that nobody asked for": good((PONG, b"so"), (PING, b"1"), back=[(PONG, b"1")]),
    "3 RSV1": bad({"opcode": TEXT, "payload": b"a", "rsv": 4}),
    "3 RSV2": bad({"opcode": TEXT, "payload": b"a", "rsv": 2}),
    "3 RSV3 after a good one": bad({"opcode": TEXT, "payload": b"b", "rsv": 1}, after=[(TEXT, b"a")]),
    "3 RSV in a ping": bad({"opcode": PING, "rsv": 7}),
    "3 RSV in a close": bad({"opcode": CLOSE, "rsv": 1}),
    **{f"4 opcode {opcode}": bad((opcode, b"")) for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)},
    "5.1 a fragmented ping": bad((PING, b"a", False), (CONTINUATION, b"b")),
    "5.2 a fragmented pong": bad((PONG, b"a", False)),
    "5 a fragmented close": bad((CLOSE, b"", False)),
    "5.3 two fragments": good((TEXT, b"ab", False), (CONTINUATION, b"cd"), back=[(TEXT, b"abcd")]),
    "5.6 a ping between": good((TEXT, b"ab", False), (PING, b"p"), (CONTINUATION, b"cd"),
                               back=[(PONG, b"p"), (TEXT, b"abcd")]),
    "5 empty fragments": good((BINARY, b"", False), (CONTINUATION, b"", False), (CONTINUATION, b"a", False),
                              (CONTINUATION, b""), back=[(BINARY, b"a")]),
    "5.9 a continuation of nothing": bad((CONTINUATION, b"a")),
    "5.12 the same, not the last": bad((CONTINUATION, b"a", False)),
    "5.15 a continuation after the end": bad((CONTINUATION, b"c"), after=[(TEXT, b"a")]),
    "5.18 a message within one": bad((TEXT, b"a", False), (TEXT, b"b")),
    "5.19 pings between many fragments": good(
        (TEXT, b"1", False), (CONTINUATION, b"2", False), (PING, b"x"), (CONTINUATION, b"3", False),
        (CONTINUATION, b"4", False), (CONTINUATION, b"5"), back=[(PONG, b"x"), (TEXT, b"12345")]),
    "6.1 empty text": good((TEXT, b"")),
    "6.2 UTF-8": good((TEXT, KAPPA)),
    "6.2 a character in two fragments": good((TEXT, KAPPA[:3], False), (CONTINUATION, KAPPA[3:]),
                                             back=[(TEXT, KAPPA)]),
    "6.3 bad UTF-8": bad((TEXT, KAPPA + b"\xed\xa0\x80edited"), code=1007),
    "6.4 bad UTF-8 in a fragment": bad((TEXT, KAPPA, False), (CONTINUATION, b"\xf4\x90\x80\x80"), code=1007),
    "6 text that ends within a character": bad((TEXT, KAPPA[:3]), code=1007),
    **{f"6.6 {text.hex()}": bad((TEXT, text), code=1007) for text in (
        b"\xc0\xaf", b"\xe0\x80\xaf", b"\xf0\x80\x80\xaf", b"\xf8\x88\x80\x80\x80", b"\xfe", b"\xff", b"\xed\xbf\xbf",
        b"\x80", b"\xc3", b"\xf4\x90\x80\x80")},
    **{f"6.22 {text.hex()}": good((TEXT, text)) for text in (
        b"\x00", b"\x7f", b"\xc2\x80", b"\xdf\xbf", b"\xe0\xa0\x80", b"\xed\x9f\xbf", b"\xee\x80\x80", b"\xef\xbf\xbf",
        b"\xef\xbf\xbe", b"\xf0\x90\x80\x80", b"\xf4\x8f\xbf\xbf")},
    "7.1 nothing after the close": bad(close(1000), (TEXT, b"b"), (PING, b""), code=1000, after=[(TEXT, b"a")]),
    "7.3.1 a close without a code": bad(close(), code=1005),
    "7.3.2 a close of one byte": bad((CLOSE, b"a")),
    "7.3.5 a reason of 123 bytes": bad(close(1000, b"*" * 123), code=1000),
    "7.3.6 a reason of 124 bytes": bad(close(1000, b"*" * 124)),
    "7.5 a reason that is not UTF-8": bad(close(1000, b"\xce\xba\xed\xa0\x80"), code=1007),
    **{f"7.7 {code}": bad(close(code), code=code) for code in (
        1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999)},
    **{f"7.9 {code}": bad(close(code)) for code in (
        0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535)},
    "9 a message over the limit": bad({"opcode": BINARY, "payload": b"begin", "length": MESSAGE_MAX + 1}, code=1009),
    "9 2^63 - 1 bytes": bad({"opcode": BINARY, "payload": b"begin", "length": (1 << 63) - 1}, code=1009),
    "9 2^63 bytes": bad({"opcode": BINARY, "payload": b"begin", "length": 1 << 63}),
    "9 2^64 - 1 bytes": bad({"opcode": BINARY, "payload": b"begin", "length": (1 << 64) - 1}),
    "a length in too many bytes": bad({"opcode": BINARY, "payload": b"a", "form": 126}),
    "a length in far too many bytes": bad({"opcode": BINARY, "payload": b"a" * 126, "form": 127}),
}
LONG = [name for name, case in CASES.items() if any(len(one.get("payload", b"")) > 10000 for one in case[0])]


# ---- both ends, by hand ----

class Wire:
    """A WebSocket connection after its handshake; `mask`: this end is the client."""

    def __init__(self, connection, mask=None, buffer=b""):
        self.socket, self.mask, self.buffer = connection, mask, buffer
        connection.settimeout(WAIT_S)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, frames, step=None):
        data = b"".join(frame(**{"mask": self.mask, **one}) for one in frames)
        try:
            for at in range(0, len(data), step or len(data) or 1):
                self.socket.sendall(data[at:at + (step or len(data))])
        except (BrokenPipeError, ConnectionResetError):
            pass  # it has heard enough, and its answer is there

    def read(self, length):
        while len(self.buffer) < length:
            part = self.socket.recv(1 << 20)
            if not part:
                raise ConnectionError("hung up without a close frame")
            self.buffer += part
        data, self.buffer = self.buffer[:length], self.buffer[length:]
        return data

    def receive(self):
        first, second = self.read(2)
        assert first & 0xf0 == 0x80, "a whole message, and no RSV bit"
        assert bool(second & 0x80) != bool(self.mask), "clients mask, servers do not"
        length = second & 0x7f
        if length == 126:
            length, = struct.unpack(">H", self.read(2))
        elif length == 127:
            length, = struct.unpack(">Q", self.read(8))
        mask = self.read(4) if second & 0x80 else None
        payload = self.read(length)
        if mask:
            whole = int.from_bytes((mask * (length // 4 + 1))[:length], "big")
            payload = (int.from_bytes(payload, "big") ^ whole).to_bytes(length, "big")
        return first & 0xf, payload

    def receive_close(self):
        """The code of the close frame, which comes next."""
        opcode, payload = self.receive()
        assert opcode == CLOSE, payload
        return struct.unpack(">H", payload[:2])[0] if payload else 1005

    def is_at_its_end(self):
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:  # what it did not want to read any more
            return True


def accept_of(key):
    return base64.b64encode(hashlib.sha1(key + GUID).digest()).decode()


@pytest.fixture(scope="module")
def server():
    """The port of our server."""
    process = subprocess.Popen([BIN / "ws_echo_server", "0"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    yield int(process.stdout.readline())
    process.stdin.close()
    assert process.wait(WAIT_S) == 0


@pytest.fixture
def to_server(server):
    with socket.create_connection(("127.0.0.1", server), WAIT_S) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                           b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(4096)
        head, _, rest = head.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 ") and b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in head
        yield Wire(connection, mask=b"\x37\xfa\x21\x3d", buffer=rest)


def run_client(*args):
    return subprocess.Popen([BIN / "ws_echo_client", *map(str, args)], stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, text=True)


@pytest.fixture
def to_client():
    """A connection of our client's to us, and its process."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        process = run_client(listening.getsockname()[1])
        connection, _ = listening.accept()
    with connection:
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(4096)
        key = head.partition(b"Sec-WebSocket-Key: ")[2].partition(b"\r\n")[0]
        connection.sendall(f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                           f"Sec-WebSocket-Accept: {accept_of(key)}\r\n\r\n".encode())
        yield Wire(connection), process
    process.wait(WAIT_S)


def check(wire, name, step):
    frames, back, last, code = CASES[name]
    step = 997 if step and name in LONG else step
    wire.send(frames, step)
    assert [wire.receive() for _ in back] == back
    wire.send(last, step)
    assert wire.receive_close() == code
    assert wire.is_at_its_end(), "who has closed hangs up"


@pytest.mark.parametrize("step", [None, 1], ids=["at once", "byte by byte"])
@pytest.mark.parametrize("name", CASES)
def test_our_server(to_server, name, step):
    check(to_server, name, step)


@pytest.mark.parametrize("name", CASES)
def test_our_client(to_client, name):
    wire, process = to_client
    check(wire, name, 1)
    assert process.wait(WAIT_S) == 0


# ---- masks, which are not the same for both ends ----

def test_a_client_without_masks_is_refused_but_for_its_pings(to_server):
    """vpn-ws-client sends its pings so."""
    mask, to_server.mask = to_server.mask, None
    to_server.send(sends((PING, b"p")))
    to_server.mask = mask
    assert to_server.receive() == (PONG, b"p")
    to_server.socket.sendall(frame(BINARY, b"a"))
    assert to_server.receive_close() == 1002


def test_a_server_with_masks_is_refused(to_client):
    wire, process = to_client
    wire.socket.sendall(frame(BINARY, b"a", mask=b"mask"))
    assert wire.receive_close() == 1002
    assert process.communicate(timeout=WAIT_S)[0] == "broken 1002\n"


def test_our_client_masks_each_frame_anew(to_client):
    wire, _ = to_client
    wire.send(sends(*[(BINARY, b"\0" * 4)] * 64))
    raw = b"".join(wire.read(10) for _ in range(64))
    assert len({raw[n + 2:n + 6] for n in range(0, 640, 10)}) == 64


# ---- Python's websockets ----

CLOSE_CODES = (1000, 1001, 1003, 1008, 1011, 3000, 4999)


def message_of(length, kind):
    data = bytes(i % 251 for i in range(length))
    return data if kind == BINARY else data.hex()[:length]


async def converse(connection, code):
    """Messages whole and in fragments, pings between, and a close with this code; the code that came back."""
    for length in LENGTHS:
        for kind in (TEXT, BINARY):
            message = message_of(length, kind)
            await connection.send(message)
            assert await connection.recv() == message
            if length > 2:
                pong = None

                async def parts():
                    nonlocal pong
                    yield message[:1]
                    pong = await connection.ping(b"between")
                    yield message[1:length // 2]
                    yield message[length // 2:]
                await connection.send(parts())
                await pong
                assert await connection.recv() == message
    await connection.close(code, "enough")
    return connection.close_code


@pytest.mark.parametrize("code", CLOSE_CODES)
def test_our_server_and_websockets(server, code):
    async def talk():
        async with websockets.connect(f"ws://127.0.0.1:{server}/", max_size=None) as connection:
            return await converse(connection, code)
    assert asyncio.run(talk()) == code


@pytest.mark.parametrize("code", CLOSE_CODES)
def test_our_client_and_websockets(code):
    async def talk():
        done = asyncio.get_running_loop().create_future()

        async def serve(connection):
            done.set_result(await converse(connection, code))
        async with websockets.serve(serve, "127.0.0.1", 0, max_size=None) as listening:
            process = run_client(listening.sockets[0].getsockname()[1])
            result = await done
            return result, await asyncio.to_thread(process.communicate, timeout=WAIT_S)
    assert asyncio.run(talk()) == (code, (f"closed {code}\n", None))


def test_our_client_talks_to_websockets():
    async def talk():
        async def serve(connection):
            async for message in connection:
                await connection.send(message)
        async with websockets.serve(serve, "127.0.0.1", 0, max_size=None) as listening:
            process = run_client(listening.sockets[0].getsockname()[1], 3456)
            return (await asyncio.to_thread(process.communicate, timeout=WAIT_S))[0]
    assert asyncio.run(talk()) == f"closed 3456 after {len(LENGTHS)} pongs\n"


# ---- libwebsockets ----

class Lws:
    def __init__(self, *args):
        self.process = subprocess.Popen([BIN / "lws_echo", *map(str, args)], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, text=True)
        self.lines = []

    def follow(self):
        threading.Thread(target=lambda: self.lines.extend(self.process.stdout), daemon=True).start()


@pytest.mark.parametrize("code", CLOSE_CODES)
def test_our_client_and_libwebsockets(code):
    lws = Lws()
    try:
        client = run_client(lws.process.stdout.readline().strip(), code)
        assert client.communicate(timeout=WAIT_S)[0] == f"closed {code} after {len(LENGTHS)} pongs\n"
        assert lws.process.stdout.readline() == f"closed {code}\n"
    finally:
        lws.process.kill()
        lws.process.communicate()


@pytest.mark.parametrize("code", CLOSE_CODES)
def test_our_server_and_libwebsockets(server, code):
    lws = Lws(server, code)
    assert lws.process.communicate(timeout=WAIT_S)[0] == "all came back\n"
    assert lws.process.returncode == 0
