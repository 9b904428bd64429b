"""One network over three nodes: frames cross by the trunks, to whom they are for and once; what a member may do is
decided at the network's home."""

import secrets

import pytest

from api_client import wait_for
from api_world import api, tenant, admin, stranger  # fixtures too
from event_stream import event_stream
from test_switch_policy import BROADCAST
from trunk_world import World, frames_until, reaches, wait_ways


@pytest.fixture(scope="module")
def world(fleet, api, tenant):
    world = World(fleet, api, tenant)
    yield world
    world.stop()


def marked(port, to=BROADCAST, **more):
    """Sends a frame that no other is like."""
    mark = secrets.token_bytes(46)
    port.send(to, payload=mark, **more)
    return mark


def test_frames_cross_to_whom_they_are_for_and_once(world):
    network, devices = world.network(6)
    ports = [world.connect(device, n % 3) for n, device in enumerate(devices)]
    _, others = world.network(3)
    strangers = [world.connect(device, n) for n, device in enumerate(others)]
    wait_ways(*ports)
    wait_ways(*strangers)
    for sender in ports:
        others = [port for port in ports if port is not sender]
        broadcast = marked(sender)
        for other in others:  # a frame to one of the same node may overtake what goes by the home
            assert frames_until(broadcast, other) == []
            assert frames_until(marked(sender, other.mac), other) == []
        for one, two in zip(strangers, strangers[1:] + strangers[:1]):
            assert frames_until(marked(one, two.mac), two) == []
    for sender in ports:  # nothing of it comes a second time, or back to who sent it
        for other in ports:
            if other is not sender:
                assert frames_until(marked(sender, other.mac), other) == []
    assert sum(world.homes()) >= 2
    world.close(*ports, *strangers)


def test_what_a_member_says_first_comes_to_all(world):
    """A node that has never heard of the network answers when it is an edge of it: no frame after that is lost."""
    _, devices = world.network(3)
    home = world.connect(devices[0], 1)
    for device, node in zip(devices[1:], (2, 0)):
        member = world.connect(device, node)
        frames_until(marked(member, home.mac), home)
        member.close()
    world.close(home)


def test_two_members_of_one_node_need_no_trunk(world):
    _, devices = world.network(3)
    home = world.connect(devices[0], 1)
    wait_for("a home", lambda: world.homes()[1])
    one, two = [world.connect(device, 2) for device in devices[1:]]
    wait_ways(home, one, two)
    wait_for("what the home tells", lambda: is_local(world, one, two))
    assert reaches(one, home, 30)
    world.close(home, one, two)


def is_local(world, one, two):
    before = world.metric(2, "trunk_sent_bytes_total")
    for _ in range(20):
        mark = marked(one, two.mac)
        frames_until(mark, two)
    return world.metric(2, "trunk_sent_bytes_total") == before


def test_the_home_bounds_addresses_and_tells_what_was_dropped(world, api, tenant):
    network, devices = world.network(2)
    home, edge = world.connect(devices[0], 1), world.connect(devices[1], 2)
    wait_ways(home, edge)
    with event_stream(api, tenant.owner, tenant.id, network) as stream:
        stolen = marked(edge, home.mac, source=home.mac)
        foreign = marked(edge, home.mac, source=b"\x02\0\0\0\x12\x34")
        frames = frames_until(marked(edge, home.mac), home)
        assert not [frame for frame in frames if frame[14:] in (stolen, foreign)]
        wait_for("the counters", lambda: world.sessions(network)[edge.member]["drops"]["source"] == 2)
        stream.find("station_refused", member=edge.member)
    world.close(home, edge)


def test_storms_are_bounded_over_all_nodes(world):
    network, devices = world.network(2, storm_frames=10)
    home, edge = world.connect(devices[0], 1), world.connect(devices[1], 2)
    wait_ways(home, edge)
    for _ in range(200):
        edge.send(BROADCAST)
    came = len(frames_until(marked(edge, home.mac), home))
    assert 0 < came < 100
    wait_for("the counter", lambda: world.sessions(network)[edge.member]["drops"]["storm"] == 200 - came)
    world.close(home, edge)


def test_a_member_that_comes_to_another_node_is_there_only(world):
    _, devices = world.network(2)
    other, first = world.connect(devices[0], 1), world.connect(devices[1], 2)
    wait_ways(other, first)
    second = world.connect(devices[1], 0)
    assert first.close_reason() == (1008, "the member has a new session")
    wait_ways(other, second)
    world.close(other, first, second)


def test_questions_about_addresses_are_answered_at_the_home(world):
    _, devices = world.network(2)
    home, edge = world.connect(devices[0], 1), world.connect(devices[1], 2)
    wait_ways(home, edge)
    address = bytes(int(part) for part in home.ipv4.split("."))
    own = bytes(int(part) for part in edge.ipv4.split("."))
    edge.send(BROADCAST, kind=b"\x08\x06",
              payload=b"\0\1\x08\0\6\4\0\1" + edge.mac + own + bytes(6) + address + bytes(18))
    reply = edge.receive()
    assert reply[:6] == edge.mac and reply[22:28] == home.mac and reply[28:32] == address
    assert frames_until(marked(edge, home.mac), home) == []
    world.close(home, edge)
