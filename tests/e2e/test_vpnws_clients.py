"""The clients that vpn-ws's users have and our agent share a network of a real fleet: directly, and through plain WebSocket
proxying by a real nginx, which ends TLS or has none."""

import hashlib
import json
import os
import pathlib
import secrets
import subprocess

import pytest

from agent_world import LANYARD, make_certificate, run
from api_client import wait_for
from api_world import admin, api, tenant  # fixtures
from conftest import free_ports
from lan_world import Member, Network, Program
from vpn_ws_world import Process

COMPONENT = pathlib.Path(__file__).resolve().parents[1] / "component"
OLD_CLIENT = LANYARD.parent / "old_client"
OTHERS = {"perl": ["perl", COMPONENT / "vpnws_perl_client.pl"],
          "tornado": ["/usr/bin/python3", COMPONENT / "vpnws_tornado_client.py"]}
NGINX = """daemon off; master_process off; user root; pid {folder}/nginx.pid; error_log {folder}/error.log info;
events {{ worker_connections 256; }}
http {{
    access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{plain}; listen 127.0.0.1:{secure} ssl; ssl_certificate {crt}; ssl_certificate_key {key};
        location /l2 {{
            proxy_pass https://127.0.0.1:{node};
            proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade";
        }}
    }}
}}
"""


class Host(Member):
    """A member with a client of vpn-ws, whose MAC address is its own choice; its interface is in the namespace."""

    def __init__(self, folder, network, number):
        super().__init__(folder, network, number)
        device = json.loads((self.state / "device.json").read_text())
        self.userinfo = f"{device['device']}:{device['secret']}"
        self.interface, self.program, self.folder = "lyo" + secrets.token_hex(4), None, folder
        self.update(mac="")
        self.cidr, = [member["ipv4"] for member in network.call("listMembers", query={"network": network.id})["items"]
                      if member["id"] == self.id]

    def set_up(self):
        """What their users do with --exec: no MTU is set."""
        return (f"ip link set {self.interface} netns {self.netns} && ip -n {self.netns} addr add {self.cidr} dev "
                f"{self.interface} && ip -n {self.netns} link set {self.interface} up")

    def url(self, scheme, port):
        return f"{scheme}://{self.userinfo}@127.0.0.1:{port}/l2"

    def old_client(self, scheme, port, *options, ca):
        self.start(OLD_CLIENT, "--exec", self.set_up(), *options, self.interface, self.url(scheme, port), ca=ca)
        self.program.wait_says("connected")
        return self

    def other_client(self, kind, scheme, port, ca):
        """Those have no --exec; nobody else is there yet who would send them a frame."""
        self.start(*OTHERS[kind], self.interface, self.url(scheme, port), ca=ca)
        wait_for("its interface", lambda: os.path.exists(f"/sys/class/net/{self.interface}"))
        done = run("sh", "-c", self.set_up())
        assert done.returncode == 0, done.stdout
        return self

    def start(self, *words, ca):
        self.program = Program(self.folder / f"{self.interface}.log", "env", f"SSL_CERT_FILE={ca}",
                               f"PERL_ANYEVENT_CA_FILE={ca}", *words)

    @property
    def address(self):
        return self.cidr.split("/")[0]

    def stop(self):
        if self.program:
            self.program.stop()
        super().stop()


class Agent(Host):
    """Our agent in the place of one of them."""

    def connect(self, scheme, port, *options):
        self.program = Program(self.log, LANYARD, "connect", self.interface, self.url(scheme, port), "--state", self.state,
                               "--netns", self.netns, "--ipv4", self.cidr, *options)
        self.wait_connected()
        return self


class World:
    def __init__(self, folder, fleet, api, tenant):
        folder.chmod(0o755)
        self.folder, self.fleet, self.network, self.members = folder, fleet, Network(fleet, api, tenant), {}
        self.plain = free_ports(2)
        self.secure = self.plain + 1
        self.ca, key = make_certificate(folder, "nginx", "IP:127.0.0.1")
        (folder / "nginx.conf").write_text(NGINX.format(folder=folder, plain=self.plain, secure=self.secure, crt=self.ca,
                                                        key=key, node=fleet.dataplane_port))
        self.nginx = Process(["nginx", "-p", folder, "-c", folder / "nginx.conf", "-e", folder / "error.log"], self.plain)

    def add(self, name, kind):
        self.members[name] = kind(self.folder, self.network, len(self.members) + 1)
        return self.members[name]

    def fill(self):
        direct, ca = self.fleet.dataplane_port, self.fleet.ca_file
        self.add("perl", Host).other_client("perl", "wss", direct, ca)
        self.add("tornado", Host).other_client("tornado", "ws", self.plain, ca)
        self.add("tornado, wss", Host).other_client("tornado", "wss", direct, ca)
        self.add("old, wss", Host).old_client("wss", direct, ca=ca)
        self.add("old, ws at nginx", Host).old_client("ws", self.plain, ca=ca)
        self.add("old, wss at nginx", Host).old_client("wss", self.secure, ca=self.ca)
        self.add("agent", Member).up().wait_connected()
        self.add("agent, ws at nginx", Agent).connect("ws", self.plain)
        self.add("agent, wss at nginx", Agent).connect("wss", self.secure, "--ca", self.ca)

    def stop(self):
        for member in self.members.values():
            member.stop()
        self.nginx.stop()


@pytest.fixture(scope="module")
def world(tmp_path_factory, fleet, api, tenant):
    world = World(tmp_path_factory.mktemp("clients"), fleet, api, tenant)
    try:
        world.fill()
        yield world
    finally:
        world.stop()


def test_each_reaches_each_other(world):
    for name, one in world.members.items():
        for other_name, other in world.members.items():
            if one is not other:
                wait_for(f"{name} to reach {other_name}", lambda: one.ping(other.address))


def test_our_agent_has_batches_through_a_plain_proxy(world):
    for name in ("agent", "agent, ws at nginx", "agent, wss at nginx"):
        assert world.members[name].status()["protocol"] == "lanyard.l2.v1", name


SEND = "import socket, sys; socket.create_connection((sys.argv[1], 7777)).sendall(open(sys.argv[2], 'rb').read())"
TAKE = ("import hashlib, socket, sys; s = socket.create_server((sys.argv[1], 7777)); print('ready', flush=True); "
        "c, _ = s.accept(); h = hashlib.sha256()\nwhile d := c.recv(65536): h.update(d)\nprint(h.hexdigest(), flush=True)")


@pytest.mark.parametrize("sender, receiver", [
    ("old, wss", "agent"), ("agent", "old, wss"), ("old, ws at nginx", "agent, ws at nginx"),
    ("agent, wss at nginx", "old, wss at nginx"), ("old, wss at nginx", "old, wss"), ("perl", "agent"), ("agent", "perl"),
    ("agent", "tornado, wss"), ("tornado", "old, wss")])
def test_a_stream_crosses_whole_at_the_usual_mtu(world, sender, receiver):
    """vpn-ws-client sends 1500 bytes of a frame, and its users' interfaces have an MTU of 1500."""
    one, two = world.members[sender], world.members[receiver]
    data = secrets.token_bytes(3_000_000)
    (world.folder / "data").write_bytes(data)
    server = subprocess.Popen(["ip", "netns", "exec", two.netns, "python3", "-c", TAKE, two.address],
                              stdout=subprocess.PIPE, text=True)
    assert server.stdout.readline() == "ready\n"
    done = run("ip", "netns", "exec", one.netns, "python3", "-c", SEND, two.address, world.folder / "data")
    assert done.returncode == 0, done.stdout
    assert server.stdout.readline().strip() == hashlib.sha256(data).hexdigest()
    server.wait(30)


@pytest.mark.parametrize("direction", [[], ["--reverse"]], ids=["to the old client", "from it"])
def test_iperf3_between_an_old_client_and_our_agent(world, direction):
    """At an MTU of 1500 it moves not one byte through vpn-ws."""
    one, two = world.members["agent"], world.members["old, wss at nginx"]
    server = Program(world.folder / f"iperf3{len(direction)}.log", "ip", "netns", "exec", two.netns, "iperf3", "--server", "--one-off",
                     "--forceflush", "--bind", two.address).wait_says("listening")
    done = run("ip", "netns", "exec", one.netns, "iperf3", "--client", two.address, "--json", "--bytes", "8M", *direction)
    server.process.wait(30)
    report = json.loads(done.stdout)
    # What is on its way when iperf3 ends is not in its count; that all arrives is shown above.
    assert "error" not in report and report["end"]["sum_received"]["bytes"] > 1 << 20, done.stdout


# ---- a node of its own: without TLS, and with client certificates ----

class Node:
    """Another node of the fleet, with a network of its own."""

    def __init__(self, folder, fleet, **settings):
        self.port, ops = free_ports(2), 0
        ops = self.port + 1
        self.log = folder / "node.log"
        var = fleet.var
        environment = {
            "PATH": os.environ["PATH"], "LANYARD_LISTEN": f"127.0.0.1:{self.port}", "LANYARD_OPS_LISTEN": f"127.0.0.1:{ops}",
            "LANYARD_DATABASE_URL": f"postgresql:///lanyard?host={var}/run/postgres&user=lanyard_dataplane&"
                                    f"passfile={var}/secrets/dataplane.pgpass",
            "LANYARD_FLEET_KEY_FILE": str(var / "secrets/fleet.key"), **settings}
        self.program = Program(self.log, "env", "-i", *(f"{name}={value}" for name, value in environment.items()),
                               LANYARD.parent / "lanyard-dataplane").wait_says(" listening ")

    def stop(self):
        self.program.stop()
        assert "Sanitizer" not in self.log.read_text()


@pytest.fixture
def pair(tmp_path, fleet, api, tenant):
    """Two hosts of a network."""
    tmp_path.chmod(0o755)
    network, members = Network(fleet, api, tenant), []
    try:
        members += [Host(tmp_path, network, 1), Host(tmp_path, network, 2)]
        yield members
    finally:
        for member in members:
            member.stop()


def test_directly_by_ws(pair, tmp_path, fleet):
    node = Node(tmp_path, fleet)
    try:
        for host in pair:
            host.old_client("ws", node.port, ca=fleet.ca_file)
        wait_for("them to reach each other", lambda: pair[0].ping(pair[1].address))
    finally:
        for host in pair:
            host.program.stop()
        node.stop()


def test_client_certificates_instead_of_credentials(pair, tmp_path, fleet):
    """Of the tenant's authority, as docs/dataplane.md says; without one, or with another's, it is refused."""
    call = pair[0].network.call
    trust = tmp_path / "clients.pem"
    trust.write_text("".join(call("getAuthorities")["trust"]))
    node = Node(tmp_path, fleet, LANYARD_TLS_CERT=fleet.var / "tls/server.crt", LANYARD_TLS_KEY=fleet.var / "secrets/server.key",
                LANYARD_TLS_CLIENT_CA=trust)
    try:
        for host in pair:
            made = call("createCertificate", {"kind": "device", "subject": host.userinfo.split(":")[0]})
            crt, key = host.state / "device.crt", host.state / "device.key"
            crt.write_text(made["certificate"] + "".join(made["chain"]))
            key.write_text(made["private_key"])
            host.url = lambda scheme, port: f"{scheme}://127.0.0.1:{port}/l2"
            host.old_client("wss", node.port, "--key", key, "--crt", crt, ca=fleet.ca_file)
        wait_for("them to reach each other", lambda: pair[0].ping(pair[1].address))
        pair[0].program.stop()
        pair[0].start(OLD_CLIENT, "tap9" + secrets.token_hex(3), f"wss://127.0.0.1:{node.port}/l2", ca=fleet.ca_file)
        pair[0].program.wait_says("the server answered 401")
    finally:
        for host in pair:
            host.program.stop()
        node.stop()
