"""What a node costs that has many sessions: memory of idle ones, CPU of a broadcast to all."""

import subprocess

from measure import cpu_seconds
from world import GATEWAY_PORT, ROOT, SERVER_A, WSS_PORT

IDLE, BROADCAST = 10000, 1000
SECONDS, BURST, BURSTS, FRAME = 3, 8, 25, 1400


def resident_bytes(pid):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) * 1024


def enrol(fleet, network, count, name, *more):
    """Lines "TOKEN MAC" of so many new members of the network; "ID SECRET" with "devices"."""
    key = fleet.enrolment_key(name, network, count).read_text()
    done = subprocess.run(["ip", "netns", "exec", fleet.namespaces.s, "/usr/bin/python3",
                           str(ROOT / "tests/bench/dataplane/enrol_many.py"), f"https://127.0.0.1:{GATEWAY_PORT}",
                           str(fleet.folder / "ca.crt"), name, str(count), *more], input=key, text=True, check=True,
                          stdout=subprocess.PIPE)
    return done.stdout


class Crowd:
    """The sessions, opened from client a."""

    def __init__(self, fleet, tools, lines, n, port=WSS_PORT):
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", fleet.namespaces.a, "setpriv", "--pdeathsig", "KILL", str(tools / "crowd"), SERVER_A,
             str(port), "tls", str(fleet.folder / "ca.crt")], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.process.stdin.write(lines + "\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == f"open {n}\n"

    def send(self):
        """How many frames all of them received."""
        self.process.stdin.write(f"send {SECONDS} {BURST} {BURSTS} {FRAME}\n")
        self.process.stdin.flush()
        _, received, _ = map(int, self.process.stdout.readline().split())
        return received / FRAME

    def close(self):
        self.process.stdin.close()
        self.process.wait(60)


def measure(fleet, tools, report, progress):
    node = fleet.node.pid
    progress(f"enrolling {BROADCAST} members")
    lines = enrol(fleet, fleet.network, BROADCAST, "crowd")
    crowd = Crowd(fleet, tools, lines, BROADCAST)
    before = cpu_seconds([node])
    deliveries = crowd.send()
    cpu_us = (cpu_seconds([node]) - before) / deliveries * 1e6
    crowd.close()
    report.add(f"broadcast to {BROADCAST} sessions", "CPU us", cpu_us, {}, 4, False)

    progress(f"enrolling {IDLE} members")
    lines = enrol(fleet, fleet.network, IDLE, "idle")
    before = resident_bytes(node)
    progress(f"opening {IDLE} sessions")
    crowd = Crowd(fleet, tools, lines, IDLE)
    report.add(f"idle session of {IDLE}, memory", "kB", (resident_bytes(node) - before) / IDLE / 1000, {}, 20, False)
    crowd.close()
