"""What a device notices of a whole fleet: how soon a challenge is visible through PowerDNS, and how long a sign of life takes
when there are a hundred thousand names."""

import os
import pathlib
import re
import socket
import struct
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests/e2e"))

from api_client import wait_for  # noqa: E402

CHALLENGES = 300
NAMES = 100000
PINGS = 1000
PAUSE_S = 0.02  # below the rate that the gateway lets one address have


def percentile(values, share):
    return sorted(values)[int(len(values) * share)]


class Resolver:
    """Asks for TXT records; the answers are told apart by the value that they hold."""

    def __init__(self, port):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.connect(("127.0.0.1", port))
        self.sock.settimeout(1)

    def has(self, name, value):
        labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"
        self.sock.send(struct.pack(">6H", 1, 0, 1, 0, 0, 0) + labels + struct.pack(">HH", 16, 1))
        return value.encode() in self.sock.recv(4096)


def visible(get, resolver, name, token):
    """ms from the request to the first answer with the value; it is asked for before, too."""
    times = []
    for n in range(CHALLENGES):
        value = f"challenge-{n:06}"
        assert not resolver.has("_acme-challenge." + name, value)
        start = time.monotonic()
        get("/dnsconfig", token=token, challenge=value)
        while not resolver.has("_acme-challenge." + name, value):
            pass
        times.append((time.monotonic() - start) * 1000)
        time.sleep(PAUSE_S)
    return times


def crowd(fleet):
    """Names of strangers, as if they had registered."""
    subprocess.run(
        ["psql", "-qX", "-v", "ON_ERROR_STOP=1", "-d", f"postgresql:///lanyard?host={fleet.var}/run/postgres&user=postgres",
         "-c", "INSERT INTO dns.registration (tenant_id, zone, label, description, token) SELECT tenant_id, number, 'crowd' || n, "
         f"'', md5(n::text) || md5('x' || n) FROM dns.zone, generate_series(1, {NAMES}) AS n WHERE name = 'box.lanyard.test'",
         "-c", "VACUUM ANALYZE dns.registration"], check=True)
    wait_for("the crowd in the memory of lanyard-dns",
             lambda: int(re.search(r"^lanyard_dns_names (\d+)", fleet.ops("dns", "/metrics"), re.MULTILINE)[1]) >= NAMES)


def replies(get, path, **parameters):
    """ms of each."""
    times = []
    for _ in range(PINGS):
        start = time.monotonic()
        get(path, **parameters)
        times.append((time.monotonic() - start) * 1000)
        time.sleep(PAUSE_S)
    return times


def measure(build, report):
    os.environ["LANYARD_BUILD"] = str(build)
    from conftest import Fleet

    with tempfile.TemporaryDirectory(prefix="lanyard-bench-") as folder:
        os.chmod(folder, 0o755)
        fleet = Fleet(folder)
        fleet.up()
        try:
            def get(path, **parameters):
                reply = fleet.session.get(fleet.base_url + path, params=parameters, verify=fleet.ca_file, timeout=10)
                assert reply.status_code == 200, reply.text
                return reply

            token = get("/subscribe", name="bench").json()["token"]
            times = visible(get, Resolver(fleet.dns_port), "bench.box.lanyard.test", token)
            report.add("challenge visible, p99", "ms", percentile(times, 0.99), {}, 1000, False)
            crowd(fleet)
            # The peer is what any reply of the gateway takes.
            bare = {"/connectivity-check": percentile(replies(get, "/connectivity-check"), 0.99)}
            ping = percentile(replies(get, "/ping", token=token), 0.99)
            report.add(f"/ping among {NAMES} names, p99", "ms", ping, bare, 5, False)
        finally:
            fleet.down()
