"""Debian's dockerd in a network namespace of its own, with images in a folder that later runs use again. What the builds
get from Debian's mirrors comes through a proxy of this machine; nothing else leaves the namespace."""

import json
import os
import pathlib
import re
import secrets
import shutil
import subprocess
import tempfile

from outside import PROXY_PORT, ROOT, Children, Proxy, block, run, wait_for

STANDINS = {"postgres": "postgres:15-bookworm", "pdns": "powerdns/pdns-auth-47", "haproxy": "haproxy:2.6-bookworm",
            "pebble": "ghcr.io/letsencrypt/pebble:latest"}
OURS = ["lanyard-services", "lanyard-setup", "lanyard-agent"]
BRIDGE = "172.17.0.1"  # Docker's own, where what builds images finds the proxy

# The official slim image leaves these out.
SLIM = ["/usr/share/man/*", "/usr/share/doc/*", "/usr/share/locale/*", "/usr/share/info/*"]


class Docker:
    def __init__(self, store):
        self.store = pathlib.Path(store)
        self.store.mkdir(parents=True, exist_ok=True)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="lanyard-docker-"))  # short: sockets are in it
        self.clone = self.folder / "lanyard"
        self.environment = {
            **os.environ, "DOCKER_HOST": f"unix://{self.folder}/docker.sock", "DOCKER_CONFIG": str(self.folder), "DOCKER_BUILDKIT": "0",
            "COMPOSE_PROJECT_NAME": "lanyard" + secrets.token_hex(3), "COMPOSE_PROFILES": "demo", "PATH": f"{self.folder}:{os.environ['PATH']}"}
        self.children = Children(self.folder)
        self.pid = None
        self.make_folder()

    def make_folder(self):
        """A clone of the repository, with what was changed since the last commit, and `docker compose` as newer ones have it."""
        self.clone.mkdir()
        run("bash", "-euo", "pipefail", "-c", 'git ls-files -z | tar --null --files-from=- --create | tar --extract --directory="$1"', "bash", self.clone,
            cwd=ROOT)
        proxy = f"http://{BRIDGE}:{PROXY_PORT}"
        (self.folder / "config.json").write_text(json.dumps({"proxies": {"default": {"httpProxy": proxy}}}))
        command = self.folder / "docker"
        command.write_text('#!/bin/sh\n[ "$1" = compose ] || exec /usr/bin/docker "$@"\nshift\nexec /usr/bin/docker-compose "$@"\n')
        command.chmod(0o755)

    # ---- the daemon ----

    def start(self):
        proxy = Proxy(self.children)
        self.pid = self.children.spawn("dockerd", "unshare", "--net", "--mount", "--", "sh", "-c",
                              "ip link set lo up && exec dockerd --data-root \"$1/root\" --exec-root \"$2/exec\" "
                              "--pidfile \"$2/pid\" --host \"unix://$2/docker.sock\"", "sh", self.store.resolve(), self.folder).pid
        wait_for("dockerd", self.answers, 60)
        proxy.lead_from("docker", "nsenter", "-t", self.pid, "-n", address=BRIDGE)

    def answers(self):
        return subprocess.run(["/usr/bin/docker", "version"], env=self.environment, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL).returncode == 0

    def stop(self):
        self.children.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def docker(self, *arguments, **more):
        return run("/usr/bin/docker", *arguments, env=self.environment, **more)

    def compose(self, *arguments, **more):
        return run("/usr/bin/docker-compose", *arguments, cwd=self.clone, env=self.environment, **more)

    def outside(self, *command, **more):
        """A command on the machine that the containers' ports are published on."""
        return run("nsenter", "-t", self.pid, "-n", *command, **more)

    def play(self, page, name, **environment):
        """Runs the commands that a page of docs/ has under this name, there and in the clone."""
        return self.outside("bash", "-euo", "pipefail", "-c", block(page, name), cwd=self.clone, env={**self.environment, **environment})

    def api(self, method, path, body=None):
        """The REST API as the first operator has it, whose certificate ca.crt of the clone vouches for."""
        operator = self.compose("exec", "-T", "auth", "cat", "/var/lib/lanyard/secrets/auth/bootstrap")
        settings = self.folder / "curlrc"
        settings.write_text(f'header = "Authorization: Bearer {re.search("^LANYARD_ADMIN_API_KEY=(.*)$", operator, re.M).group(1)}"\n')
        return self.outside("curl", "-sS", "--fail", "--cacert", self.clone / "ca.crt", "-K", settings, "-X", method, "-H", "Content-Type: application/json",
                            *(["--data-binary", body] if body else []), f"https://127.0.0.1:8443{path}")

    # ---- images ----

    def make_base(self):
        if "bookworm-slim" in self.docker("images", "--format", "{{.Tag}}", "debian"):
            return
        archive = self.store / "base.tar"
        run("mmdebstrap", "--variant=minbase", *(f"--dpkgopt=path-exclude={path}" for path in SLIM), "bookworm", archive)
        self.docker("import", "--change", "CMD [\"bash\"]", archive, "debian:bookworm-slim")
        archive.unlink()

    def make_images(self):
        """Of those that are not ours; ours are made by docker-compose.yml."""
        self.make_base()
        for target, name in STANDINS.items():
            self.docker("build", "--target", target, "-t", name, ROOT / "tests/containers/images")
        for name in OURS:
            if self.docker("images", "--quiet", name):
                self.docker("image", "rm", "--no-prune", name)


class Pings:
    """What container ping says: the numbers that came back."""

    def __init__(self, docker):
        self.docker = docker

    def numbers(self):
        return [int(number) for number in re.findall(r"bytes from .*icmp_seq=(\d+)", self.docker.compose("logs", "--no-color", "ping"))]

    def last(self):
        return max(self.numbers(), default=0)

    def lost_since(self, first):
        """How many did not come back after number `first`, of those up to the last one that did."""
        numbers = [number for number in self.numbers() if number >= first]
        return numbers[-1] - first + 1 - len(set(numbers))

    def go_on(self, count=3):
        """Waits for some more, one after the other."""
        before = self.last()
        wait_for("pings", lambda: self.last() >= before + count)
