"""A node behind load balancers that pass TCP on: real haproxy tells in PROXY protocol version 2 whose connection it is."""

import socket
import ssl
import struct
import subprocess

import pytest

from api_client import wait_for
from conftest import free_ports
from node_world import Node
from test_vpnws_direct import BROADCAST, Device, OldClient, place  # noqa: F401 (a fixture)

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
CLIENT = "127.0.0.77"


class Haproxy:
    """Passes what comes to its port on to the node, with a header in front and as `source`."""

    def __init__(self, folder, node_port, *options):
        self.port = free_ports(1)
        (folder / "haproxy.cfg").write_text(f"""
            global
                maxconn 100
            defaults
                mode tcp
                timeout connect 30s
                timeout client 60s
                timeout server 60s
            listen node
                bind 127.0.0.1:{self.port}
                server node 127.0.0.1:{node_port} {" ".join(options)}\n""")
        self.log = folder / "haproxy.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(["haproxy", "-db", "-f", str(folder / "haproxy.cfg")],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_for("haproxy", self.listens)

    def listens(self):
        assert self.process.poll() is None, self.log.read_text()
        try:
            socket.create_connection(("127.0.0.1", self.port), 5).close()
        except ConnectionRefusedError:
            return False
        return True

    def stop(self):
        self.process.terminate()
        self.process.wait(30)


@pytest.fixture(scope="module")
def node(fleet):
    node = Node(fleet, LANYARD_PROXIES="127.0.0.1,127.0.1.0/24").start()
    yield node
    node.stop()


@pytest.fixture
def haproxy(node, tmp_path):
    proxies = []

    def make(*options):
        proxies.append(Haproxy(tmp_path, node.port, *options))
        return proxies[-1]
    yield make
    for proxy in proxies:
        proxy.stop()


def connection_from(source, port):
    return socket.create_connection(("127.0.0.1", port), 30, source_address=(source, 0))


def attach(fleet, device, connection, first=b""):
    """A session on a connection that is there already."""
    context = ssl.create_default_context(cafile=fleet.ca_file)
    connection.sendall(first)
    return OldClient(connection, mac=device.mac, userinfo=device.userinfo, context=context)


def addresses(fleet, tenant):
    return [item["remote_address"] for item in
            fleet.api("GET", f"/v1/tenants/{tenant}/sessions").json()["items"]]


@pytest.mark.parametrize("options", ["send-proxy-v2", "send-proxy-v2 proxy-v2-options unique-id,crc32c,ssl"])
def test_a_session_has_the_address_that_haproxy_tells(whole_fleet, place, haproxy, options):  # noqa: F811
    fleet, (tenant, _) = whole_fleet, place
    proxy = haproxy(*options.split())
    one, two = [attach(fleet, Device(fleet, *place), connection_from(CLIENT, proxy.port)) for _ in range(2)]
    sent = one.send(BROADCAST)
    assert two.receive() == sent
    wait_for("both sessions", lambda: addresses(fleet, tenant).count(CLIENT) == 2)
    one.close()
    two.close()
    wait_for("their end", lambda: CLIENT not in addresses(fleet, tenant))


def test_haproxys_own_health_checks_are_no_clients(node, haproxy):
    haproxy("send-proxy-v2", "check", "inter", "100", "check-ssl", "verify", "none")
    haproxy("send-proxy-v2", "check", "inter", "100")
    assert "proxy_header_bad" not in node.log()


def test_a_header_in_pieces_for_an_ipv6_client(whole_fleet, place, node):  # noqa: F811
    fleet, (tenant, _) = whole_fleet, place
    header = (SIGNATURE + b"\x21\x21\0\x24" + socket.inet_pton(socket.AF_INET6, "2001:db8::7") +
              socket.inet_pton(socket.AF_INET6, "2001:db8::1") + struct.pack(">HH", 4711, 443))
    connection = connection_from("127.0.1.9", node.port)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for n in range(len(header)):
        connection.sendall(header[n:n + 1])
    client = attach(fleet, Device(fleet, *place), connection)
    wait_for("the session", lambda: addresses(fleet, tenant) == ["2001:db8::7"])
    client.close()
    wait_for("its end", lambda: not addresses(fleet, tenant))


def test_a_listed_proxy_that_says_nothing_of_whom_it_passes_on_is_hung_up_on(node):
    with connection_from("127.0.0.1", node.port) as connection:
        connection.sendall(b"\x16\x03\x01\x02\0")
        assert connection.recv(100) == b""
    wait_for("a word about it", lambda: "proxy_header_bad" in node.log() and "proxy=127.0.0.1" in node.log())


def test_others_can_tell_nothing(whole_fleet, place, node):  # noqa: F811
    """Who is not listed is a client: its header is garbage, and without one it has its own address."""
    fleet, (tenant, _) = whole_fleet, place
    device = Device(fleet, *place)
    forged = SIGNATURE + b"\x21\x11\0\x0c" + socket.inet_aton("192.0.2.1") * 2 + struct.pack(">HH", 1, 2)
    with pytest.raises((ssl.SSLError, OSError)):
        attach(fleet, device, connection_from(CLIENT, node.port), forged)
    client = attach(fleet, device, connection_from(CLIENT, node.port))
    wait_for("the session", lambda: addresses(fleet, tenant) == [CLIENT])
    client.close()
