"""The agent's way to its server where that is long, silent or gone: in network namespaces of the test's own, with a server that
opens sessions and says nothing after that."""

import ctypes
import os
import pathlib
import secrets
import signal
import socket
import subprocess

import pytest

from agent_world import make_certificate, run
from api_client import wait_for
from vpn_ws_world import Client

SERVER = """
import base64, hashlib, socket, ssl, sys
address, certificate, key = sys.argv[1:4]
door = socket.create_server((address, 443), family=socket.AF_INET6 if ":" in address else socket.AF_INET)
if certificate:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    door = context.wrap_socket(door, server_side=True)
print("ready", flush=True)
kept = []
while True:
    try:
        connection, _ = door.accept()
        head = b""
        while b"\\r\\n\\r\\n" not in head:
            head += connection.recv(8192)
    except OSError:
        continue
    key, = [line.split(b": ")[1] for line in head.split(b"\\r\\n") if line.startswith(b"Sec-WebSocket-Key")]
    accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
    connection.sendall(b"HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\n"
                       b"Sec-WebSocket-Accept: " + accept + b"\\r\\n\\r\\n")
    kept.append(connection)
"""
SYS_PIDFD_GETFD, TCP_NODELAY, TCP_USER_TIMEOUT, TCP_NOTSENT_LOWAT = 438, 1, 18, 25


class Place:
    """The agent's namespace with its /etc, and behind a cable that of the server, 192.0.2.1 and 2001:db8::1."""

    def __init__(self, folder):
        self.name, self.far, self.servers = "lanyard-test-" + secrets.token_hex(4), "lanyard-test-" + secrets.token_hex(4), []
        self.etc = pathlib.Path("/etc/netns") / self.name
        self.client = Client(folder, 1)
        self.client.prefix = ("ip", "netns", "exec", self.name)
        for name in (self.name, self.far):
            self.ip("netns", "add", name)
            self.ip("-n", name, "link", "set", "lo", "up")
        self.ip("-n", self.name, "link", "add", "out0", "type", "veth", "peer", "name", "in0", "netns", self.far)
        for name, interface, number in ((self.name, "out0", 2), (self.far, "in0", 1)):
            self.ip("-n", name, "addr", "add", f"192.0.2.{number}/24", "dev", interface)
            self.ip("-n", name, "addr", "add", f"2001:db8::{number}/64", "dev", interface, "nodad")
            self.ip("-n", name, "link", "set", interface, "up")
        self.etc.mkdir(parents=True)
        self.hosts("192.0.2.1")

    def ip(self, *words):
        done = run("ip", *words)
        assert done.returncode == 0, (words, done.stdout)

    def hosts(self, *addresses):
        """The addresses of vpn.example."""
        (self.etc / "hosts").write_text("".join(f"{address} vpn.example\n" for address in addresses))

    def serve(self, address="192.0.2.1", certificate=("", "")):
        server = subprocess.Popen(["ip", "netns", "exec", self.far, "/usr/bin/python3", "-c", SERVER, address, *map(str, certificate)],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        self.servers.append(server)
        assert server.stdout.readline() == "ready\n"

    def stop(self):
        self.client.stop()
        for server in self.servers:
            server.kill()
            server.wait()
        for name in (self.name, self.far):
            run("ip", "netns", "del", name)
        run("rm", "-r", self.etc)


@pytest.fixture
def place(tmp_path):
    place = Place(tmp_path)
    yield place
    place.stop()


def option_of(process, name):
    """An option of the process's TCP connection."""
    pid_fd = os.pidfd_open(process.pid)
    try:
        for fd in os.listdir(f"/proc/{process.pid}/fd"):
            if os.readlink(f"/proc/{process.pid}/fd/{fd}").startswith("socket:"):
                copy = socket.socket(fileno=ctypes.CDLL(None).syscall(SYS_PIDFD_GETFD, pid_fd, int(fd), 0))
                with copy:
                    if copy.family != socket.AF_UNIX and copy.type == socket.SOCK_STREAM:
                        return copy.getsockopt(socket.IPPROTO_TCP, name)
    finally:
        os.close(pid_fd)
    raise AssertionError("no connection")


def test_a_dead_way_is_found_by_tcp(place):
    """The server never answered a ping, so its silence means nothing; but nobody acknowledges any more what is sent."""
    place.serve()
    client = place.client.connect("ws://192.0.2.1:443/l2").wait_connected()
    assert option_of(client.process, TCP_NODELAY) == 1
    assert option_of(client.process, TCP_USER_TIMEOUT) == 20000  # from the first ping on, after 10 s of silence
    assert 0 < option_of(client.process, TCP_NOTSENT_LOWAT) <= 1 << 17
    place.ip("-n", place.far, "addr", "del", "192.0.2.1/24", "dev", "in0")
    wait_for("the end of the session", lambda: not client.is_connected(), limit_s=90)
    place.ip("-n", place.far, "addr", "add", "192.0.2.1/24", "dev", "in0")
    client.wait_connected(2)


@pytest.mark.parametrize("address", ["[2001:db8::1]", "192.0.2.1"])
def test_a_silent_address_is_passed_over(place, address):
    """Of the name's two addresses one swallows all that is sent to it, whichever family it is of."""
    silent = "192.0.2.9" if ":" in address else "2001:db8::9"
    place.ip("-n", place.name, "neigh", "add", silent, "lladdr", "02:00:00:00:00:09", "dev", "out0")
    place.hosts(address.strip("[]"), silent)
    place.serve(address.strip("[]"))
    place.client.connect("ws://vpn.example:443/l2").wait_connected()
    assert not place.client.status().get("problem"), "not even a first attempt has failed"


def test_a_literal_of_ipv6(place, tmp_path):
    certificate = make_certificate(tmp_path, "server", "IP:2001:db8::1")
    place.serve("2001:db8::1", certificate)
    place.client.connect("wss://[2001:db8::1]/l2", "--ca", certificate[0]).wait_connected()
    assert place.client.status()["url"] == "wss://[2001:db8::1]:443/l2"


def test_the_system_trusts_for_the_agent(place, tmp_path):
    """What update-ca-certificates has put into /etc/ssl/certs counts, also beside a --ca that is about others."""
    certificate = make_certificate(tmp_path, "server", "DNS:vpn.example")
    certs = place.etc / "ssl/certs"
    certs.mkdir(parents=True)
    place.serve(certificate=certificate)
    place.client.connect("wss://vpn.example/l2").wait_problem("not trusted")
    (certs / "server.pem").write_bytes(certificate[0].read_bytes())
    assert run("openssl", "rehash", certs).returncode == 0
    place.client.stop_process()
    place.client.connect("wss://vpn.example/l2").wait_connected()
    place.client.stop_process()
    another = make_certificate(tmp_path, "another", "DNS:another.example")[0]
    place.client.connect("wss://vpn.example/l2", "--ca", another).wait_connected()


def test_a_signal_that_interrupts_does_not_end_it(place):
    """select() of vpn-ws-client is interrupted, and it exits; and what fails before it has a socket closes its standard input."""
    client = place.client.connect("ws://192.0.2.1:443/l2")
    client.wait_problem("connect")
    client.process.send_signal(signal.SIGSTOP)
    client.process.send_signal(signal.SIGCONT)
    place.serve()
    client.wait_connected()
    assert os.readlink(f"/proc/{client.process.pid}/fd/0") == "/dev/null"
