"""Clients of OpenVPN in a network of ours: a WE500 with its package reaches a device that runs our agent; who is blocked or
revoked is thrown out and comes in no more. Numbers are those of the statements of the contract of apps (docs/openvpn.md)."""

import json
import signal

import pytest

from agent_world import LANYARD, run
from api_client import wait_for
from api_world import admin, api  # noqa: F401
from openvpn_world import DeviceWorld
from portal_world import unpack


@pytest.fixture(scope="module")
def world(fleet, api, admin, tmp_path_factory):
    world = DeviceWorld(tmp_path_factory.mktemp("openvpn"), fleet, api, admin)
    try:
        yield world.start()
    finally:
        world.stop()


@pytest.fixture
def device(world):
    """A device that is connected."""
    device, client = world.device()
    client.start().wait_connected()
    yield device, client
    client.end()


def is_thrown_out(client, change):
    """After the change the session ends, and it is not let in again."""
    change()
    wait_for("the end of the session", lambda: client.says("AUTH_FAILED"))
    client.wait_exit()


def test_88_90_96_a_device_with_its_package_reaches_another_one(world, device):
    device, client = device
    wait_for("a way to the other device", lambda: client.ping(world.other.address))
    own, = world.server.live(device.id)
    assert own["kind"] == "device" and own["label"] == "package" and own["source"].startswith(f"198.51.100.{client.number}:")
    wait_for("a way back", lambda: world.other.ping(own["ipv4"]))
    assert world.portal.shown(device)["state"] == "connected"
    assert world.server.shown()["state"] == "up"
    client.end()
    wait_for("the end of its connection", lambda: not world.server.live(device.id))
    ended, = world.server.connections(subject=device.id)
    assert ended["bytes_in"] > 0 and ended["bytes_out"] > 0 and not ended["lost"]
    then = world.server.connections(address=own["ipv4"], at=ended["started_at"])
    assert [each["subject"] for each in then] == [device.id]


def test_two_clients_reach_each_other(world, device):
    first = world.server.live(device[0].id)[0]["ipv4"]
    second, client = world.device()
    client.start().wait_connected()
    wait_for("a way to the first one", lambda: client.ping(first))


def test_89_92_a_blocked_device_is_out_and_not_let_in(world, device):
    device, client = device
    is_thrown_out(client, lambda: world.portal.block(device))
    assert client.says("AUTH_FAILED,the device is blocked")
    wait_for("the end of its connection", lambda: not world.server.live(device.id))
    world.portal.block(device, "approved")
    client.start().wait_connected()


def test_a_client_that_does_not_go_is_ended(world, device):
    device, client = device
    client.program.process.send_signal(signal.SIGSTOP)
    world.portal.block(device)
    wait_for("the end of its connection", lambda: not world.server.live(device.id))
    client.program.process.send_signal(signal.SIGCONT)


def test_92_a_revoked_certificate_is_out(world, device):
    device, client = device
    serial = world.server.live(device.id)[0]["serial"]
    is_thrown_out(client, lambda: world.network.call("revokeCertificates", {"serial": serial}))
    assert client.says("AUTH_FAILED,the certificate was revoked")


def test_old_credentials_end_with_the_first_use_of_the_new_ones(world, device):
    device, client = device
    world.portal.publish(device)
    newer = world.client(unpack(world.portal.fetch(device).content))
    newer.start().wait_connected()
    wait_for("the end of the old session", lambda: client.says("AUTH_FAILED"))
    assert world.portal.shown(device)["good"] == 2


def test_93_a_server_that_is_killed_has_lost_its_connections(world, device):
    device, client = device
    address = world.server.live(device.id)[0]["ipv4"]
    world.server.process.kill()
    world.server.process.wait()
    world.server.start()
    before = world.server.connections(subject=device.id)[0]
    assert before["lost"] and before["ended_at"]
    wait_for("the client's return", lambda: world.server.live(device.id), 60)
    assert world.server.live(device.id)[0]["ipv4"] == address


def test_a_server_that_is_told_to_end_tells_of_its_connections(world, device):
    device, _ = device
    which = ["--state", world.server.member.state, "--openvpn", "lanyard-ovpn"]
    told = run(LANYARD, "status", "--json", *which)
    shown = json.loads(told.stdout)
    assert (told.returncode, shown["command"], shown["state"], shown["server"]) == (0, "openvpn", "connected", world.server.id)
    assert shown["clients"] >= 1 and shown["port"] == 1194
    every = run(LANYARD, "status", "--state", world.server.member.state).stdout
    assert "MAC " in every and "openvpn" in every and "clients" in every, "lanyard up and lanyard openvpn"
    run(LANYARD, "down", *which)
    assert world.server.process.wait(30) == 0
    assert run(LANYARD, "status", *which).returncode == 3 and run(LANYARD, "down", *which).returncode == 0
    ended = world.server.connections(subject=device.id)[-1]
    assert ended["ended_at"] and not ended["lost"]
    world.server.start()
    wait_for("the client's return", lambda: world.server.live(device.id), 60)


@pytest.fixture(scope="module")
def routed(fleet, api, admin, tmp_path_factory):
    world = DeviceWorld(tmp_path_factory.mktemp("routed"), fleet, api, admin, mode="tun", protocol="tcp")
    try:
        yield world.start()
    finally:
        world.stop()


def test_with_tun_clients_are_routed_into_the_network(routed):
    """Over TCP, too. The network sees their addresses, for which the server's device answers."""
    (one, first), (_, second) = routed.device(), routed.device()
    first.start().wait_connected()
    second.start().wait_connected()
    own, = routed.server.live(one.id)
    wait_for("a way to the other device", lambda: first.ping(routed.other.address))
    wait_for("a way back", lambda: routed.other.ping(own["ipv4"]))
    wait_for("a way between clients", lambda: second.ping(own["ipv4"]))
    assert first.ping(routed.server.member.address)
    first.end()
    wait_for("the end of its connection", lambda: not routed.server.live(one.id))
    assert not routed.other.ping(own["ipv4"])
    routed.server.member.stop_process()  # its interface comes again, another one
    routed.server.member.up().wait_connected()
    wait_for("a way to the other device", lambda: second.ping(routed.other.address))


def test_with_tun_clients_with_ipv6_are_reached_by_that(routed):
    """Not those with packages: their OpenVPN may stand on a kernel without IPv6."""
    device, client = routed.certified()
    client.start().wait_connected()
    own, = routed.server.live(device.id)
    wait_for("a way to the other device", lambda: client.ping(routed.other.status()["ipv6"].split("/")[0]))
    wait_for("a way back", lambda: routed.other.ping(own["ipv6"]))
    client.end()
    wait_for("the end of its connection", lambda: not routed.server.live(device.id))
    assert not routed.other.ping(own["ipv6"])
