"""What is measured over a path between two namespaces, whatever makes the path."""

import json
import os
import re
import statistics
import subprocess
import time

from world import wait_for

TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pids):
    """User and system time of the processes and their children so far."""
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            total += cpu_seconds(file.read().split())
        total += (int(fields[11]) + int(fields[12])) / TICKS
    return total


def percentile(values, share):
    """The value below which `share` of 1 of them lie; no reply at all is endless."""
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * share))] if values else float("inf")


class Path:
    """From client a to an address in b's namespace. `pids` are the processes of the VPN."""

    def __init__(self, namespaces, address, pids, tools, window_s):
        self.namespaces, self.address, self.pids, self.tools, self.window_s = (
            namespaces, address, pids, tools, window_s)

    def answers(self):
        return subprocess.run(["ip", "netns", "exec", self.namespaces.a, "ping", "-c1", "-W1", self.address],
                              stdout=subprocess.DEVNULL).returncode == 0

    def await_up(self):
        wait_for(f"answer from {self.address}", self.answers, 60)

    def start_iperf_server(self):
        server = self.namespaces.start(self.namespaces.b, "iperf3", "-s", "-1", "-B", self.address, "--forceflush")
        for line in server.stdout:
            if "listening" in line:
                return server
        raise RuntimeError("iperf3 does not start")

    def start_stream(self, streams, seconds):
        server = self.start_iperf_server()
        client = self.namespaces.start(self.namespaces.a, "iperf3", "-c", self.address, "-P", str(streams), "-t",
                                       str(seconds), "-C", "cubic", "-J")
        return server, client

    def tcp(self, streams, seconds=None):
        """(Mbit/s delivered, CPU seconds of the VPN a GB)."""
        before, begin = cpu_seconds(self.pids), time.monotonic()
        server, client = self.start_stream(streams, seconds or self.window_s)
        text, _ = client.communicate(timeout=120)
        server.wait(30)
        cpu = cpu_seconds(self.pids) - before
        report = json.loads(text[text.index("{"):])
        if "error" in report:
            raise RuntimeError(report["error"])
        received = report["end"]["sum_received"]
        return received["bits_per_second"] / 1e6, cpu / (received["bytes"] / 1e9)

    def flood(self, payload):
        """Datagrams a second that arrive while as many are sent as possible."""
        receiver = self.namespaces.start(self.namespaces.b, str(self.tools / "flood"), "receive", "9999",
                                         str(self.window_s))
        sender = self.namespaces.start(self.namespaces.a, str(self.tools / "flood"), "send", self.address, "9999",
                                       str(payload), str(self.window_s + 0.5))
        text, _ = receiver.communicate(timeout=60)
        sender.communicate(timeout=60)
        return float(text)

    def ping(self, count, interval_s):
        """Round trips in ms; those that were lost are not among them."""
        done = subprocess.run(["ip", "netns", "exec", self.namespaces.a, "ping", "-n", "-c", str(count), "-i",
                               str(interval_s), "-W", "2", self.address], text=True, stdout=subprocess.PIPE)
        return [float(ms) for ms in re.findall(r"time=([\d.]+) ms", done.stdout)]

    def ping_under_load(self, seconds):
        """(round trips in ms, Mbit/s of the stream beside them)."""
        server, client = self.start_stream(1, seconds)
        time.sleep(min(1, seconds / 4))  # the stream has to fill the queues first
        times = self.ping(int((seconds - min(1, seconds / 4) - 0.2) / 0.01), 0.01)
        text, _ = client.communicate(timeout=120)
        server.wait(30)
        report = json.loads(text[text.index("{"):])
        return times, report["end"]["sum_received"]["bits_per_second"] / 1e6


def median(values):
    return statistics.median(values)
