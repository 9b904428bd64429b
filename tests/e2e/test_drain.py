"""A node that is told to stop: its agents move to other nodes before it ends, and its networks have another home."""

import pytest

from api_client import wait_for
from api_world import api, tenant, admin, stranger  # fixtures too
from lan_world import Member, Network
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
