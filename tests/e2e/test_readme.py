"""The commands of README.md do what it says, in its order. Only the paths and ports of the tests' fleet differ."""

import re
import subprocess

import pytest

from conftest import ROOT

BLOCKS = re.findall(r"^```sh\n(.*?)^```", (ROOT / "README.md").read_text(), re.S | re.M)
COMMANDS = [line for block in BLOCKS for line in block.splitlines()]


def test_there_are_commands():
    assert COMMANDS[:2] == ["scripts/up", "scripts/down"] and "scripts/test" in COMMANDS


@pytest.mark.parametrize("command", [c for c in COMMANDS if c not in ("scripts/up", "scripts/down", "scripts/test")])
def test_command(whole_fleet, command):
    fleet = whole_fleet
    for ours, theirs in [("var/", f"{fleet.var}/"), ("lanyard-alpha", f"{fleet.netns_prefix}alpha"),
                         ("127.0.0.1:8443", f"127.0.0.1:{fleet.gateway_port}"), ("-p 5300", f"-p {fleet.dns_port}")]:
        command = command.replace(ours, theirs)
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, env=fleet.environment, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout
    assert done.stdout.strip()
