"""Several nodes under talk, and ways to break them. Runs in a network namespace of its own (tests/chaos/alone)."""

import contextlib
import os
import pathlib
import re
import secrets
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
import types

import requests

from api_client import WAIT_S, wait_for
from api_world import websocket
from conftest import free_ports
from node_world import Node, preloaded
from recorder import Recorder
from test_switch_policy import BROADCAST, Port
from trunk_world import Balancer, World

FIRST_UID = 60100


class ChaosNode(Node):
    """A node that runs as a user of its own, by whom its packets are known, and reaches PostgreSQL by a relay that can be
    stopped."""

    count = 0

    def __init__(self, fleet, clock=None, **settings):
        ChaosNode.count += 1
        self.clock = clock
        self.uid = FIRST_UID + ChaosNode.count
        self.relay_folder = fleet.var / f"run/relay-{self.uid}"
        self.relay = None
        super().__init__(fleet, LANYARD_DATABASE_URL=f"postgresql:///lanyard?host=/srv/run/{self.relay_folder.name}"
                         f"&user=lanyard_dataplane&passfile=/srv/secrets/node-{self.uid}.pgpass",
                         LANYARD_TLS_KEY=f"/srv/secrets/node-{self.uid}.key", **settings)
        for name, copy in (("dataplane.pgpass", f"node-{self.uid}.pgpass"), ("server.key", f"node-{self.uid}.key")):
            shutil.copy(fleet.var / "secrets" / name, fleet.var / "secrets" / copy)
            os.chown(fleet.var / "secrets" / copy, self.uid, 59900)
        run = re.sub(r"(scripts/confine \S+) \d+", rf"\1 {self.uid}", self.file.read_text())
        if clock:  # of this program only, and of no timer: libfaketime's own fix for those makes them run wild
            run = preloaded(run, clock[0], f"FAKETIME={clock[1]}", "FAKETIME_DONT_FAKE_MONOTONIC=1",
                            "FAKETIME_FORCE_MONOTONIC_FIX=0")
        self.file.write_text(run)

    def start(self):
        if self.relay is None:
            self.reach_postgres()
        return super().start()

    def reach_postgres(self):
        self.relay_folder.mkdir(exist_ok=True)
        place = self.relay_folder / ".s.PGSQL.5432"
        place.unlink(missing_ok=True)
        self.relay = subprocess.Popen(
            ["socat", f"UNIX-LISTEN:{place},fork,mode=666", f"UNIX-CONNECT:{self.fleet.var}/run/postgres/.s.PGSQL.5432"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        wait_for("the way to PostgreSQL", place.exists)

    def lose_postgres(self):
        os.killpg(self.relay.pid, signal.SIGKILL)
        self.relay.wait(30)
        self.relay = None

    def kill(self):
        self.process.kill()
        self.process.wait(30)

    def ports(self):
        """Where it listens, but for the door of members."""
        return listening(self.process.pid) - {self.port}

    def stop(self):
        super().stop()
        if self.relay:
            self.lose_postgres()


def listening(pid):
    """TCP ports that the process, or one that it has become, listens on."""
    told = subprocess.run(["ss", "-Hltnp"], stdout=subprocess.PIPE, text=True).stdout
    return {int(line.split()[3].rpartition(":")[2]) for line in told.splitlines() if f"pid={pid}," in line}


@contextlib.contextmanager
def cut(one, other):
    """No packet of either gets to where the other one listens. `one` and `other` have `uid` and `ports()`."""
    rules = [["OUTPUT", "-m", "owner", "--uid-owner", str(sender.uid), "-p", "tcp", "-m", "multiport", "--dports",
              ",".join(map(str, sorted(receiver.ports()))), "-j", "DROP"]
             for sender, receiver in ((one, other), (other, one))]
    for rule in rules:
        subprocess.run(["iptables", "-w", "-A", *rule], check=True)
    try:
        yield
    finally:
        for rule in rules:
            subprocess.run(["iptables", "-w", "-D", *rule], check=True)


class Talker(threading.Thread):
    """A member that says something to all twenty times a second, comes back when its session ends, and keeps what it
    hears."""

    def __init__(self, world, device, network, url, number=0):
        super().__init__(daemon=True)
        self.world, self.device, self.network, self.url = world, device, network, url
        self.token = device.attachment["access_token"]
        self.mac = bytes.fromhex(device.attachment["mac"].replace(":", ""))
        self.heard = []  # (time, network, MAC, number)
        self.sessions, self.number = 0, number
        self.over = threading.Event()
        self.start()

    def run(self):
        while not self.over.is_set():
            try:
                port = TalkerPort(self)
            except (OSError, AssertionError):
                self.over.wait(0.1)
                continue
            self.sessions += 1
            with contextlib.suppress(OSError, EOFError, AssertionError):
                self.talk(port)
            port.close()

    def talk(self, port):
        next_at = time.monotonic()
        while not self.over.is_set():
            if time.monotonic() >= next_at:
                self.number += 1
                port.send(BROADCAST, payload=struct.pack(">16sQ", self.network[:16].encode(), self.number) + bytes(22))
                next_at += 0.05
            port.sock.settimeout(max(next_at - time.monotonic(), 0.001))
            with contextlib.suppress(TimeoutError, socket.timeout):
                frame = port.receive()
                name, number = struct.unpack(">16sQ", frame[14:38])
                self.heard.append((time.monotonic(), name.decode(), frame[6:12], number))

    def end(self):
        self.over.set()
        self.join(30)


class TalkerPort(Port):
    """With the token that the talker has, so that it needs no portal to come back."""

    def __init__(self, talker):
        self.mac = talker.mac
        self.sock = websocket(talker.world.fleet, talker.url(), talker.token)
        self.data = b""


class ChaosWorld(World):
    def __init__(self, fleet, api, tenant, count=3):
        self.fleet, self.api, self.tenant, self.ports = fleet, api, tenant, []
        self.nodes = [ChaosNode(fleet, LANYARD_NODE_NAME=f"node-{n}").start() for n in range(1, count + 1)]
        self.recorders = [Recorder(node.link_port) for node in self.nodes]
        self.talkers = []

    def any_url(self):
        """As a load balancer that knows who lives: one of the nodes whose door is open."""
        open_nodes = [node for node in self.nodes if node.process.poll() is None and is_open(node.port)]
        if not open_nodes:
            raise OSError("no node")
        return f"wss://127.0.0.1:{secrets.choice(open_nodes).port}/l2"

    def talk(self, count, at=None):
        """So many members of a new network, the first ones at the nodes in turn."""
        network, devices = self.network(count)
        talkers = [Talker(self, device, network, self.first_url(n, at)) for n, device in enumerate(devices)]
        self.talkers += talkers
        wait_for("all hear all", lambda: hear_each_other(talkers))
        return talkers

    def first_url(self, n, at):
        """That of a node for the first session, any for the next ones."""
        node = self.nodes[(at if at is not None else n) % len(self.nodes)]
        urls = [f"wss://127.0.0.1:{node.port}/l2"]
        return lambda: urls.pop() if urls else self.any_url()

    def home_of(self, talkers):
        """The number of the node in PostgreSQL, from 0."""
        told = self.sql(f"SELECT name FROM provision.home WHERE network_id = '{talkers[0].network}'")
        return int(told.removeprefix("node-")) - 1

    def sql(self, statement):
        """The first value that it gives, "" if none."""
        rows = self.fleet.sql(statement)
        return rows[0][0] if rows else ""

    def end_talk(self):
        for talker in self.talkers:
            talker.over.set()
        for talker in self.talkers:
            talker.end()
        self.talkers = []

    def stop(self):
        self.end_talk()
        for node in self.nodes:
            if node.process.poll() is None:
                node.stop()
            elif node.relay:
                node.lose_postgres()
        for recorder in self.recorders:
            recorder.stop()


@contextlib.contextmanager
def small_disk(fleet):
    """PostgreSQL's data on a disk of its own with little room. Gives the disk's folder."""
    data, folder = fleet.var / "postgres/data", pathlib.Path(tempfile.mkdtemp(prefix="lanyard-disk-"))
    fleet.sv("force-stop", "postgres")
    used = int(subprocess.run(["du", "-sm", data], check=True, stdout=subprocess.PIPE, text=True).stdout.split()[0])
    folder.chmod(0o755)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={used + 16}m", "tmpfs", folder], check=True)
    try:
        subprocess.run(["cp", "-a", data, folder / "data"], check=True)
        data.rename(data.with_name("kept"))
        data.symlink_to(folder / "data")
        fleet.sv("start", "postgres")
        yield folder
    finally:
        fleet.sv("force-stop", "postgres")
        data.unlink()
        shutil.rmtree(data.with_name("kept"))
        subprocess.run(["cp", "-a", folder / "data", data], check=True)
        subprocess.run(["umount", folder], check=True)
        folder.rmdir()
        fleet.sv("start", "postgres")


def fill(folder):
    """Takes all room that the disk has left. Gives the file that has it."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (1 << 20, 4096):
            with contextlib.suppress(OSError):
                while file.write(bytes(size)):
                    pass
    return filler


def is_open(port):
    with contextlib.suppress(OSError):
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    return False


def hear_each_other(talkers, seconds=1.0):
    """Does each hear something new of each other one?"""
    begin = time.monotonic()
    time.sleep(seconds)
    for talker in talkers:
        heard = {mac for at, _, mac, _ in talker.heard if at >= begin}
        if heard != {other.mac for other in talkers if other is not talker}:
            return False
    return True


def check_talk(talkers):
    """Nobody heard a foreign network, or anything twice. Gives the longest gap, in ms, in what one heard of another."""
    longest = 0
    for talker in talkers:
        heard = list(talker.heard)
        assert {name for _, name, _, _ in heard} == {talker.network[:16]}
        assert len({(mac, number) for _, _, mac, number in heard}) == len(heard), "a frame came twice"
        for other in talkers:
            times = [at for at, _, mac, _ in heard if mac == other.mac]
            gaps = [later - earlier for earlier, later in zip(times, times[1:])]
            longest = max([longest, *(round(gap * 1000) for gap in gaps)])
    return longest


class ApiCaller(threading.Thread):
    """Calls the API again and again, and keeps what went wrong."""

    def __init__(self, world, api=None):
        super().__init__(daemon=True)
        self.world, self.api = world, api or world.api
        self.done, self.failed = [], []
        self.over = threading.Event()
        self.start()

    def run(self):
        while not self.over.wait(0.1):
            try:
                done, reply = self.call()
            except requests.RequestException as error:
                self.failed.append(repr(error))
                continue
            if reply.status_code in (200, 201):
                self.done.append(done)
            else:
                self.failed.append(f"{reply.status_code} {reply.text}")

    def end(self):
        self.over.set()
        self.join(60)
        return types.SimpleNamespace(done=len(self.done), failed=self.failed)


class Writer(ApiCaller):
    """Makes networks, one after the other, over connections that stay, and knows the names of those that it was told are
    made."""

    def call(self):
        name = "w-" + secrets.token_hex(5)
        return name, self.api.send("POST", f"/v1/tenants/{self.world.tenant.id}/networks", self.world.tenant.owner,
                                   json={"name": name}, headers={"Idempotency-Key": name})

    def end(self):
        told = super().end()
        names = {row[0] for row in self.world.fleet.sql("SELECT name FROM provision.network WHERE name LIKE 'w-%'")}
        assert set(self.done) <= names, "an acknowledged write is lost"
        return told


class Reader(ApiCaller):
    """Reads the tenant's networks, each time over a new connection."""

    def call(self):
        url = f"{self.api.base_url}/v1/tenants/{self.world.tenant.id}/networks"
        return url, requests.get(url, headers={"Authorization": self.world.tenant.owner.authorization}, timeout=WAIT_S,
                                 verify=self.world.fleet.ca_file)


class Doors(Balancer):
    """In front of gateways too, which have a port and an ops port, where it asks whether they are ready."""

    def __init__(self, world, folder, ports):
        self.gateway_ports, self.api_port = ports, free_ports(1)
        super().__init__(world, folder)

    def more(self, world, folder):
        servers = "\n    ".join(f"server g{n} 127.0.0.1:{port} check port {ops} inter 200ms fall 1 rise 1"
                                for n, (port, ops) in enumerate(self.gateway_ports))
        return f"""
listen gateways
    mode tcp
    bind 127.0.0.1:{self.api_port}
    balance roundrobin
    option httpchk GET /readyz
    {servers}\n"""
