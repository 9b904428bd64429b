"""What both worlds of these tests need of the machine that they run on: commands, waiting, the blocks of commands in docs/, and a
way to Debian's mirrors from a network namespace."""

import pathlib
import re
import socket
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
WAIT_S = 180
PROXY_PORT = 3128  # in a namespace, where nobody else is


def run(*command, status=0, **more):
    done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, **{"timeout": 1800, **more})
    assert done.returncode == status, f"{' '.join(map(str, command))}\n{done.stdout[-4000:]}"
    return done.stdout


def wait_for(what, condition, wait_s=WAIT_S):
    deadline = time.monotonic() + wait_s
    while not (found := condition()):
        assert time.monotonic() < deadline, f"no {what}"
        time.sleep(0.2)
    return found


def block(page, name):
    """The commands that a page of docs/ has under this name."""
    return re.search(rf"^```sh {name}\n(.*?)^```", (ROOT / "docs" / page).read_text(), re.M | re.S).group(1)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Children:
    """Processes that end with the world that started them; what they say is in its folder."""

    def __init__(self, folder):
        self.folder = folder
        self.processes = []

    def spawn(self, name, *command):
        with open(self.folder / f"{name}.log", "w") as log:
            self.processes.append(subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=log,
                                                   stderr=subprocess.STDOUT))
        return self.processes[-1]

    def stop(self):
        for process in reversed(self.processes):
            process.terminate()
            process.wait(60)


class Proxy:
    """To Debian's mirrors: port PROXY_PORT of a namespace leads to a socket, and that to a proxy of this machine."""

    def __init__(self, children):
        self.children = children
        self.socket = children.folder / "proxy.sock"
        settings = children.folder / "tinyproxy.conf"
        port = free_port()
        settings.write_text(f"Port {port}\nListen 127.0.0.1\nAllow 127.0.0.1\nTimeout 600\nMaxClients 50\n")
        children.spawn("tinyproxy", "tinyproxy", "-d", "-c", settings)
        children.spawn("bridge", "socat", f"UNIX-LISTEN:{self.socket},fork", f"TCP:127.0.0.1:{port}")

    def lead_from(self, name, *enter, address="127.0.0.1"):
        """From the namespace that the command `enter` enters."""
        self.children.spawn(f"port-{name}", *enter, "socat", f"TCP-LISTEN:{PROXY_PORT},bind={address},fork,reuseaddr",
                            f"UNIX-CONNECT:{self.socket}")
