"""What members see when nodes, PostgreSQL, or the ways between them fail. Of each failure the longest gap in what a member
heard of another one is printed; whatever happens, nobody hears a foreign network, or a frame twice."""

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import time
import types

import pytest

from api_client import Api, wait_for
from api_world import api, tenant, admin, stranger  # fixtures too
from chaos_world import (ChaosNode, ChaosWorld, Doors, Reader, Talker, Writer, check_talk, cut, fill, hear_each_other,
                         is_open, listening, small_disk)
from conftest import SERVICES, free_ports
from lan_world import Member, Network
from node_world import Twin
from trunk_world import Pings

CLOCK = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"


@pytest.fixture(scope="module")
def world(fleet, api, tenant):
    world = ChaosWorld(fleet, api, tenant)
    yield world
    world.stop()


@pytest.fixture
def talk(world):
    """Six members of one network over three nodes, three of another one."""
    talks = world.talk(6), world.talk(3)
    yield talks
    world.end_talk()


def provision(world):
    return types.SimpleNamespace(uid=59902, ports=lambda: listening(world.fleet.pid("provision")))


def wait_whole(talks, seconds=60):
    """All hear all again. In how many seconds."""
    begin = time.monotonic()
    for talkers in talks:
        wait_for("all hear all", lambda: hear_each_other(talkers), seconds)
    return time.monotonic() - begin


def tell(what, talks):
    gaps = [check_talk(talkers) for talkers in talks]
    print(f"{what}: the longest gap was {max(gaps)} ms")
    return max(gaps)


@pytest.mark.parametrize("which", ["home", "edge"])
def test_a_node_is_killed(world, talk, which):
    home = world.home_of(talk[0])
    node = world.nodes[home if which == "home" else (home + 1) % 3]
    node.kill()
    wait_whole(talk)
    tell(f"kill -9 of the {which}", talk)
    node.start()
    wait_whole(talk)


def outage(seconds, talks):
    """Nobody loses a session, or more than a frame that was just on its way."""
    sessions = [talker.sessions for talkers in talks for talker in talkers]
    time.sleep(seconds)
    wait_whole(talks)
    assert [talker.sessions for talkers in talks for talker in talkers] == sessions


def stay_open(world):
    """Those that the world comes to know that PostgreSQL is away, and are ready; those that can do nothing without it say so."""
    for service in ["gateway", "dataplane", "dns"]:
        wait_for(f"word of it from {service}", lambda name=service: "\nlanyard_database_reached 0\n" in world.fleet.ops(name, "/metrics"))
        assert world.fleet.ops(service, "/readyz"), service
    for service in ["auth", "provision", "rendezvous"]:
        wait_for(f"{service} not being ready", lambda name=service: not world.fleet.ops(name, "/readyz"))


def without_postgres(world, talk, seconds):
    world.fleet.sv("force-stop", "postgres")
    try:
        outage(seconds, talk)
        one = talk[0][0]
        one.end()
        talk[0][0] = Talker(world, one.device, one.network, world.any_url, 1000000)  # its token is good without
        wait_for("a session while PostgreSQL is down", lambda: hear_each_other(talk[0]))
        stay_open(world)
        world.talkers.append(talk[0][0])
    finally:
        world.fleet.sv("start", "postgres")
    wait_for("the fleet", world.fleet.is_ready, 60)
    wait_whole(talk)
    tell(f"PostgreSQL down for {seconds} s", talk)


def test_postgres_is_down_for_longer_than_a_lease(world, talk):
    without_postgres(world, talk, 13)


@pytest.mark.slow
def test_postgres_is_down_for_a_minute(world, talk):
    writer = Writer(world)
    time.sleep(3)
    without_postgres(world, talk, 60)
    time.sleep(3)
    told = writer.end()
    print(f"writes: {told.done}, and {len(told.failed)} that failed")
    assert told.done > 0


@pytest.mark.slow
def test_postgres_is_read_only(world, talk, api, tenant):
    world.sql("ALTER SYSTEM SET default_transaction_read_only = on")
    try:
        world.sql("SELECT pg_reload_conf()")
        wait_for("a change that is refused", lambda: api.call("createNetwork", tenant.owner, {
            "name": "r-" + secrets.token_hex(5)}, tenant=tenant.id).status_code == 503)
        stay_open(world)
        outage(13, talk)
        api.ok("listNetworks", tenant.owner, tenant=tenant.id)
    finally:
        world.sql("ALTER SYSTEM RESET default_transaction_read_only")
        world.sql("SELECT pg_reload_conf()")
    wait_whole(talk)
    tell("PostgreSQL read-only for 13 s", talk)


@pytest.mark.slow
def test_the_disk_of_postgres_is_full(world, talk):
    """What changes something is refused with 503, sessions go on, and all goes on by itself when there is room."""
    with small_disk(world.fleet) as disk:
        wait_for("the fleet", world.fleet.is_ready, 60)
        writer = Writer(world)
        wait_for("writes", lambda: writer.done, 60)
        filler = fill(disk)
        wait_for("refusals", lambda: writer.failed, 60)
        outage(13, talk)
        filler.unlink()
        written = len(writer.done)
        wait_for("writes again", lambda: len(writer.done) > written, 60)
        wait_for("the fleet", world.fleet.is_ready, 60)
        wait_whole(talk)
        told = writer.end()
    print(f"writes: {told.done}, and {len(told.failed)} that were refused; the first: {told.failed[0]}")
    assert {failed.split()[0] for failed in told.failed} <= {"503", "504"}
    tell("the disk of PostgreSQL full for 13 s", talk)
    wait_for("the fleet", world.fleet.is_ready, 60)


@pytest.mark.slow
def test_the_home_alone_does_not_reach_postgres(world, talk):
    """The others miss its heartbeat, but it lives and renews its lease."""
    node = world.nodes[world.home_of(talk[0])]
    node.lose_postgres()
    outage(13, talk)
    node.reach_postgres()
    wait_whole(talk)
    tell("PostgreSQL unreachable for the home for 13 s", talk)


@pytest.mark.slow
def test_the_home_does_not_reach_provision(world, talk):
    home = world.home_of(talk[0])
    with cut(world.nodes[home], provision(world)):
        time.sleep(15)
        assert "home_unproven" in world.nodes[home].log() or world.home_of(talk[0]) != home
        wait_whole(talk[:1])
    wait_whole(talk)
    tell("bus lost between the home and provision for 15 s", talk)


def split(world, talk, seconds):
    home = world.home_of(talk[0])
    alone, one, other = world.nodes[home], world.nodes[(home + 1) % 3], world.nodes[(home + 2) % 3]
    with cut(alone, one), cut(alone, other), cut(alone, provision(world)):
        wait_for("another home", lambda: world.home_of(talk[0]) != home, 60)
        time.sleep(seconds)
    wait_whole(talk)
    tell(f"two halves for {seconds} s and more", talk)


def test_the_nodes_are_in_two_halves(world, talk):
    split(world, talk, 5)


@pytest.mark.slow
def test_the_nodes_are_in_two_halves_for_a_minute(world, talk):
    split(world, talk, 60)


def test_a_row_of_a_lease_is_edited_by_hand(world, talk):
    nobody = "0199a000-0000-7000-8000-00000000dead"
    world.sql(f"UPDATE provision.home SET node = '{nobody}', name = 'nobody', epoch = 1, expires_at = 'infinity'"
               f" WHERE network_id = '{talk[0][0].network}'")
    wait_for("a home that lives", lambda: world.sql(
        f"SELECT count(*) FROM provision.home WHERE network_id = '{talk[0][0].network}' AND node <> '{nobody}'") == "1", 60)
    wait_whole(talk)
    tell("the row of the lease edited", talk)


def test_garbage_at_the_doors_of_nodes(world, talk):
    """Who has no keys gets nothing and disturbs nobody: a trunk's hello has an id that was promised to one node, once."""
    for node in world.nodes:
        for port in node.ports():
            with socket.create_connection(("127.0.0.1", port), 30) as door:
                door.settimeout(30)
                with contextlib.suppress(OSError):
                    door.sendall(os.urandom(16) + os.urandom(24) + (1000).to_bytes(4, "big") + os.urandom(1000))
                    while door.recv(65536):
                        pass
    wait_whole(talk)
    tell("garbage at the doors", talk)


def sent_away(port, data):
    """Is who sends that cut off, with no byte of an answer?"""
    with socket.create_connection(("127.0.0.1", port), 30) as door:
        door.settimeout(30)
        with contextlib.suppress(ConnectionError):
            door.sendall(data)
            with contextlib.suppress(OSError):  # it may be cut off already
                door.shutdown(socket.SHUT_WR)
            return door.recv(1) == b""
    return True


def test_a_trunks_hello_is_good_once(world, talk):
    """What opened a trunk does nothing when it is sent again, as it was or changed, to its node or to another one."""
    wait_for("all trunks", lambda: [world.metric(n, "trunks") for n in (1, 2, 3)] == [2, 2, 2])
    logs = [len(node.log()) for node in world.nodes]
    sessions = [talker.sessions for talkers in talk for talker in talkers]
    hellos = [(node, stream) for node, recorder in zip(world.nodes, world.recorders) for stream in recorder.streams()]
    assert hellos
    for node, stream in hellos[-3:]:
        for data in (stream, bytes([stream[0] ^ 1]) + stream[1:], stream[:16] + os.urandom(len(stream) - 16)):
            assert all(sent_away(other.link_port, data) for other in world.nodes)
    wait_whole(talk)
    assert [talker.sessions for talkers in talk for talker in talkers] == sessions
    told = "".join(node.log()[begin:] for node, begin in zip(world.nodes, logs))
    assert not [word for word in ("trunk_open", "trunk_lost", "trunk_broken", "link_broken", " home ") if word in told], told
    tell("hellos of trunks sent again", talk)


def test_a_clock_is_an_hour_ahead(world, talk):
    """Others do not hear that node, nor it them; it admits nobody and takes nothing."""
    node = ChaosNode(world.fleet, clock=(CLOCK, "+3600s"), LANYARD_NODE_NAME="node-9")
    node.reach_postgres()
    with node.log_file.open("a") as log:
        node.process = subprocess.Popen(["sh", str(node.file)], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    wait_for("its door", lambda: is_open(node.port), 60)
    late = Talker(world, talk[0][0].device, talk[0][0].network, lambda: f"wss://127.0.0.1:{node.port}/l2")
    outage(5, talk)
    late.end()
    assert late.sessions == 0
    node.process.send_signal(signal.SIGTERM)
    assert node.process.wait(60) == 0
    node.lose_postgres()
    tell("a node whose clock is an hour ahead", talk)


def restart(fleet, service):
    fleet.sv("restart", service)
    wait_for(service, lambda: fleet.ops(service, "/readyz"), 60)


@pytest.fixture
def doors(world, fleet, tmp_path):
    """In front of the nodes and of two gateways; of each service there are two processes."""
    gateway = free_ports(2)
    doors = Doors(world, tmp_path, [(fleet.gateway_port, fleet.ops_port + SERVICES.index("gateway")), (gateway, gateway + 1)])
    doors.twins = [Twin(fleet, "auth"), Twin(fleet, "provision"), Twin(fleet, "rendezvous"),
                   Twin(fleet, "dns", LANYARD_DNS_SOCKET="/srv/run/dns/second"),
                   Twin(fleet, "gateway", gateway + 1, LANYARD_LISTEN=f"127.0.0.1:{gateway}")]
    yield doors
    doors.stop()
    for twin in doors.twins:
        twin.stop()


@pytest.mark.slow
def test_all_processes_are_restarted_one_after_the_other(world, talk, fleet, api, tenant, doors, tmp_path):
    """Of each there is another one: no call of the API fails, whether it comes by a new connection or by one that stays."""
    network = Network(fleet, api, tenant)
    agents = [Member(tmp_path, network, n).up().wait_connected() for n in (1, 2)]
    wait_for("a way", lambda: agents[0].ping(agents[1].address))
    calm = Pings(agents[0], agents[1].address, tmp_path)
    time.sleep(20)
    print(f"before the restarts: agents {calm.end()}")
    by_doors = Api(f"https://127.0.0.1:{doors.api_port}", fleet.ca_file)
    pings, callers = Pings(agents[0], agents[1].address, tmp_path), [Writer(world, by_doors), Reader(world, by_doors)]
    for node in world.nodes:
        node.process.terminate()
        assert node.process.wait(60) == 0
        node.start()
        wait_whole(talk)
    for twin in doors.twins:
        twin.restart()
    for service in SERVICES:
        restart(fleet, service)
    wait_whole(talk)
    told, (written, read) = pings.end(), [caller.end() for caller in callers]
    print(f"rolling restart: agents {told}, {written.done} writes, {read.done} reads")
    tell("rolling restart, members that have to come back", talk)
    assert written.failed == [] and read.failed == []
    assert told.twice == 0 and told.in_a_row * 20 <= 200, told
    assert all("problem" not in agent.status() for agent in agents)
    for agent in agents:
        agent.stop()


@pytest.mark.slow
def test_the_only_process_of_each_service_is_restarted(world, fleet):
    """Calls wait for it."""
    callers = [Writer(world), Reader(world)]
    for service in ("auth", "provision", "rendezvous", "dns"):
        restart(fleet, service)
        for caller in callers:
            wait_for("calls", lambda count=len(caller.done): len(caller.done) > count + 5)
    told = [caller.end() for caller in callers]
    print(f"restarts of single processes: {told[0].done} writes, {told[1].done} reads")
    assert [failed for one in told for failed in one.failed] == []
