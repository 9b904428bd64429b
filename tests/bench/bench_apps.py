"""VPN apps under load: scripts/bench apps.

usage: bench_apps.py OUT.json [--seconds N]

How long 50 apps of 50 users wait for /info and for /connect of API 3 while all of them ask again and again, each over a
connection of its own that stays, beside a plain handler of libmicrohttpd (one thread, TLS, a fixed reply) in the same run
and with the same client. The apps run on the same machine, so their own work is part of the time."""

import argparse
import contextlib
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).parent
BUILD = pathlib.Path(os.environ["LANYARD_BUILD"])
sys.path.insert(0, str(HERE.parent / "e2e"))

import requests  # noqa: E402

from api_client import Api, bearer, wait_for  # noqa: E402
from api_world import PASSWORD  # noqa: E402
from conftest import Fleet  # noqa: E402
from eduvpn_world import OPENVPN, PROFILE, PORTAL, VpnApp  # noqa: E402
from report import Report  # noqa: E402

APPS = 50
GOAL_MS = 2000  # the most impatient app gives up then


def make_apps(fleet):
    """A tenant with a profile, and an app of each of its users."""
    run = fleet.var / "service/gateway/run"
    run.write_text(run.read_text().replace("'PATH=", "'LANYARD_RATE=1000000' 'PATH=", 1))
    fleet.sv("restart", "gateway")
    wait_for("the fleet", fleet.is_ready, 60)
    api, admin = Api(fleet.base_url, fleet.ca_file), bearer("admin", fleet.admin_api_key)
    tenant = api.ok("createTenant", admin, {"name": "bench"})["id"]
    network = api.ok("createNetwork", admin, {"name": "office", "ipv4": "10.79.0.0/24"}, tenant=tenant)
    api.ok("createSite", admin, {"name": "127.0.0.1"}, tenant=tenant)
    api.ok("createProfile", admin, {**PROFILE, "network": network["id"]}, tenant=tenant)
    for n in range(APPS):
        api.ok("createUser", admin, {"name": f"u{n}", "role": "member", "password": PASSWORD}, tenant=tenant)
    return [VpnApp(fleet, f"u{n}") for n in range(APPS)]


def measure(asks, seconds):
    """Runs each of the functions again and again at the same time; all the waits in milliseconds."""
    waits, failed, end = [], [], time.monotonic() + seconds

    def run(ask):
        while time.monotonic() < end:
            started = time.monotonic()
            reply = ask()
            waits.append((time.monotonic() - started) * 1000)
            if reply.status_code != 200:
                failed.append(f"{reply.status_code} {reply.text}")

    threads = [threading.Thread(target=run, args=(ask,)) for ask in asks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed, failed[0]
    return waits


def processor_s(fleet):
    """Seconds of processor that an app causes: those of gateway, auth and provision, and of PostgreSQL with its processes."""
    services = {fleet.pid(name) for name in ("gateway", "auth", "provision", "postgres")}
    ticks = 0
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            fields = (process / "stat").read_text().rsplit(")", 1)[1].split()
            if int(process.name) in services or int(fields[1]) == fleet.pid("postgres"):
                ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def asks_of(fleet, apps, method, path, **more):
    for app in apps:
        session = requests.Session()
        session.trust_env, session.verify = False, fleet.ca_file
        session.headers.update({"Authorization": "Bearer " + app.tokens["access_token"], "Accept": OPENVPN})
        yield lambda session=session: session.request(method, f"{fleet.base_url}{PORTAL}/api.php/v3/{path}", timeout=60, **more)


def add(report, case, fleet, asks, peer, seconds):
    used = processor_s(fleet)
    waits = measure(asks, seconds)
    used = processor_s(fleet) - used
    report.add(f"{case}: p50", "ms", statistics.median(waits), {"libmicrohttpd alone": statistics.median(peer)}, None, False)
    report.add(f"{case}: p99", "ms", statistics.quantiles(waits, n=100)[98],
               {"libmicrohttpd alone": statistics.quantiles(peer, n=100)[98]}, GOAL_MS, False)
    report.add(f"{case}: processor of the fleet", "ms each", used * 1000 / len(waits), {}, None, False)
    report.add(f"{case}: answers", "/s", len(waits) / seconds, {"libmicrohttpd alone": len(peer) / seconds}, None, True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out")
    parser.add_argument("--seconds", type=float, default=10)
    options = parser.parse_args()
    report, folder = Report(), tempfile.mkdtemp(prefix="lanyard-bench-")
    fleet = Fleet(folder)
    try:
        fleet.up()
        apps = make_apps(fleet)
        tls = fleet.var / "tls/server.crt", fleet.var / "secrets/server.key"
        with subprocess.Popen([BUILD / "bin/plain", *tls], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as plain:
            url = f"https://127.0.0.1:{plain.stdout.readline().strip()}/"
            sessions = [requests.Session() for _ in apps]
            peer = measure([lambda s=s: s.get(url, verify=fleet.ca_file, timeout=60) for s in sessions], options.seconds)
            plain.stdin.close()
        add(report, "info, 50 apps", fleet, asks_of(fleet, apps, "GET", "info"), peer, options.seconds)
        add(report, "connect, 50 apps", fleet, asks_of(fleet, apps, "POST", "connect", data={"profile_id": "internet"}), peer,
            options.seconds)
    finally:
        fleet.down("--purge")
    report.write(options.out)


if __name__ == "__main__":
    main()
