"""Networks over several nodes: the fleet's own and others beside it, with members that speak Ethernet over plain
WebSocket messages."""

import re
import secrets
import signal
import socket
import subprocess
import types

from api_client import wait_for
from api_world import Device
from conftest import free_ports
from node_world import Node
from test_switch_policy import Port


class World:
    def __init__(self, fleet, api, tenant, count=2, **settings):
        self.fleet, self.api, self.tenant = fleet, api, tenant
        self.nodes = [Node(fleet, LANYARD_NODE_NAME=f"node-{n}", **settings).start() for n in range(1, count + 1)]
        self.ports = []

    def network(self, count, **rules):
        """A network and so many devices in it."""
        tag = secrets.token_hex(3)
        network = self.api.ok("createNetwork", self.tenant.owner, {
            "name": f"n-{tag}", "ipv4": f"10.{secrets.randbelow(60) + 160}.{secrets.randbelow(256)}.0/24"},
            tenant=self.tenant.id)["id"]
        if rules:
            self.api.ok("updateNetwork", self.tenant.owner, rules, tenant=self.tenant.id, id_=network)
        return network, [Device(self.api, self.tenant, network, f"d{n}-{tag}") for n in range(count)]

    def url(self, node):
        """Of the node with that number: 0 is the fleet's."""
        port = self.fleet.dataplane_port if node == 0 else self.nodes[node - 1].port
        return f"wss://127.0.0.1:{port}/l2"

    def connect(self, device, node):
        port = Port(self.fleet, self.api, device, self.url(node))
        self.ports.append(port)
        return port

    def close(self, *ports):
        for port in ports:
            port.close()

    def metric(self, node, name):
        port = None if node == 0 else self.nodes[node - 1].ops_port
        text = self.fleet.ops("dataplane", "/metrics", port) or ""
        found = re.search(rf"^lanyard_{name} (\d+)", text, re.M)
        return int(found.group(1)) if found else None

    def homes(self):
        return [self.metric(n, "homes") for n in range(len(self.nodes) + 1)]

    def sessions(self, network):
        found = self.api.ok("listSessions", self.tenant.owner, query={"network": network}, tenant=self.tenant.id)["items"]
        return {session["member"]: session for session in found}

    def stop(self):
        self.close(*self.ports)
        for node in self.nodes:
            if node.process.poll() is None:
                node.stop()


def reaches(one, other, seconds=0.5):
    """Does a frame from the one come to the other? What came before it is thrown away."""
    mark = secrets.token_bytes(46)
    one.send(other.mac, payload=mark)
    other.sock.settimeout(seconds)
    try:
        while other.receive()[14:] != mark:
            pass
        return True
    except (socket.timeout, TimeoutError):
        return False
    finally:
        other.sock.settimeout(30)


def wait_ways(*ports):
    """Each of them reaches each other one."""
    for one in ports:
        for other in ports:
            if one is not other:
                wait_for("a way from port to port", lambda: reaches(one, other))


def frames_until(mark, port):
    """All frames that come before the mark, by another port."""
    frames = []
    while not frames or frames[-1][14:] != mark:
        frames.append(port.receive())
    return frames[:-1]


HAPROXY = """
global
    maxconn 2000
defaults
    timeout connect 5s
    timeout client 300s
    timeout server 300s
    retries 5
    option redispatch 1
"""


class Balancer:
    """A haproxy in front of the world's nodes (not the fleet's own), which is what devices are told from now on."""

    def __init__(self, world, folder):
        self.port = free_ports(1)
        servers = "\n    ".join(f"server n{n} 127.0.0.1:{node.port} check inter 200ms fall 1 rise 1"
                            for n, node in enumerate(world.nodes))
        (folder / "haproxy.cfg").write_text(HAPROXY + f"""
listen nodes
    mode tcp
    bind 127.0.0.1:{self.port}
    balance roundrobin
    {servers}\n""" + self.more(world, folder))
        with (folder / "haproxy.log").open("w") as log:
            self.process = subprocess.Popen(["haproxy", "-db", "-f", str(folder / "haproxy.cfg")],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        run = world.fleet.var / "service/provision/run"
        text = re.sub(r"LANYARD_DATAPLANE_URLS=[^']*", f"LANYARD_DATAPLANE_URLS=wss://127.0.0.1:{self.port}/l2",
                      run.read_text())
        run.with_name("run.new").write_text(text)
        run.with_name("run.new").chmod(0o755)
        run.with_name("run.new").rename(run)
        world.fleet.sv("restart", "provision")
        wait_for("provision", lambda: world.api.call("listNetworks", world.tenant.owner,
                                                     tenant=world.tenant.id).status_code == 200)

    def more(self, world, folder):
        return ""

    def stop(self):
        self.process.terminate()
        self.process.wait(30)


class Router(Balancer):
    """The same, but it looks at paths: /l2/node/NAME goes to the node of that name, all else to the last one."""

    def more(self, world, folder):
        tls, self.port = world.fleet.var / "tls", free_ports(1)
        (folder / "tls.pem").write_text((tls / "server.crt").read_text() + (world.fleet.var / "secrets/server.key").read_text())
        names = [f"node-{n + 1}" for n in range(len(world.nodes))]
        rules = "\n    ".join(f"use_backend {name} if {{ path /l2/node/{name} }}" for name in names)
        backends = "\n".join(f"backend {name}\n    mode http\n    server {name} 127.0.0.1:{node.port} ssl verify none"
                             for name, node in zip(names, world.nodes))
        return f"""
frontend paths
    mode http
    bind 127.0.0.1:{self.port} ssl crt {folder / "tls.pem"}
    {rules}
    default_backend {names[-1]}
{backends}\n"""


class Pings:
    """Pings from a member to an address, fifty in a second, until they are counted."""

    def __init__(self, member, address, folder, interval="0.02"):
        self.log = folder / f"pings-{secrets.token_hex(3)}"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(["ip", "netns", "exec", member.netns, "ping", "-D", "-i", interval, address],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)

    def answers(self):
        """(time, number) of each."""
        found = re.findall(r"\[([0-9.]+)\] .*icmp_seq=(\d+) ttl.*time=", self.log.read_text())
        return [(float(at), int(number)) for at, number in found]

    def end(self):
        """How many were sent, and never answered, at all and in a row; how many came twice; the longest time between two
        answers, which a busy machine makes long without any loss."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(30)
        answers = self.answers()
        sent = int(re.search(r"(\d+) packets transmitted", self.log.read_text()).group(1))
        numbers = [number for _, number in answers]
        times = sorted(at for at, _ in answers)
        gap = max((later - earlier for earlier, later in zip(times, times[1:])), default=0)
        came = sorted(set(numbers))
        in_a_row = max((later - earlier - 1 for earlier, later in zip(came, came[1:])), default=sent)
        return types.SimpleNamespace(sent=sent, lost=sent - len(came), in_a_row=in_a_row,
                                     twice=len(numbers) - len(came), gap_ms=round(gap * 1000))
