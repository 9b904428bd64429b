"""A server with Debian's packages: the commands of docs/operations.md, run by systemd's own init in a container."""

import re
import os

import pytest

from docker_world import ROOT, Docker, wait_for

SERVICES = ["auth", "provision", "rendezvous", "dns", "gateway", "dataplane"]


@pytest.fixture(scope="module")
def docker():
    docker = Docker(os.environ.get("LANYARD_CONTAINERS", ROOT / "build/containers"))
    try:
        docker.start()
        docker.make_base()
        docker.build("--target", "build", "-t", "lanyard-build", "-f", ROOT / "docker/Dockerfile", ROOT)
        docker.build("--target", "server", "-t", "lanyard-server", ROOT / "tests/containers/images")
        yield docker
    finally:
        docker.stop()


@pytest.fixture(scope="module")
def server(docker):
    """Runs a command on it."""
    name = docker.environment["COMPOSE_PROJECT_NAME"]
    docker.docker("run", "--detach", "--name", name, "--privileged", "--tmpfs", "/run", "--tmpfs", "/tmp",
                  "--volume", "/sys/fs/cgroup:/sys/fs/cgroup:rw", "lanyard-server")

    def command(text, **more):
        return docker.docker("exec", name, "bash", "-euo", "pipefail", "-c", text, **more)
    try:
        wait_for("systemd", lambda: re.search("running|degraded", command("systemctl is-system-running || true")))
        yield command
    finally:
        docker.docker("rm", "--force", "--volumes", name)


def test_the_guide_leads_to_a_running_fleet(server):
    """Every process is ready, under all that locks its unit up, and the API and the name server answer."""
    server(re.search(r"^```sh server\n(.*?)^```", (ROOT / "docs/operations.md").read_text(), re.M | re.S).group(1))
    for n, service in enumerate(SERVICES):
        wait_for(f"ready {service}", lambda port=9100 + n: "ok" == server(f"curl -s http://127.0.0.1:{port}/readyz || true").strip())
    assert "LANYARD_ADMIN_API_KEY=" in server("cat /var/lib/lanyard-auth/bootstrap")
    assert "\nopenapi: 3.1" in server("curl -sS --fail --cacert /etc/lanyard/tls/ca.crt https://localhost:8443/v1/openapi.yaml")
    assert "PowerDNS" in server("systemctl status pdns --no-pager") and "active" == server("systemctl is-active pdns").strip()


def test_each_process_is_a_user_of_its_own(server):
    users = {service: server(f"ps -o user= -p $(systemctl show -P MainPID lanyard@{service})").strip() for service in SERVICES}
    assert len(set(users.values())) == len(SERVICES) and not {"root", "postgres", "nobody"} & set(users.values()), users


def test_they_stop_cleanly_and_start_again(server):
    server("systemctl restart 'lanyard@*'")
    for n, service in enumerate(SERVICES):
        wait_for(f"ready {service}", lambda port=9100 + n: "ok" == server(f"curl -s http://127.0.0.1:{port}/readyz || true").strip())
    assert server("systemctl --failed --plain --no-legend 'lanyard@*'") == ""
    assert "code=killed" not in server("journalctl --no-pager -u 'lanyard@*'")
