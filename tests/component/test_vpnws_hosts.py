"""Hosts that reach each other through a node in the place of a vpn-ws server: nginx before it, by uwsgi and by plain
proxying, with passwords and client certificates; clients as vpn-ws has them; the node's own interface."""

import contextlib
import json
import os
import pathlib
import ssl
import struct
import subprocess
import sys

import pytest

from vpnws_world import (BROADCAST, NETWORK, TENANT, UWSGI_PARAMS, Host, Nginx, Node, OldClient, Pump, Refused, connect_to,
                         control, frame, free_port, make_certificate, peers, random_mac, run, temporary_folder, wait_for)

HERE = pathlib.Path(__file__).resolve().parent
NODE = "10.83.0.1"  # the node's own address in the network


@pytest.fixture(scope="module")
def world():
    """A node with an interface of its own, in a bridge, and nginx: by a unix socket, by TCP, with TLS."""
    with temporary_folder() as folder, contextlib.ExitStack() as stack:
        world = World(folder, stack)
        yield world
        world.nginx.stop()
        world.node.stop()


class World:
    def __init__(self, folder, stack):
        self.folder, self.door, self.web = folder, folder / "vpn.sock", folder / "web.sock"
        self.secure = folder / "secure.sock"
        certificate, key = make_certificate(folder, "server", "/CN=localhost")
        make_certificate(folder, "ca", "/CN=ca")
        self.client_certificate = make_certificate(folder, "client01", "/O=Acme/CN=client01", "ca")
        (folder / "password").write_text("foo:" + run("openssl", "passwd", "-apr1", "b:ar").stdout)
        self.interface = "lyn" + os.urandom(4).hex()
        self.node = Node(folder, "--tuntap", self.interface, "--bridge", "--uid", "nobody", "--gid", "nogroup", "--exec",
                         f"cat /proc/$PPID/status >{folder}/before; echo $LANYARD_INTERFACE >{folder}/interface; "
                         f"sleep 1000 >/dev/null 2>&1 & echo $! >{folder}/background", self.door,
                         environment={"LANYARD_VPNWS_BRIDGES": "true"})
        self.node.start()
        background = int((folder / "background").read_text())
        stack.callback(os.kill, background, 9)
        self.host = Host(NODE)
        stack.callback(self.host.remove)
        self.host.take(self.interface)
        location = f"{UWSGI_PARAMS} uwsgi_pass unix:{self.door};"
        self.nginx = Nginx(folder, f"""
            server {{
                listen unix:{self.web};
                location /vpn {{ {location} }}
                location /password {{ auth_basic vpn; auth_basic_user_file {folder}/password; {location} }}
                location /admin {{ uwsgi_modifier1 1; {location} }}
            }}
            server {{
                listen unix:{self.secure} ssl; ssl_certificate {certificate}; ssl_certificate_key {key};
                ssl_client_certificate {folder}/ca.crt; ssl_verify_client optional;
                location /vpn {{ {location} }}
                location /certificate {{ if ($ssl_client_verify != SUCCESS) {{ return 403; }} {location} }}
            }}""").wait(self.secure)
        self.context = ssl.create_default_context(cafile=str(certificate))

    def client(self, secure=False, context=None, **more):
        if secure:
            return OldClient(self.secure, context=context or self.context, **more)
        return OldClient(self.web, **more)

    def status(self):
        with connect_to(self.web) as connection:
            connection.sendall(b"GET /admin HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            data = b""
            while part := connection.recv(65536):
                data += part
        head, _, body = data.partition(b"\r\n\r\n")
        if b"chunked" in head.lower():
            body = body[body.index(b"\r\n") + 2:body.rindex(b"\r\n0")]
        assert b" 200 OK" in head.split(b"\r\n")[0] and b"application/json" in head
        return json.loads(body)


@pytest.fixture
def hosts(world):
    """Makes hosts with a TAP each."""
    made = []

    def make():
        made.append(Host(f"10.83.0.{len(made) + 2}").make_tap())
        return made[-1]
    yield make
    for host in made:
        host.remove()
    wait_for("the end of all", lambda: len(peers(world.door)) == 1)


@pytest.fixture
def pumps():
    """Runs vpn-ws-client's loop for a host."""
    running = []

    def start(host, client):
        running.append(Pump(host, client))
        return client
    yield start
    for pump in running:
        pump.stop()


def reaches(one, other, *options):
    wait_for(f"{one.address} to reach {other.address}", lambda: one.can_ping(other, *options))


# ---- the node's own interface ----

def test_the_interface_is_on_the_status_page_and_not_killable(world):
    own, = peers(world.door)
    assert own["id"] == 0 and own["MAC"] == world.host.mac.upper() and own["bridge"] == 1
    assert (own["unix"], own["REMOTE_ADDR"], own["REMOTE_USER"], own["DN"]) == (0, "", "", "")
    assert own["ts"].endswith("1970")
    assert control(world.door, "kill=0")[1] == '{"status":"not found"}'


def test_the_command_ran_as_root_and_nothing_is_left_of_that(world):
    """vpn-ws keeps root's groups."""
    before = (world.folder / "before").read_text()
    assert "\nUid:\t0\t" in before and (world.folder / "interface").read_text().strip() == world.interface
    tasks = list(pathlib.Path(f"/proc/{world.node.process.pid}/task").iterdir())
    assert len(tasks) > 3
    for task in tasks:
        status = dict(line.split(":", 1) for line in (task / "status").read_text().splitlines())
        assert status["Uid"].split() == ["65534"] * 4 and status["Gid"].split() == ["65534"] * 4
        assert status["Groups"].split() == []
        assert all(int(status[name], 16) == 0 for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"))


def test_the_host_is_in_the_network(world, hosts, pumps):
    host = hosts()
    pumps(host, world.client(mac=host.mac))
    reaches(host, world.host)
    reaches(world.host, host)
    done = host.run("ping", "-c1", "-W2", "-s", "1400", NODE)
    assert done.returncode == 0, done.stdout


def test_an_interface_that_is_down_is_kept(tmp_path):
    """3.4 14: the first broadcast takes vpn-ws's interface away."""
    with temporary_folder() as folder, contextlib.ExitStack() as stack:
        interface = "lyn" + os.urandom(4).hex()
        node = Node(folder, "--tuntap", interface, f"127.0.0.1:{free_port()}").start()
        stack.callback(node.stop)
        door = ("127.0.0.1", int(node.command[-1].split(":")[1]))
        nginx = Nginx(folder, f"server {{ listen unix:{folder}/web.sock; location / {{ {UWSGI_PARAMS} "
                              f"uwsgi_pass {node.command[-1]}; }} }}").wait(folder / "web.sock")
        stack.callback(nginx.stop)
        client = OldClient(folder / "web.sock", mac=random_mac())
        dropped = 'lanyard_frames_dropped_total{reason="queue"}'
        client.send(BROADCAST)
        wait_for("the frame's end", lambda: node.metric(dropped) > 0)
        host = Host(NODE)
        stack.callback(host.remove)
        host.take(interface)
        assert len(peers(door)) == 2
        other = OldClient(folder / "web.sock", mac=random_mac())
        arp = frame(BROADCAST, other.mac, struct.pack(">HHBBH", 1, 0x0800, 6, 4, 1) + bytes.fromhex(other.mac.replace(":", "")) +
                    bytes([10, 83, 0, 9]) + bytes(6) + bytes([10, 83, 0, 1]), 0x0806)
        other.send_message(arp)
        wait_for("an answer of the host", lambda: other.receive()[12:14] == b"\x08\x06")


# ---- through nginx ----

@pytest.mark.parametrize("secure", [False, True])
def test_hosts_reach_each_other_through_nginx(world, hosts, pumps, secure):
    one, two = hosts(), hosts()
    pumps(one, world.client(secure, mac=one.mac))
    pumps(two, world.client(secure, mac=two.mac))
    reaches(one, two)
    reaches(two, one)


def test_passwords_are_nginx_s_affair(world, hosts):
    with pytest.raises(Refused, match="401"):
        world.client(path="/password", mac=random_mac())
    with pytest.raises(Refused, match="401"):
        world.client(path="/password", mac=random_mac(), userinfo="foo:wrong")
    client = world.client(path="/password", mac=random_mac(), userinfo="foo:b:ar")
    peer = wait_for("it", lambda: world.status()["peers"][1:])[0]
    assert (peer["REMOTE_USER"], peer["MAC"], peer["DN"]) == ("foo", client.mac.upper(), "")
    client.close()


def test_client_certificates_are_nginx_s_affair(world, hosts):
    with pytest.raises(Refused, match="403"):
        world.client(True, path="/certificate", mac=random_mac())
    context = ssl.create_default_context(cafile=str(world.folder / "server.crt"))
    context.load_cert_chain(*world.client_certificate)
    client = world.client(True, context, path="/certificate", mac=random_mac())
    peer = wait_for("it", lambda: world.status()["peers"][1:])[0]
    assert peer["DN"] == "CN=client01,O=Acme" and peer["REMOTE_ADDR"] == "unix:"
    client.close()


def test_many_headers_are_no_reason_to_hang_up(world, hosts):
    world.client(mac=random_mac(), headers=[f"X-Extra-{n}: value" for n in range(60)]).close()


# ---- packets that are too long for vpn-ws-client ----

def test_large_pings_arrive_once_the_host_knows_the_limit(world, hosts, pumps):
    """3.4 and 2.3: vpn-ws-client sends 1500 bytes of a frame; vpn-ws loses all packets of 1487 bytes and more."""
    host = hosts()
    pumps(host, world.client(mac=host.mac))
    reaches(host, world.host)
    wait_for("a large ping", lambda: host.can_ping(world.host, "-s", "1472", "-M", "want"))
    route = host.run("ip", "route", "get", NODE).stdout
    assert "mtu 1486" in route, route


def test_tcp_crosses_at_the_usual_mtu(world, hosts, pumps):
    """iperf3 at an MTU of 1500 moves not one byte through vpn-ws."""
    host, size = hosts(), 1 << 20
    pumps(host, world.client(mac=host.mac))
    reaches(host, world.host)
    program = ("import socket, sys; s = socket.create_server(('', 7)); print('ready', flush=True); c, _ = s.accept(); "
               "n = 0\nwhile d := c.recv(65536): n += len(d)\nprint(n, flush=True)")
    server = subprocess.Popen(["ip", "netns", "exec", world.host.name, sys.executable, "-c", program],
                              stdout=subprocess.PIPE, text=True)
    assert server.stdout.readline() == "ready\n"
    done = host.run(sys.executable, "-c", f"import socket; socket.create_connection(('{NODE}', 7)).sendall(bytes({size}))")
    assert done.returncode == 0, done.stdout
    assert server.stdout.readline() == f"{size}\n"
    server.wait()


# ---- other clients of its users ----

@pytest.mark.parametrize("words", [["perl", HERE / "vpnws_perl_client.pl"],
                                   ["/usr/bin/python3", HERE / "vpnws_tornado_client.py"]], ids=["perl", "tornado"])
def test_other_clients_reach_the_host(world, hosts, pumps, words):
    """RFC 6455 to the letter: no address in the handshake, fresh masks, a 16-byte key."""
    door = free_port()
    nginx_folder = world.folder / words[0].split("/")[-1]
    nginx_folder.mkdir()
    nginx = Nginx(nginx_folder, f"server {{ listen 127.0.0.1:{door}; location / {{ {UWSGI_PARAMS} uwsgi_pass unix:{world.door}; }} }}")
    nginx.wait(("127.0.0.1", door))
    host = Host("10.83.0.99")  # its own address, whatever else is there
    interface = "lyo" + os.urandom(4).hex()
    client = subprocess.Popen([*map(str, words), interface, f"ws://127.0.0.1:{door}/vpn"], stdin=subprocess.DEVNULL)
    try:
        wait_for("its interface", lambda: os.path.exists(f"/sys/class/net/{interface}"))
        host.take(interface)
        reaches(host, world.host)
        assert host.mac.upper() in [peer["MAC"] for peer in peers(world.door)]
    finally:
        client.kill()
        client.wait()
        host.remove()
        nginx.stop()


# ---- doors and options ----

@pytest.mark.parametrize("form", ["127.0.0.1:{}", ":{}", "[::1]:{}"])
def test_the_door_may_be_at_an_address(form):
    with temporary_folder() as folder:
        door = free_port()
        node = Node(folder, form.format(door)).start()
        client_address = ("::1" if "[" in form else "127.0.0.1", door)
        assert peers(client_address) == []
        nginx = Nginx(folder, f"server {{ listen unix:{folder}/web.sock; location / {{ {UWSGI_PARAMS} "
                              f"uwsgi_pass {form.format(door) if form[0] != ':' else '127.0.0.1:' + str(door)}; }} }}")
        nginx.wait(folder / "web.sock")
        client = OldClient(folder / "web.sock", mac=random_mac())
        wait_for("it", lambda: len(peers(client_address)) == 1)
        client.close()
        nginx.stop()
        node.stop()


def test_broadcast_and_multicast_may_be_for_bridges_only():
    with temporary_folder() as folder:
        door = folder / "vpn.sock"
        node = Node(folder, "--no-broadcast", "--no-multi", door, environment={"LANYARD_VPNWS_BRIDGES": "true"}).start()
        nginx = Nginx(folder, f"server {{ listen unix:{folder}/web.sock; location / {{ {UWSGI_PARAMS} "
                              f"uwsgi_pass unix:{door}; }} }}").wait(folder / "web.sock")
        one, two, bridge = (OldClient(folder / "web.sock", mac=random_mac(), bridge=bridge)
                            for bridge in (False, False, True))
        wait_for("all", lambda: len(peers(door)) == 3)
        for group in (BROADCAST, "01:00:5e:00:00:fb", "33:33:00:00:00:fb"):
            sent = one.send(group)
            assert bridge.receive() == sent, "as in vpn-ws"
        sent = one.send(two.mac)
        assert two.receive() == sent, "the first thing that comes"
        nginx.stop()
        node.stop()


@pytest.mark.parametrize("options, environment, word", [
    (["--nonsense"], {}, "--nonsense"),
    (["a.sock", "b.sock"], {}, "b.sock"),
    (["nowhere:80"], {}, "LANYARD_VPNWS_LISTEN"),
    (["a.sock"], {"LANYARD_VPNWS_NETWORK": "office"}, "LANYARD_VPNWS_NETWORK"),
    (["--tuntap", "a/b"], {}, "LANYARD_VPNWS_TUNTAP"),
    (["--socket-mode", "rw", "a.sock"], {}, "LANYARD_VPNWS_MODE"),
    (["--uid", "root"], {}, "LANYARD_USER"),
    (["--uid", "nobody", "--gid", "nosuchgroup"], {}, "LANYARD_GROUP"),
])
def test_wrong_options_are_named(tmp_path, options, environment, word):
    done = Node(tmp_path, *options, environment=environment).check()
    assert done.returncode == 2 and word in done.stdout.splitlines()[0], done.stdout


def test_a_command_that_fails_ends_the_start(tmp_path):
    node = Node(tmp_path, "--exec", "exit 3").launch()
    assert node.process.wait(60) == 1
    assert "ended with status 3" in node.log()


def test_bridges_are_refused_unless_they_are_allowed(tmp_path):
    with temporary_folder() as folder:
        node = Node(folder, folder / "vpn.sock").start()
        nginx = Nginx(folder, f"server {{ listen unix:{folder}/web.sock; location / {{ {UWSGI_PARAMS} "
                              f"uwsgi_pass unix:{folder}/vpn.sock; }} }}").wait(folder / "web.sock")
        with pytest.raises(Refused, match="403"):
            OldClient(folder / "web.sock", mac=random_mac(), bridge=True)
        nginx.stop()
        node.stop()
