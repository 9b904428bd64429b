"""lanyard connect against a server that behaves as vpn-ws does, behind a real nginx, and through real proxies."""

import pathlib
import socket
import subprocess

import pytest

from agent_world import LANYARD, make_certificate, run
from api_client import wait_for
from vpn_ws_world import SECRET, HttpProxy, SocksProxy, World, connect_now, frame
from vpn_ws_world import certificate, clients, world  # fixtures


@pytest.fixture
def client(clients):
    return clients[0]


# ---- the main job ----

@pytest.mark.parametrize("scheme", ["wss", "ws"])
def test_two_clients_reach_each_other(world, clients, scheme):
    one, two = [client.connect(getattr(world, scheme), "--ca", world.ca).wait_connected() for client in clients]
    wait_for("a way", lambda: one.ping("10.98.0.2"))
    assert two.ping("10.98.0.1")
    assert one.ping("10.98.0.2", "-M", "do", "-s", "1458") and not one.ping("10.98.0.2", "-M", "do", "-s", "1459")
    assert one.ping("10.98.0.2", "-s", "9000")
    assert max(world.server.lengths) <= 1500 and world.server.unmasked == 0
    assert {variables["REMOTE_USER"] for variables in world.server.variables} == {"foo"}
    told = one.status()
    assert told["protocol"] == "frames" and "foo" not in told["url"] and told["frames_in"] > 0


def test_a_stream_crosses(world, clients):
    one, two = [client.connect(world.open).wait_connected() for client in clients]
    wait_for("a way", lambda: one.ping("10.98.0.2"))
    take = subprocess.Popen(["ip", "netns", "exec", two.netns, "python3", "-c",
                             "import socket; s = socket.create_server(('10.98.0.2', 5001)); print(flush=True)\n"
                             "c, n = s.accept()[0], 0\nwhile data := c.recv(1 << 20): n += len(data)\nprint(n)"],
                            stdout=subprocess.PIPE, text=True)
    take.stdout.readline()
    give = run("ip", "netns", "exec", one.netns, "python3", "-c",
               "import socket; socket.create_connection(('10.98.0.2', 5001)).sendall(bytes(3000000))")
    assert give.returncode == 0 and take.communicate(timeout=60)[0] == "3000000\n"


def test_the_mac_is_registered_on_each_connection(world, client):
    client.connect(world.open).wait_connected()
    world.server.drop()
    client.wait_connected(2)
    assert [variables["HTTP_X_VPN_WS_MAC"] for variables in world.server.variables] == [client.mac] * 2
    assert "HTTP_X_VPN_WS_BRIDGE" not in world.server.variables[0]


def test_a_stop_is_told_with_a_close_frame(world, client):
    client.connect(world.open).wait_connected()
    assert run(LANYARD, "down", "--state", client.state).returncode == 0
    assert client.wait_exit() == 0
    wait_for("the close frame", lambda: world.server.opcodes[-1:] == [8])
    assert "tap0" not in client.ip("link").stdout


def test_frames_with_the_handshake_are_kept(world, client):
    world.server.greeting = frame(b"\xff" * 6 + b"\x02\0\0\0\0\x09" + b"\x08\x06" + bytes(46)) * 3
    client.connect(world.open).wait_connected()
    wait_for("the frames", lambda: client.status()["frames_in"] == 3)


def test_frames_as_other_clients_sent_them(world, client):
    """vpn-ws hands on FIN, RSV, opcode and form of length as they were; each is one frame."""
    client.connect(world.open).wait_connected()
    payload = b"\xff" * 6 + b"\x02\0\0\0\0\x09" + b"\x08\x06" + bytes(46)
    for first, form in [(0x82, None), (0x02, None), (0x00, None), (0x80, 126), (0x81, 127), (0xf2, None)]:
        world.server.send(frame(payload, first, form))
    wait_for("all of them", lambda: client.status()["frames_in"] == 6)
    for short in [b"", b"x", b"x" * 12, b"x" * 13]:
        world.server.send(frame(short))
    wait_for("the short ones", lambda: client.status()["frames_dropped"] == 4)
    client.ip("link", "set", "tap0", "down")
    world.server.send(frame(payload))
    wait_for("what comes while the interface is down", lambda: client.status()["frames_dropped"] == 5)
    assert client.status()["sessions"] == 1


def test_a_server_that_answers_no_ping_is_alive(world, client):
    """The pings keep nginx from closing the connection; silence is no sign of death."""
    client.connect(world.open).wait_connected()
    for n in (2, 4):  # they come 10 s apart, and a peer that should answer is given up after 30 s
        wait_for(f"{n} pings", lambda: world.server.opcodes.count(9) >= n)
    assert client.status()["sessions"] == 1 and client.is_connected()


def test_reading_goes_on_while_the_server_does_not_read(world, client):
    client.connect(world.open).wait_connected()
    world.server.reads.clear()
    client.ip("neigh", "add", "10.98.0.99", "lladdr", "02:00:00:00:00:99", "dev", "tap0")
    flood = subprocess.Popen(["ip", "netns", "exec", client.netns, "python3", "-c",
                              "import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
                              "while True: s.sendto(bytes(1400), ('10.98.0.99', 9))"])
    try:
        # More than nginx, both kernels and the client's queue hold: nothing more can leave.
        wait_for("a full queue", lambda: client.status()["queue_full"] > 0)
        before = client.status()["frames_in"]
        for _ in range(200):
            world.server.send(frame(b"\xff" * 6 + b"\x02\0\0\0\0\x09" + b"\x08\x06" + bytes(1000)))
        wait_for("the frames", lambda: client.status()["frames_in"] >= before + 200)
    finally:
        flood.kill()
        flood.wait()
        world.server.reads.set()


# ---- credentials and trust ----

def test_credentials_are_not_in_the_process_list(world, client):
    client.connect(world.wss, "--ca", world.ca).wait_connected()
    words = pathlib.Path(f"/proc/{client.process.pid}/cmdline").read_bytes()
    assert b"foo" not in words and b"b%40" not in words and b"*@127.0.0.1" in words
    assert "b@r/" not in client.log.read_text() and SECRET not in client.log.read_text()


def test_credentials_from_a_file_or_the_environment(world, clients, tmp_path):
    url = f"wss://127.0.0.1:{world.secure}/vpn"
    (tmp_path / "credentials").write_text("foo:b@r/\n")
    clients[0].connect(url, "--ca", world.ca, "--credentials", tmp_path / "credentials").wait_connected()
    clients[1].connect(url, "--ca", world.ca, LANYARD_CREDENTIALS="foo:b@r/").wait_connected()


def test_wrong_credentials_are_told(world, client):
    client.connect(world.open.replace("/open", "/vpn"), LANYARD_CREDENTIALS="foo:wrong")
    client.wait_problem("401")


def test_a_client_certificate(world, clients, certificate, tmp_path):
    url = f"wss://127.0.0.1:{world.secure}/certificate"
    clients[1].connect(url, "--ca", world.ca)
    clients[1].wait_problem("403")
    clients[0].connect(url, "--ca", world.ca, "--crt", certificate[0], "--key", certificate[1]).wait_connected()
    assert world.server.variables[-1]["HTTPS_DN"] == "CN=server"


def test_a_server_that_is_not_trusted(world, clients, tmp_path):
    other, _ = make_certificate(tmp_path, "other", "IP:127.0.0.1")
    clients[0].connect(world.wss, "--ca", other)
    clients[0].wait_problem("not trusted")
    clients[1].connect(world.wss, "--no-verify").wait_connected()


def test_a_server_with_another_name_is_not_trusted(tmp_path, client):
    other = make_certificate(tmp_path, "another", "DNS:another.example")
    world = World(tmp_path, other)
    client.connect(world.wss, "--ca", world.ca)
    client.wait_problem("not trusted")
    assert world.server.variables == []
    world.stop()


@pytest.mark.parametrize("words, says", [
    (["tap0", "http://a/"], "wss://"), (["tap0", "wss://u@a/"], "USER:PASSWORD"), (["a/b", "ws://a/"], "no interface name"),
    (["tap0", "ws://a/", "--mtu", "9x"], "--mtu"), (["tap0", "ws://a/", "--ipv4", "10.0.0.1"], "--ipv4"),
    (["tap0", "ws://a/", "--ipv6", "10.0.0.1/8"], "--ipv6"), (["tap0", "ws://a/", "--user", "nobody-here"], "no user"),
    (["tap0", "ws://a/", "--crt", "x"], "expected both"), (["tap0", "ws://a/", "--exec-timeout", "0"], "--exec-timeout"),
    (["tap0", "ws://a/", "--proxy", "http://u:p@a"], "--proxy-credentials"),
    (["tap0", "ws://a/", "--crt", "/dev/null", "--key", "/dev/null"], "in PEM"),
])
def test_bad_words(words, says, tmp_path):
    done = connect_now(*words, "--state", tmp_path)
    assert done.returncode == 1 and says in done.stdout and done.stdout.count("\n") == 1, done.stdout


# ---- hooks and privileges ----

TELL = """echo "$LANYARD_HOOK $LANYARD_INTERFACE $LANYARD_MAC $LANYARD_MTU $LANYARD_IPV4 $LANYARD_URL
$LANYARD_REASON" >> {}"""


def test_hooks(world, client, tmp_path):
    told = tmp_path / "told"
    hooks = [word for name in ("exec", "exec-up", "exec-reconnect", "exec-down") for word in (f"--{name}", TELL.format(told))]
    client.connect(world.ws, *hooks).wait_connected()
    mac = client.mac
    world.server.drop()
    client.wait_connected(2)
    wait_for("the reconnection's hook", lambda: "reconnect" in told.read_text())
    assert run(LANYARD, "down", "--state", client.state).returncode == 0
    lines = told.read_text().splitlines()
    url = f"ws://127.0.0.1:{world.plain}/vpn"
    assert lines[0::2] == [f"{hook} tap0 {mac} 1486 10.98.0.1/24 {url}" for hook in ("exec", "up", "reconnect", "down")]
    assert lines[1] == lines[3] == lines[7] == "" and lines[5]


def test_a_hook_is_in_the_namespace_of_the_interface(world, client):
    client.connect(world.open, "--exec", "ip addr add 10.98.7.1/24 dev $LANYARD_INTERFACE").wait_connected()
    assert "10.98.7.1" in client.ip("addr").stdout


def test_a_failed_exec_ends_it(world, client):
    client.connect(world.open, "--exec", "exit 7")
    assert client.wait_exit() == 1
    assert "status 7" in client.log.read_text() and world.server.variables == []


def test_a_hook_that_hangs_is_killed(world, client):
    client.connect(world.open, "--exec-up", "sleep 1000", "--exec-timeout", "1").wait_connected()
    wait_for("the end of it", lambda: "did not end within 1 s" in client.log.read_text())
    assert client.is_connected()


def test_privileges_are_dropped(world, client, tmp_path):
    down = tmp_path / "down"
    client.connect(world.ws, "--user", "nobody", "--exec-down", f"id -u > {down}").wait_connected()
    fields = dict(line.split(":\t", 1) for line in
                  pathlib.Path(f"/proc/{client.process.pid}/status").read_text().splitlines() if ":\t" in line)
    assert fields["Uid"].split() == ["65534"] * 4 and "0" not in fields["Gid"].split() and not fields["Groups"].split()
    assert int(fields["CapEff"], 16) == int(fields["CapPrm"], 16) == 0
    world.server.drop()
    client.wait_connected(2)
    assert run(LANYARD, "down", "--state", client.state).returncode == 0
    assert client.wait_exit() == 0 and down.read_text() == "0\n"


# ---- the interface ----

def test_an_existing_interface_is_taken_and_stays(world, client):
    assert client.ip("tuntap", "add", "dev", "tap0", "mode", "tap").returncode == 0
    client.connect(world.open).wait_connected()
    assert run(LANYARD, "down", "--state", client.state).returncode == 0
    assert client.wait_exit() == 0 and "tap0" in client.ip("link").stdout


# ---- the way out ----

@pytest.mark.parametrize("host", ["[::1]", "localhost"])
def test_both_families(world, client, host):
    client.connect(f"ws://{host}:{world.plain}/open").wait_connected()


def test_a_dead_address_is_passed_over(world, client):
    """The name has addresses of both families; nothing listens at that of IPv6."""
    client.connect(f"wss://foo:{SECRET}@localhost:{world.secure}/vpn", "--ca", world.ca).wait_connected()


@pytest.fixture
def http_proxy(tmp_path):
    proxy = HttpProxy(tmp_path)
    yield proxy
    proxy.stop()


@pytest.fixture
def socks_proxy():
    proxy = SocksProxy()
    yield proxy
    proxy.stop()


def test_through_an_http_proxy(world, clients, http_proxy, tmp_path):
    (tmp_path / "login").write_text("user:pass\n")
    one, two = clients
    one.connect(world.wss, "--ca", world.ca, "--proxy", f"http://127.0.0.1:{http_proxy.port}", "--proxy-credentials",
                tmp_path / "login").wait_connected()
    two.connect(world.ws, http_proxy=f"http://user:pass@127.0.0.1:{http_proxy.port}").wait_connected()
    wait_for("a way", lambda: one.ping("10.98.0.2"))
    assert http_proxy.count(f"127.0.0.1:{world.secure}") == http_proxy.count(f"127.0.0.1:{world.plain}") == 1


def test_through_a_socks_proxy(world, clients, socks_proxy):
    one, two = clients
    one.connect(world.wss, "--ca", world.ca, "--proxy", f"socks5://127.0.0.1:{socks_proxy.port}",
                LANYARD_PROXY_CREDENTIALS="user:pass").wait_connected()
    two.connect(world.wss, "--ca", world.ca,
                all_proxy=f"socks5h://user:pass@127.0.0.1:{socks_proxy.port}").wait_connected()
    wait_for("a way", lambda: one.ping("10.98.0.2"))


def test_no_proxy_is_heeded(world, client, http_proxy):
    client.connect(world.wss, "--ca", world.ca, https_proxy=f"http://127.0.0.1:{http_proxy.port}",
                   no_proxy="127.0.0.1").wait_connected()
    assert http_proxy.count("127.0.0.1") == 0


def test_a_proxy_that_refuses_is_told(world, clients, http_proxy, socks_proxy):
    clients[0].connect(world.wss, "--proxy", f"http://127.0.0.1:{http_proxy.port}")
    clients[1].connect(world.wss, "--proxy", f"socks5://127.0.0.1:{socks_proxy.port}")
    clients[0].wait_problem("407")
    clients[1].wait_problem("proxy")


@pytest.mark.parametrize("reply", [b"", b"\0" * 200000, b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 20000,
                                   b"HTTP/1.1 999 \xff\r\n\r\n", b"SSH-2.0\r\n"], ids=len)
def test_a_proxy_that_is_none(world, client, reply):
    listener = socket.create_server(("127.0.0.1", 0))
    client.connect(world.ws, "--proxy", f"http://127.0.0.1:{listener.getsockname()[1]}")
    for _ in range(2):
        connection, _ = listener.accept()
        connection.recv(4096)
        try:
            connection.sendall(reply)
        except OSError:
            pass
        connection.close()
    wait_for("a problem", lambda: client.status().get("problem"))
    assert not world.server.variables
    listener.close()
