"""The other VPNs, from Debian, each configured as its manual has it for a layer-2 network with a server between
two clients. A peer is (address of b in it, its processes)."""

import pathlib
import subprocess

from world import SERVER_A, SERVER_B, run, wait_for


class Peer:
    def __init__(self, namespaces, folder):
        self.namespaces, self.folder = namespaces, folder / self.name.replace(" ", "-")
        self.folder.mkdir()
        self.processes = []
        self.open()

    def start(self, namespace, *command, **more):
        process = self.namespaces.start(namespace, *command, log=self.folder / "log", **more)
        self.processes.append(process)
        return process

    def pids(self):
        return [process.pid for process in self.processes]

    def write(self, name, text):
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return str(file)

    def close(self):
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait(20)


class OpenVpn(Peer):
    """OpenVPN 2.6, dev tap, certificates, its default cipher."""

    def open(self):
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        run("openssl", "req", "-x509", *key, "-days", "30", "-subj", "/CN=ca", "-keyout", "ca.key", "-out", "ca.crt",
            cwd=self.folder)
        for name in ("server", "a", "b"):
            run("openssl", "req", *key, "-subj", f"/CN={name}", "-keyout", name + ".key", "-out", name + ".csr",
                cwd=self.folder)
            run("openssl", "x509", "-req", "-in", name + ".csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial",
                "-days", "30", "-out", name + ".crt", cwd=self.folder)
        for name, address in (("a", "2"), ("b", "3")):
            self.write(f"ccd/{name}", f"ifconfig-push 10.{self.subnet}.0.{address} 255.255.255.0\n")
        common = f"dev-type tap\ntun-mtu 1400\nca ca.crt\ndh none\nverb 1\n{self.more}"
        self.write("server.conf", f"{common}dev ovs{self.subnet}\nproto {self.server_protocol}\nport {self.port}\n"
                   f"server 10.{self.subnet}.0.0 255.255.255.0\nclient-to-client\nclient-config-dir ccd\n"
                   "cert server.crt\nkey server.key\nkeepalive 10 60\n")
        for name, server in (("a", SERVER_A), ("b", SERVER_B)):
            self.write(name + ".conf", f"{common}client\ndev ov{self.subnet}\nproto {self.client_protocol}\n"
                       f"remote {server} {self.port}\nnobind\ncert {name}.crt\nkey {name}.key\n")
        for namespace, name in ((self.namespaces.s, "server"), (self.namespaces.a, "a"), (self.namespaces.b, "b")):
            self.start(namespace, "openvpn", "--cd", str(self.folder), "--config", name + ".conf")
        self.address = f"10.{self.subnet}.0.3"


class OpenVpnTcp(OpenVpn):
    name, subnet, port = "OpenVPN tcp", 101, 1194
    server_protocol, client_protocol, more = "tcp-server", "tcp-client", "tcp-nodelay\n"


class OpenVpnUdp(OpenVpn):
    name, subnet, port = "OpenVPN udp", 102, 1195
    server_protocol, client_protocol, more = "udp", "udp", ""


class Tinc(Peer):
    """tinc 1.0 in switch mode over TCP, the server as hub."""
    name, address = "tinc", "10.103.0.3"

    def open(self):
        hosts = {"hub": (self.namespaces.s, "1"), "a": (self.namespaces.a, "2"), "b": (self.namespaces.b, "3")}
        for name, (_, number) in hosts.items():
            connect = "" if name == "hub" else "ConnectTo = hub\n"
            self.write(f"{name}/tinc.conf", f"Name = {name}\nMode = switch\nInterface = tinc0\nTCPOnly = yes\n"
                       f"DeviceType = tap\n{connect}")
            up = self.write(f"{name}/tinc-up", f"#!/bin/sh\nip address add 10.103.0.{number}/24 dev $INTERFACE\n"
                            "ip link set $INTERFACE mtu 1400 up\n")
            run("chmod", "755", up)
            self.write(f"{name}/hosts/{name}", "Port = 655\nTCPOnly = yes\n")
            subprocess.run(["tincd", "-c", str(self.folder / name), "-K2048"], stdin=subprocess.DEVNULL, check=True,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for name in hosts:
            for other in hosts:
                if other == name:
                    continue
                text = (self.folder / other / "hosts" / other).read_text()
                if other == "hub":
                    text = f"Address = {SERVER_A if name == 'a' else SERVER_B}\n" + text
                self.write(f"{name}/hosts/{other}", text)
        for name, (namespace, _) in hosts.items():
            self.start(namespace, "tincd", "-c", str(self.folder / name), "-D",
                       f"--pidfile={self.folder / name}/pid")


class Vtun(Peer):
    """vtun over TCP with its AES, and the kernel's bridge between its two sessions."""
    name, address = "vtun", "10.104.0.3"

    def open(self):
        session = ("{\n passwd bench;\n type ether;\n proto tcp;\n encrypt aes256cbc;\n keepalive yes;\n persist yes;\n"
                   " device %s;\n up {\n  ip \"%s\";\n };\n}\n")
        options = "options { port 5000; ip /bin/ip; }\n"
        run("ip", "-n", self.namespaces.s, "link", "add", "vtunbr", "type", "bridge")
        run("ip", "-n", self.namespaces.s, "link", "set", "vtunbr", "up")
        sides = ("a", self.namespaces.a, SERVER_A, "2"), ("b", self.namespaces.b, SERVER_B, "3")
        server = options + "".join(f"{name} " + session % ("vts" + name, f"link set vts{name} mtu 1400 master vtunbr up")
                                   for name, *_ in sides)
        server = self.write("server.conf", server)
        self.start(self.namespaces.s, "vtund", "-n", "-s", "-f", server)
        for name, namespace, address, number in sides:
            up = f"link set vt0 mtu 1400 up\";\n  ip \"address add 10.104.0.{number}/24 dev vt0"
            client = self.write(name + ".conf", options + f"{name} " + session % ("vt0", up))
            self.start(namespace, "vtund", "-n", "-f", client, name, address)


class SoftEther(Peer):
    """SoftEther 5, one TCP connection a client. Each program gets its fixed folders as an empty file system of its own."""
    name, address = "SoftEther", "10.105.0.3"
    programs = pathlib.Path("/usr/libexec/softether")

    def program(self, namespace, kind):
        folders = "/run/softether /var/lib/softether"
        return self.start(namespace, "sh", "-c", f"mkdir -p {folders} && for folder in {folders}; do mount -t tmpfs none"
                          f" $folder || exit 1; done; exec {self.programs / kind / kind} execsvc")

    def command(self, namespace, *command):
        return self.namespaces.command(namespace, str(self.programs / "vpncmd/vpncmd"), *command, cwd=self.folder)

    def manages(self, namespace, *command):
        try:
            self.command(namespace, *command)
            return True
        except RuntimeError:
            return False

    def open(self):
        server = ["localhost:5555", "/SERVER", "/CMD"]
        self.program(self.namespaces.s, "vpnserver")
        wait_for("SoftEther's server", lambda: self.manages(self.namespaces.s, *server, "ServerInfoGet"))
        self.command(self.namespaces.s, *server, "HubCreate", "bench", "/PASSWORD:bench")
        for name in ("a", "b"):
            self.command(self.namespaces.s, "localhost:5555", "/SERVER", "/ADMINHUB:bench", "/CMD", "UserCreate", name,
                         "/GROUP:none", "/REALNAME:none", "/NOTE:none")
            self.command(self.namespaces.s, "localhost:5555", "/SERVER", "/ADMINHUB:bench", "/CMD", "UserAnonymousSet",
                         name)
        sides = ("a", self.namespaces.a, SERVER_A, "2"), ("b", self.namespaces.b, SERVER_B, "3")
        for name, namespace, address, number in sides:
            client = ["localhost", "/CLIENT", "/CMD"]
            self.program(namespace, "vpnclient")
            wait_for("SoftEther's client", lambda: self.manages(namespace, *client, "VersionGet"))
            self.command(namespace, *client, "NicCreate", "se")
            self.command(namespace, *client, "AccountCreate", "bench", f"/SERVER:{address}:5555", "/HUB:bench",
                         f"/USERNAME:{name}", "/NICNAME:se")
            self.command(namespace, *client, "AccountDetailSet", "bench", "/MAXTCP:1", "/INTERVAL:1", "/TTL:0",
                         "/HALF:no", "/BRIDGE:no", "/MONITOR:no", "/NOTRACK:yes", "/NOQOS:yes", "/DISABLEUDP:yes")
            self.command(namespace, *client, "AccountConnect", "bench")
            run("ip", "-n", namespace, "address", "add", f"10.105.0.{number}/24", "dev", "vpn_se")
            run("ip", "-n", namespace, "link", "set", "vpn_se", "mtu", "1400", "up")
