"""Two client namespaces with a server between them, and in the server's a fleet of Lanyard: PostgreSQL and every service
as plain processes. All of it is made here and gone at the end."""

import json
import os
import pathlib
import secrets
import shutil
import signal
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]
SERVER_A, SERVER_B = "10.9.1.1", "10.9.2.1"  # the server's addresses, one on each side
CLIENT_A, CLIENT_B = "10.9.1.2", "10.9.2.2"
GATEWAY_PORT, WSS_PORT, WS_PORT = 8443, 9443, 9080


def run(*command, **more):
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **more)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stdout}")
    return done.stdout


def wait_for(what, condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"no {what} in {seconds} s")
        time.sleep(0.05)


class Namespaces:
    """client a -- veth -- server -- veth -- client b; the server routes between them."""

    def __init__(self):
        prefix = "bench" + secrets.token_hex(3)
        self.a, self.s, self.b = prefix + "a", prefix + "s", prefix + "b"
        self.names = []
        for name in (self.a, self.s, self.b):
            self.add(name)
        self.connect(self.a, "sa", CLIENT_A, SERVER_A)
        self.connect(self.b, "sb", CLIENT_B, SERVER_B)
        self.command(self.s, "sysctl", "-qw", "net.ipv4.ip_forward=1")

    def add(self, name):
        run("ip", "netns", "add", name)
        self.names.append(name)
        run("ip", "-n", name, "link", "set", "lo", "up")
        # A machine whose default is bbr would lend it to every VPN. Of those that wait for loss, as all defaults do
        # elsewhere, this one may be set in any namespace.
        self.command(name, "sysctl", "-qw", "net.ipv4.tcp_congestion_control=reno")

    def add_client(self, number):
        """One more client, with an address of its own; returns its namespace."""
        name = f"{self.s}{number}"
        self.add(name)
        self.connect(name, f"s{number}", f"10.9.{10 + number}.2", f"10.9.{10 + number}.1")
        return name

    def connect(self, client, server_side, client_address, server_address):
        run("ip", "link", "add", "v0", "netns", client, "type", "veth", "peer", "name", server_side, "netns", self.s)
        self.address(client, "v0", client_address)
        self.address(self.s, server_side, server_address)
        run("ip", "-n", client, "route", "add", "default", "via", server_address)

    def address(self, namespace, interface, address):
        run("ip", "-n", namespace, "address", "add", address + "/24", "dev", interface)
        run("ip", "-n", namespace, "link", "set", interface, "up")

    def replace_line(self, wire, delay_ms, loss_percent):
        """Takes the veth between server and b away, and puts a bad line in its place; returns its process."""
        run("ip", "-n", self.s, "link", "delete", "sb")
        process = self.start(self.s, wire, "sb", "vb", str(delay_ms), str(loss_percent))
        process.stdout.readline()
        run("ip", "-n", self.s, "link", "set", "vb", "netns", self.b, "name", "v0")
        for namespace, interface, address in ((self.s, "sb", SERVER_B), (self.b, "v0", CLIENT_B)):
            self.address(namespace, interface, address)
            run("ip", "-n", namespace, "link", "set", interface, "txqueuelen", "1000")
        run("ip", "-n", self.b, "route", "replace", "default", "via", SERVER_B)
        return process

    def restore_line(self, process):
        process.kill()
        process.wait()
        self.connect(self.b, "sb", CLIENT_B, SERVER_B)

    def command(self, namespace, *command, **more):
        return run("ip", "netns", "exec", namespace, *command, **more)

    def start(self, namespace, *command, log=None, env=None, cwd=None):
        """A process in the namespace; it dies with this one."""
        output = subprocess.PIPE if log is None else open(log, "ab")
        return subprocess.Popen(["ip", "netns", "exec", namespace, "setpriv", "--pdeathsig", "KILL", *command],
                                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, text=log is None,
                                env=env, cwd=cwd)

    def close(self):
        for name in self.names:
            subprocess.run(["ip", "netns", "delete", name], stderr=subprocess.DEVNULL)


def make_authority(folder):
    """A CA, and a certificate for the server's addresses."""
    (folder / "ext").write_text(f"subjectAltName=IP:{SERVER_A},IP:{SERVER_B},IP:127.0.0.1\n")
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    run("openssl", "req", "-x509", *key, "-days", "30", "-subj", "/CN=bench", "-keyout", "ca.key", "-out", "ca.crt",
        cwd=folder)
    run("openssl", "req", *key, "-subj", "/CN=server", "-keyout", "server.key", "-out", "server.csr", cwd=folder)
    run("openssl", "x509", "-req", "-in", "server.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-set_serial", "1",
        "-days", "30", "-extfile", "ext", "-out", "server.crt", cwd=folder)


class Fleet:
    """Lanyard in the server's namespace, with a tenant and a network."""

    def __init__(self, namespaces, build, folder, environment=None, urls=f"wss://{SERVER_A}:{WSS_PORT}/l2"):
        self.namespaces, self.build, self.folder = namespaces, build, folder
        self.processes = {}
        make_authority(folder)
        self.start_database()
        (folder / "fleet.key").write_text("1:" + secrets.token_hex(32) + "\n")
        (folder / "auth.key").write_text(secrets.token_hex(32) + "\n")
        (folder / "auth.key").chmod(0o600)
        tls = {"LANYARD_TLS_CERT": str(folder / "server.crt"), "LANYARD_TLS_KEY": str(folder / "server.key")}
        self.start("auth", LANYARD_AUTH_KEY_FILE=str(folder / "auth.key"),
                   LANYARD_BOOTSTRAP_FILE=str(folder / "bootstrap"))
        (folder / "provision.key").write_text("1:" + secrets.token_hex(32) + "\n")
        self.start("provision", LANYARD_PROVISION_KEY_FILE=str(folder / "provision.key"), LANYARD_DATAPLANE_URLS=urls)
        self.start("rendezvous")
        self.start("gateway", LANYARD_LISTEN=f"0.0.0.0:{GATEWAY_PORT}", LANYARD_RATE="100000", **tls)
        self.node = self.start("dataplane", LANYARD_LISTEN=f"0.0.0.0:{WSS_PORT}", **tls, **(environment or {}))
        self.plain_node = self.start("dataplane", name="plain", LANYARD_LISTEN=f"0.0.0.0:{WS_PORT}",
                                     **(environment or {}))
        wait_for("bootstrap file", (folder / "bootstrap").exists)
        wait_for("gateway", self.answers)
        self.tenant = self.api("POST", "/v1/tenants", {"name": "bench"})["id"]
        # Of each node its own, so that nothing has to cross to another node.
        self.network, self.plain_network = (
            self.api("POST", f"/v1/tenants/{self.tenant}/networks", {"name": name, "ipv4": addresses})["id"]
            for name, addresses in (("wss", "10.77.0.0/16"), ("ws", "10.78.0.0/16")))

    # ---- processes ----

    def start_database(self):
        binaries = sorted(pathlib.Path("/usr/lib/postgresql").iterdir())[-1] / "bin"
        data = self.folder / "postgres"
        data.mkdir()
        shutil.chown(data, "postgres", "postgres")
        user = ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--init-groups"]
        run(*user, str(binaries / "initdb"), "-D", str(data / "data"), "-U", "postgres", "-A", "trust", "--no-sync",
            "-E", "UTF8", "--locale=C.UTF-8", cwd=data)
        self.processes["postgres"] = self.namespaces.start(
            self.namespaces.s, *user, "--pdeathsig", "QUIT", str(binaries / "postgres"), "-D", str(data / "data"), "-F",
            "-k", str(data), "-c", "listen_addresses=", "-c", "max_connections=200",
            log=self.folder / "postgres.log", cwd=data)
        wait_for("PostgreSQL", lambda: subprocess.run(["pg_isready", "-q", "-h", str(data), "-U", "postgres"]
                                                      ).returncode == 0)
        run("psql", "-qX", "-h", str(data), "-U", "postgres", "-c", "CREATE DATABASE lanyard")
        self.database = f"postgresql:///lanyard?host={data}&user="
        run(str(ROOT / "db/migrate"), env={**os.environ, "LANYARD_DATABASE_URL": self.database + "postgres"})

    def start(self, service, name=None, **settings):
        environment = {"PATH": os.environ["PATH"], "LANYARD_DATABASE_URL": self.database + "lanyard_" + service,
                       "LANYARD_FLEET_KEY_FILE": str(self.folder / "fleet.key"), "LANYARD_LOG_LEVEL": "warn",
                       **settings}
        process = self.namespaces.start(self.namespaces.s, str(self.build / "bin" / f"lanyard-{service}"),
                                        log=self.folder / f"{name or service}.log", env=environment)
        self.processes[name or service] = process
        return process

    def agent(self, namespace, *arguments, log="agent"):
        process = self.namespaces.start(namespace, str(self.build / "bin/lanyard"), *arguments,
                                        log=self.folder / f"{log}.log")
        self.processes[log] = process
        return process

    def close(self):
        for name in reversed(list(self.processes)):
            process = self.processes[name]
            process.send_signal(signal.SIGINT if name == "postgres" else signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()

    # ---- the API, asked from the server's namespace ----

    def answers(self):
        try:
            self.api("GET", "/v1/tenants")
            return True
        except (OSError, RuntimeError):
            return False

    def key(self):
        for line in (self.folder / "bootstrap").read_text().splitlines():
            if line.startswith("LANYARD_ADMIN_API_KEY="):
                return line.partition("=")[2]
        raise RuntimeError("no API key")

    def api(self, method, path, body=None, authorization=None):
        """One request by curl, since it has to be made in another namespace."""
        config = self.folder / "curl"
        config.touch(0o600)
        config.write_text(f'header = "Authorization: {authorization or "Bearer " + self.key()}"\n')
        more = ["-H", "Content-Type: application/json", "--data-binary", json.dumps(body)] if body is not None else []
        reply = self.folder / "reply"
        reply.unlink(missing_ok=True)
        self.namespaces.command(
            self.namespaces.s, "curl", "-sS", "--fail-with-body", "-m", "60", "--retry", "20", "--retry-delay", "1",
            "--noproxy", "*", "--cacert", str(self.folder / "ca.crt"), "-K", str(config), "-X", method, "-o", str(reply),
            "-H", f"Idempotency-Key: {secrets.token_hex(16)}", *more, f"https://127.0.0.1:{GATEWAY_PORT}{path}")
        text = reply.read_text() if reply.exists() else ""
        return json.loads(text) if text else None

    def enrolment_key(self, name, network, uses=1):
        file = self.folder / f"key-{name}"
        file.write_text(self.api("POST", f"/v1/tenants/{self.tenant}/enrolment-keys",
                                 {"name": name, "network": network, "approve": True, "max_uses": uses})["secret"])
        return file

    def enrol(self, namespace, name, network):
        """A device's state folder."""
        state = self.folder / f"state-{name}"
        command = [str(self.build / "bin/lanyard"), "enroll", f"https://{SERVER_A}:{GATEWAY_PORT}", "--key-file",
                   str(self.enrolment_key(name, network)), "--name", name, "--ca", str(self.folder / "ca.crt"), "--state",
                   str(state)]
        for left in reversed(range(20)):  # services hear of each other within some seconds
            try:
                self.namespaces.command(namespace, *command)
                break
            except RuntimeError:
                if left == 0:
                    raise
                time.sleep(1)
        return state

    def credentials(self, state):
        """A file with the device's id and secret, as HTTP Basic has them."""
        device = json.loads((state / "device.json").read_text())
        file = state / "credentials"
        file.write_text(f"{device['device']}:{device['secret']}\n")
        return file

    def member(self, name):
        for member in self.api("GET", f"/v1/tenants/{self.tenant}/members?limit=200")["items"]:
            if member["name"] == name:
                return member
        raise RuntimeError(f"no member {name}")
