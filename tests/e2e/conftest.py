"""A whole fleet for the end-to-end tests of a run: scripts/up brings it up beside any other, with ports, namespaces and
a folder of its own, from the build folder LANYARD_BUILD. Words of a sanitizer in its logs fail the run."""

import os
import pathlib
import re
import secrets
import signal
import socket
import subprocess
import tempfile

import pytest
import requests

from api_client import WAIT_S, wait_for

ROOT = pathlib.Path(__file__).resolve().parents[2]
SERVICES = ["auth", "provision", "rendezvous", "dns", "gateway", "dataplane"]
SANITIZER = re.compile(r"ERROR: \w+Sanitizer|runtime error:")


def free_ports(count):
    """At most 20 ports in a row that nobody listens on, below those that the kernel gives to clients."""
    for first in range(20000 + secrets.randbelow(600) * 20, 32000, 20):
        probes = [socket.socket(socket.AF_INET, kind) for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM)
                  for _ in range(count)]
        try:
            for n, probe in enumerate(probes):
                probe.bind(("127.0.0.1", first + n % count))
            return first
        except OSError:
            pass
        finally:
            for probe in probes:
                probe.close()
    raise AssertionError("no free ports")


class Fleet:
    def __init__(self, folder):
        self.var = pathlib.Path(folder) / "var"
        port = free_ports(15)
        self.gateway_port, self.dataplane_port, self.dns_port, self.ops_port = port, port + 1, port + 2, port + 3
        self.pair_port, self.tunnel_port = port + 9, port + 11  # WebSocket; the next ones are TCP
        self.https_port, self.http_port = port + 13, port + 14  # of devices' names
        self.netns_prefix = f"lanyard-{secrets.token_hex(3)}-"
        self.environment = {
            **os.environ, "LANYARD_VAR": str(self.var), "LANYARD_NETNS_PREFIX": self.netns_prefix,
            "LANYARD_BUILD": os.environ.get("LANYARD_BUILD", str(ROOT / "build/test")),
            "LANYARD_GATEWAY_PORT": str(self.gateway_port), "LANYARD_DATAPLANE_PORT": str(self.dataplane_port),
            "LANYARD_NYMEA_PAIR_PORT": str(self.pair_port), "LANYARD_NYMEA_TUNNEL_PORT": str(self.tunnel_port),
            "LANYARD_TUNNEL_PORT": str(self.https_port), "LANYARD_TUNNEL_HTTP_PORT": str(self.http_port),
            "LANYARD_DNS_PORT": str(self.dns_port), "LANYARD_OPS_PORT": str(self.ops_port)}
        self.base_url = f"https://127.0.0.1:{self.gateway_port}"
        self.dataplane_url = f"wss://127.0.0.1:{self.dataplane_port}"
        self.ca_file = str(self.var / "tls/ca.crt")
        self.session = requests.Session()
        self.session.trust_env = False  # no proxy and no other CA of the environment

    def script(self, name, *args, **environment):
        """Runs scripts/NAME for this fleet."""
        return subprocess.run([str(ROOT / "scripts" / name), *args], env={**self.environment, **environment}, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600)

    def up(self):
        done = self.script("up")
        assert done.returncode == 0, done.stdout
        return done.stdout

    def down(self, *args):
        done = self.script("down", *args)
        assert done.returncode == 0, done.stdout
        return done.stdout

    @property
    def admin_api_key(self):
        for line in (self.var / "secrets/auth/bootstrap").read_text().splitlines():
            if line.startswith("LANYARD_ADMIN_API_KEY="):
                return line.partition("=")[2]
        raise AssertionError("no API key in the bootstrap file")

    def api(self, method, path, **more):
        """A request by the first operator."""
        headers = {"Authorization": "Bearer " + self.admin_api_key, **more.pop("headers", {})}
        return self.session.request(method, self.base_url + path, headers=headers, verify=self.ca_file, timeout=WAIT_S,
                                    **more)

    # ---- processes ----

    def pid(self, service):
        text = (self.var / "service" / service / "supervise/pid").read_text()
        return int(text) if text else None

    def kill(self, service):
        os.kill(self.pid(service), signal.SIGKILL)

    def sv(self, action, service):
        before = self.pid(service)
        done = subprocess.run(["sv", "-w", "30", action, str(self.var / "service" / service)], text=True,
                              stdout=subprocess.PIPE)
        assert done.returncode == 0, f"{done.stdout}{self.log(service)[-2000:]}"
        if action == "restart":  # sv takes a process for the new one that is less than a second old
            wait_for(f"another {service}", lambda: self.pid(service) not in (None, before))

    def ops(self, service, path, port=None):
        """The body of /livez, /readyz or /metrics; None unless it is a success."""
        port = port or self.ops_port + SERVICES.index(service)
        try:
            reply = self.session.get(f"http://127.0.0.1:{port}{path}", timeout=5)
        except (requests.ConnectionError, requests.Timeout):
            return None
        return reply.text if reply.status_code == 200 else None

    def is_ready(self):
        return all(self.ops(service, "/readyz") for service in SERVICES)

    def log(self, service):
        return (self.var / "log" / service / "current").read_text(errors="replace")

    def ping(self, device, address):
        return subprocess.run(["ip", "netns", "exec", self.netns_prefix + device, "ping", "-c1", "-W2", address],
                              stdout=subprocess.DEVNULL).returncode == 0

    def is_whole(self):
        """Every service is ready, and the example devices reach each other."""
        return self.is_ready() and self.ping("alpha", "10.77.0.2") and self.ping("beta", "10.77.0.1")

    def sql(self, statement):
        """Rows of a statement that the superuser of the database runs; each a list of texts."""
        done = subprocess.run(["psql", "-XAtq", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-d",
                               f"postgresql:///lanyard?host={self.var}/run/postgres&user=postgres", "-c", statement],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
        assert done.returncode == 0, done.stdout
        return [line.split("\t") for line in done.stdout.splitlines()]

    def dig(self, name, kind):
        return subprocess.run(["dig", "+short", "+time=2", "+tries=1", "@127.0.0.1", "-p", str(self.dns_port), name,
                               kind], stdout=subprocess.PIPE, text=True).stdout.split()

    def sanitizer_reports(self):
        """What a sanitizer wrote into any log, also into those that svlogd has set aside."""
        for log in (self.var / "log").glob("*/[@c]*"):
            text = log.read_text(errors="replace")
            found = SANITIZER.search(text)
            if found:
                yield f"{log}:\n{text[found.start():found.start() + 4000]}"


@pytest.fixture(scope="session")
def fleet():
    folder = tempfile.mkdtemp(prefix="lanyard-e2e-")  # 0700: services without privileges must work in it
    fleet = Fleet(folder)
    try:
        fleet.first_up = fleet.up()
        yield fleet
    finally:
        fleet.down()
        reports = list(fleet.sanitizer_reports())
        fleet.down("--purge")
        os.rmdir(folder)
    assert not reports, "\n".join(reports)


@pytest.fixture
def whole_fleet(fleet):
    """The fleet, when nothing of it is broken any more."""
    wait_for("a whole fleet", fleet.is_whole)
    return fleet
