"""A whole fleet for the tests, brought up once by scripts/up: beside the user's own, with a folder, ports and
network namespaces of its own, from the binaries of the build that runs the tests."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time

import pytest
import requests

ROOT = pathlib.Path(__file__).resolve().parents[2]
PATIENCE_S = 60
SANITIZER = re.compile(r"ERROR: (Address|Leak|Thread)Sanitizer|runtime error:")
SERVICES = ["auth", "provision", "rendezvous", "dns", "gateway", "dataplane"]


def wait_for(condition, what):
    """Returns the first true value of condition(), which may raise while it isn't time yet."""
    deadline = time.monotonic() + PATIENCE_S
    problem = None
    while time.monotonic() < deadline:
        try:
            if value := condition():
                return value
            problem = None
        except (requests.RequestException, AssertionError, OSError) as error:
            problem = error
        time.sleep(0.05)
    raise AssertionError(f"{what}: not within {PATIENCE_S} s ({problem})")


class Fleet:
    def __init__(self, folder):
        self.var = pathlib.Path(folder) / "var"
        self.gateway_port, self.dataplane_port, self.dns_port, self.ops_port = 18443, 19443, 15300, 19100
        self.prefix = "lanyard-test-"
        self.environ = dict(os.environ, LANYARD_VAR=str(self.var), LANYARD_GATEWAY_PORT=str(self.gateway_port),
                            LANYARD_DATAPLANE_PORT=str(self.dataplane_port), LANYARD_DNS_PORT=str(self.dns_port),
                            LANYARD_OPS_PORT=str(self.ops_port), LANYARD_NETNS_PREFIX=self.prefix)
        self.base_url = f"https://127.0.0.1:{self.gateway_port}"
        self.ca_file = str(self.var / "tls/ca.crt")

    def script(self, name, *arguments, **environ):
        return subprocess.run([str(ROOT / "scripts" / name), *arguments], env=dict(self.environ, **environ),
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)

    @property
    def admin_api_key(self):
        return dict(line.split("=", 1) for line in
                    (self.var / "secrets/auth/bootstrap").read_text().split())["LANYARD_ADMIN_API_KEY"]

    def api(self, method, path, body=None, **headers):
        """As the first operator. Returns the reply whatever its status."""
        headers.setdefault("Authorization", "Bearer " + self.admin_api_key)
        return requests.request(method, self.base_url + path, json=body, headers=headers, verify=self.ca_file,
                                timeout=20)

    def get(self, path):
        reply = self.api("GET", path)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def create(self, path, body, **headers):
        reply = self.api("POST", path, body, **headers)
        assert reply.status_code == 201, reply.text
        return reply.json()

    @property
    def tenant(self):
        """Path of the example tenant."""
        return "/v1/tenants/" + self.get("/v1/tenants?name=demo")["items"][0]["id"]

    def log(self, service):
        return (self.var / "log" / service / "current").read_text(errors="replace")

    def is_ready(self, service):
        port = self.ops_port + SERVICES.index(service)
        return requests.get(f"http://127.0.0.1:{port}/readyz", timeout=5).status_code == 200

    def pid(self, service):
        """Of the process itself; what runit started has become it."""
        text = (self.var / "service" / service / "supervise/pid").read_text().strip()
        return int(text) if text else None

    def ping(self, device, address):
        return subprocess.run(["ip", "netns", "exec", self.prefix + device, "ping", "-c", "1", "-W", "2", address],
                              capture_output=True).returncode == 0

    def member(self, device):
        items = self.get(self.tenant + "/members")["items"]
        return next(item for item in items if item["name"] == device)

    def address(self, device, family="ipv4"):
        return self.member(device)[family].split("/")[0]

    def dig(self, name, kind="A"):
        return subprocess.run(["dig", "+short", "+time=2", "+tries=1", "@127.0.0.1", "-p", str(self.dns_port), name,
                               kind], capture_output=True, text=True).stdout.strip()


@pytest.fixture(scope="session")
def fleet():
    folder = tempfile.mkdtemp(prefix="lanyard-e2e-")  # mode 0700: also for processes without privileges
    fleet = Fleet(folder)
    try:
        fleet.first_up = fleet.script("up")
        assert fleet.first_up.returncode == 0, fleet.first_up.stdout + fleet.first_up.stderr
        yield fleet
        for log in sorted(fleet.var.glob("log/*/*")):
            text = log.read_text(errors="replace")
            assert not SANITIZER.search(text), f"{log}:\n{text[-8000:]}"
    finally:
        fleet.script("down", "--purge")
        shutil.rmtree(folder, ignore_errors=True)
