"""An agent behind a slow line: an upload that fills it costs others no more than their turn. Two namespaces of the test's own
with a shaped veth between them, the agent in one; the small portal and node of agent_world.py and a second agent in the other."""

import contextlib
import ctypes
import os
import pathlib
import re
import secrets
import statistics
import subprocess
import threading

import pytest

from agent_world import LANYARD, Agent, Node, Portal, make_certificate, run
from api_client import wait_for

CLONE_NEWNET = 0x40000000
HERE, THERE = "10.98.7.2", "10.98.7.1"  # the agent's end of the line, and the node's
RATE = "8mbit"

# Takes all that is sent, until it is killed.
SINK = """import socket
server = socket.create_server(("10.99.0.2", 5001))
print(flush=True)
connection = server.accept()[0]
while connection.recv(1 << 20):
    pass"""

# Of a sender that fills every queue until it loses something, as most do.
SOURCE = """import socket
with socket.create_connection(("10.99.0.2", 5001), 30) as connection:
    connection.settimeout(None)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"cubic")
    while True:
        connection.sendall(bytes(1 << 16))"""


def inside(netns, make):
    """What `make` returns; its sockets, and those of threads that it starts, are of the network namespace."""
    made = []

    def enter():
        with open(f"/run/netns/{netns}") as file:
            assert ctypes.CDLL(None, use_errno=True).setns(file.fileno(), CLONE_NEWNET) == 0, os.strerror(ctypes.get_errno())
        made.append(make())

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    return made[0]


class Line:
    """A veth between two namespaces, slow in the direction from `here`."""

    def __init__(self):
        prefix = "lanyard-" + secrets.token_hex(3)
        self.here, self.there = prefix + "-here", prefix + "-there"
        for netns in (self.here, self.there):
            self.command("netns", "add", netns)
            self.command("-n", netns, "link", "set", "lo", "up")
            # What a connection begins with where nobody has set anything: it waits for loss.
            assert run("ip", "netns", "exec", netns, "sysctl", "-qw", "net.ipv4.tcp_congestion_control=reno").returncode == 0
        self.command("link", "add", "line", "netns", self.here, "type", "veth", "peer", "name", "line", "netns", self.there)
        for netns, address in ((self.here, HERE), (self.there, THERE)):
            self.command("-n", netns, "address", "add", address + "/24", "dev", "line")
            self.command("-n", netns, "link", "set", "line", "up")
        done = run("tc", "-n", self.here, "qdisc", "add", "dev", "line", "root", "tbf", "rate", RATE, "burst", "16kb", "limit", "32kb")
        assert done.returncode == 0, done.stdout

    def command(self, *words):
        done = run("ip", *words)
        assert done.returncode == 0, done.stdout

    def controls(self):
        """Congestion controls of the connections over the line, at the agent's end."""
        return set(re.findall(r"^\s+(\w+)", run("ip", "netns", "exec", self.here, "ss", "-tinH", "dst", THERE).stdout, re.M))

    def close(self):
        for netns in (self.here, self.there):
            run("ip", "netns", "del", netns)


class DistantAgent(Agent):
    """An agent whose connection to the node is in a namespace, too."""

    def __init__(self, folder, portal, ca, number, outside):
        super().__init__(folder, portal, ca, number)
        self.outside = outside

    def up(self, *more):
        return inside(self.outside, lambda: super(DistantAgent, self).up(*more))


@pytest.fixture
def line():
    line = Line()
    yield line
    line.close()


@pytest.fixture
def agents(tmp_path, line):
    """The one behind the slow line, and one beside the node."""
    with contextlib.ExitStack() as stack:
        certificate = make_certificate(tmp_path, "node", f"IP:{THERE}")
        node = inside(line.there, lambda: Node(certificate, THERE))
        stack.callback(node.stop)
        portal = inside(line.there, lambda: Portal(certificate, node.url, THERE))
        stack.callback(portal.stop)
        agents = []
        for number, outside in ((1, line.here), (2, line.there)):
            agents.append(DistantAgent(tmp_path, portal, certificate[0], number, outside))
            stack.callback(agents[-1].stop)
            agents[-1].up().wait_connected()
        yield agents


@pytest.fixture
def upload(agents):
    """From the agent behind the line to the other."""
    one, two = agents
    wait_for("a way", lambda: one.ping("10.99.0.2"))
    sink = subprocess.Popen(["ip", "netns", "exec", two.netns, "python3", "-c", SINK], stdout=subprocess.PIPE, text=True)
    sink.stdout.readline()
    source = subprocess.Popen(["ip", "netns", "exec", one.netns, "python3", "-c", SOURCE])
    yield
    for process in (source, sink):
        process.kill()
        process.wait()


def passed(one, two):
    """Bytes of the upload that arrive between a ping and its answer: as many as are queued before it."""
    before = two.status()["bytes_in"]
    assert one.ping("10.99.0.2", "-W20")
    return two.status()["bytes_in"] - before


def n_lost(status):
    """Frames, and segments of super-frames, that had waited too long."""
    return status["queue_late"] + status["queue_segments"]


def test_a_ping_does_not_wait_behind_an_upload(agents, upload):
    one, two = agents
    # The upload has filled whatever it can fill, and is told so by the queue.
    wait_for("the upload to be slowed down", lambda: n_lost(one.status()) + one.status()["queue_full"] > 0)
    begin = two.status()["bytes_in"]
    wait_for("a good part of the upload", lambda: two.status()["bytes_in"] - begin > 3 << 20)
    between = [passed(one, two) for _ in range(9)]
    assert statistics.median(between) < 320 << 10, between
    told = one.status()
    assert told["queue_bytes"] <= 1 << 20 and n_lost(told) > 0 and told["sessions"] == 1
    text = run(LANYARD, "status", "--state", one.state)
    assert "queue late" in text.stdout, text.stdout


@pytest.mark.skipif("bbr" not in pathlib.Path("/proc/sys/net/ipv4/tcp_available_congestion_control").read_text().split(),
                    reason="the kernel has no bbr")
def test_a_way_that_loses_gets_another_congestion_control(line, agents, upload):
    """Its queue is short, so that who fills it loses, as on ways of providers."""
    wait_for("bbr", lambda: "bbr" in line.controls())
    assert all(agent.status()["sessions"] == 1 for agent in agents)
