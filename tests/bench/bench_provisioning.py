"""The portal under load: scripts/bench provisioning.

usage: bench_provisioning.py OUT.json [--seconds N] [--rows N]

Status polls a second, with connections that stay and with a new TLS connection each, beside a plain handler of
libmicrohttpd (one thread, TLS, a fixed reply) in the same run and with the same client (wrk, four connections); the gateway
has one core, so has the handler, and the client another one. Then handshakes that do not end, a list of 100,000 expected devices, a herd of 100,000 devices in virtual time, and polls while PostgreSQL is
down."""

import argparse
import base64
import http.client
import os
import pathlib
import re
import socket
import ssl
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent.parent
BUILD = pathlib.Path(os.environ["LANYARD_BUILD"])
sys.path.insert(0, str(HERE.parent / "e2e"))

from conftest import Fleet  # noqa: E402
from report import Report  # noqa: E402

CONF = "client\ndev tap\nproto tcp\nremote vpn.example.org 1194\nca ca.crt\nauth-user-pass credentials\n"
DEVICES = 100_000
EVEN = DEVICES / 900  # polls a second of a fleet that is spread
IMPORT_S = 60
CONNECTIONS = 4
SILENT = 100  # clients that do not go on
REFUSED, PER_ADDRESS = 5000, 50  # pairs of tries


def progress(text):
    print(text, file=sys.stderr, flush=True)


def wrk(url, seconds, *headers):
    """Requests a second, and how many were not answered with success."""
    options = [word for header in headers for word in ("-H", header)]
    text = subprocess.run(["taskset", "-c", "1", "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}", *options, url], check=True, text=True,
                          stdout=subprocess.PIPE).stdout
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    lost = re.search(r"connect (\d+), read (\d+), write (\d+), timeout (\d+)", text)
    return (float(re.search(r"Requests/sec:\s*([\d.]+)", text).group(1)),
            int(failed.group(1)) if failed else 0, int(lost.group(4)) if lost else 0)


class World:
    """A fleet with a tenant that has one device, and no limit of requests."""

    def __init__(self, folder):
        self.fleet = Fleet(folder)
        self.fleet.up()
        run = self.fleet.var / "service/gateway/run"
        run.write_text(run.read_text().replace("'PATH=", "'LANYARD_RATE=1000000' \\\n\t'PATH=", 1))
        self.fleet.sv("restart", "gateway")
        self.await_ready()
        self.tenant = self.ask("POST", "", {"name": "bench"})["id"]
        self.ask("PATCH", f"/{self.tenant}/portal", {"client_conf": CONF})
        device = self.ask("POST", f"/{self.tenant}/portal-devices", {"name": "one", "serial": "SN-1"})
        basic = base64.b64encode(f"SN-1:{device['secret']}".encode()).decode()
        self.header = "Authorization: Basic " + basic
        self.url = self.fleet.base_url + "/api/v1/vpn"
        for method in ("GET", "PUT"):
            reply = self.fleet.session.request(method, self.url + "/packet", verify=self.fleet.ca_file,
                                               auth=("SN-1", device["secret"]))
            assert reply.status_code == 200, reply.text

    def await_ready(self):
        end = time.monotonic() + 60
        while not self.fleet.is_ready():
            assert time.monotonic() < end, "the fleet is not ready"
            time.sleep(0.1)

    def ask(self, method, path, body):
        reply = self.fleet.api(method, "/v1/tenants" + path, json=body)
        assert reply.ok, reply.text
        return reply.json()


def use_cores(pid, cores):
    """For all threads of a process, and what they make from now on."""
    subprocess.run(["taskset", "-acp", cores, str(pid)], check=True, stdout=subprocess.DEVNULL)


def measure_polls(world, report, seconds):
    every = f"0-{os.cpu_count() - 1}"
    use_cores(world.fleet.pid("gateway"), "0")
    tls = world.fleet.var / "tls/server.crt", world.fleet.var / "secrets/server.key"
    with subprocess.Popen([BUILD / "bin/plain", *tls], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as plain:
        use_cores(plain.pid, "0")
        peer = f"https://127.0.0.1:{plain.stdout.readline().strip()}/"
        for case, more in (("polls, connections stay", ()), ("polls, a TLS connection each", ("Connection: close",))):
            progress(case)
            rate, failed, lost = wrk(world.url, seconds, world.header, *more)
            assert failed == lost == 0, f"{failed} refused, {lost} lost"
            report.add(case, "/s", rate, {"libmicrohttpd alone": wrk(peer, seconds, *more)[0]}, None, True)
        plain.stdin.close()
    use_cores(world.fleet.pid("gateway"), every)
    return rate


def measure_handshakes(world, report, seconds):
    """What clients cost that begin a handshake and say no more."""
    progress("handshakes that do not end")

    def spent():
        fields = pathlib.Path(f"/proc/{world.fleet.pid('gateway')}/stat").read_text().split()
        return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")
    clients = []
    for _ in range(SILENT):
        clients.append(socket.create_connection(("127.0.0.1", world.fleet.gateway_port)))
        clients[-1].sendall(b"\x16")
    before = spent()
    time.sleep(seconds)
    report.add(f"{SILENT} handshakes that do not end: CPU", "%", (spent() - before) / seconds * 100, {}, 5, False)
    for client in clients:
        client.close()


def measure_refusals(world, report):
    """Statement 32: how much longer an unknown serial number takes than a wrong password, on the average of many."""
    progress("refusals")
    context = ssl.create_default_context(cafile=world.fleet.ca_file)
    spent, wrong = [0.0, 0.0], "lyd_" + "w" * 43
    tries = [base64.b64encode(f"{serial}:{wrong}".encode()).decode() for serial in ("SN-1", "SN-2")]
    for address in range(REFUSED // PER_ADDRESS):
        connection = http.client.HTTPSConnection("127.0.0.1", world.fleet.gateway_port, context=context,
                                                 source_address=(f"127.0.{100 + address // 250}.{address % 250 + 1}", 0))
        for n in range(PER_ADDRESS):
            for kind in (0, 1) if n % 2 else (1, 0):
                started = time.perf_counter()
                connection.request("GET", "/api/v1/vpn", headers={"Authorization": "Basic " + tries[kind]})
                reply = connection.getresponse()
                reply.read()
                spent[kind] += time.perf_counter() - started
                assert reply.status == 401, reply.status
        connection.close()
    report.add("unknown serial against wrong password: difference", "ms", abs(spent[0] - spent[1]) / REFUSED * 1000, {}, 1,
               False)


def measure_import(world, report, rows):
    progress(f"a list of {rows} devices")
    folder = world.fleet.var.parent
    listed, key = folder / "list.csv", folder / "key"
    listed.write_text("serial,name,network,legacy,approve,code\n" + "".join(f"WE-{n:08d},,,,,new\n" for n in range(rows)))
    key.write_text(world.fleet.admin_api_key)
    environment = {**os.environ, "LANYARD_API": f"{world.fleet.base_url}/v1/tenants/{world.tenant}",
                   "LANYARD_API_KEY_FILE": str(key), "LANYARD_CA_FILE": world.fleet.ca_file}
    for option, case in ((["--dry-run"], "dry run"), ([], "with a code each"), ([], "again, all there")):
        started = time.monotonic()
        out = subprocess.run([ROOT / "scripts/import-devices", *option, listed], env=environment, check=True, text=True,
                             stdout=subprocess.PIPE).stdout
        seconds = time.monotonic() - started
        results = [line.split(",")[2].strip('"') for line in out.splitlines()]
        assert len(results) == rows and set(results) == {"exists" if "again" in case else "created"}, set(results)
        report.add(f"list of {rows} rows, {case}", "s", seconds, {}, IMPORT_S, False)


def herd(polls):
    """What 100,000 devices do that a portal answers so many of a second; 0: all."""
    return map(int, subprocess.run([BUILD / "bin/herd", str(polls)], check=True, text=True,
                                   stdout=subprocess.PIPE).stdout.split())


def measure_return(report, rate):
    """The same if it answers as many a second as were measured."""
    *_, stuck, given_up, answered_s = herd(int(rate))
    report.add("herd at a connection each: all answered", "s", answered_s, {"at any rate": DEVICES / rate}, None, False)
    report.add("of those: had to come again", "times", given_up, {}, None, False)
    report.add("of those: stuck or lost", "devices", stuck, {}, 0, False)


def measure_herd(report):
    progress("a herd in virtual time")
    first, second, third, stuck, _, _ = herd(0)
    report.add("herd of 100,000: peak, cycle 1", "/s", first, {"spread evenly": EVEN}, None, False)
    report.add("herd of 100,000: peak, cycle 2", "/s", second, {"spread evenly": EVEN}, 2 * EVEN, False)
    report.add("herd of 100,000: peak, cycle 3", "/s", third, {"spread evenly": EVEN}, 2 * EVEN, False)
    report.add("herd of 100,000: stuck or lost", "devices", stuck, {}, 0, False)


def measure_outage(world, report, seconds):
    progress("polls without PostgreSQL")
    world.fleet.sv("stop", "postgres")
    try:
        rate, failed, lost = wrk(world.url, seconds, world.header)
    finally:
        world.fleet.sv("start", "postgres")
    report.add("polls without PostgreSQL", "/s", rate, {}, None, True)
    report.add("of those: refused or lost", "polls", failed + lost, {}, 0, False)


def main():
    parser = argparse.ArgumentParser(description="The portal under load.")
    parser.add_argument("out")
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--rows", type=int, default=100_000)
    options = parser.parse_args()
    report = Report()
    measure_herd(report)
    with tempfile.TemporaryDirectory(prefix="lanyard-bench-") as folder:
        world = World(folder)
        try:
            rate = measure_polls(world, report, options.seconds)
            measure_return(report, rate)
            measure_handshakes(world, report, options.seconds)
            measure_refusals(world, report)
            measure_import(world, report, options.rows)
            measure_outage(world, report, options.seconds)
        finally:
            world.fleet.down("--purge")
    report.write(options.out)


main()
