"""Signing in under load: scripts/bench auth.

usage: bench_auth.py OUT.json [--seconds N]

Checks of tokens a second of processor, as a node makes them, beside the bare signature; introspection through the gateway
beside a page of the gateway that asks nobody; sign-ins a second of processor of auth beside argon2id alone; and with ten times
as many people as are served at once: how many get in, how many are sent away, and how long an introspection takes meanwhile.
All on this machine, clients too."""

import argparse
import base64
import concurrent.futures
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).parent
BUILD = pathlib.Path(os.environ["LANYARD_BUILD"])
sys.path.insert(0, str(HERE.parent / "e2e"))

from api_world import PASSWORD  # noqa: E402
from conftest import Fleet  # noqa: E402
from oauth_world import App, Browser, back  # noqa: E402
from report import Report  # noqa: E402

CONNECTIONS = 4
FEW, MANY = 2, 40  # people at once: as many as argon2 runs in a process, and a crowd
TICK = os.sysconf("SC_CLK_TCK")


def progress(text):
    print(text, file=sys.stderr, flush=True)


def wrk(url, seconds, script=None):
    """Requests a second; each has to succeed."""
    text = subprocess.run(["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}", *(["-s", script] if script else []), url], check=True,
                          text=True, stdout=subprocess.PIPE).stdout
    assert "Non-2xx" not in text and "Socket errors" not in text, text
    return float(re.search(r"Requests/sec:\s*([\d.]+)", text).group(1))


class World:
    """A fleet without a limit of requests, with a tenant, its site, people, and a confidential client."""

    def __init__(self, folder):
        self.fleet = Fleet(folder)
        self.fleet.up()
        run = self.fleet.var / "service/gateway/run"
        run.write_text(run.read_text().replace("'PATH=", "'LANYARD_RATE=1000000' \\\n\t'PATH=", 1))
        self.fleet.sv("restart", "gateway")
        end = time.monotonic() + 60
        while not self.fleet.is_ready():
            assert time.monotonic() < end, "the fleet is not ready"
            time.sleep(0.1)
        tenant = self.ask("", {"name": "bench"})["id"]
        self.ask(f"/{tenant}/sites", {"name": "127.0.0.1"})
        for n in range(MANY):
            self.ask(f"/{tenant}/users", {"name": f"person-{n}", "role": "member", "password": PASSWORD})
        client = self.ask(f"/{tenant}/oauth-clients", {
            "client_id": "asker", "name": "Asker", "redirect_uris": ["http://127.0.0.1:{PORT}/back"], "confidential": True})
        self.basic = base64.b64encode(f"asker:{client['client_secret']}".encode()).decode()
        self.token = self.let_in()

    def ask(self, path, body):
        while True:
            reply = self.fleet.api("POST", "/v1/tenants" + path, json=body)
            if reply.status_code != 429:  # passwords are hashed a few at a time
                assert reply.ok, reply.text
                return reply.json()
            time.sleep(int(reply.headers["Retry-After"]))

    def let_in(self):
        app, browser = App(self.fleet), Browser(self.fleet)
        browser.sign_in(app.path(), user="person-0")
        code = back(browser.ask("POST", app.path(), data={"approve": "yes"}))["code"]
        return app.exchange(code).json()["access_token"]

    def script(self, folder):
        """What wrk sends to introspect."""
        path = pathlib.Path(folder) / "introspect.lua"
        path.write_text(f'wrk.method = "POST"\nwrk.body = "token={self.token}"\n'
                        'wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"\n'
                        f'wrk.headers["Authorization"] = "Basic {self.basic}"\n')
        return str(path)

    def introspect(self, session):
        started = time.monotonic()
        reply = session.post(self.fleet.base_url + "/oauth/introspect", data={"token": self.token}, verify=self.fleet.ca_file,
                             headers={"Authorization": "Basic " + self.basic}, timeout=30)
        assert reply.json()["active"] is True
        return (time.monotonic() - started) * 1000

    def processor_s(self):
        """Seconds of processor that auth has used."""
        fields = pathlib.Path(f"/proc/{self.fleet.pid('auth')}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK


def sign_in_again_and_again(world, person, until):
    """How many times the person got in, and was sent away."""
    browser, counts = Browser(world.fleet), {303: 0, 503: 0}
    while time.monotonic() < until:
        reply = browser.sign_in("/account", user=f"person-{person}")
        counts[reply.status_code] += 1
        if reply.status_code == 503:
            time.sleep(int(reply.headers["Retry-After"]))
    return counts[303], counts[503]


def crowd(world, people, seconds):
    """Sign-ins a second, refusals a second, and seconds of processor for each sign-in."""
    started, used = time.monotonic(), world.processor_s()
    with concurrent.futures.ThreadPoolExecutor(people) as pool:
        jobs = [pool.submit(sign_in_again_and_again, world, n, started + seconds) for n in range(people)]
        counts = [job.result() for job in jobs]
    took, entered = time.monotonic() - started, sum(c[0] for c in counts)
    return entered / took, sum(c[1] for c in counts) / took, (world.processor_s() - used) / entered


def latencies(world, stop):
    """ms of introspections, one after the other, until told to stop."""
    session, times = world.fleet.session, []
    while not stop.is_set():
        times.append(world.introspect(session))
        time.sleep(0.005)
    return times


def during(world, work):
    """What `work` returns, and the median and p99 of an introspection meanwhile."""
    stop = threading.Event()
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        watch = pool.submit(latencies, world, stop)
        result = work()
        stop.set()
        times = sorted(watch.result())
    return result, statistics.median(times), times[len(times) * 99 // 100]


def measure_tokens(report, seconds):
    progress("tokens, signatures and passwords alone")
    tokens, signatures, passwords = map(float, subprocess.run([BUILD / "bin/auth_alone", str(seconds)], check=True, text=True,
                                                              stdout=subprocess.PIPE).stdout.split())
    report.add("token checks of a node", "/cpu s", tokens, {"the bare signature": signatures}, signatures / 2, True)
    return passwords


def measure_introspection(world, folder, report, seconds):
    progress("introspections")
    used = world.processor_s()
    rate = wrk(world.fleet.base_url + "/oauth/introspect", seconds, world.script(folder))
    used = world.processor_s() - used
    report.add("introspections", "/s", rate, {"a page that asks nobody": wrk(world.fleet.base_url + "/pages/style.css", seconds)},
               None, True)
    report.add("introspections of auth", "/cpu s", rate * seconds / used, {}, None, True)


def measure_sign_ins(world, report, seconds, passwords):
    progress("sign-ins")
    (rate, _, cost), _, quiet = during(world, lambda: crowd(world, FEW, seconds))
    report.add("sign-ins of auth", "/cpu s", 1 / cost, {"argon2id alone": passwords}, passwords / 2, True)
    report.add(f"sign-ins, {FEW} people at once", "/s", rate, {}, None, True)
    (many, refused, _), _, p99 = during(world, lambda: crowd(world, MANY, seconds))
    report.add(f"sign-ins, {MANY} people at once", "/s", many, {f"{FEW} at once": rate}, rate / 2, True)
    report.add(f"sent away (503), {MANY} at once", "/s", refused, {}, None, True)
    report.add(f"introspection p99, {MANY} sign in", "ms", p99, {f"{FEW} sign in": quiet}, 500, False)


def main():
    parser = argparse.ArgumentParser(description="Measures signing in.")
    parser.add_argument("out", help="file for the results as JSON")
    parser.add_argument("--seconds", type=int, default=8, help="of each measurement")
    options = parser.parse_args()
    report = Report()
    passwords = measure_tokens(report, options.seconds / 2)
    with tempfile.TemporaryDirectory(prefix="lanyard-bench-") as folder:
        os.chmod(folder, 0o755)
        world = World(folder)
        try:
            measure_introspection(world, folder, report, options.seconds)
            measure_sign_ins(world, report, options.seconds, passwords)
        finally:
            world.fleet.down("--purge")
    report.write(options.out)


if __name__ == "__main__":
    main()
