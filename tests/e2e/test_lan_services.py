"""What a LAN has, over the network of a real fleet: names by mDNS (avahi), addresses by DHCP (dnsmasq, busybox), a LAN
behind a member, a MAC address that the member chose."""

import pytest

from agent_world import run
from api_client import wait_for
from api_world import admin, api, tenant  # fixtures
from lan_world import Member, Network, Program, Station


@pytest.fixture
def network(fleet, api, tenant):
    return Network(fleet, api, tenant)


@pytest.fixture
def members(network, tmp_path):
    tmp_path.chmod(0o755)
    members = [Member(tmp_path, network, number) for number in (1, 2)]
    yield members
    for member in members:
        member.stop()


def connect(*members):
    for member in members:
        member.up().wait_connected()


# ---- mDNS ----

class Avahi:
    """avahi-daemon and its D-Bus on a member's interface, with a /run of their own."""

    def __init__(self, folder, member, name):
        self.member = member
        (folder / f"{name}.conf").write_text(f"[server]\nhost-name={name}\nallow-interfaces=lanyard0\n[rlimits]\n")
        self.bus = Program(folder / f"{name}-dbus.log", "ip", "netns", "exec", member.netns, "unshare", "--mount", "sh",
                           "-c", "mount -t tmpfs tmpfs /run && mkdir /run/dbus /run/avahi-daemon && "
                                 "exec dbus-daemon --system --nofork --nopidfile --print-address")
        self.bus.wait_says("unix:path=")
        self.inside = ["nsenter", "-t", self.bus.process.pid, "--mount", "--net"]
        self.daemon = Program(folder / f"{name}-avahi.log", *self.inside, "avahi-daemon", "--no-drop-root", "--no-chroot",
                              "--no-rlimits", "-f", folder / f"{name}.conf")
        self.daemon.wait_says("Server startup complete")

    def resolve(self, *words):
        return run(*self.inside, "avahi-resolve", *words).stdout.split()

    def stop(self):
        self.daemon.stop()
        self.bus.stop()


def test_hosts_find_each_other_by_mdns(members, tmp_path):
    connect(*members)
    avahis = [Avahi(tmp_path, member, name) for member, name in zip(members, ("alpha", "beta"))]
    try:
        for asks, name, other in ((avahis[0], "beta.local", members[1]), (avahis[1], "alpha.local", members[0])):
            wait_for(f"the address of {name}", lambda: asks.resolve("-4", "-n", name) == [name, other.address])
            assert asks.resolve("-a", other.address) == [other.address, name]
    finally:
        for avahi in avahis:
            avahi.stop()


# ---- DHCP ----

LEASE = """#!/bin/sh
[ "$1" != bound ] || { ip addr add "$ip/$mask" dev "$interface"; echo "$ip" >FOLDER/lease; }
"""


@pytest.fixture
def dhcp_server(members, network, tmp_path):
    """dnsmasq on the first member's interface."""
    connect(*members)
    server = Program(tmp_path / "dnsmasq.log", "ip", "netns", "exec", members[0].netns, "dnsmasq", "--no-daemon",
                     "--conf-file=/dev/null", "--port=0", "--interface=lanyard0", "--user=root", "--pid-file=",
                     f"--dhcp-range={network.prefix}.200,{network.prefix}.220,1h",
                     f"--dhcp-leasefile={tmp_path}/leases").wait_says("DHCP, IP range")
    yield server
    server.stop()


def ask(member, folder, tries):
    """For a lease; whether it was given."""
    script = folder / "lease.sh"
    script.write_text(LEASE.replace("FOLDER", str(folder)))
    script.chmod(0o755)
    return member.run("busybox", "udhcpc", "-f", "-q", "-n", "-i", "lanyard0", "-t", tries, "-T", "1", "-s",
                      script).returncode == 0


def test_a_lease_from_a_member_that_may_give_it(members, network, dhcp_server, tmp_path):
    server, client = members
    server.update(dhcp_server=True)
    server.wait_connected(2)
    assert ask(client, tmp_path, 20)
    lease = (tmp_path / "lease").read_text().strip()
    assert lease.startswith(network.prefix + ".2") and client.mac in (tmp_path / "leases").read_text()
    assert client.ping(server.address, "-I", lease) and server.ping(lease)


def test_no_lease_from_a_member_that_may_not(members, network, dhcp_server, tmp_path):
    def is_offered():
        assert not ask(members[1], tmp_path, 3)
        return "DHCPOFFER" in dhcp_server.log.read_text()

    wait_for("an offer, which does not come through", is_offered)
    assert not (tmp_path / "lease").exists()
    wait_for("the reason", lambda: network.drops(members[0])["policy"] > 0)


# ---- what is behind a member, and its own address ----

@pytest.mark.parametrize("may", [True, False])
def test_a_lan_behind_a_member(members, network, may):
    """If the policy lets it be a bridge."""
    one, two = members
    station = Station(one).cable().set_up("eth0", network.prefix + ".150/24")
    try:
        if may:
            one.update(bridge=True, mac_limit=16)
        one.up("--join", "lan0").wait_connected()
        two.up().wait_connected()
        wait_for("the way between the members", lambda: two.ping(one.address))
        if may:
            wait_for("the way to the station", lambda: two.ping(network.prefix + ".150"))
            assert station.ping(two.address, "-s", "1400") and station.ping(one.address)
        else:
            assert not two.ping(network.prefix + ".150") and not station.ping(two.address)
            assert network.drops(one)["source"] > 0
    finally:
        station.remove()


def test_a_member_that_chooses_its_mac_address(members, network):
    one, two = members
    one.update(mac="")
    connect(*members)
    chosen = one.mac
    wait_for("the way", lambda: two.ping(one.address))
    session, = [s for s in network.call("listSessions", query={"network": network.id})["items"] if s["member"] == one.id]
    assert session["mac"] == chosen == one.status()["mac"]
    one.stop_process()
    one.up().wait_connected()
    assert one.mac == chosen
    wait_for("the way again", lambda: two.ping(one.address))
