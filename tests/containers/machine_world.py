"""Machines that boot Debian with systemd (systemd-nspawn) on a wire of their own: one network namespace each, and one with a
bridge between them. Their root is a copy on write of a folder that later runs use again."""

import pathlib
import secrets
import shutil
import subprocess
import tempfile

from outside import PROXY_PORT, Children, Proxy, block, run, wait_for

INSTALLED = "systemd,systemd-sysv,dbus,ca-certificates,iproute2,iputils-ping"  # beside what every Debian has
CONTAINER = {"UNIFIED_CGROUP_HIERARCHY": "1", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}


class World:
    def __init__(self, store):
        self.store = pathlib.Path(store)
        (self.store / "archives").mkdir(parents=True, exist_ok=True)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="lanyard-machines-"))
        self.children = Children(self.folder)
        self.proxy = Proxy(self.children)
        self.prefix = "ly" + secrets.token_hex(3)
        self.machines = []

    def start(self):
        self.make_base()
        run("ip", "netns", "add", self.prefix)
        run("ip", "-n", self.prefix, "link", "add", "wire", "up", "type", "bridge")

    def make_base(self):
        base = self.store / "base"
        if not base.exists():
            shutil.rmtree(self.store / "base.new", ignore_errors=True)
            run("mmdebstrap", "--variant=apt", f"--include={INSTALLED}", "bookworm", self.store / "base.new")
            (self.store / "base.new/etc/dpkg/dpkg.cfg.d/quick").write_text("force-unsafe-io\n")
            (self.store / "base.new").rename(base)

    def add(self, name):
        machine = Machine(self, name, f"192.168.91.{len(self.machines) + 1}")
        self.machines.append(machine)
        machine.boot()
        return machine

    def stop(self):
        for machine in self.machines:
            machine.remove()
        self.children.stop()
        subprocess.run(["ip", "netns", "delete", self.prefix], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)


class Machine:
    def __init__(self, world, name, address):
        self.world, self.name, self.address = world, name, address
        self.namespace = f"{world.prefix}-{name}"
        self.root = world.folder / name / "root"
        self.process = None
        self.make_root()
        self.make_network()

    def make_root(self):
        for part in ["root", "upper", "work"]:
            (self.root.parent / part).mkdir(parents=True)
        run("mount", "-t", "overlay", "overlay", self.root, "-o",
            f"lowerdir={self.world.store / 'base'},upperdir={self.root.parent / 'upper'},workdir={self.root.parent / 'work'}")
        (self.root / "etc/hostname").write_text(f"{self.name}\n")
        (self.root / "etc/apt/apt.conf.d/90proxy").write_text(f'Acquire::http::Proxy "http://127.0.0.1:{PROXY_PORT}";\n')

    def make_network(self):
        end = f"to-{self.name}"
        run("ip", "netns", "add", self.namespace)
        run("ip", "-n", self.world.prefix, "link", "add", end, "up", "master", "wire", "type", "veth",
            "peer", "eth0", "netns", self.namespace)
        run("ip", "-n", self.namespace, "address", "add", f"{self.address}/24", "dev", "eth0")
        for interface in ["lo", "eth0"]:
            run("ip", "-n", self.namespace, "link", "set", interface, "up")
        self.world.proxy.lead_from(self.name, "ip", "netns", "exec", self.namespace)

    # ---- power ----

    def boot(self):
        with open(self.world.folder / f"{self.name}.console", "a") as console:
            self.process = subprocess.Popen(
                ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--boot", "--console=pipe", "--timezone=off", "--resolv-conf=off",
                 "--capability=CAP_NET_ADMIN", "--bind=/dev/net/tun", f"--bind={self.world.store.resolve() / 'archives'}:/var/cache/apt/archives",
                 f"--network-namespace-path=/run/netns/{self.namespace}", f"--directory={self.root}", f"--machine={self.namespace}"],
                stdin=subprocess.DEVNULL, stdout=console, stderr=subprocess.STDOUT, env=CONTAINER)
        wait_for(f"systemd on {self.name}", lambda: self.state() in ("running", "degraded"))

    def leader(self):
        """The process that is number 1 in there, once there is one."""
        told = subprocess.run(["pgrep", "-P", str(self.process.pid)], stdout=subprocess.PIPE, text=True)
        return told.stdout.split()[0] if told.stdout else None

    def enter(self, *command):
        return ["nsenter", "--target", str(self.leader()), "--all", "--", "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root",
                "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive", *map(str, command)]

    def state(self):
        if not self.leader():
            return None
        return subprocess.run(self.enter("systemctl", "is-system-running"), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              text=True).stdout.strip()

    def shut_down(self):
        self.run("systemctl", "poweroff", "--no-block")
        self.process.wait(120)

    def remove(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(120)
        run("umount", self.root)
        run("ip", "netns", "delete", self.namespace)

    # ---- what is done there ----

    def run(self, *command, **more):
        return run(*self.enter(*command), **more)

    def play(self, page, name, **environment):
        """Runs the commands that a page of docs/ has under this name, as root in its home."""
        variables = [f"{key}={value}" for key, value in environment.items()]
        return self.run("env", "--chdir=/root", *variables, "bash", "-euc", block(page, name))

    def give(self, name, text, mode=0o600):
        """A file in the home of root."""
        file = self.root / "root" / name
        file.write_text(text)
        file.chmod(mode)

    def property(self, unit, name):
        return self.run("systemctl", "show", "--property", name, "--value", unit).strip()
