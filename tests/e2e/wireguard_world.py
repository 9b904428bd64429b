"""`lanyard wireguard` on the VPN server's device, and Debian's WireGuard clients (wg-quick, wireguard-go) in namespaces of their
own. Names of interfaces are random: wireguard-go has its sockets in one folder for all namespaces."""

import re
import secrets
import subprocess

from agent_world import LANYARD, run
from api_client import wait_for
from conftest import SANITIZER
from eduvpn_world import WIREGUARD
from openvpn_world import Client


def name():
    return "wg" + secrets.token_hex(4)


def genkey():
    private = subprocess.run(["wg", "genkey"], check=True, text=True, stdout=subprocess.PIPE).stdout.strip()
    public = subprocess.run(["wg", "pubkey"], check=True, text=True, input=private, stdout=subprocess.PIPE).stdout.strip()
    return private, public


class WireguardServer:
    """One of the profile, on a member's device."""

    def __init__(self, folder, member, device, settings):
        self.network, self.member, self.interface = member.network, member, name()
        self.log, self.process, self.starts = folder / "wireguard.log", None, 0
        self.id = self.network.call("createVpnServer", {"kind": "wireguard", "device": device, **settings})["id"]

    def start(self, uplink):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([LANYARD, "wireguard", "--state", self.member.state, "--netns", self.member.netns,
                                             "--interface", self.interface, "--uplink", uplink], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log)
        self.starts += 1
        wait_for("the WireGuard server", self.is_up)
        return self

    def is_up(self):
        text = self.log.read_text(errors="replace")
        assert self.process.poll() is None, text[-4000:]
        return text.count("info agent up ") == self.starts

    def lanyard(self, command, *more):
        """lanyard status or down, about this one."""
        return run(LANYARD, command, "--state", self.member.state, "--wireguard", self.interface, *more)

    def end(self):
        self.lanyard("down")
        assert self.process.wait(30) == 0, self.log.read_text()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.end()
        text = self.log.read_text(errors="replace")
        assert not SANITIZER.search(text), text

    def keys(self):
        """Of the peers that the interface has."""
        return self.member.run("wg", "show", self.interface, "peers").stdout.split()

    def live(self, subject):
        items = self.network.call("listVpnConnections", query={"server": self.id, "subject": subject})["items"]
        return [each for each in items if not each["ended_at"]]


class Profile:
    """What /connect gave."""

    def __init__(self, reply, private):
        assert reply.status_code == 200 and reply.headers["Content-Type"] == WIREGUARD, reply.text
        self.text, self.expires = reply.text, reply.headers["Expires"]
        self.full = self.text.replace("[Interface]\n", f"[Interface]\nPrivateKey = {private}\n") + "\n"
        self.addresses = [each.split("/")[0] for each in re.search("^Address = (.*)$", self.text, re.M)[1].split(",")]


class WireguardClient(Client):
    """wg-quick with a profile."""

    def __init__(self, folder, server, profile):
        self.interface = name()
        super().__init__(folder, server, {self.interface + ".conf": profile.full.encode()})
        self.conf = self.folder / (self.interface + ".conf")
        self.conf.chmod(0o600)

    def quick(self, word):
        done = run("ip", "netns", "exec", self.netns, "wg-quick", word, self.conf)
        assert done.returncode == 0, done.stdout
        return self

    def start(self):
        self.starts += 1
        return self.quick("up")

    def end(self):
        if self.starts:
            self.starts = 0
            self.quick("down")
