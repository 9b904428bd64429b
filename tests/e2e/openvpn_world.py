"""A VPN server of a tenant: a device that runs `lanyard openvpn` and `lanyard up`, in a network namespace, with a cable to the
namespaces of OpenVPN's own clients. All OpenVPN is Debian's."""

import itertools
import secrets
import signal
import subprocess

from agent_world import LANYARD, run
from api_client import wait_for
from conftest import SANITIZER
from lan_world import Member, Network, Program, ip
from portal_world import Portal, unpack

HOST = "vpn.example.org"
CONF = ("client\nnobind\ndev {mode}\nproto {protocol}\nremote 198.51.100.1 1194\nca ca.crt\nauth-user-pass credentials\n"
        "remote-cert-tls server\nverify-x509-name " + HOST + " name\nconnect-retry 1\nverb 3\n")


class VpnServer:
    """Device 1 of the network; OpenVPN listens on 198.51.100.1 in its namespace."""

    def __init__(self, folder, network, settings):
        self.network, self.member = network, Member(folder, network, 1)
        self.log, self.process, self.starts = folder / "openvpn-server.log", None, 0
        netns = self.member.netns
        ip("-n", netns, "link", "add", "street", "type", "bridge")
        ip("-n", netns, "addr", "add", "198.51.100.1/24", "dev", "street")
        ip("-n", netns, "link", "set", "street", "up")
        shown = network.call("getMember", id_=self.member.id)
        self.id = network.call("createVpnServer", {"device": shown["device"], **settings})["id"]
        self.device = shown["device"]

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([LANYARD, "openvpn", "--state", self.member.state, "--netns", self.member.netns],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.starts += 1
        self.wait_says("info agent up", self.starts)
        return self

    def wait_says(self, words, times=1):
        def says():
            text = self.log.read_text(errors="replace")
            assert text.count(words) >= times or self.process.poll() is None, text[-4000:]
            return text.count(words) >= times
        wait_for(f"{words!r} in {self.log.name}", says)

    def end(self):
        self.process.terminate()
        assert self.process.wait(30) == 0, self.log.read_text()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.end()
        self.member.stop()
        assert not SANITIZER.search(self.log.read_text(errors="replace")), self.log.read_text()

    def shown(self):
        return self.network.call("getVpnServer", id_=self.id)

    def connections(self, **query):
        return self.network.call("listVpnConnections", query={"server": self.id, **query})["items"]

    def live(self, subject):
        return [each for each in self.connections(subject=subject) if not each["ended_at"]]


class Client:
    """OpenVPN with these files in a namespace of its own."""

    numbers = itertools.count(2)

    def __init__(self, folder, server, files):
        self.number = next(Client.numbers)
        self.folder = folder / f"client{self.number}"
        self.folder.mkdir()
        for name, content in files.items():
            (self.folder / name).write_bytes(content)
        self.netns = f"lanyard-test-{secrets.token_hex(3)}-c{self.number}"
        self.starts = 0
        self.program = None
        ip("netns", "add", self.netns)
        ip("-n", server.member.netns, "link", "add", f"door{self.number}", "type", "veth", "peer", "name", "eth0", "netns",
           self.netns)
        ip("-n", server.member.netns, "link", "set", f"door{self.number}", "master", "street", "up")
        ip("-n", self.netns, "addr", "add", f"198.51.100.{self.number}/24", "dev", "eth0")
        ip("-n", self.netns, "link", "set", "eth0", "up")

    def start(self):
        self.starts += 1
        self.log = self.folder / f"log{self.starts}"
        self.program = Program(self.log, "ip", "netns", "exec", self.netns, "openvpn", "--cd", self.folder, "--config",
                               "client.conf")
        return self

    def says(self, words):
        return words in self.log.read_text(errors="replace")

    def wait_says(self, words):
        wait_for(f"{words!r} in {self.log}", lambda: self.says(words))
        return self

    def wait_connected(self):
        self.program.wait_says("Initialization Sequence Completed")
        return self

    def reconnect(self):
        """As after a change of network."""
        done = self.log.read_text(errors="replace").count("Initialization Sequence Completed")
        self.program.process.send_signal(signal.SIGUSR1)
        wait_for("another connection",
                 lambda: self.log.read_text(errors="replace").count("Initialization Sequence Completed") > done)

    def wait_exit(self):
        wait_for(f"the end of client {self.number}", lambda: self.program.process.poll() is not None)

    def ping(self, address):
        return run("ip", "netns", "exec", self.netns, "ping", "-c1", "-W2", address).returncode == 0

    def end(self):
        if self.program and self.program.process.poll() is None:
            self.program.stop()

    def stop(self):
        self.end()
        ip("netns", "del", self.netns)


class World:
    """A network with a VPN server and another device that runs our agent."""

    def __init__(self, folder, network, server):
        self.folder, self.network, self.clients = folder, network, []
        self.server = VpnServer(folder, network, server)
        self.other = Member(folder, network, 2)
        self.other.up().wait_connected()

    def start(self):
        self.server.start()
        joined = ["--join", "lanyard-vpn"] if self.server.shown()["mode"] == "tap" else []
        self.server.member.up(*joined).wait_connected()
        return self

    def client(self, files):
        return self.add(Client(self.folder, self.server, files))

    def add(self, client):
        """It ends with this world."""
        self.clients.append(client)
        return client

    def stop(self):
        for client in self.clients:
            client.stop()
        self.server.stop()
        self.other.stop()


class DeviceWorld(World):
    """One whose clients are devices that fetch packages."""

    def __init__(self, folder, fleet, api, admin, mode="tap", protocol="udp", **more):
        self.portal = Portal(fleet, api, admin)
        conf = CONF.format(mode=mode, protocol=protocol) + ("explicit-exit-notify\n" if protocol == "udp" else "")
        self.portal.set(client_conf=conf, **more)
        network = Network(fleet, api, self.portal.tenant)
        super().__init__(folder, network, {"network": network.id, "host": HOST, "mode": mode, "protocol": protocol})

    def device(self):
        """A device that fetches its package as a WE500 does, and OpenVPN with that."""
        device = self.portal.add(network=self.network.id)
        client = self.client(unpack(self.portal.fetch(device).content))
        self.portal.acknowledge(device)
        return device, client

    def certified(self):
        """A device that has a certificate and no package, and OpenVPN with that."""
        device = self.portal.add(network=self.network.id)
        files = unpack(self.portal.fetch(device).content)
        issued = self.network.call("createCertificate", {"kind": "device", "subject": device.id})
        conf = files["client.conf"].decode().replace("auth-user-pass credentials\n", "")
        return device, self.client({
            "ca.crt": files["ca.crt"], "client.conf":
            f"{conf}\n<cert>\n{issued['certificate']}{issued['chain']}</cert>\n<key>\n{issued['private_key']}</key>\n".encode()})
