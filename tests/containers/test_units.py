"""Debian's packages on machines with systemd: a server, and two devices that have nothing but what Debian always has. They are set
up by the commands of docs/operations.md as they stand there. One story; the tests run in this order."""

import os
import re
import shutil
import subprocess

import pytest

from machine_world import World
from outside import ROOT, block, run, wait_for

SERVICES = {"auth": 9100, "provision": 9101, "rendezvous": 9102, "dns": 9103, "gateway": 9104, "dataplane": 9105}
ELSEWHERE = [service for service in SERVICES if service != "dns"]  # which is beside PowerDNS
HOST = "vpn.example.org"
RELEASE = ROOT / "build/release"

# No licence has been chosen; what changed is told by git; nobody maintains the packages in Debian.
NOT_DEBIAN = "no-copyright-file,no-changelog,bogus-mail-host"


@pytest.fixture(scope="module")
def packages():
    """The commands of the page make the packages; these are the files by their names."""
    for old in RELEASE.glob("*.deb"):
        old.unlink()
    run("bash", "-euc", block("operations.md", "packages"), cwd=ROOT)
    return {file.name.split("_")[0]: file for file in RELEASE.glob("*.deb")}


@pytest.fixture(scope="module")
def newer(packages, tmp_path_factory):
    """The same programs in packages of a higher version."""
    folder = tmp_path_factory.mktemp("newer")
    run("cpack", "-B", folder, "-D", "CPACK_DEBIAN_PACKAGE_VERSION=99.0", cwd=RELEASE)
    return {file.name.split("_")[0]: file for file in folder.glob("*.deb")}


@pytest.fixture(scope="module")
def world():
    world = World(os.environ.get("LANYARD_MACHINES", ROOT / "build/machines"))
    try:
        world.start()
        yield world
    finally:
        world.stop()


def put(machine, package):
    """Into the home of root, where it is the only package of its name."""
    for old in (machine.root / "root").glob("*.deb"):
        old.unlink()
    shutil.copy(package, machine.root / "root")


@pytest.fixture(scope="module")
def server(world, packages):
    server = world.add("server")
    server.run("apt-get", "update")
    server.run("apt-get", "install", "--yes", "--no-install-recommends", "curl", "jq", "bind9-dnsutils")  # for who looks
    put(server, packages["lanyard-services"])
    server.play("operations.md", "server")
    return server


@pytest.fixture(scope="module")
def enrolment_key(server):
    """Made as docs/api.md has it."""
    wait_until_ready(server)
    server.give("tenant", f"A={operator_key(server)}\n{block('api.md', 'tenant')}echo \"key=$K\"\n")
    shutil.copy(server.root / "etc/lanyard/tls/ca.crt", server.root / "root")
    return re.search(r"^key=(.+)$", server.run("env", "--chdir=/root", "bash", "-eu", "tenant"), re.M).group(1)


@pytest.fixture(scope="module")
def devices(world, server, packages, enrolment_key):
    devices = [world.add(name) for name in ("alpha", "beta")]
    for device in devices:
        with open(device.root / "etc/hosts", "a") as hosts:
            hosts.write(f"{server.address} {HOST}\n")
        device.run("apt-get", "update")
        put(device, packages["lanyard-agent"])
        device.give("enrolment-key", f"{enrolment_key}\n")
        device.give("ca.crt", (server.root / "etc/lanyard/tls/ca.crt").read_text())
        device.play("operations.md", "device")
    return devices


def operator_key(server):
    operator = (server.root / "var/lib/private/lanyard-auth/bootstrap").read_text()
    return re.search(r"^LANYARD_ADMIN_API_KEY=(.*)$", operator, re.M).group(1)


def is_ready(server, service):
    told = subprocess.run(server.enter("curl", "--silent", "--output", "/dev/null", "--write-out", "%{http_code}",
                                       f"http://127.0.0.1:{SERVICES[service]}/readyz"), stdout=subprocess.PIPE, text=True)
    return told.stdout == "200"


def wait_until_ready(server, services=tuple(SERVICES)):
    for service in services:
        wait_for(f"ready lanyard@{service}", lambda name=service: is_ready(server, name))


def address_of(device):
    return wait_for("address", lambda: re.search(r" inet ([0-9.]+)/", device.run("ip", "-4", "-oneline", "address", "show", "lanyard0")).group(1))


def wait_until_connected(devices):
    """Each by its own word, and then a ping crosses."""
    for device in devices:
        wait_for(f"connection of {device.name}", lambda which=device: subprocess.run(
            which.enter("lanyard", "status"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0)
    alpha, beta = devices
    wait_for("ping", lambda: subprocess.run(alpha.enter("ping", "-c", "1", "-W", "2", address_of(beta)),
                                            stdout=subprocess.DEVNULL).returncode == 0)


def programs(machine, pattern):
    """What runs there from such a file, though it may be deleted."""
    return machine.run("bash", "-c", f"readlink /proc/[0-9]*/exe | grep '{pattern}' || true")


def pids(server):
    return {service: server.property(f"lanyard@{service}", "MainPID") for service in SERVICES}


# ---- first start ----

def test_both_packages_are_what_debian_expects(packages):
    told = run("lintian", "--allow-root", "--fail-on", "error,warning", "--suppress-tags", NOT_DEBIAN, *packages.values())
    assert "E:" not in told and "W:" not in told, told



def test_every_unit_comes_up(server):
    wait_until_ready(server)
    for service in SERVICES:
        assert server.property(f"lanyard@{service}", "ActiveState") == "active"
        assert server.property(f"lanyard@{service}", "NRestarts") == "0", "each waits for what it needs"


def test_each_process_is_a_user_of_its_own(server):
    """And has no rights but, where ports below 1024 may be listened on, that one."""
    users = set()
    for service, pid in pids(server).items():
        status = server.run("cat", f"/proc/{pid}/status")
        users.add(re.search(r"^Uid:\t(\d+)", status, re.M).group(1))
        rights = int(re.search(r"^CapBnd:\t(\w+)", status, re.M).group(1), 16)
        assert rights == (1 << 10 if service in ("gateway", "dataplane") else 0), service
    assert len(users) == len(SERVICES) and "0" not in users


def test_secrets_are_for_those_that_need_them(server):
    """The gateway's user opens neither what root keeps nor what another process was given."""
    user = server.property("lanyard@gateway", "UID")
    for file in ["/etc/lanyard/secrets/auth/key", "/etc/lanyard/secrets/fleet.key", "/run/credentials/lanyard@auth.service/key",
                 "/var/lib/lanyard-auth/bootstrap"]:
        server.run("test", "-e", file)
        assert "Permission denied" in server.run("setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "cat", file, status=1)


def exposure(machine, unit):
    told = machine.run("systemd-analyze", "security", "--no-pager", unit)
    return float(re.search(r"Overall exposure level for .*: ([0-9.]+)", told).group(1))


@pytest.mark.parametrize("service", SERVICES)
def test_running_units_are_locked_up(server, service):
    assert exposure(server, f"lanyard@{service}") < 2


def test_devices_reach_each_other(server, devices):
    wait_until_connected(devices)
    for device in devices:
        assert device.property("lanyard-agent", "NRestarts") == "0"
        assert exposure(device, "lanyard-agent") < 3


def name_leads(server, devices):
    told = server.run("dig", f"@{server.address}", "+short", "+time=2", "+tries=1", "beta.office.demo.lanyard.test", status=0)
    return told.strip() == address_of(devices[1])


def test_names_are_in_the_dns(server, devices):
    wait_for("name of beta", lambda: name_leads(server, devices))


# ---- what happens later ----

def test_a_restart_loses_nothing(server, devices):
    before, addresses = pids(server), [address_of(device) for device in devices]
    server.run("systemctl", "restart", "lanyard@*")
    wait_until_ready(server)
    wait_until_connected(devices)
    assert not before.items() & pids(server).items()
    assert addresses == [address_of(device) for device in devices]


@pytest.mark.parametrize("service", SERVICES)
def test_a_killed_process_comes_again(server, devices, service):
    before = pids(server)
    server.run("systemctl", "kill", "--signal=KILL", f"lanyard@{service}")
    wait_for("new process", lambda: server.property(f"lanyard@{service}", "MainPID") not in ("0", before[service]))
    wait_until_ready(server)
    wait_until_connected(devices)


def test_machines_come_up_by_themselves(server, devices):
    """A server and a device that were switched off and on again."""
    for machine in [server, devices[1]]:
        machine.shut_down()
        machine.boot()
    wait_until_ready(server)
    wait_until_connected(devices)
    wait_for("name of beta", lambda: name_leads(server, devices))


def test_a_wrong_setting_is_told(server):
    """A typing error in a file of settings ends the process with a line in the journal that names it. It tries again, however
    often that fails, and comes up when the file is right."""
    settings = server.root / "etc/lanyard/rendezvous.env"
    good = settings.read_text()
    settings.write_text(good + "LANYARD_LOGLEVEL=debug\n")
    server.run("systemctl", "restart", "lanyard@rendezvous")
    wait_for("line in the journal", lambda: "LANYARD_LOGLEVEL" in server.run("journalctl", "--unit=lanyard@rendezvous", "--no-pager"))
    wait_for("more starts than systemd allows by itself", lambda: int(server.property("lanyard@rendezvous", "NRestarts")) > 6)
    settings.write_text(good)
    wait_until_ready(server)


def test_ports_below_1024_may_be_listened_on(server):
    settings = server.root / "etc/lanyard/gateway.env"
    good = settings.read_text()
    for port, text in [(443, good.replace(":8443", ":443")), (8443, good)]:
        settings.write_text(text)
        server.run("systemctl", "restart", "lanyard@gateway")
        wait_until_ready(server)
        server.run("curl", "--silent", "--show-error", "--fail", "--cacert", "/etc/lanyard/tls/ca.crt", "--output", "/dev/null",
                   f"https://localhost:{port}/v1/openapi.yaml")


def shown_certificate(server, port):
    return server.run("bash", "-euo", "pipefail", "-c",
                      f"openssl s_client -connect 127.0.0.1:{port} -servername {HOST} </dev/null 2>/dev/null | openssl x509 -noout -fingerprint -sha256")


def test_a_renewed_certificate_is_shown(server, devices):
    """By certbot's hook as it stands in the page."""
    server.run("bash", "-euc", f"cp -a /etc/lanyard /root/renewed; rm /root/renewed/tls/server.crt; lanyard-keys --name {HOST} /root/renewed; "
               "cp /root/renewed/tls/server.crt /root/renewed/fullchain.pem; cp /root/renewed/secrets/server.key /root/renewed/privkey.pem")
    new = server.run("openssl", "x509", "-noout", "-fingerprint", "-sha256", "-in", "/root/renewed/fullchain.pem")
    assert shown_certificate(server, 8443) != new
    server.play("operations.md", "renewal", RENEWED_LINEAGE="/root/renewed")
    wait_until_ready(server)
    assert shown_certificate(server, 8443) == shown_certificate(server, 9443) == new
    wait_until_connected(devices)


# ---- a second server ----

@pytest.fixture(scope="module")
def second(world, server, devices, packages):
    second = world.add("second")
    second.run("apt-get", "update")
    second.run("apt-get", "install", "--yes", "--no-install-recommends", "curl")
    put(second, packages["lanyard-services"])
    second.run("bash", "-euc", "apt-get install --yes --no-install-recommends /root/lanyard-services_*.deb")
    for folder in ["secrets", "tls"]:
        run("cp", "-a", server.root / "etc/lanyard" / folder, second.root / "etc/lanyard")
    server.play("operations.md", "database", NETWORK="192.168.91.0/24")
    second.play("operations.md", "further", FIRST=server.address)
    for machine in [server, second]:
        machine.play("operations.md", "reachable", ADDRESS=machine.address)
    for device in devices:
        with open(device.root / "etc/hosts", "a") as hosts:
            hosts.write(f"{second.address} {HOST}\n")
    return second


def is_one_of_two(server):
    """The node carries a device, and has the other node at the end of a trunk."""
    told = server.run("curl", "--silent", "http://127.0.0.1:9105/metrics")
    return re.search(r"^lanyard_trunks 1$", told, re.M) and re.search(r"^lanyard_connections [1-9]", told, re.M)


def test_two_servers_are_one_fleet(server, second, devices):
    """Devices at different nodes reach each other: alpha comes back to the first one, beta stays at the second."""
    wait_until_ready(server)
    wait_until_ready(second, ELSEWHERE)
    server.run("systemctl", "stop", "lanyard@dataplane")
    wait_until_connected(devices)
    server.run("systemctl", "start", "lanyard@dataplane")
    wait_until_ready(server)
    devices[0].run("systemctl", "restart", "lanyard-agent")
    wait_until_connected(devices)
    for machine in [server, second]:
        wait_for(f"trunk of {machine.name}", lambda which=machine: is_one_of_two(which))


def test_one_of_two_servers_goes_on_alone(server, second, devices):
    """Devices move to it, and so does the API; PostgreSQL stays where it is."""
    second.give("curlrc", f'header = "Authorization: Bearer {operator_key(server)}"\n')
    server.run("systemctl", "stop", "lanyard@*")
    wait_until_connected(devices)
    told = second.run("curl", "--silent", "--show-error", "--fail", "--cacert", "/etc/lanyard/tls/ca.crt", "--config", "/root/curlrc",
                      "https://localhost:8443/v1/tenants")
    assert '"demo"' in told
    server.run("systemctl", "start", *(f"lanyard@{service}" for service in SERVICES))
    wait_until_ready(server)


# ---- packages that come and go ----

def test_a_newer_server_goes_on(server, devices, newer):
    """With its settings, its data and its devices."""
    before = pids(server)
    (server.root / "etc/lanyard/auth.env").open("a").write("LANYARD_LOG_LEVEL=debug\n")
    put(server, newer["lanyard-services"])
    server.play("operations.md", "upgrade")
    wait_until_ready(server)
    wait_until_connected(devices)
    assert "99.0" in server.run("dpkg-query", "--show", "lanyard-services")
    assert not before.items() & pids(server).items()
    assert "LANYARD_LOG_LEVEL=debug" in (server.root / "etc/lanyard/auth.env").read_text()


def test_a_newer_agent_takes_over(devices, newer):
    alpha = devices[0]
    before, address = alpha.property("lanyard-agent", "MainPID"), address_of(alpha)
    put(alpha, newer["lanyard-agent"])
    alpha.run("bash", "-euc", "apt-get install --yes /root/lanyard-agent_*.deb")
    assert alpha.property("lanyard-agent", "MainPID") not in ("0", before)
    wait_until_connected(devices)
    assert address_of(alpha) == address


def test_a_purged_agent_leaves_nothing(devices):
    beta = devices[1]
    beta.run("apt-get", "purge", "--yes", "lanyard-agent")
    assert programs(beta, "/lanyard") == ""
    assert "does not exist" in beta.run("ip", "link", "show", "lanyard0", status=1)
    for file in ["var/lib/lanyard", "etc/default/lanyard-agent", "usr/bin/lanyard", "etc/systemd/system/multi-user.target.wants/lanyard-agent.service"]:
        assert not (beta.root / file).exists() and not (beta.root / file).is_symlink(), file
    assert beta.property("lanyard-agent", "LoadState") == "not-found"


def test_purged_services_leave_keys_and_certificates(server):
    told = server.run("apt-get", "purge", "--yes", "lanyard-services")
    assert "/etc/lanyard/secrets" in told, "says what stays"
    assert sorted(file.name for file in (server.root / "etc/lanyard").iterdir()) == ["secrets", "tls"]
    assert programs(server, "/lanyard") == ""
    assert server.run("systemctl", "list-units", "--no-legend", "--state=active,activating,failed", "lanyard@*") == ""
    assert list((server.root / "etc/systemd/system/multi-user.target.wants").glob("lanyard@*")) == []
    assert not (server.root / "var/lib/private/lanyard-auth").exists()
