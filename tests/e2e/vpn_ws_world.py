"""A server that behaves as vpn-ws does on the wire, behind a real nginx: uwsgi in, raw WebSocket frames both ways, no pong,
no close frame, frames handed on with the sender's first bytes. And proxies on the way to it."""

import base64
import hashlib
import os
import socket
import struct
import subprocess
import threading

import pytest

from agent_world import LANYARD, Agent, make_certificate, run
from api_client import wait_for
from conftest import free_ports

SECRET = "b%40r%2F"  # b@r/
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def receive(connection, size):
    data = b""
    while len(data) < size:
        piece = connection.recv(size - len(data))
        if not piece:
            raise ConnectionError
        data += piece
    return data


def read_uwsgi(connection):
    """modifier1 and the variables."""
    modifier, size, _ = struct.unpack("<BHB", receive(connection, 4))
    data, variables = receive(connection, size), {}
    while data:
        texts = []
        for _ in range(2):
            length = struct.unpack_from("<H", data)[0]
            texts.append(data[2:2 + length].decode())
            data = data[2 + length:]
        variables[texts[0]] = texts[1]
    return modifier, variables


def read_frame(connection):
    """The first byte, the form of the length, and the payload without its mask."""
    first, second = receive(connection, 2)
    form, length = second & 0x7f, second & 0x7f
    if form == 126:
        length = struct.unpack(">H", receive(connection, 2))[0]
    elif form == 127:
        length = struct.unpack(">Q", receive(connection, 8))[0]
    mask = receive(connection, 4) if second & 0x80 else bytes(4)
    payload = bytearray(receive(connection, length))
    for i in range(4):
        payload[i::4] = bytes(b ^ mask[i] for b in payload[i::4])
    return first, form, bytes(payload), bool(second & 0x80)


def frame(payload, first=0x82, form=None):
    form = form if form is not None else len(payload) if len(payload) < 126 else 126
    extended = {126: struct.pack(">H", len(payload)), 127: struct.pack(">Q", len(payload))}.get(form, b"")
    return bytes([first, form]) + extended + payload


class Peer:
    def __init__(self, connection, variables):
        self.connection, self.variables, self.lock = connection, variables, threading.Lock()
        text = variables.get("HTTP_X_VPN_WS_MAC")
        self.mac = bytes.fromhex(text.replace(":", "")) if text else None
        self.bridge, self.stations = variables.get("HTTP_X_VPN_WS_BRIDGE") == "on", set()

    def send(self, data):
        try:
            with self.lock:
                self.connection.sendall(data)
        except OSError:
            pass


class VpnWs:
    def __init__(self, path):
        self.peers, self.variables, self.opcodes, self.lengths, self.unmasked = [], [], [], [], 0
        self.greeting, self.reads = b"", threading.Event()
        self.reads.set()
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(str(path))
        path.chmod(0o666)
        self.socket.listen(100)
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    def accept(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        _, variables = read_uwsgi(connection)
        self.variables.append(variables)
        accept = base64.b64encode(hashlib.sha1(variables["HTTP_SEC_WEBSOCKET_KEY"].encode() + GUID).digest())
        peer = Peer(connection, variables)
        peer.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                  b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n" + self.greeting)
        self.peers.append(peer)
        try:
            while self.take(peer, *read_frame(connection)):
                self.reads.wait()
        except OSError:
            pass
        self.peers.remove(peer)
        connection.close()

    def take(self, peer, first, form, payload, masked):
        self.opcodes.append(first & 0x0f)
        self.unmasked += not masked
        if first & 0x0f in (9, 10):
            return True
        self.lengths.append(len(payload))
        if first & 0x0f > 2:
            return False
        if len(payload) >= 14:
            self.switch(peer, payload, frame(payload, first, form))
        return True

    def switch(self, peer, payload, data):
        to, source = payload[:6], payload[6:12]
        peer.mac = peer.mac or source
        if source != peer.mac and not peer.bridge:
            return
        if source != peer.mac:
            peer.stations.add(source)
        others = [other for other in self.peers if other is not peer and other.mac]
        if to == b"\xff" * 6 or to[:2] == b"\x33\x33" or to[:3] == b"\x01\x00\x5e":
            found = others
        else:
            found = ([other for other in others if other.mac == to] or [other for other in others if to in other.stations] or
                     [other for other in others if other.bridge])
        for other in found:
            other.send(data)

    def send(self, data):
        for peer in list(self.peers):
            peer.send(data)

    def drop(self):
        """As a kill: the TCP connection ends."""
        for peer in list(self.peers):
            peer.connection.shutdown(socket.SHUT_RDWR)

    def stop(self):
        self.reads.set()
        self.drop()
        self.socket.shutdown(socket.SHUT_RDWR)  # wakes the thread, which would else accept at the next socket's number
        self.thread.join()
        self.socket.close()


NGINX = """daemon off;
master_process off;
user root;
worker_processes 1;
error_log {folder}/error.log info;
pid {folder}/nginx.pid;
events {{ worker_connections 256; }}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    uwsgi_param QUERY_STRING $query_string; uwsgi_param REQUEST_METHOD $request_method;
    uwsgi_param REQUEST_URI $request_uri; uwsgi_param REMOTE_ADDR $remote_addr;
    uwsgi_param REMOTE_USER $remote_user; uwsgi_param HTTPS_DN $ssl_client_s_dn;
    ssl_certificate {crt}; ssl_certificate_key {key};
    ssl_client_certificate {crt}; ssl_verify_client optional;
    server {{
        listen 127.0.0.1:{plain}; listen [::1]:{plain}; listen 127.0.0.1:{secure} ssl;
        location /vpn {{ uwsgi_pass unix:{folder}/vpn.sock; auth_basic vpn; auth_basic_user_file {folder}/users; }}
        location /open {{ uwsgi_pass unix:{folder}/vpn.sock; }}
        location /certificate {{
            if ($ssl_client_verify != SUCCESS) {{ return 403; }}
            uwsgi_pass unix:{folder}/vpn.sock;
        }}
    }}
}}
"""


class Process:
    """A program of another that runs beside a test."""

    def __init__(self, words, port):
        self.process = subprocess.Popen([str(word) for word in words], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(f"{words[0]}", lambda: answers(port))

    def stop(self):
        self.process.terminate()
        self.process.wait(30)


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


def start_nginx(folder, certificate, plain, secure):
    (folder / "users").write_text("foo:{PLAIN}b@r/\n")
    (folder / "users").chmod(0o644)
    configuration = NGINX.format(folder=folder, crt=certificate[0], key=certificate[1], plain=plain, secure=secure)
    (folder / "nginx.conf").write_text(configuration)
    return Process(["nginx", "-p", folder, "-c", folder / "nginx.conf", "-e", folder / "error.log"], secure)


class World:
    """The server behind nginx, whose user foo has SECRET."""

    def __init__(self, folder, certificate):
        folder.chmod(0o755)
        self.folder, self.ca = folder, certificate[0]
        self.plain = free_ports(2)
        self.secure = self.plain + 1
        self.server = VpnWs(folder / "vpn.sock")
        self.nginx = start_nginx(folder, certificate, self.plain, self.secure)
        self.wss = f"wss://foo:{SECRET}@127.0.0.1:{self.secure}/vpn"
        self.ws = f"ws://foo:{SECRET}@127.0.0.1:{self.plain}/vpn"
        self.open = f"ws://127.0.0.1:{self.plain}/open"

    def stop(self):
        self.nginx.stop()
        self.server.stop()


class HttpProxy(Process):
    """tinyproxy, for user:pass only."""

    def __init__(self, folder):
        self.port, self.log = free_ports(1), folder / "tinyproxy.log"
        (folder / "tinyproxy.conf").write_text(f'Port {self.port}\nListen 127.0.0.1\nTimeout 600\nLogFile "{self.log}"\n'
                                               f"LogLevel Connect\nBasicAuth user pass\n")
        super().__init__(["tinyproxy", "-d", "-c", folder / "tinyproxy.conf"], self.port)

    def count(self, target):
        return self.log.read_text().count(f"CONNECT {target}")


class SocksProxy(Process):
    def __init__(self):
        self.port = free_ports(1)
        super().__init__(["microsocks", "-i", "127.0.0.1", "-p", self.port, "-u", "user", "-P", "pass"], self.port)


class Client(Agent):
    """lanyard connect, its interface tap0 in a network namespace of its own; `prefix` is a command that runs it elsewhere."""

    prefix = ()

    def __init__(self, folder, number):
        super().__init__(folder, None, None, number)

    def connect(self, url, *more, **environment):
        words = ["connect", "tap0", url, "--state", self.state, "--netns", self.netns, "--ipv4", f"10.98.0.{self.number}/24",
                 *more]
        self.words = [str(word) for word in words]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([*self.prefix, LANYARD, *self.words], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env=clean_environment(environment))
        return self

    @property
    def mac(self):
        return self.ip("-o", "link", "show", "tap0").stdout.split("link/ether ")[1].split()[0]


def clean_environment(more):
    kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    return {**kept, **more}


def connect_now(*words, **environment):
    """For what can't start: ends at once."""
    return run(LANYARD, "connect", *words, env=clean_environment(environment))


# ---- fixtures ----

@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return make_certificate(tmp_path_factory.mktemp("tls"), "server", "IP:127.0.0.1,DNS:localhost")


@pytest.fixture
def world(tmp_path, certificate):
    world = World(tmp_path, certificate)
    yield world
    world.stop()


@pytest.fixture
def clients(tmp_path):
    clients = [Client(tmp_path, number) for number in (1, 2)]
    yield clients
    for client in clients:
        client.stop()
