"""A small portal and a small node for the agent alone: they do what the real ones never do, refuse, redirect, lose
replies and talk garbage. The node is a hub: what one agent sends all others get."""

import asyncio
import base64
import contextlib
import http.server
import json
import os
import pathlib
import secrets
import socket
import ssl
import struct
import subprocess
import threading

import websockets
from websockets.legacy.server import serve

from api_client import wait_for
from conftest import ROOT, SANITIZER

LANYARD = pathlib.Path(os.environ.get("LANYARD_BUILD", ROOT / "build/test")) / "bin/lanyard"
DEVICE = "0199a000-0000-7000-8000-00000000000{}"
TENANT = "0199a000-0000-7000-8000-0000000000ff"


def run(*words, **more):
    return subprocess.run([str(word) for word in words], stdin=more.pop("stdin", subprocess.DEVNULL), timeout=300,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more)


def make_certificate(folder, name, hosts):
    """A certificate that is its own authority: FOLDER/NAME.crt and .key."""
    done = run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
               "-subj", "/CN=" + name, "-addext", "subjectAltName=" + hosts,
               "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.crt")
    assert done.returncode == 0, done.stdout
    return folder / f"{name}.crt", folder / f"{name}.key"


def server_context(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    return context


class Handler(http.server.BaseHTTPRequestHandler):
    def setup(self):
        self.request = self.server.portal.context.wrap_socket(self.request, server_side=True)
        super().setup()

    def finish(self):
        super().finish()
        self.request.close()

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.portal.requests.append((self.path, dict(self.headers), body))
        answer = self.server.portal.answer(self.path, self.headers, body)
        if answer is None:  # a lost reply
            self.connection.shutdown(2)
            return
        status, reply, *headers = answer
        reply = reply if isinstance(reply, bytes) else json.dumps(reply).encode()
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def log_message(self, *_):
        pass


class Portal:
    """`answer(path, headers, body)` may be replaced; None loses the reply."""

    def __init__(self, certificate, node_url, host="127.0.0.1"):
        self.requests = []
        self.node_url = node_url
        self.more = {}  # members of an attachment that are other than usual
        self.answer = self.usual
        self.context = server_context(certificate)
        self.server = http.server.ThreadingHTTPServer((host, 0), Handler)
        self.server.portal = self
        self.url = f"https://{host}:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def usual(self, path, headers, body):
        if path == "/v1/enrolments":
            number = int(body["name"][-1])
            return 201, {"tenant": TENANT, "device": DEVICE.format(number), "name": body["name"],
                         "secret": "lyd_" + "s" * 43, "state": "approved", "new_member": {"ignored": True}}
        return 200, self.attachment(headers)

    def attachment(self, headers):
        user = base64.b64decode(headers["Authorization"].split()[1]).decode().split(":")[0]
        number = int(user[-1])
        return {"access_token": "token-of-a-device-" + secrets.token_hex(8), "expires_in": 600, "tenant": TENANT,
                "network": TENANT, "network_name": "office", "member": user, "name": f"device{number}",
                "mac": f"02:00:00:00:00:0{number}", "ipv4": f"10.99.0.{number}/24", "ipv6": f"fd99::{number}/64",
                "mtu": 1400, "urls": [self.node_url], **self.more}

    def count(self, path):
        return sum(request[0] == path for request in self.requests)

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def record(frame, header=bytes(10), flags=0):
    """A frame as it stands in a batch of lanyard.l2.v1."""
    return struct.pack(">I", flags << 24 | len(frame)) + header + frame


def frames_of(message, protocol):
    """The frames in a message."""
    if not protocol:
        return [message]
    frames = []
    while message:
        length = struct.unpack_from(">I", message)[0]
        frames.append(message[14:14 + length])
        message = message[14 + length:]
    return frames


class Node:
    """A hub, for batches of frames or, without `protocols`, for messages of one frame. `gate(path, headers)` may refuse a handshake: it returns what websockets' process_request does."""

    def __init__(self, certificate, host="127.0.0.1"):
        self.sessions, self.paths, self.close_codes, self.gate = [], [], [], lambda path, headers: None
        self.protocols, self.longest = ["lanyard.l2.v1"], 0
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.certificate, self.host, self.port = certificate, host, 0
        self.begin()
        self.url = f"wss://{host}:{self.port}/l2"

    def do(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(30)

    async def listen(self):
        return await serve(self.session, self.host, self.port, ssl=server_context(self.certificate),
                           ping_interval=None, process_request=self.admit, compression=None,
                           subprotocols=self.protocols)

    def begin(self):
        """Also after end(), then at the same port."""
        self.server = self.do(self.listen())
        self.port = self.server.sockets[0].getsockname()[1]

    def end(self):
        async def close():
            self.server.close()
            await self.server.wait_closed()
        self.do(close())

    async def admit(self, path, headers):
        self.paths.append((path, headers.get("Authorization")))
        return self.gate(path, headers)

    async def session(self, session):
        self.sessions.append(session)
        try:
            async for message in session:
                self.longest = max(self.longest, *map(len, frames_of(message, session.subprotocol)))
                websockets.broadcast([other for other in self.sessions if other is not session], message)
        except websockets.ConnectionClosed:
            pass
        finally:
            self.sessions.remove(session)
            self.close_codes.append(session.close_code)

    def restart(self, protocols):
        """As another kind of node."""
        self.end()
        self.protocols = protocols
        self.begin()

    def send(self, message):
        for session in list(self.sessions):
            self.do(session.send(message))

    def send_frame(self, frame, header=bytes(10)):
        self.send(record(frame, header) if self.protocols else frame)

    def send_raw(self, data):
        """Bytes that are no proper frame."""
        for session in list(self.sessions):
            self.loop.call_soon_threadsafe(session.transport.write, data)

    def close(self, code):
        for session in list(self.sessions):
            self.do(session.close(code))

    def abort(self):
        for session in list(self.sessions):
            self.loop.call_soon_threadsafe(session.transport.abort)

    def stop(self):
        self.end()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


class Agent:
    """Device NUMBER, its interface in a network namespace of its own."""

    def __init__(self, folder, portal, ca, number):
        self.number, self.portal, self.ca = number, portal, ca
        self.state = folder / f"state{number}"
        self.log = folder / f"agent{number}.log"
        self.netns = f"lanyard-test-{secrets.token_hex(3)}-{number}"
        self.process = None
        assert run("ip", "netns", "add", self.netns).returncode == 0

    def enroll(self, *more, key="lye_key", name=None, ca=None):
        return run(LANYARD, "enroll", self.portal.url, "--state", self.state, "--ca", ca or self.ca, "--name",
                   name or f"device{self.number}", *more, stdin=None, input=key)

    def up(self, *more):
        if not (self.state / "device.json").exists():
            done = self.enroll()
            assert done.returncode == 0, done.stdout
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([LANYARD, "up", "--state", self.state, "--netns", self.netns, *more],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        return self

    def ip(self, *words):
        return run("ip", "-n", self.netns, *words)

    def status(self):
        """As `lanyard status --json` has it, without a process for each look."""
        for path in self.state.glob("control-*.sock"):
            with contextlib.suppress(OSError, ValueError), socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(30)
                connection.connect(str(path))
                connection.sendall(b"status\n")
                return json.loads(b"".join(iter(lambda: connection.recv(65536), b"")))
        return {}

    def is_connected(self):
        return self.status().get("state") == "connected"

    def wait_connected(self, sessions=1):
        wait_for(f"session {sessions} of device {self.number}",
                 lambda: self.is_connected() and self.status()["sessions"] >= sessions)
        return self

    def wait_problem(self, words):
        wait_for(f"the problem '{words}'", lambda: words in self.status().get("problem", ""))

    def ping(self, address, *more):
        return run("ip", "netns", "exec", self.netns, "ping", "-c1", "-W2", *more, address).returncode == 0

    def wait_exit(self):
        return self.process.wait(30)

    def stop_process(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            assert self.wait_exit() == 0

    def stop(self):
        self.stop_process()
        run("ip", "netns", "del", self.netns)
        if self.log.exists():
            assert not SANITIZER.search(self.log.read_text(errors="replace")), self.log.read_text()
