"""lanyard-rendezvous and two nodes with the faces of nymea, against the PostgreSQL of tests/postgres."""

import os
import pathlib
import secrets
import signal
import socket
import subprocess
import tempfile
import time

from nymea_client import WAIT_S, Tcp, WebSocket
from ports import free_port

PATIENT = {"LANYARD_NYMEA_INACTIVE_TIMEOUT_MS": "20000", "LANYARD_NYMEA_ALONE_TIMEOUT_MS": "20000",
           "LANYARD_NYMEA_NAME": "ny-test"}
BUILD = pathlib.Path(os.environ["LANYARD_BUILD"])
DATABASE = os.environ["LANYARD_TEST_DATABASE_URL"]


def wait_for(what, condition):
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"waited in vain for {what}")


class Process:
    """One lanyard-NAME, which ends with the tests."""

    def __init__(self, world, name, arguments=(), **settings):
        self.name = name
        self.log_path = world.folder / f"{name}-{secrets.token_hex(4)}.log"
        self.arguments = [str(BUILD / "bin" / f"lanyard-{name}"), *arguments]
        self.environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("LANYARD_")},
            "LANYARD_DATABASE_URL": f"{DATABASE.split('&user=')[0]}&user=lanyard_{name}",
            "LANYARD_FLEET_KEY_FILE": str(world.key_file), **settings}
        self.start()

    def start(self):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(self.arguments, env=self.environment, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log)

    def log(self):
        return self.log_path.read_text(errors="replace")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(timeout=WAIT_S) == 0, self.log()
        assert "Sanitizer" not in self.log() and "runtime error" not in self.log(), self.log()

    def rss_kb(self):
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        raise AssertionError("no memory")


class Node(Process):
    def __init__(self, world, arguments=(), **settings):
        self.ports = {name: free_port() for name in ("PAIR_WS", "PAIR_TCP", "TUNNEL_WS", "TUNNEL_TCP")}
        doors = {f"LANYARD_NYMEA_{name}": f"127.0.0.1:{port}" for name, port in self.ports.items()}
        self.tls = settings.get("LANYARD_NYMEA_TLS", "false") == "true"
        super().__init__(world, "dataplane", arguments, **{
            "LANYARD_LISTEN": "127.0.0.1:0", "LANYARD_NYMEA_AUTHENTICATOR": "mock", "LANYARD_NYMEA_TLS": "false",
            **({} if arguments else doors), **settings})
        if not arguments:
            wait_for("the node", lambda: self.is_open("PAIR_WS") or self.process.poll() is not None)
        assert self.process.poll() is None, self.log()

    def is_open(self, door):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.ports[door])) == 0

    def ws(self, door="PAIR_WS", **more):
        return WebSocket(self.ports[door], self.tls, **more)

    def tcp(self, door="PAIR_TCP"):
        return Tcp(self.ports[door], self.tls)


class World:
    def __init__(self):
        self.temporary = tempfile.TemporaryDirectory(prefix="lanyard-nymea-")
        self.folder = pathlib.Path(self.temporary.name)
        self.key_file = self.folder / "fleet.key"
        self.key_file.write_text("first:" + secrets.token_hex(32) + "\n")
        self.cert, self.key = self.folder / "cert.pem", self.folder / "key.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", self.key, "-out", self.cert], check=True,
                       stderr=subprocess.DEVNULL)
        self.rendezvous = Process(self, "rendezvous")
        self.processes = [self.rendezvous]

    def node(self, arguments=(), **settings):
        node = Node(self, arguments, **settings)
        self.processes.append(node)
        return node

    def close(self):
        failures = []
        for process in reversed(self.processes):
            try:
                if process.process.poll() is None or process.process.returncode != -signal.SIGKILL:
                    process.stop()
            except AssertionError as failure:
                failures.append(str(failure))
        self.temporary.cleanup()
        assert not failures, "\n".join(failures)
