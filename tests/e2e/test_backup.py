"""The commands of docs/backup.md: a fleet is backed up while it runs, and another one, on another machine as it were, goes
on from there."""

import json
import os
import re
import secrets
import shutil
import subprocess
import tempfile

import pytest

from api_client import WAIT_S, wait_for
from conftest import ROOT, SERVICES, Fleet


def block(name):
    """The commands that docs/backup.md has under this name."""
    return re.search(rf"^```sh {name}\n(.*?)^```", (ROOT / "docs/backup.md").read_text(), re.M | re.S).group(1)


def play(name, fleet, backup):
    """Runs that block for a fleet. Its socket's path may be too long for libpq, so it goes by descriptor 7."""
    programs = backup / "bin"
    programs.mkdir(exist_ok=True)
    if not (programs / "lanyard-migrate").exists():
        (programs / "lanyard-migrate").symlink_to(ROOT / "db/migrate")
    done = subprocess.run(
        ["bash", "-euc", f'exec 7<"$FOLDER/run/postgres"\n{block(name)}'], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env={**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "FOLDER": str(fleet.var), "BACKUP": str(backup),
             "OWNER": "postgresql:///lanyard?host=/proc/self/fd/7&user=postgres"})
    assert done.returncode == 0, done.stdout


def empty_database(fleet):
    for service in SERVICES:
        fleet.sv("force-stop", service)
    for command in ["DROP DATABASE lanyard WITH (FORCE)", "CREATE DATABASE lanyard"]:
        subprocess.run(["bash", "-euc", 'exec 7<"$0/run/postgres"; psql -Xq -d "postgresql:///postgres?host=/proc/self/fd/7&user=postgres" -c "$1"',
                        str(fleet.var), command], check=True)
    shutil.rmtree(fleet.var / "secrets")
    shutil.rmtree(fleet.var / "tls")


@pytest.fixture(scope="module")
def other():
    folder = tempfile.mkdtemp(prefix="lanyard-restored-")
    other = Fleet(folder)
    try:
        other.up()
        yield other
    finally:
        other.down()
        reports = list(other.sanitizer_reports())
        other.down("--purge")
        os.rmdir(folder)
    assert not reports, "\n".join(reports)


def tenants(fleet):
    return sorted(item["name"] for item in fleet.api("GET", "/v1/tenants").json()["items"])


def attach(fleet, device):
    """What the device is told when it shows its identity: addresses, network, token."""
    reply = fleet.session.post(fleet.base_url + "/v1/attachments", json={}, auth=(device["device"], device["secret"]),
                               headers={"Idempotency-Key": secrets.token_hex(8)}, verify=fleet.ca_file, timeout=WAIT_S)
    assert reply.status_code in (200, 201), reply.text
    return reply.json()


def test_a_fleet_goes_on_from_its_backup(fleet, other, tmp_path):
    """The operator's key, a device's identity, its address, its name and the authority are what they were; what came after
    the backup is not there."""
    device = json.loads((fleet.var / "agents/alpha/device.json").read_text())
    before = tenants(fleet)
    play("backup", fleet, tmp_path)
    assert fleet.api("POST", "/v1/tenants", json={"name": "later"}, headers={"Idempotency-Key": "later"}).status_code == 201
    empty_database(other)
    play("restore", other, tmp_path)
    for service in SERVICES:
        other.sv("start", service)
    wait_for("the services", other.is_ready)

    assert tenants(other) == before
    mine, theirs = attach(fleet, device), attach(other, device)
    assert [mine[part] for part in ["member", "network", "ipv4", "ipv6"]] == [theirs[part] for part in ["member", "network", "ipv4", "ipv6"]]
    name = "alpha.office.demo.lanyard.test"
    wait_for("the name of the first fleet", lambda: other.dig(name, "A") == fleet.dig(name, "A") != [])
