"""What is behind an agent: a Linux bridge, the LAN of an interface, macvlans on its interface. Stations there and the other
client reach each other through a server that behaves as vpn-ws does, behind a real nginx."""

import pytest

from agent_world import LANYARD, run
from api_client import wait_for
from lan_world import Station, ip
from vpn_ws_world import certificate, clients, world  # fixtures

HOST = "10.98.0.50/24"  # the station's; no MTU is set anywhere


@pytest.fixture
def station(clients):
    station = Station(clients[0])
    yield station
    station.remove()


def stop(client):
    assert run(LANYARD, "down", "--state", client.state).returncode == 0
    assert client.wait_exit() == 0


def reach_each_other(client, station, other):
    """The client's own address is that of its side of the segment, for both."""
    wait_for("a way to the station", lambda: other.ping("10.98.0.50"))
    assert station.ping("10.98.0.2") and station.ping("10.98.0.2", "-s", "1400")
    assert station.ping("10.98.0.1") and other.ping("10.98.0.1") and client.ping("10.98.0.50") and client.ping("10.98.0.2")


def test_a_linux_bridge(world, clients, station):
    one, two = clients
    station.cable().set_up("eth0", HOST)
    ip("-n", one.netns, "link", "add", "br0", "type", "bridge")
    ip("-n", one.netns, "link", "set", "br0", "up")
    ip("-n", one.netns, "link", "set", "lan0", "master", "br0", "up")
    one.connect(world.open, "--join", "br0", "--user", "nobody").wait_connected()
    assert world.server.variables[0]["HTTP_X_VPN_WS_BRIDGE"] == "on"
    two.connect(world.open).wait_connected()
    reach_each_other(one, station, two)
    stop(one)
    left = one.ip("addr").stdout
    assert "br0:" in left and "tap0" not in left and "10.98.0.1" not in left


def test_the_lan_of_an_interface(world, clients, station):
    """By a macvlan; the interface is as it was afterwards."""
    one, two = clients
    station.cable().set_up("eth0", HOST)
    ip("-n", one.netns, "addr", "add", "192.168.7.1/24", "dev", "lan0")
    ip("-n", station.netns, "addr", "add", "192.168.7.2/24", "dev", "eth0")
    one.connect(world.open, "--join", "lan0", "--user", "nobody").wait_connected()
    two.connect(world.open).wait_connected()
    reach_each_other(one, station, two)
    assert "macvlan mode passthru" in one.ip("-d", "link", "show", "tap0-lan").stdout
    stop(one)
    assert one.ip("-o", "link").stdout.count("tap0") == 0
    wait_for("the LAN as it was", lambda: one.ping("192.168.7.2"))


def test_what_a_killed_process_left_is_replaced(world, clients, station):
    one, two = clients
    station.cable().set_up("eth0", HOST)
    two.connect(world.open).wait_connected()
    for _ in range(2):
        one.connect(world.open, "--join", "lan0").wait_connected()
        wait_for("a way to the station", lambda: two.ping("10.98.0.50"))
        one.process.kill()
        one.process.wait()
    assert "tap0-br" in one.ip("link").stdout


def test_macvlans_on_the_interface(world, clients, station):
    """As containers have them: each is a station of the network, with an address of its own."""
    one, two = clients
    one.connect(world.open, "--bridge").wait_connected()
    ip("-n", one.netns, "link", "add", "link", "tap0", "name", "macvlan0", "type", "macvlan", "mode", "bridge")
    ip("-n", one.netns, "link", "set", "macvlan0", "netns", station.netns)
    station.set_up("macvlan0", HOST)
    two.connect(world.open).wait_connected()
    wait_for("a way to the station", lambda: two.ping("10.98.0.50"))
    assert station.ping("10.98.0.2") and two.ping("10.98.0.1")
    assert one.mac not in two.ip("neigh", "show", "10.98.0.50").stdout


@pytest.mark.parametrize("other, says", [
    ("lo", "expected a Linux bridge"), ("nothing", "no interface nothing"), ("port0", "expected a Linux bridge")])
def test_what_can_not_be_joined(world, clients, other, says):
    one = clients[0]
    ip("-n", one.netns, "link", "add", "port0", "type", "veth", "peer", "name", "port1")
    ip("-n", one.netns, "link", "add", "br0", "type", "bridge")
    ip("-n", one.netns, "link", "set", "port0", "master", "br0")
    one.connect(world.open, "--join", other)
    assert one.wait_exit() == 1 and says in one.log.read_text()
    assert "tap0" not in one.ip("-o", "link").stdout, "nothing of it stays"


def test_names_that_are_taken_are_left_alone(world, clients, station):
    one = clients[0]
    station.cable().set_up("eth0", HOST)
    ip("-n", one.netns, "link", "add", "tap0-br", "type", "veth", "peer", "name", "other")
    one.connect(world.open, "--join", "lan0")
    assert one.wait_exit() == 1 and "tap0-br or tap0-lan already" in one.log.read_text()
    assert "tap0-br" in one.ip("link").stdout
