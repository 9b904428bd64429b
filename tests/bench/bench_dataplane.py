"""The dataplane against other layer-2 VPNs, all between the same two namespaces in one run: scripts/bench dataplane.

usage: bench_dataplane.py OUT.json [--rounds N] [--window SECONDS] [--case NAME]...

Each round measures every VPN in turn, so that what else the machine does falls on all of them; figures are medians."""

import argparse
import contextlib
import os
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent / "dataplane"))

import crowd  # noqa: E402
import peers as peer_vpns  # noqa: E402
from measure import Path, median, percentile  # noqa: E402
from report import Report  # noqa: E402
from world import CLIENT_B, Fleet, Namespaces, SERVER_A, SERVER_B, WS_PORT  # noqa: E402

BUILD = pathlib.Path(os.environ.get("LANYARD_BUILD", "build/bench")).resolve()
OURS = ["ours wss", "ours ws"]
CASES = ["stream", "streams", "old", "flood", "idle", "busy", "bottleneck", "loss", "crowd"]
OWN_PATHS = {"old", "crowd"}  # cases that bring what they measure
CEILING_PORT = 9081


def progress(text):
    print(text, file=sys.stderr, flush=True)


@contextlib.contextmanager
def bottleneck(namespaces, interface):
    """100 Mbit/s and a deep queue between the server and b."""
    namespaces.command(namespaces.s, "tc", "qdisc", "add", "dev", interface, "root", "tbf", "rate", "100mbit", "burst",
                       "32kb", "limit", "400kb")
    try:
        yield
    finally:
        namespaces.command(namespaces.s, "tc", "qdisc", "delete", "dev", interface, "root")


class Bench:
    def __init__(self, options, namespaces, folder):
        self.options, self.namespaces, self.folder = options, namespaces, folder
        self.report = Report()
        self.paths = {}
        self.peers = []
        self.fleet = Fleet(namespaces, BUILD, folder)

    def add_path(self, name, address, pids):
        self.paths[name] = Path(self.namespaces, address, pids, BUILD / "bin", self.options.window)
        self.paths[name].await_up()

    def open_paths(self):
        """Everything is connected for the whole run; whoever isn't measured is idle."""
        self.add_path("raw", CLIENT_B, [])
        self.open_ours("ours wss", self.connect_wss, self.fleet.node)
        self.open_ours("ours ws", self.connect_ws, self.fleet.plain_node)
        for kind in (peer_vpns.OpenVpnTcp, peer_vpns.OpenVpnUdp, peer_vpns.Tinc, peer_vpns.Vtun,
                     peer_vpns.SoftEther):
            progress(f"starting {kind.name}")
            peer = kind(self.namespaces, self.folder)
            self.peers.append(peer)
            self.add_path(kind.name, peer.address, peer.pids())

    def open_ours(self, name, connect, node):
        """Two devices of the network; `connect` starts the agent of one."""
        progress(f"starting {name}")
        agents = [connect(side, namespace, server) for side, namespace, server in
                  (("a", self.namespaces.a, SERVER_A), ("b", self.namespaces.b, SERVER_B))]
        address = self.fleet.member(name[5:] + "-b")["ipv4"].partition("/")[0]
        self.add_path(name, address, [node.pid] + [agent.pid for agent in agents])

    def connect_wss(self, side, namespace, _):
        state = self.fleet.enrol(namespace, "wss-" + side, self.fleet.network)
        return self.fleet.agent(namespace, "up", "--state", str(state), "--interface", "lywss", log="agent-wss-" + side)

    def connect_ws(self, side, namespace, server):
        """Behind a proxy that ends TLS: plain WebSocket, by URL and the device's credentials."""
        return self.connect_plain("ws-" + side, namespace, server, self.fleet.plain_network, "lyws")

    def connect_plain(self, name, namespace, server, network, interface):
        state = self.fleet.enrol(namespace, name, network)
        credentials = self.fleet.credentials(state)
        member = self.fleet.member(name)
        self.add_tap(namespace, interface, "address", member["mac"])
        return self.fleet.agent(namespace, "connect", "--credentials", str(credentials), "--ipv4", member["ipv4"],
                                "--mtu", "1400", "--state", str(state), interface, f"ws://{server}:{WS_PORT}/l2", log="agent-" + name)

    def add_tap(self, namespace, interface, *more):
        for command in (f"tuntap add {interface} mode tap", " ".join(["link set", interface, "mtu 1400", *more])):
            self.namespaces.command(namespace, "ip", *command.split())

    def open_old(self):
        """A client without offload (old_client.c, as vpn-ws-client is) in a: to our node and an agent in b, and to a TAP in b
        with nothing between them, which is all that it can reach."""
        network = self.fleet.api("POST", f"/v1/tenants/{self.fleet.tenant}/networks",
                                 {"name": "old", "ipv4": "10.79.0.0/16"})["id"]
        agent = self.connect_plain("old-b", self.namespaces.b, SERVER_B, network, "lyold")
        state = self.fleet.enrol(self.namespaces.a, "old-a", network)
        credentials, member = self.fleet.credentials(state).read_text().strip(), self.fleet.member("old-a")
        self.add_tap(self.namespaces.a, "lyold", "address", member["mac"])
        client = self.old_client("lyold", member["ipv4"], f"{credentials}@{SERVER_A}:{WS_PORT}/l2")
        address = self.fleet.member("old-b")["ipv4"].partition("/")[0]
        self.add_path("old client, ours", address, [client.pid, self.fleet.plain_node.pid, agent.pid])
        self.add_tap(self.namespaces.b, "plain", "up")
        self.namespaces.address(self.namespaces.b, "plain", "10.106.0.3")
        end = self.namespaces.start(self.namespaces.b, str(BUILD / "bin/plain_end"), "plain", CLIENT_B, str(CEILING_PORT))
        end.stdout.readline()
        self.add_tap(self.namespaces.a, "plain")
        client = self.old_client("plain", "10.106.0.2/24", f"{CLIENT_B}:{CEILING_PORT}/")
        self.add_path("old client, alone", "10.106.0.3", [client.pid, end.pid])

    def old_client(self, interface, address, url):
        up = f"ip address add {address} dev {interface} && ip link set {interface} up"
        return self.namespaces.start(self.namespaces.a, str(BUILD / "bin/old_client"), "--exec", up, interface, f"ws://{url}",
                                     log=self.folder / f"old-{interface}.log")

    def rounds(self, what, measure, names):
        """{name: [result of each round]}"""
        results = {name: [] for name in names}
        for number in range(self.options.rounds):
            for name in names:
                progress(f"{what}, round {number + 1} of {self.options.rounds}: {name}")
                results[name].append(measure(self.paths[name]))
        return results

    def vpns(self):
        return [name for name in self.paths if name != "raw"]

    # ---- cases ----

    def streams(self, n, case, ratios):
        results = self.rounds(case, lambda path: path.tcp(n), list(self.paths))
        speed = {name: median([r[0] for r in rs]) for name, rs in results.items()}
        cost = {name: median([r[1] for r in rs]) for name, rs in results.items()}
        for name, ratio, cpu_goal in ratios:
            peers = {other: speed[other] for other in speed if other not in OURS}
            self.report.add(f"{case}, {name[5:]}", "Mbit/s", speed[name], peers, ratio * speed["OpenVPN tcp"], True)
            self.report.add(f"{case}, {name[5:]}", "CPU s/GB", cost[name],
                            {other: cost[other] for other in self.vpns() if other not in OURS}, cpu_goal, False)

    def stream(self):
        self.streams(1, "one TCP stream", [("ours wss", 12, 2.6), ("ours ws", 22, 1.1)])

    def many_streams(self):
        self.streams(8, "eight TCP streams", [("ours wss", 12, None), ("ours ws", 22, None)])

    def old(self):
        """There is no goal: vpn-ws is not in Debian, so nothing honest to compare with but what the client itself can."""
        self.open_old()
        ours, alone = "old client, ours", "old client, alone"
        results = self.rounds("old client", lambda path: path.tcp(1), [ours, alone])
        for column, unit, more in ((0, "Mbit/s", True), (1, "CPU s/GB", False)):
            values = {name: median([r[column] for r in rs]) for name, rs in results.items()}
            self.report.add("one client without offload", unit, values[ours], {"the client alone": values[alone]}, None, more)

    def flood(self):
        for payload, frame in ((22, 64), (1258, 1300)):
            case = f"UDP, {frame}-byte frames"
            results = self.rounds(case, lambda path: path.flood(payload), list(self.paths))
            rate = {name: median(rs) for name, rs in results.items()}
            peers = {name: rate[name] for name in rate if name not in OURS}
            best = max(rate[name] for name in self.vpns() if name not in OURS)
            self.report.add(case + ", wss", "packets/s", rate["ours wss"], peers, 3 * best, True)

    def idle(self):
        results = self.rounds("ping, idle", lambda path: path.ping(100, 0.01), self.vpns())
        for share in (0.5, 0.99):
            values = {name: median([percentile(r, share) for r in rs]) for name, rs in results.items()}
            peers = {name: value for name, value in values.items() if name not in OURS}
            self.report.add(f"ping, idle, p{share * 100:g}", "ms", values["ours wss"], peers, min(peers.values()), False)

    def busy(self):
        results = self.rounds("ping under a stream", lambda path: path.ping_under_load(4), self.vpns())
        for share, goal in ((0.5, None), (0.99, 10)):
            values = {name: median([percentile(r[0], share) for r in rs]) for name, rs in results.items()}
            self.report.add(f"ping under a stream, p{share * 100:g}", "ms", values["ours wss"],
                            {name: value for name, value in values.items() if name not in OURS}, goal, False)

    def bottleneck(self):
        names = ["raw", "ours wss", "OpenVPN tcp", "OpenVPN udp"]
        with bottleneck(self.namespaces, "sb"):
            results = self.rounds("100 Mbit/s", lambda path: path.ping_under_load(8), names)
        for share, goal in ((0.5, 15), (0.99, 30)):
            values = {name: median([percentile(r[0], share) for r in rs]) for name, rs in results.items()}
            self.report.add(f"100 Mbit/s, ping p{share * 100:g}", "ms", values.pop("ours wss"), values, goal, False)
        speed = {name: median([r[1] for r in rs]) for name, rs in results.items()}
        self.report.add("100 Mbit/s, stream", "Mbit/s", speed.pop("ours wss"), speed, 93, True)

    def loss(self):
        names = ["raw", "ours wss", "OpenVPN tcp", "OpenVPN udp"]
        line = self.namespaces.replace_line(str(BUILD / "bin/wire"), 10, 1)
        try:
            # Connections from before would go on with the round trip of the veth: bbr believes the shortest one for 10 s.
            for server in (SERVER_A, SERVER_B):
                self.namespaces.command(self.namespaces.b, "ss", "-K", "dst", server)
            for name in names:
                self.paths[name].await_up()
            # The stream's own control takes up to 4 s to fill such a way, since delays make it careful (HyStart).
            results = self.rounds("20 ms, 1 % loss", lambda path: path.tcp(1, 15)[0], names)
        finally:
            self.namespaces.restore_line(line)
        speed = {name: median(rs) for name, rs in results.items()}
        self.report.add("one stream, 20 ms, 1 % loss", "Mbit/s", speed.pop("ours wss"), speed, 50 * speed["OpenVPN tcp"], True)

    def crowd(self):
        crowd.measure(self.fleet, BUILD / "bin", self.report, progress)

    def run(self):
        chosen = self.options.case or CASES
        if set(chosen) - OWN_PATHS:
            self.open_paths()
        runs = {"stream": self.stream, "streams": self.many_streams, "old": self.old, "flood": self.flood, "idle": self.idle,
                "busy": self.busy, "bottleneck": self.bottleneck, "loss": self.loss, "crowd": self.crowd}
        for case in CASES:
            if case in chosen:
                runs[case]()

    def close(self):
        for peer in self.peers:
            peer.close()
        self.fleet.close()


def main():
    parser = argparse.ArgumentParser(description="Measures the dataplane against other VPNs.")
    parser.add_argument("out", help="file for the results as JSON")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--window", type=float, default=3, help="seconds of one measurement")
    parser.add_argument("--case", action="append", choices=CASES, help="only these; default: all")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lanyard-bench-") as folder, contextlib.ExitStack() as stack:
        os.chmod(folder, 0o755)
        namespaces = Namespaces()
        stack.callback(namespaces.close)
        bench = Bench(options, namespaces, pathlib.Path(folder))
        stack.callback(bench.close)
        bench.run()
        bench.report.write(options.out)


if __name__ == "__main__":
    main()
