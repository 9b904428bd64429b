"""docker-compose.yml from the first start to removal, with Debian's docker-compose and dockerd: no file is edited before. The
tests are one story and run in this order."""

import json
import os
import re
import secrets

import pytest

from docker_world import OURS, Docker, Pings
from outside import ROOT, wait_for

SERVICES = ["auth", "provision", "rendezvous", "dns", "gateway", "node"]


@pytest.fixture(scope="module")
def docker():
    docker = Docker(os.environ.get("LANYARD_CONTAINERS", ROOT / "build/containers"))
    try:
        docker.start()
        docker.make_images()
        yield docker
        docker.compose("--profile", "dev", "down", "--volumes", "--timeout", "10")
    finally:
        docker.stop()


@pytest.fixture(scope="module")
def pings(docker):
    """The whole stack with the demo's devices from a fresh clone, up to the first ping, by the command of the page."""
    docker.play("containers.md", "start")
    pings = Pings(docker)
    wait_for("first ping", pings.last)
    return pings


def healthy(docker, service):
    """How many containers of a service are ready."""
    found = docker.docker("ps", "--filter", f"label=com.docker.compose.project={docker.environment['COMPOSE_PROJECT_NAME']}",
                          "--filter", f"label=com.docker.compose.service={service}", "--filter", "health=healthy", "--quiet")
    return len(found.split())


# ---- the stack ----

def test_from_nothing_to_the_first_ping(docker, pings):
    pings.go_on()
    for service in [*SERVICES, "postgres", "alpha", "beta"]:
        wait_for(f"healthy {service}", lambda name=service: healthy(docker, name) == (2 if service == "node" else 1))


def test_the_devices_are_on_different_nodes(docker, pings):
    """Each node has one of the two sessions, so that their frames cross a trunk."""
    for container in docker.compose("ps", "--quiet", "node").split():
        address = json.loads(docker.docker("inspect", container))[0]["NetworkSettings"]["Networks"].popitem()[1]["IPAddress"]
        told = docker.outside("curl", "-sS", f"http://{address}:9100/metrics")
        assert re.search(r"^lanyard_trunks 1$", told, re.M) and re.search(r"^lanyard_connections [1-9]", told, re.M), told


def test_containers_have_no_privileges(docker, pings):
    for service in SERVICES:
        for container in docker.compose("ps", "--quiet", service).split():
            state, = json.loads(docker.docker("inspect", container))
            host = state["HostConfig"]
            assert host["ReadonlyRootfs"] and host["CapDrop"] == ["ALL"] and not host["CapAdd"] and not host["Privileged"]
            assert "no-new-privileges:true" in host["SecurityOpt"]
            assert state["Config"]["User"].startswith("5990")


def test_secrets_are_for_those_that_need_them(docker, pings):
    """The gateway reads its own password and the certificate's key, and no other; auth not even that."""
    def cat(file, service="gateway"):
        return docker.docker("exec", docker.compose("ps", "--quiet", service).strip(), "cat", f"/var/lib/lanyard/{file}")
    cat("secrets/gateway.pgpass")
    cat("secrets/server.key")
    with pytest.raises(AssertionError, match="Permission denied"):
        cat("secrets/server.key", "auth")
    for file in ["secrets/auth/key", "secrets/auth/bootstrap", "secrets/provision.pgpass", "secrets/owner.password", "secrets/ca/ca.key"]:
        with pytest.raises(AssertionError, match="Permission denied"):
            cat(file)


def test_the_commands_of_the_page_show_it(docker, pings):
    """The first operator's API key, the certificate's authority, the API, and a name in the DNS."""
    def look():
        told = docker.play("containers.md", "look")
        return told if re.search(r"^alpha\.office\.demo\.lanyard\.test\.\s.*\sA\s+10\.77\.0\.", told, re.M) else None
    told = wait_for("address of alpha", look)
    assert "\nopenapi: 3.1" in told
    assert {item["name"] for item in json.loads(docker.api("GET", "/v1/tenants"))["items"]} == {"fleet", "demo"}


# ---- the images ----

@pytest.mark.parametrize("name", OURS)
def test_images_say_what_they_are(docker, pings, name):
    image, = json.loads(docker.docker("image", "inspect", name))
    labels = image["Config"]["Labels"]
    assert labels["org.opencontainers.image.title"].startswith("Lanyard ") and labels["org.opencontainers.image.version"]
    listed = json.loads(docker.docker("run", "--rm", "--network", "none", "--entrypoint", "cat", name, "/usr/share/lanyard/sbom.spdx.json"))
    assert listed["spdxVersion"] == "SPDX-2.3"
    assert not any("license" in key.lower() for row in listed["packages"] for key in row), "nobody has chosen one"
    held = set(docker.docker("run", "--rm", "--network", "none", "--entrypoint", "dpkg-query", name, "-W", "-f",
                             "${Package} ${Version}\n").splitlines())
    assert {f"{row['name']} {row['versionInfo']}" for row in listed["packages"][1:]} == held
    assert all(re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", row["SPDXID"]) for row in listed["packages"])
    base, = json.loads(docker.docker("image", "inspect", "debian:bookworm-slim"))
    print(f"{name}: {image['Size'] / 1e6:.0f} MB, {(image['Size'] - base['Size']) / 1e6:.0f} MB of it on top of debian:bookworm-slim")


def test_services_need_neither_shell_nor_root(docker, pings):
    """Every process starts as a user without a name, in a root that has no shell and can't be written."""
    for name in ["auth", "provision", "rendezvous", "dns", "gateway", "dataplane"]:
        told = docker.docker("run", "--rm", "--network", "none", "--read-only", "--cap-drop", "ALL", "--volume", "/bin", "--tmpfs",
                             "/bin:ro", "lanyard-services", f"lanyard-{name}", "--version")
        assert told.startswith(f"lanyard-{name} ")
    image, = json.loads(docker.docker("image", "inspect", "lanyard-services"))
    assert image["Config"]["User"].split(":")[0] not in ("", "0", "root")


# ---- what happens later ----

def test_a_second_up_changes_nothing(docker, pings):
    before = docker.compose("ps", "--quiet")
    docker.compose("up", "--detach")
    assert sorted(docker.compose("ps", "--quiet").split()) == sorted(before.split())
    pings.go_on()


def test_nodes_are_scaled_to_three(docker, pings):
    docker.compose("up", "--detach", "--scale", "node=3")
    wait_for("third node", lambda: healthy(docker, "node") == 3)
    pings.go_on()


def test_nodes_are_replaced_one_by_one(docker, pings):
    """What an upgrade does: each node stops while the others go on, and its sessions move first. What is lost of the pings
    is told."""
    before = pings.last()
    for container in docker.compose("ps", "--quiet", "node").split():
        docker.docker("restart", "--time", "30", container)
        wait_for("three nodes", lambda: healthy(docker, "node") == 3)
        pings.go_on(2)
    print(f"{pings.lost_since(before)} of {pings.last() - before} pings lost, one a second")
    assert pings.lost_since(before) <= 2


@pytest.mark.parametrize("service", [*SERVICES, "pdns", "haproxy", "postgres"])
def test_a_service_starts_again_under_traffic(docker, pings, service):
    """Pings go on; what is lost of them meanwhile is told. Only nodes and what is before them carry them."""
    before = pings.last()
    docker.compose("restart", service)
    if service not in ("pdns", "haproxy"):
        count = len(docker.compose("ps", "--quiet", service).split())
        wait_for(f"healthy {service}", lambda: healthy(docker, service) == count)
    pings.go_on()
    lost = pings.lost_since(before)
    print(f"{service}: {lost} of {pings.last() - before} pings lost, one a second")
    assert service in ("node", "haproxy") or lost == 0


def test_a_fleet_that_was_stopped_goes_on(docker, pings):
    """Data and secrets outlive the containers."""
    docker.compose("down", "--timeout", "10")
    docker.compose("up", "--detach")
    wait_for("ping of the new containers", pings.last)
    pings.go_on()


def test_a_backup_is_played_back(docker, pings, tmp_path):
    """By the commands of docs/backup.md: what was there before it comes back, what came later is gone."""
    docker.play("backup.md", "compose-backup", BACKUP=str(tmp_path))
    docker.api("POST", "/v1/tenants", '{"name": "later"}')
    docker.compose("down", "--timeout", "10")
    docker.docker("volume", "rm", *(f"{docker.environment['COMPOSE_PROJECT_NAME']}_{name}" for name in ["secrets", "postgres"]))
    docker.play("backup.md", "compose-restore", BACKUP=str(tmp_path))
    wait_for("ping of the devices", pings.last)
    pings.go_on()
    assert {item["name"] for item in json.loads(docker.api("GET", "/v1/tenants"))["items"]} == {"fleet", "demo"}


def test_an_authority_believes_the_name_server(docker, pings, tmp_path):
    """Profile dev: lego gets a certificate for a registered name from pebble, which looks for the challenge in the fleet's DNS."""
    docker.compose("--profile", "dev", "up", "--detach")
    name, authority = "n" + secrets.token_hex(6), tmp_path / "bundle.pem"
    fleet = (docker.clone / "ca.crt").read_text()
    shown = wait_for("pebble", lambda: re.search(r"-----BEGIN.*?END CERTIFICATE-----\n", docker.outside(
        "sh", "-c", "openssl s_client -connect 127.0.0.1:14000 </dev/null || true"), re.S))
    authority.write_text(shown.group() + fleet)
    token = json.loads(docker.outside("curl", "-sS", "--fail", "--cacert", authority, f"https://localhost:8443/subscribe?name={name}"))["token"]
    docker.outside("lego", "--server", "https://localhost:14000/dir", "--accept-tos", "--email", "a@example.org", "--path", tmp_path / "lego", "--key-type",
                   "ec256", "--dns", "httpreq", "--dns.resolvers", "127.0.0.1:5300", "--dns.disable-cp", f"--domains={name}.box.lanyard.test", "run",
                   env={**os.environ, "LEGO_CA_CERTIFICATES": str(authority), "SSL_CERT_FILE": str(authority), "HTTPREQ_ENDPOINT": "https://localhost:8443", "HTTPREQ_USERNAME": name,
                        "HTTPREQ_PASSWORD": token, "HTTPREQ_POLLING_INTERVAL": "1", "HOME": str(tmp_path), "no_proxy": "localhost,127.0.0.1"})
    assert (tmp_path / f"lego/certificates/{name}.box.lanyard.test.crt").exists()


def test_everything_is_removed(docker, pings):
    docker.compose("--profile", "dev", "down", "--volumes", "--timeout", "10")
    project = f"label=com.docker.compose.project={docker.environment['COMPOSE_PROJECT_NAME']}"
    assert docker.docker("ps", "--all", "--quiet", "--filter", project) == ""
    assert docker.docker("volume", "ls", "--quiet", "--filter", project) == ""
    assert docker.docker("network", "ls", "--quiet", "--filter", project) == ""
    assert "LISTEN" not in docker.outside("ss", "-Htln", "sport != :3128")
