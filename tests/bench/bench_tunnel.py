"""The tunnel beside haproxy that passes TLS through by the same name, to the same nginx, in one run: scripts/bench tunnel.

usage: bench_tunnel.py OUT.json [--rounds N] [--size MB]

Everything shares the machine: curl, the node, the agent's end of the link (wss), haproxy and nginx. Figures are medians of
rounds in which all ways are measured in turn."""

import argparse
import contextlib
import os
import pathlib
import socket
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "e2e"))

from conftest import Fleet, free_ports  # noqa: E402
from tunnel_world import Box, Nginx, Service, hello, make_certificate, receive, stall_or_echo, subscribe  # noqa: E402
from api_client import wait_for  # noqa: E402
from report import Report  # noqa: E402

STREAMS = 1000


class Haproxy:
    """Passes connections that ask for `name` on to `port`."""

    def __init__(self, folder, name, port):
        self.port = free_ports(1)
        (folder / "haproxy.cfg").write_text(f"""
global
    maxconn 4000
defaults
    mode tcp
    timeout connect 5s
    timeout client 60s
    timeout server 60s
frontend f
    bind 127.0.0.1:{self.port}
    tcp-request inspect-delay 5s
    tcp-request content accept if {{ req_ssl_hello_type 1 }}
    use_backend b if {{ req_ssl_sni {name} }}
backend b
    option splice-auto
    server s 127.0.0.1:{port}
""")
        self.process = subprocess.Popen(["haproxy", "-f", str(folder / "haproxy.cfg")], stderr=subprocess.DEVNULL)
        wait_for("haproxy", self.is_there)

    def is_there(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Bench:
    def __init__(self, options, fleet, folder):
        self.options, self.folder = options, folder
        self.report = Report()
        self.name, token = subscribe(fleet)
        self.certificate, key = make_certificate(folder, self.name)
        self.nginx = Nginx(folder, self.certificate, key)
        with open(folder / "www/file", "wb") as file:
            file.truncate(options.size << 20)  # no disk is read
        self.haproxy = Haproxy(folder, self.name, self.nginx.port)
        self.fleet, self.port = fleet, fleet.dataplane_port  # as Box looks at a node
        self.box = Box(self, token, f"127.0.0.1:{self.nginx.port}").open()
        self.ways = {"ours": fleet.https_port, "haproxy": self.haproxy.port, "direct": self.nginx.port}

    def close(self):
        self.box.stop()
        self.haproxy.stop()
        self.nginx.stop()

    def curl(self, port, path, figure):
        """A figure of curl's."""
        done = subprocess.run(
            ["curl", "-sS", "--noproxy", "*", "-m", "120", "--cacert", str(self.certificate), "-o", "/dev/null",
             "--resolve", f"{self.name}:{port}:127.0.0.1", "-w", f"%{{{figure}}}",
             f"https://{self.name}:{port}{path}"], stdout=subprocess.PIPE, check=True)
        return float(done.stdout)

    def rounds(self, count, path, figure):
        values = {way: [] for way in self.ways}
        for _ in range(count):
            for way, port in self.ways.items():
                values[way].append(self.curl(port, path, figure))
        return {way: statistics.median(found) for way, found in values.items()}

    def one_stream(self):
        speed = {way: value / 1e6 for way, value in self.rounds(self.options.rounds, "/file", "speed_download").items()}
        self.report.add("one stream", "MB/s", speed["ours"], {"haproxy": speed["haproxy"], "direct": speed["direct"]},
                 0.8 * speed["haproxy"], True)

    def handshake(self):
        ready = {way: 1e3 * value for way, value in self.rounds(40, "/who", "time_appconnect").items()}
        self.report.add("added until TLS is ready", "ms", ready["ours"] - ready["direct"],
                 {"haproxy": ready["haproxy"] - ready["direct"]}, 2, False)

    def round_trips(self, visitors):
        """Milliseconds for 1,000 bytes there and back, one visitor after the other."""
        times = []
        for visitor in visitors:
            begun = time.perf_counter()
            visitor.sendall(bytes(1000))
            receive(visitor, 1000)
            times.append(1e3 * (time.perf_counter() - begun))
        return sorted(times)

    def crowd(self):
        service = Service(stall_or_echo)
        name, token = subscribe(self.fleet)
        box = Box(self, token, service.address).open()
        with contextlib.ExitStack() as stack:
            stack.callback(service.close)
            stack.callback(box.stop)
            visitors = []
            for n in range(STREAMS):
                visitor = stack.enter_context(socket.create_connection(("127.0.0.1", self.fleet.https_port)))
                visitor.sendall(hello(name) + (b"stalled" if n == 0 else b""))
                visitors.append(visitor)
                time.sleep(0.006)  # less than LANYARD_TUNNEL_RATE
            receive(visitors[0], 1)
            for visitor in visitors[1:]:
                receive(visitor, len(hello(name)))
            calm = self.round_trips(visitors[1:])
            stalled = self.round_trips(visitors[1:])
            self.report.add("999 streams beside a stalled one, p99", "ms", stalled[len(stalled) * 99 // 100],
                     {"the round before": calm[len(calm) * 99 // 100]}, None, False)

    def run(self):
        self.one_stream()
        self.handshake()
        self.crowd()


def main():
    parser = argparse.ArgumentParser(description="Measures the tunnel beside haproxy.")
    parser.add_argument("out", help="file for the results as JSON")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--size", type=int, default=512, help="MB of one download")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lanyard-bench-") as folder, contextlib.ExitStack() as stack:
        os.chmod(folder, 0o755)
        fleet = Fleet(folder)
        stack.callback(fleet.down, "--purge")
        fleet.up()
        bench = Bench(options, fleet, pathlib.Path(folder))
        stack.callback(bench.close)
        bench.run()
        bench.report.write(options.out)


if __name__ == "__main__":
    main()
