"""Networks over several nodes: the fleet's own and others beside it, with members that speak Ethernet over plain
WebSocket messages."""

import re
import secrets
import socket

from api_client import wait_for
from api_world import Device
from node_world import Node
from test_switch_policy import BROADCAST, Port


class World:
    def __init__(self, fleet, api, tenant, count=2):
        self.fleet, self.api, self.tenant = fleet, api, tenant
        self.nodes = [Node(fleet).start() for _ in range(count)]
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
