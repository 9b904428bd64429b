"""Nodes with the doors of the tunnel, devices that hold names and are linked to them (tunnel_box.c), local services
behind these, and visitors that speak TLS or any bytes after a ClientHello."""

import contextlib
import functools
import os
import pathlib
import queue
import secrets
import socket
import ssl
import subprocess
import threading

from api_client import WAIT_S, wait_for
from conftest import free_ports
from node_world import Node

ZONE = "box.lanyard.test"
BOX = pathlib.Path(os.environ.get("LANYARD_BUILD", "build/test")) / "bin/tunnel_box"
ALERT_UNRECOGNIZED, ALERT_INTERNAL = b"\x15\x03\x03\x00\x02\x02\x70", b"\x15\x03\x03\x00\x02\x02\x50"


class TunnelNode(Node):
    def __init__(self, fleet, **settings):
        self.https_port = free_ports(2)
        self.http_port = self.https_port + 1
        super().__init__(fleet, LANYARD_TUNNEL_LISTEN=f"127.0.0.1:{self.https_port}",
                         LANYARD_TUNNEL_HTTP_LISTEN=f"127.0.0.1:{self.http_port}",
                         LANYARD_TUNNEL_VPN_NAMES="localhost", LANYARD_TUNNEL_API_NAMES=f"api.{ZONE}",
                         LANYARD_TUNNEL_API=f"127.0.0.1:{fleet.gateway_port}", LANYARD_TUNNEL_RATE="2000", **settings)

    def metric(self, name, **labels):
        wanted = name + ("{" + ",".join(f'{key}="{value}"' for key, value in labels.items()) + "}" if labels else "")
        for line in self.fleet.ops("dataplane", "/metrics", self.ops_port).splitlines():
            if line.startswith(wanted + " "):
                return int(line.split()[1])
        raise AssertionError(wanted)

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.https_port), timeout=WAIT_S)

    def visit(self, name):
        """A connection that has said for whom it is."""
        visitor = self.connect()
        visitor.sendall(hello(name))
        return visitor


class FirstOpen:
    """In front of nodes, as a load balancer is: brings each connection to the first one whose door is open."""

    def __init__(self, *nodes, door="port"):
        self.nodes, self.fleet, self.door = nodes, nodes[0].fleet, door
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                threading.Thread(target=self.join, args=(client,), daemon=True).start()

    def join(self, client):
        for node in self.nodes:
            with contextlib.suppress(OSError):
                server = socket.create_connection(("127.0.0.1", getattr(node, self.door)))
                break
        else:
            client.close()
            return
        threads = [threading.Thread(target=self.copy, args=ends, daemon=True) for ends in ((client, server), (server, client))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        client.close()
        server.close()

    def copy(self, source, to):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                to.sendall(data)
        with contextlib.suppress(OSError):
            to.shutdown(socket.SHUT_WR)

    def close(self):
        self.listener.close()


class Box:
    """A device with a name and a local service."""

    def __init__(self, node, token, target, http_target="-", *more):
        self.process = subprocess.Popen(
            [str(BOX), f"wss://127.0.0.1:{node.port}/tunnel", node.fleet.ca_file, str(target), str(http_target), *more],
            env={**os.environ, "TUNNEL_TOKEN": token}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)
        self.states = queue.Queue()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.states.put(line.strip())

    def await_state(self, wanted):
        """The reason that is told with the state."""
        while True:
            state, _, why = self.states.get(timeout=WAIT_S).partition(" ")
            if state == wanted:
                return why

    def open(self):
        self.await_state("open")
        return self

    def stop(self):
        if self.process.poll() is None:
            self.process.stdin.close()
        status = self.process.wait(WAIT_S)
        errors = self.process.stderr.read()
        assert status == 0 and "Sanitizer" not in errors and "runtime error" not in errors, errors


class Service:
    """A local service that does `serve` with each connection, in a thread of its own."""

    def __init__(self, serve):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.serve = serve
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            connection.settimeout(WAIT_S)
            threading.Thread(target=self.run, args=(connection,), daemon=True).start()

    def run(self, connection):
        with connection:
            try:
                self.serve(connection)
            except OSError:
                pass  # the visitor has gone

    def close(self):
        self.listener.close()


def stall_or_echo(connection):
    """Sends what came, or 64 MiB to who says at once that it will stall."""
    came = connection.recv(65536)
    connection.sendall(bytes(64 << 20) if b"stalled" in came else came)
    echo(connection)


def echo(connection):
    while data := connection.recv(65536):
        connection.sendall(data)
    connection.shutdown(socket.SHUT_WR)


@functools.cache
def hello(name):
    """The ClientHello of OpenSSL for a host name; None: without one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing, server_hostname=name)
    try:
        client.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


def cut_records(flight, step):
    """The same handshake message in records of `step` bytes."""
    message = flight[5:]
    return b"".join(flight[:3] + len(message[i:i + step]).to_bytes(2, "big") + message[i:i + step]
                    for i in range(0, len(message), step))


def receive(connection, count):
    data = b""
    while len(data) < count:
        part = connection.recv(min(count - len(data), 1 << 20))
        if not part:
            break
        data += part
    return data


def receive_all(connection):
    """What comes until the end, and whether that was in good manner."""
    data = b""
    try:
        while part := connection.recv(1 << 20):
            data += part
    except ConnectionResetError:
        return data, False
    return data, True


def subscribe(fleet):
    """A new name and its token."""
    label = "t" + secrets.token_hex(6)

    def ask():
        reply = fleet.session.get(fleet.base_url + "/subscribe", params={"name": label}, verify=fleet.ca_file,
                                  timeout=WAIT_S)
        return reply.json()["token"] if reply.status_code == 200 else None

    return f"{label}.{ZONE}", wait_for("a name", ask)


def make_certificate(folder, name):
    """(certificate, key) of a device, signed by itself."""
    certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-days", "2", "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}", "-keyout", str(key),
                    "-out", str(certificate)], check=True, stderr=subprocess.DEVNULL)
    return certificate, key


class Nginx:
    """Debian's nginx on the device: https with `certificate`, answering with the files of `folder` and the visitor's
    address; `proxy`: it is told that by PROXY protocol."""

    def __init__(self, folder, certificate, key, proxy=False):
        self.port, self.http_port = free_ports(2), 0
        self.http_port = self.port + 1
        told = " proxy_protocol" if proxy else ""
        address = "$proxy_protocol_addr" if proxy else "$remote_addr"
        (folder / "nginx.conf").write_text(f"""
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
    uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    server {{
        listen 127.0.0.1:{self.port} ssl{told};
        ssl_certificate {certificate}; ssl_certificate_key {key};
        root {folder}/www;
        location = /who {{ return 200 "{address}"; }}
    }}
    server {{
        listen 127.0.0.1:{self.http_port};
        location /.well-known/acme-challenge/ {{ return 200 "$host $uri"; }}
    }}
}}
""")
        (folder / "www").mkdir(exist_ok=True)
        self.process = subprocess.Popen(["nginx", "-c", str(folder / "nginx.conf")], stderr=subprocess.DEVNULL)
        wait_for("nginx", self.is_there)

    def is_there(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=5).close()
        except OSError:
            return False
        return True

    def stop(self):
        self.process.terminate()
        self.process.wait(WAIT_S)


def curl(node, name, path="/", *options):
    return subprocess.run(["curl", "-sS", "--noproxy", "*", "-m", "120", "--resolve",
                           f"{name}:{node.https_port}:127.0.0.1", *map(str, options),
                           f"https://{name}:{node.https_port}{path}"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
