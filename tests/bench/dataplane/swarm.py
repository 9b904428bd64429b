"""Many agents, which come back by themselves (swarm.c)."""

import subprocess

from world import GATEWAY_PORT, SERVER_A

PLACES = 5  # whose addresses they come from; the portal bounds connections from one


class Swarm:
    """Agents of devices, a line "ID SECRET" for each."""

    def __init__(self, fleet, tools, lines):
        self.processes = []
        for place in range(PLACES):
            namespace = fleet.namespaces.add_client(place)
            # No words of IPv6 from as many interfaces: what they send is the sessions' own.
            fleet.namespaces.command(namespace, "sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1")
            self.processes.append(subprocess.Popen(
                ["ip", "netns", "exec", namespace, "setpriv", "--pdeathsig", "KILL", str(tools / "swarm"),
                 f"https://{SERVER_A}:{GATEWAY_PORT}", str(fleet.folder / "ca.crt")],
                text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE))
        for place, process in enumerate(self.processes):
            self.say(process, "".join(line + "\n" for line in lines[place::PLACES]))
        for process in self.processes:
            assert process.stdout.readline() == "open\n"

    def say(self, process, text):
        process.stdin.write(text + "\n")
        process.stdin.flush()

    def watch(self):
        """From now on each is to begin another session."""
        for process in self.processes:
            self.say(process, "")

    def back(self):
        """After how many seconds they did, those that did."""
        return [int(ms) / 1000 for process in self.processes for ms in process.stdout.readline().split()]

    def close(self):
        for process in self.processes:
            process.stdin.close()
            process.wait(60)
