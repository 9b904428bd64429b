"""The rendezvous beside a plain TLS relay and what was measured of the original: scripts/bench rendezvous.

usage: bench_rendezvous.py OUT.json [--rounds N] [--window SECONDS] [--case NAME]...

Each round measures every relay in turn, so that what else the machine does falls on all of them; figures are medians.
The peers are C, over TLS 1.3 on the loopback interface. `original` is what was published of nymea-remoteproxy 0.1.5 on
another machine: only the goals are computed from it."""

import argparse
import contextlib
import os
import pathlib
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
CASES = ["64 KiB", "1 KiB", "idle", "pairs", "stall"]
MB = 1e6
STALL_BYTES = 300_000_000
IDLE_PAIRS = 500

if "LANYARD_TEST_DATABASE_URL" not in os.environ:
    os.execv(HERE.parent / "postgres", ["postgres", sys.executable, *sys.argv])
sys.path.insert(0, str(HERE.parent / "component"))
sys.path.insert(0, str(HERE / "dataplane"))

from measure import cpu_seconds  # noqa: E402
from nymea_world import BUILD, World, free_port  # noqa: E402
from report import Report  # noqa: E402


def progress(text):
    print(text, file=sys.stderr, flush=True)


def peers(*arguments):
    return subprocess.Popen([str(BUILD / "bin/peers"), *map(str, arguments)], stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, text=True)


def line_of(process):
    line = process.stdout.readline()
    assert line, "the peers failed"
    return line.split()


def rss_kb(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise AssertionError("no memory")


def node_of(world, kind):
    """Its limits are out of the way of a crowd from one address."""
    return world.node(LANYARD_NYMEA_TLS=str(kind == "wss").lower(), LANYARD_NYMEA_TLS_CERT=str(world.cert),
                      LANYARD_NYMEA_TLS_KEY=str(world.key), LANYARD_NYMEA_PER_ADDRESS="100000",
                      LANYARD_NYMEA_ALONE_TIMEOUT_MS="60000", LANYARD_NYMEA_INACTIVE_TIMEOUT_MS="60000",
                      LANYARD_LOG_LEVEL="warn")


class Ours:
    """A node with TLS, the pairing service and PostgreSQL, all in one run."""

    kind = "wss"

    def __init__(self, world, tls=True):
        self.world = world
        self.kind = "wss" if tls else "ws"
        self.node = node_of(world, self.kind)
        self.ports = [self.node.ports["PAIR_WS"]] * 2

    @contextlib.contextmanager
    def running(self):
        yield self.node.process.pid


class Socat:
    """Two TLS listeners joined: what a pair's relay does, and nothing else."""

    kind = "tls"

    def __init__(self, world, block):
        self.world, self.block = world, block

    @contextlib.contextmanager
    def running(self):
        self.ports = [free_port(), free_port()]
        address = "OPENSSL-LISTEN:{},bind=127.0.0.1,reuseaddr,nodelay,verify=0,cert={},key={}"
        process = subprocess.Popen(
            ["socat", "-b", str(self.block), *(address.format(port, self.world.cert, self.world.key)
                                              for port in self.ports)])
        try:
            yield process.pid
        finally:
            process.kill()
            process.wait()


class Bench:
    def __init__(self, options, world):
        self.options, self.world, self.report = options, world, Report()
        self.ours = Ours(world)
        self.plain = Ours(world, tls=False)
        self.relays = {"ours": self.ours, "socat": Socat(world, 8192), "socat -b 65536": Socat(world, 65536)}

    def rounds(self, names, measure):
        """Medians by name of what `measure` gives, each name in each round."""
        values = {name: [] for name in names}
        for _ in range(self.options.rounds):
            for name in names:
                values[name].append(measure(name))
                progress(f"  {name}: {values[name][-1]}")
        return {name: tuple(statistics.median(column) for column in zip(*list_)) for name, list_ in values.items()}

    def flow(self, name, size):
        """(MB/s, CPU seconds of the relay per GB)"""
        relay = self.relays[name]
        with relay.running() as pid:
            before = cpu_seconds([pid])
            process = peers("flow", relay.kind, *relay.ports, size, self.options.window)
            rate = int(line_of(process)[0])
            process.wait()
            cpu = cpu_seconds([pid]) - before
        return rate / MB, cpu / (rate * (self.options.window + 0.3) / 1e9)

    def flows(self, case, size, goal_of):
        found = self.rounds(self.relays, lambda name: self.flow(name, size))
        rates = {name: rate for name, (rate, _) in found.items()}
        costs = {name: cost for name, (_, cost) in found.items()}
        ours = rates.pop("ours")
        self.report.add(f"one pair, {case} messages, wss", "MB/s", ours, rates, None, True)
        for text, value, goal in goal_of(ours, rates):
            self.report.add(f"  {text}", "x", value, {}, goal, True)
        ours = costs.pop("ours")
        self.report.add("  CPU of the relay", "s/GB", ours, costs, None, False)

    def run_64_kib(self):
        self.flows("64 KiB", 65536, lambda ours, rates: [("of the faster socat", ours / max(rates.values()), 2)])

    def run_1_kib(self):
        self.flows("1 KiB", 1024, lambda ours, rates: [("of the faster socat", ours / max(rates.values()), None),
                                                       ("of the original's 98 MB/s", ours / 98, 3)])

    def run_idle(self):
        def measure(name):
            node = node_of(self.world, name)
            warm = peers("idle", name, node.ports["PAIR_WS"], 20)
            line_of(warm)
            before = node.rss_kb()
            process = peers("idle", name, node.ports["PAIR_WS"], IDLE_PAIRS)
            line_of(process)
            grown = node.rss_kb() - before
            for one in (warm, process):
                one.stdin.close()
                one.wait()
            node.stop()
            return (grown / IDLE_PAIRS,)
        found = self.rounds(["wss", "ws"], measure)
        self.report.add("idle pair, resident memory, wss", "kB", found["wss"][0], {"original": 169}, 40, False)
        self.report.add("idle pair, resident memory, ws", "kB", found["ws"][0], {}, None, False)

    def run_pairs(self):
        def measure(name):
            way, kind = name.split()
            relay = self.ours if kind == "wss" else self.plain
            watched = {"node": relay.node.process.pid, "service": self.world.rendezvous.process.pid}
            before = {what: cpu_seconds([pid]) for what, pid in watched.items()}
            process = peers(way, kind, relay.ports[0], self.options.pairs)
            rate = self.options.pairs / float(line_of(process)[0])
            process.wait()
            for what, pid in watched.items():
                progress(f"    {what}: {(cpu_seconds([pid]) - before[what]) / self.options.pairs * 1e6:.0f} us of CPU a pair")
            return (rate,)
        found = self.rounds(["crowd wss", "crowd ws", "pairs wss", "pairs ws"], measure)
        self.report.add("new pairs, clients connected before", "1/s", found["crowd wss"][0], {"original": 119}, 1500, True)
        self.report.add("new pairs, with their connecting, ws", "1/s", found["pairs ws"][0], {}, 1500, True)
        self.report.add("new pairs, with connecting and TLS, wss", "1/s", found["pairs wss"][0], {"original": 119}, 1500, True)

    def run_stall(self):
        def measure(name):
            relay = self.relays[name]
            with relay.running() as pid:
                before = rss_kb(pid)
                process = peers("stall", relay.kind, *relay.ports, STALL_BYTES)
                assert int(line_of(process)[1]) < STALL_BYTES, "nothing held the sender"
                grown = rss_kb(pid) - before
                process.stdin.write("\n")
                process.stdin.flush()
                assert int(line_of(process)[1]) >= STALL_BYTES, "bytes were lost"
                process.wait()
            return (grown / 1000,)
        found = self.rounds(["ours", "socat"], measure)
        self.report.add("a reader stops, 300 MB sent: memory", "MB", found["ours"][0],
                 {"socat": found["socat"][0], "original": 275}, 1, False)

    def run(self):
        for case in self.options.case or CASES:
            progress(case)
            getattr(self, "run_" + case.replace(" ", "_").lower())()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--window", type=float, default=3)
    parser.add_argument("--pairs", type=int, default=1600)
    parser.add_argument("--case", action="append", choices=CASES)
    options = parser.parse_args()
    world = World()
    try:
        bench = Bench(options, world)
        bench.run()
    finally:
        world.close()
    bench.report.write(options.out)


main()
