"""A node that is told to stop: its agents move to other nodes before it ends, and its networks have another home."""

import re
import time

import pytest

from api_client import wait_for
from api_world import api, tenant, admin, stranger, websocket  # fixtures too
from lan_world import Member, Network
from node_world import Node
from test_pairs import access_token, lanyard_pair
from trunk_world import Balancer, Pings, World, wait_ways


@pytest.fixture(scope="module")
def world(fleet, api, tenant, tmp_path_factory):
    world = World(fleet, api, tenant)
    world.balancer = Balancer(world, tmp_path_factory.mktemp("haproxy"))
    yield world
    world.balancer.stop()
    world.stop()


@pytest.fixture
def agents(world, fleet, api, tenant, tmp_path):
    network = Network(fleet, api, tenant)
    agents = [Member(tmp_path, network, n) for n in (1, 2)]
    for agent in agents:
        agent.up().wait_connected()
    yield agents
    for agent in agents:
        agent.stop()


def test_agents_move_before_the_node_ends(world, agents, tmp_path):
    one, other = agents
    wait_for("a way", lambda: one.ping(other.address))
    assert world.metric(1, "sessions") == world.metric(2, "sessions") == 1
    pings = Pings(one, other.address, tmp_path)
    wait_for("the first answers", lambda: len(pings.answers()) > 50)
    world.nodes[0].stop()
    moved = [agent for agent in agents if agent.status()["sessions"] == 2]
    assert len(moved) == 1 and world.metric(2, "sessions") == 2
    count = len(pings.answers())
    wait_for("more answers", lambda: len(pings.answers()) > count + 50)
    told = pings.end()
    print(f"agents move: {told}")
    assert told.twice == 0 and told.in_a_row <= 10, told
    assert not [agent for agent in agents if "problem" in agent.status()]
    assert world.metric(2, "homes") >= 1
    world.nodes[0].start()


def test_the_home_is_handed_over(world):
    """Its members that can't move are closed in time, all others go on where they are."""
    network, devices = world.network(4)
    home, other = world.connect(devices[0], 2), world.connect(devices[1], 1)
    third = world.connect(devices[2], 0)
    wait_ways(home, other, third)
    world.nodes[1].process.terminate()
    assert home.close_reason() == (1001, "the node stops")
    assert world.nodes[1].process.wait(60) == 0
    wait_ways(other, third)
    assert set(world.sessions(network)) == {other.member, third.member}
    back = world.connect(devices[0], 1)
    wait_ways(back, other, third)
    world.nodes[1].start()
    world.close(home, other, third, back)


def deaf(world, device, node):
    """A session that could move, but does not: it stays until the end of the node's window."""
    return websocket(world.fleet, world.url(node), device.attachment["access_token"], "lanyard.l2.v1")


def is_home(log, network):
    return re.search(rf" home tenant=\S+ network={network} \S+ \S+ here=yes", log)


def test_homes_are_handed_over_when_provision_is_back(world):
    """Nobody answers the node that begins to stop: it asks again, as long as it is there."""
    network, devices = world.network(2)
    world.nodes.append(Node(world.fleet, LANYARD_NODE_NAME="node-3", LANYARD_DRAIN_S="60").start())
    node = world.nodes[2]
    stays = deaf(world, devices[0], 3)
    wait_for("the home", lambda: is_home(node.log(), network))
    other = world.connect(devices[1], 1)
    world.fleet.sv("down", "provision")
    try:
        node.process.terminate()
        wait_for("a try", lambda: "hand_over_failed" in node.log())
        assert "handed_over" not in node.log()
    finally:
        world.fleet.sv("up", "provision")
    wait_for("an answer", lambda: "handed_over" in node.log())
    wait_for("the next home", lambda: is_home(world.nodes[0].log(), network))
    assert node.process.poll() is None
    stays.close()
    assert node.process.wait(60) == 0
    world.close(other)


def meet(world, token, *nodes):
    """Two ends of a pair, each at its node, after a word has crossed each way."""
    one, two = ends = [lanyard_pair(world.fleet, token, "--nonce", "n", url=world.url(node).replace("/l2", "/pair")) for node in nodes]
    for this, that in ((one, two), (two, one)):
        this.stdin.write(b"hello")
        this.stdin.flush()
        assert that.stdout.read(5) == b"hello"
    return ends


def test_both_ends_of_a_pair_hear_that_it_was_cut_off(world, api, tenant):
    """Also the one that is on another node: what it has got may not be all. Both end with an error, and meet again when whoever
    watches over them starts them again."""
    token = access_token(api, tenant)
    ends = meet(world, token, 1, 2)
    world.nodes[0].process.terminate()
    assert [end.wait(60) for end in ends] == [1, 1]
    began = time.monotonic()
    assert [end.stderr.read() for end in ends] == [b"lanyard pair: closed: 1001 the node is stopping\n",
                                                    b"lanyard pair: closed: 1001 the other end was cut off\n"]
    ends = meet(world, token, 2, 2)
    print(f"a pair met again {round((time.monotonic() - began) * 1000)} ms after both ends had ended")
    ends[0].stdin.close()
    assert [end.wait(60) for end in ends] == [0, 0]
    world.nodes[0].process.wait(60)
    world.nodes[0].start()


def test_no_home_is_given_to_a_node_that_stops(world):
    """Though it has the most members of the network."""
    network, devices = world.network(4)
    stopping, home_node = world.nodes[:2]
    home, stays, other = world.connect(devices[0], 2), [deaf(world, device, 1) for device in devices[1:3]], world.connect(devices[3], 0)
    wait_ways(home, other)
    heard = home_node.log().count("node_stops")
    stopping.process.terminate()
    wait_for("word of it", lambda: home_node.log().count("node_stops") > heard)
    home_node.process.terminate()
    wait_for("the next home", lambda: is_home((world.fleet.var / "log/dataplane/current").read_text(), network))
    assert [node.process.wait(60) for node in (stopping, home_node)] == [0, 0]
    assert not is_home(stopping.log(), network)
    for member in stays:
        member.close()
    world.close(home, other)
