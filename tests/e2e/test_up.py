"""What scripts/up and scripts/down promise to somebody who has just cloned this."""

import os
import pathlib
import shutil
import socket
import subprocess
import tempfile

from api_client import wait_for
from conftest import ROOT, SERVICES, Fleet

PROCESSES = ["postgres", *SERVICES, "pdns", "agent-alpha", "agent-beta"]


def processes_of(fleet):
    """Command lines of all processes of the fleet: they tell its folder, or have it as /srv."""
    found = []
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            if line and (str(fleet.var) in line or os.path.samefile(process / "root/srv", fleet.var)):
                found.append(line)
        except OSError:
            pass
    return found


def tables_of(fleet):
    return {path: fleet.api("GET", path).json() for path in ["/v1/tenants", *(
        f"/v1/tenants/{tenant['id']}/{resource}" for tenant in fleet.api("GET", "/v1/tenants").json()["items"]
        for resource in ["users", "networks", "members", "enrolment-keys"])]}


def state_of(fleet):
    files = {str(file): (file.stat().st_mtime_ns, file.stat().st_mode) for folder in ["bin", "secrets", "tls", "agents"]
             for file in (fleet.var / folder).rglob("*") if file.is_file() and file.suffix != ".sock"}
    return {"processes": {name: fleet.pid(name) for name in PROCESSES}, "files": files, "tables": tables_of(fleet)}


def test_up_plays_the_main_job(fleet):
    told = fleet.first_up
    for words in ["alpha is connected", "beta is connected", "alpha reaches beta at 10.77.0.2",
                  "beta reaches alpha at 10.77.0.1", "alpha reaches beta at fd", "beta reaches alpha at fd",
                  "alpha.office.demo.lanyard.test is 10.77.0.1", "The fleet runs", "scripts/down"]:
        assert words in told, told


def test_secrets_are_closed(fleet):
    for file in [*(fleet.var / "secrets").rglob("*"), *(fleet.var / "agents").rglob("*")]:
        assert file.stat().st_mode & 0o007 == 0, file
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            told = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:
            continue
        assert fleet.admin_api_key.encode() not in told, process


def test_services_have_no_privileges(fleet):
    for name in [*SERVICES, "pdns"]:
        status = pathlib.Path(f"/proc/{fleet.pid(name)}/status").read_text()
        fields = dict(line.split(":\t", 1) for line in status.splitlines())
        assert "0" not in fields["Uid"].split(), name
        assert int(fields["CapEff"], 16) == int(fields["CapBnd"], 16) == 0, name


def test_second_up_changes_nothing(whole_fleet):
    before = state_of(whole_fleet)
    whole_fleet.up()
    assert state_of(whole_fleet) == before


def test_up_continues_after_down(whole_fleet):
    tables = tables_of(whole_fleet)
    whole_fleet.down()
    assert processes_of(whole_fleet) == []
    namespaces = subprocess.run(["ip", "netns"], stdout=subprocess.PIPE, text=True, check=True).stdout
    assert whole_fleet.netns_prefix not in namespaces
    assert str(whole_fleet.var) not in pathlib.Path("/proc/self/mounts").read_text()
    whole_fleet.down()
    whole_fleet.up()
    wait_for("the fleet", whole_fleet.is_whole)
    assert tables_of(whole_fleet) == tables


def test_killed_supervisor_is_replaced(whole_fleet):
    os.kill(int((whole_fleet.var / "run/supervisor.pid").read_text()), 9)
    whole_fleet.up()
    wait_for("the fleet", whole_fleet.is_whole)


def refusal(command, fleet):
    done = subprocess.run(command, env=fleet.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 1, done.stdout
    assert not processes_of(fleet)
    return done.stdout


def test_taken_port(fleet, tmp_path):
    other = Fleet(tmp_path)
    with socket.create_server(("127.0.0.1", other.dns_port)):
        told = refusal([ROOT / "scripts/up"], other)
    assert f"port {other.dns_port} (tcp) is taken by " in told
    assert "LANYARD_DNS_PORT=" in told


def test_without_root(fleet, tmp_path):
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        shutil.copytree(ROOT / "scripts", folder + "/scripts")
        told = refusal(["setpriv", "--reuid", "65534", "--clear-groups", folder + "/scripts/up"], Fleet(tmp_path))
    assert "this needs root" in told and "sudo scripts/up" in told


def test_without_tun(fleet, tmp_path):
    told = refusal(["unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /dev/net && exec "$0"', ROOT / "scripts/up"],
                   Fleet(tmp_path))
    assert "/dev/net/tun" in told and "modprobe tun" in told


def test_unknown_option(fleet):
    for script in ["up", "down"]:
        done = fleet.script(script, "--nonsense")
        assert done.returncode == 2 and "usage" in done.stdout


def test_half_failed_up_is_taken_down(fleet, tmp_path):
    other = Fleet(tmp_path)
    (other.var / "tls").mkdir(parents=True)
    (other.var / "tls/server.crt").mkdir()  # the certificate can't be written
    done = other.script("up")
    assert done.returncode == 1
    assert "FAILED: Keys and certificates" in done.stdout and "What to do" in done.stdout
    other.down()
    assert processes_of(other) == []


def test_help_lists_the_settings(fleet):
    told = fleet.script("up", "--help")
    assert told.returncode == 0
    for name in ["LANYARD_VAR", "LANYARD_BUILD", "LANYARD_GATEWAY_PORT", "LANYARD_NETNS_PREFIX"]:
        assert name in told.stdout
