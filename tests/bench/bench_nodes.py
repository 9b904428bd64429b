"""One network over several nodes: what a hop costs, and how soon a node's sessions are back when it dies.

usage: bench_nodes.py OUT.json [--rounds N] [--window S]

Everything shares the machine, so three nodes are no faster than one where there are two processors only."""

import argparse
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent / "dataplane"))

from crowd import enrol  # noqa: E402
from measure import Path, cpu_seconds, median, percentile  # noqa: E402
from report import Report  # noqa: E402
from swarm import Swarm  # noqa: E402
from world import Fleet, Namespaces, ROOT, SERVER_A, SERVER_B, WSS_PORT, wait_for  # noqa: E402

BUILD = pathlib.Path(os.environ.get("LANYARD_BUILD", ROOT / "build/bench"))
SECOND, THIRD = WSS_PORT + 20, WSS_PORT + 21
SESSIONS = 1000


def progress(text):
    print(text, file=sys.stderr, flush=True)


class Bench:
    def __init__(self, options, namespaces, folder):
        self.options, self.namespaces = options, namespaces
        urls = ",".join(f"wss://{SERVER_A}:{port}/l2" for port in (SECOND, THIRD))
        self.fleet, self.report = Fleet(namespaces, BUILD, folder, urls=urls), Report()
        tls = {"LANYARD_TLS_CERT": str(folder / "server.crt"), "LANYARD_TLS_KEY": str(folder / "server.key")}
        self.nodes = {WSS_PORT: self.fleet.node}
        for port in (SECOND, THIRD):
            self.nodes[port] = self.fleet.start("dataplane", name=f"node-{port}", LANYARD_LISTEN=f"0.0.0.0:{port}", **tls)

    def agent(self, name, namespace, server, port, network):
        state = self.fleet.enrol(namespace, name, network)
        member = self.fleet.member(name)
        interface = name.replace("-", "")
        for command in (f"tuntap add {interface} mode tap", f"link set {interface} mtu 1400 address {member['mac']}"):
            self.namespaces.command(namespace, "ip", *command.split())
        process = self.fleet.agent(namespace, "connect", "--credentials", str(self.fleet.credentials(state)), "--ipv4",
                                   member["ipv4"], "--mtu", "1400", "--state", str(state), "--ca",
                                   str(self.fleet.folder / "ca.crt"), interface, f"wss://{server}:{port}/l2", log=name)
        return process, member["ipv4"].partition("/")[0]

    def path(self, name, addresses, first, second):
        """A network with a member at each of two nodes; the node that is the home has had one before."""
        progress(f"starting {name}")
        network = self.fleet.api("POST", f"/v1/tenants/{self.fleet.tenant}/networks",
                                 {"name": name, "ipv4": addresses})["id"]
        keeper, _ = self.agent(name + "k", self.namespaces.s, SERVER_A, WSS_PORT, network)
        time.sleep(1)  # it is the home
        one, _ = self.agent(name + "a", self.namespaces.a, SERVER_A, first, network)
        other, address = self.agent(name + "b", self.namespaces.b, SERVER_B, second, network)
        path = Path(self.namespaces, address, [one.pid, other.pid] + [node.pid for node in self.nodes.values()], BUILD / "bin",
                    self.options.window)
        path.await_up()
        return path

    def ways(self):
        paths = {"one node": self.path("same", "10.81.0.0/24", WSS_PORT, WSS_PORT),
                 "edge and home": self.path("hop", "10.82.0.0/24", WSS_PORT, SECOND),
                 "two edges": self.path("hops", "10.83.0.0/24", SECOND, THIRD),
                 "one edge": self.path("edge", "10.84.0.0/24", SECOND, SECOND)}
        streams, pings = {name: [] for name in paths}, {name: [] for name in paths}
        for number in range(self.options.rounds):
            for name, path in paths.items():
                progress(f"round {number + 1}: {name}")
                streams[name].append(path.tcp(1)[0])
                pings[name].append(percentile(path.ping(100, 0.01), 0.5))
        one = median(pings["one node"])
        for name in paths:
            peers = {} if name == "one node" else {"one node": median(streams["one node"])}
            self.report.add(f"one TCP stream, {name}", "Mbit/s", median(streams[name]), peers, None, True)
        for name in paths:
            goal = one * 1.3 if name == "edge and home" else None
            self.report.add(f"ping, {name}, p50", "ms", median(pings[name]), {} if name == "one node" else {"one node": one},
                            goal, False)

    def others(self, network):
        """Members at the home and at another node that lives on; the command of pings between them."""
        self.agent("othera", self.namespaces.b, SERVER_B, WSS_PORT, network)
        time.sleep(1)  # its node is the home
        _, address = self.agent("otherb", self.namespaces.s, SERVER_B, THIRD, network)
        ping = ["ip", "netns", "exec", self.namespaces.b, "ping", "-n", "-q", address]
        wait_for(f"answer from {address}",
                 lambda: subprocess.run([*ping, "-c1", "-W1"], stdout=subprocess.DEVNULL).returncode == 0)
        return ping

    def death(self):
        progress(f"enrolling {SESSIONS} devices")
        network = self.fleet.api("POST", f"/v1/tenants/{self.fleet.tenant}/networks",
                                 {"name": "swarm", "ipv4": "10.85.0.0/16"})["id"]
        command = self.others(network)
        devices = enrol(self.fleet, network, SESSIONS, "swarm", "devices").splitlines()
        progress(f"opening {SESSIONS} sessions")
        swarm = Swarm(self.fleet, BUILD / "bin", devices)
        ping = subprocess.Popen([*command, "-i", "0.01"], text=True, stdout=subprocess.PIPE)
        time.sleep(6)  # sessions that were good, of agents that do not come back from failures
        pids = {"home": [self.nodes[WSS_PORT].pid], "next node": [self.nodes[THIRD].pid],
                "agents": [process.pid for process in swarm.processes]}
        before = {name: cpu_seconds(pids[name]) for name in pids}
        swarm.watch()
        self.nodes[SECOND].kill()
        back = swarm.back()
        after = {name: cpu_seconds(pids[name]) for name in pids}
        time.sleep(1)
        ping.send_signal(signal.SIGINT)
        sent, received = map(int, re.search(r"(\d+) packets transmitted, (\d+) received", ping.communicate(30)[0]).groups())
        swarm.close()
        self.report.add(f"node killed, agents back of {SESSIONS}", "", len(back), {}, SESSIONS, True)
        for share, goal in ((0.5, None), (0.99, 5), (1, 15)):
            self.report.add(f"node killed, {share:.0%} of them back", "s", percentile(back, share), {}, goal, False)
        for name in pids:
            self.report.add(f"CPU of a session that comes back, {name}", "ms",
                            (after[name] - before[name]) / SESSIONS * 1000, {}, None, False)
        self.report.add(f"node killed, pings of others lost of {sent}", "", sent - received, {}, 0, False)


def main():
    parser = argparse.ArgumentParser(description="Measures one network over several nodes.")
    parser.add_argument("out", help="file for the results as JSON")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--window", type=float, default=2, help="seconds of a stream")
    options = parser.parse_args()
    namespaces = Namespaces()
    try:
        with tempfile.TemporaryDirectory(prefix="lanyard-bench-") as folder:
            os.chmod(folder, 0o755)
            bench = Bench(options, namespaces, pathlib.Path(folder))
            try:
                bench.ways()
                bench.death()
                bench.report.write(options.out)
            finally:
                bench.fleet.close()
    finally:
        namespaces.close()


if __name__ == "__main__":
    main()
