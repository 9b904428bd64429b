"""Nodes beside that of the fleet, with settings of their own: each runs as the fleet's does, on other ports."""

import re
import secrets
import subprocess

from api_client import wait_for
from conftest import free_ports


class Node:
    """The fleet's run file with these settings, instead of or besides its own."""

    def __init__(self, fleet, **settings):
        self.fleet, first = fleet, free_ports(3)
        self.port, self.ops_port, self.link_port = first, first + 1, first + 2
        settings = {"LANYARD_LISTEN": f"127.0.0.1:{self.port}", "LANYARD_OPS_LISTEN": f"127.0.0.1:{self.ops_port}",
                    "LANYARD_LINK_LISTEN": f"127.0.0.1:{self.link_port}", **settings}
        run = (fleet.var / "service/dataplane/run").read_text()
        run = re.sub(r" \\\n\t'LANYARD_(NYMEA|TUNNEL)_[^']*'", "", run)  # doors that are taken
        for name in settings:
            run = re.sub(rf" \\\n\t'{name}=[^']*'", "", run)
        words = "".join(f" \\\n\t'{name}={value}'" for name, value in settings.items() if value is not None)
        self.file = fleet.var / f"run/node-{secrets.token_hex(4)}"
        self.file.write_text(run.replace("env -i", "env -i" + words, 1))
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
