"""Nodes beside that of the fleet, with settings of their own: each runs as the fleet's does, on other ports."""

import pathlib
import re
import secrets
import shutil
import subprocess

from api_client import wait_for
from conftest import free_ports


def with_settings(run, settings):
    """A run file with these settings, instead of or besides its own; None takes one away."""
    for name in settings:
        run = re.sub(rf" \\\n\t'{name}=[^']*'", "", run)
    words = "".join(f" \\\n\t'{name}={value}'" for name, value in settings.items() if value is not None)
    return run.replace("env -i", "env -i" + words, 1)


def preloaded(run, library, *settings):
    """A run file whose program has this library in front of all others."""
    words = " ".join([f"LD_PRELOAD={library}", "ASAN_OPTIONS=verify_asan_link_order=0", *settings])
    return run.replace("/srv/bin/", f"/usr/bin/env {words} /srv/bin/", 1)


class Twin:
    """Another process of a service of the fleet, under the same supervisor, with these settings besides its own. One of a
    later version has more fields in its messages than the others know."""

    def __init__(self, fleet, service, ops_port=None, later=False, **settings):
        self.fleet, self.name, self.ops_port = fleet, f"{service}-2", ops_port or free_ports(1)
        self.folder = fleet.var / "service" / self.name
        self.folder.mkdir()
        run = with_settings((fleet.var / "service" / service / "run").read_text(),
                            {"LANYARD_OPS_LISTEN": f"127.0.0.1:{self.ops_port}", **settings})
        run = run.replace("exec 2>&1", f"exec >>{fleet.var}/log/{service}/@{self.name} 2>&1")
        if later:
            shutil.copy(pathlib.Path(fleet.environment["LANYARD_BUILD"]) / "bin/later_version.so", fleet.var / "bin")
            run = preloaded(run, "/srv/bin/later_version.so")
        (self.folder / "run.new").write_text(run)
        (self.folder / "run.new").chmod(0o755)
        (self.folder / "run.new").rename(self.folder / "run")
        wait_for("the second instance", self.is_ready)

    def is_ready(self):
        return self.fleet.ops("", "/readyz", self.ops_port)

    def restart(self):
        self.fleet.sv("restart", self.name)
        wait_for("the second instance", self.is_ready)

    def stop(self):
        self.fleet.sv("force-stop", self.name)
        self.folder.rename(self.folder.with_name(f".{secrets.token_hex(4)}"))  # runsvdir sees it no more


class Node:
    """The fleet's run file with these settings, instead of or besides its own."""

    def __init__(self, fleet, **settings):
        self.fleet, first = fleet, free_ports(3)
        self.port, self.ops_port, self.link_port = first, first + 1, first + 2
        settings = {"LANYARD_LISTEN": f"127.0.0.1:{self.port}", "LANYARD_OPS_LISTEN": f"127.0.0.1:{self.ops_port}",
                    "LANYARD_LINK_LISTEN": f"127.0.0.1:{self.link_port}", **settings}
        run = (fleet.var / "service/dataplane/run").read_text()
        run = re.sub(r" \\\n\t'LANYARD_(NYMEA|TUNNEL)_[^']*'", "", run)  # doors that are taken
        self.file = fleet.var / f"run/node-{secrets.token_hex(4)}"
        self.file.write_text(with_settings(run, settings))
        self.log_file = fleet.var / "log" / "dataplane" / f"@{self.file.name}"
        self.process = None

    def start(self):
        with self.log_file.open("a") as log:
            self.process = subprocess.Popen(["sh", str(self.file)], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_for("the node", self.is_ready)
        return self

    def is_ready(self):
        assert self.process.poll() is None, self.log()
        return self.fleet.ops("dataplane", "/readyz", self.ops_port)

    def log(self):
        return self.log_file.read_text(errors="replace")

    def stop(self):
        self.process.terminate()
        status = self.process.wait(60)
        assert status == 0, self.log()
