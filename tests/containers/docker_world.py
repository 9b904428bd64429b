"""Debian's dockerd in a network namespace of its own, with images in a folder that later runs use again. What the builds
get from Debian's mirrors comes through a proxy of this machine; nothing else leaves the namespace."""

import os
import pathlib
import re
import secrets
import shutil
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
WAIT_S = 180
STANDINS = {"postgres": "postgres:15-bookworm", "pdns": "powerdns/pdns-auth-47", "haproxy": "haproxy:2.6-bookworm",
            "pebble": "ghcr.io/letsencrypt/pebble:latest"}
OURS = {"services": "lanyard-services", "setup": "lanyard-setup", "agent": "lanyard-agent"}
PROXY_PORT = 3128  # in the namespace, where nobody else is

# The official slim image leaves these out.
SLIM = ["/usr/share/man/*", "/usr/share/doc/*", "/usr/share/locale/*", "/usr/share/info/*"]


def run(*command, **more):
    done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, **{"timeout": 1800, **more})
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout[-4000:]}"
    return done.stdout


def wait_for(what, condition, wait_s=WAIT_S):
    deadline = time.monotonic() + wait_s
    while not (found := condition()):
        assert time.monotonic() < deadline, f"no {what}"
        time.sleep(0.2)
    return found


class Docker:
    def __init__(self, store):
        self.store = pathlib.Path(store)
        self.store.mkdir(parents=True, exist_ok=True)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="lanyard-docker-"))  # short: sockets are in it
        self.environment = {**os.environ, "DOCKER_HOST": f"unix://{self.folder}/docker.sock", "DOCKER_BUILDKIT": "0",
                            "COMPOSE_PROJECT_NAME": "lanyard" + secrets.token_hex(3)}
        self.processes = []
        self.pid = None

    # ---- the daemon ----

    def spawn(self, name, *command):
        with open(self.folder / f"{name}.log", "w") as log:
            self.processes.append(subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=log,
                                                   stderr=subprocess.STDOUT))
        return self.processes[-1].pid

    def start_proxy(self):
        """The namespace's way to Debian's mirrors: its port leads to a socket, and that to a proxy."""
        settings = self.folder / "tinyproxy.conf"
        port = free_port()
        settings.write_text(f"Port {port}\nListen 127.0.0.1\nAllow 127.0.0.1\nTimeout 600\nMaxClients 50\n")
        self.spawn("tinyproxy", "tinyproxy", "-d", "-c", settings)
        self.spawn("bridge", "socat", f"UNIX-LISTEN:{self.folder}/proxy.sock,fork", f"TCP:127.0.0.1:{port}")

    def start(self):
        self.start_proxy()
        self.pid = self.spawn("dockerd", "unshare", "--net", "--mount", "--", "sh", "-c",
                              "ip link set lo up && exec dockerd --data-root \"$1/root\" --exec-root \"$2/exec\" "
                              "--pidfile \"$2/pid\" --host \"unix://$2/docker.sock\"", "sh", self.store.resolve(), self.folder)
        wait_for("dockerd", self.answers, 60)
        self.spawn("port", "nsenter", "-t", self.pid, "-n", "socat",
                   f"TCP-LISTEN:{PROXY_PORT},bind=127.0.0.1,fork,reuseaddr", f"UNIX-CONNECT:{self.folder}/proxy.sock")

    def answers(self):
        return subprocess.run(["/usr/bin/docker", "version"], env=self.environment, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL).returncode == 0

    def stop(self):
        for process in reversed(self.processes):
            process.terminate()
            process.wait(60)
        shutil.rmtree(self.folder, ignore_errors=True)

    def docker(self, *arguments, **more):
        return run("/usr/bin/docker", *arguments, env=self.environment, **more)

    def compose(self, *arguments, **more):
        return run("/usr/bin/docker-compose", "-f", ROOT / "docker-compose.yml", "--profile", "demo", *arguments,
                   env=self.environment, **more)

    def outside(self, *command, **more):
        """A command on the machine that the containers' ports are published on."""
        return run("nsenter", "-t", self.pid, "-n", *command, **more)

    # ---- images ----

    def build(self, *arguments):
        self.docker("build", "--network", "host", "--build-arg", f"http_proxy=http://127.0.0.1:{PROXY_PORT}", *arguments)

    def make_base(self):
        if "bookworm-slim" in self.docker("images", "--format", "{{.Tag}}", "debian"):
            return
        archive = self.store / "base.tar"
        run("mmdebstrap", "--variant=minbase", *(f"--dpkgopt=path-exclude={path}" for path in SLIM), "bookworm", archive)
        self.docker("import", "--change", "CMD [\"bash\"]", archive, "debian:bookworm-slim")
        archive.unlink()

    def make_images(self):
        self.make_base()
        for target, name in STANDINS.items():
            self.build("--target", target, "-t", name, ROOT / "tests/containers/images")
        for target, name in OURS.items():
            self.build("--target", target, "-t", name, "-f", ROOT / "docker/Dockerfile", ROOT)


def free_port():
    import socket
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


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
