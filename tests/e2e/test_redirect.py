"""Agents are sent to the home of their network, where what is before the nodes can route them there."""

import secrets
import socket
import ssl

import pytest

from api_client import wait_for
from api_world import Device, api, tenant, admin, stranger  # fixtures too
from lan_world import Member, Network
from trunk_world import Router, World, wait_ways


@pytest.fixture(scope="module")
def world(fleet, api, tenant, tmp_path_factory):
    world = World(fleet, api, tenant, count=3, LANYARD_REDIRECT="true")
    world.router = Router(world, tmp_path_factory.mktemp("haproxy"))
    yield world
    world.router.stop()
    world.stop()


@pytest.fixture
def network(fleet, api, tenant):
    return Network(fleet, api, tenant)


@pytest.fixture
def home(world, network, api, tenant):
    """Node 1 is the network's home, and node 2 knows it."""
    devices = [Device(api, tenant, network.id, f"d{n}-" + secrets.token_hex(3)) for n in (1, 2)]
    before = world.metric(1, "homes")
    home = world.connect(devices[0], 1)
    wait_for("the lease", lambda: world.metric(1, "homes") > before)
    edge = world.connect(devices[1], 2)
    wait_ways(home, edge)
    yield home
    world.close(home, edge)


def test_an_agent_is_sent_to_the_home(world, network, home, tmp_path):
    agent = Member(tmp_path, network, 1).up().wait_connected()
    try:
        assert agent.status()["url"].endswith("/l2/node/node-1")
        assert world.metric(1, "sessions") == 2 and world.metric(2, "sessions") == 1
        wait_for("a way", lambda: world.sessions(network.id)[agent.id]["rx_frames"] > 0)
    finally:
        agent.stop()


def answer(world, node, path, token, protocol):
    """To a handshake: status line and headers."""
    context = ssl.create_default_context(cafile=world.fleet.ca_file)
    with context.wrap_socket(socket.create_connection(("127.0.0.1", world.nodes[node - 1].port), 30),
                             server_hostname="127.0.0.1") as sock:
        sock.sendall((f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                      f"Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nSec-WebSocket-Version: 13\r\n{protocol}"
                      f"Authorization: Bearer {token}\r\n\r\n").encode())
        return sock.recv(4096).decode().split("\r\n")


BATCHES = "Sec-WebSocket-Protocol: lanyard.l2.v1\r\n"


def test_who_was_sent_is_sent_nowhere_else_and_old_clients_are_carried(world, network, home, api, tenant):
    token = Device(api, tenant, network.id, "d3-" + secrets.token_hex(3)).attachment["access_token"]
    status, *headers = answer(world, 2, "/l2?network=" + network.id, token, BATCHES)
    assert " 307 " in status and f"Location: /l2/node/node-1?network={network.id}" in headers
    for path, protocol in (("/l2/node/node-1", BATCHES), ("/l2/node/another", BATCHES), ("/l2", "")):
        assert " 101 " in answer(world, 2, path, token, protocol)[0], path
    assert " 101 " in answer(world, 1, "/l2", token, BATCHES)[0]


def test_agents_are_sent_to_the_next_home_at_once(world, api, tenant, network, home, tmp_path):
    """Node 1 stops. Node 2, with the most members, is the home then, and what node 3 answers next is what that one is called."""
    *devices, asking = [Device(api, tenant, network.id, f"d{n}-" + secrets.token_hex(3)) for n in (3, 4, 5)]
    edges = [world.connect(device, node) for device, node in zip(devices, (2, 3))]
    wait_ways(home, *edges)
    agent = Member(tmp_path, network, 1).up().wait_connected()
    try:
        assert agent.status()["url"].endswith("/l2/node/node-1")
        world.nodes[0].process.terminate()
        told = wait_for("the next home", lambda: sent_elsewhere(world, asking))
        assert "Location: /l2/node/node-2" in told, told
        assert world.nodes[0].process.wait(60) == 0
        wait_for("the agent there", lambda: agent.status()["url"].endswith("/l2/node/node-2"))
    finally:
        agent.stop()
        world.close(*edges)
        world.nodes[0].start()


def sent_elsewhere(world, device):
    """What node 3 answers; None while it sends to node 1."""
    told = answer(world, 3, "/l2", device.attachment["access_token"], BATCHES)
    return None if "Location: /l2/node/node-1" in told else told
