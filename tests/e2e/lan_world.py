"""Members of a network of the fleet that run the agent, each in a network namespace, and hosts behind them."""

import secrets
import subprocess

from agent_world import LANYARD, Agent, run
from api_client import wait_for


def ip(*words):
    done = run("ip", *words)
    assert done.returncode == 0, (words, done.stdout)


class Station:
    """A network namespace for a host behind an agent."""

    def __init__(self, agent):
        self.agent, self.netns = agent, agent.netns + "-s"
        ip("netns", "add", self.netns)

    def cable(self):
        """Between its eth0 and the agent's lan0."""
        ip("-n", self.agent.netns, "link", "add", "lan0", "type", "veth", "peer", "name", "eth0", "netns", self.netns)
        return self

    def set_up(self, interface, address):
        ip("-n", self.netns, "addr", "add", address, "dev", interface)
        ip("-n", self.netns, "link", "set", interface, "up")
        return self

    def ping(self, address, *more):
        return run("ip", "netns", "exec", self.netns, "ping", "-c1", "-W2", *more, address).returncode == 0

    def remove(self):
        run("ip", "netns", "del", self.netns)


class Member(Agent):
    """An enrolled device of the network, with `lanyard up` for it."""

    def __init__(self, folder, network, number):
        super().__init__(folder, None, network.fleet.ca_file, number)
        self.network = network
        name = f"member{number}-{secrets.token_hex(3)}"
        key = network.call("createEnrolmentKey", {"name": name, "network": network.id, "approve": True})
        done = run(LANYARD, "enroll", network.fleet.base_url, "--state", self.state, "--ca", self.ca, "--name", name,
                   stdin=None, input=key["secret"])
        assert done.returncode == 0, done.stdout
        self.id, = [member["id"] for member in network.call("listMembers", query={"network": network.id})["items"]
                    if member["name"] == name]

    def update(self, **policy):
        return self.network.call("updateMember", policy, id_=self.id)

    @property
    def address(self):
        return self.status()["ipv4"].split("/")[0]

    @property
    def mac(self):
        return self.ip("-o", "link", "show", "lanyard0").stdout.split("link/ether ")[1].split()[0]

    def run(self, *words):
        return run("ip", "netns", "exec", self.netns, *words)


class Network:
    def __init__(self, fleet, api, tenant):
        self.fleet, self.api, self.tenant = fleet, api, tenant
        self.prefix = f"10.{secrets.randbelow(60) + 160}.{secrets.randbelow(256)}"
        self.id = self.call("createNetwork", {"name": "lan-" + secrets.token_hex(3), "ipv4": self.prefix + ".0/24"})["id"]

    def call(self, operation, body=None, **more):
        return self.api.ok(operation, self.tenant.owner, body, tenant=self.tenant.id, **more)

    def drops(self, member):
        """What was dropped of a member's session, by reason."""
        session, = [session for session in self.call("listSessions", query={"network": self.id})["items"]
                    if session["member"] == member.id]
        return session["drops"]


class Program:
    """A program of somebody else, until it is stopped; what it says is in `log`."""

    def __init__(self, log, *words):
        self.log = log
        with open(log, "ab") as output:
            self.process = subprocess.Popen([str(word) for word in words], stdin=subprocess.DEVNULL, stdout=output,
                                            stderr=output)

    def wait_says(self, words):
        def says():
            text = self.log.read_text(errors="replace")
            assert self.process.poll() is None, text
            return words in text
        wait_for(f"{words!r} in {self.log.name}", says)
        return self

    def stop(self):
        self.process.terminate()
        self.process.wait(30)
