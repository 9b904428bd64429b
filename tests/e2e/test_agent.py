"""The agent by itself, against a portal and a node that misbehave (agent_world.py). The real ones: test_up.py."""

import http
import json
import os
import signal
import socket
import ssl
import stat
import struct
import subprocess
import threading
import time

import pytest

from agent_world import LANYARD, Agent, Node, Portal, make_certificate, record, run, server_context
from api_client import wait_for


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return make_certificate(tmp_path_factory.mktemp("tls"), "node", "IP:127.0.0.1,DNS:localhost")


@pytest.fixture
def node(certificate):
    node = Node(certificate)
    yield node
    node.stop()


@pytest.fixture
def portal(certificate, node):
    portal = Portal(certificate, node.url)
    yield portal
    portal.stop()


@pytest.fixture
def agents(tmp_path, portal, certificate):
    agents = [Agent(tmp_path, portal, certificate[0], number) for number in (1, 2)]
    yield agents
    for agent in agents:
        agent.stop()


@pytest.fixture
def agent(agents):
    return agents[0]


# ---- enroll ----

def test_enrolment_is_kept_safely(agent):
    done = agent.enroll()
    assert done.returncode == 0 and "enrolled as device1" in done.stdout
    file = agent.state / "device.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600 and stat.S_IMODE(agent.state.stat().st_mode) == 0o700
    assert sorted(os.listdir(agent.state)) == ["device.json"]
    assert json.loads(file.read_text())["secret"].startswith("lyd_")
    assert "lyd_" not in done.stdout and "lye_" not in file.read_text()


def test_an_identity_is_never_overwritten(agent, portal):
    assert agent.enroll().returncode == 0
    before = (agent.state / "device.json").read_bytes()
    again, other = agent.enroll(), agent.enroll(name="device2")
    assert again.returncode == 0 and "enrolled already" in again.stdout
    assert other.returncode == 1 and "enrolled already as device1" in other.stdout
    assert (agent.state / "device.json").read_bytes() == before and portal.count("/v1/enrolments") == 1


def test_the_key_comes_from_a_file_or_the_environment(agent, portal, tmp_path):
    (tmp_path / "key").write_text("lye_from_file\n")
    portal.answer = lambda *_: (401, {"detail": "no such key"})
    agent.enroll("--key-file", tmp_path / "key")
    run(LANYARD, "enroll", portal.url, "--state", agent.state, "--ca", agent.ca,
        env={**os.environ, "LANYARD_ENROLMENT_KEY": "lye_from_environment"})
    assert [body["enrolment_key"] for _, _, body in portal.requests] == ["lye_from_file", "lye_from_environment"]


def test_a_lost_reply_does_not_use_the_key_twice(agent, portal):
    portal.answer = lambda *_: None
    assert agent.enroll().returncode == 1
    assert agent.enroll(key="lye_another").returncode == 1
    assert agent.enroll().returncode == 1
    assert agent.enroll().returncode == 1
    portal.answer = portal.usual
    assert agent.enroll().returncode == 0
    keys = [headers["Idempotency-Key"] for _, headers, _ in portal.requests]
    assert keys[0] != keys[1] and len(set(keys[2:])) == 1


@pytest.mark.parametrize("answer, words", [
    ((401, {"detail": "no such enrolment key"}), "401: no such enrolment key"),
    ((409, {"title": "Conflict\x1b[2J"}), "409: Conflict?[2J"),
    ((500, b"<html>"), "HTTP status 500"),
    ((302, {}, ("Location", "https://127.0.0.1:1/")), "HTTP status 302"),
    ((201, b"{"), "expected a JSON object"),
    ((201, b"[]"), "expected a JSON object"),
    ((201, b"\xff"), "expected a JSON object"),
    ((201, {"tenant": 7}), "tenant"),
    ((201, {"tenant": "x" * 36, "device": "../../etc/passwd"}), "tenant"),
    ((201, b" " * 70000), "over 65536 bytes"),
    (None, "can't reach the portal"),
])
def test_a_bad_reply_to_an_enrolment(agent, portal, answer, words):
    portal.answer = lambda *_: answer
    done = agent.enroll()
    assert done.returncode == 1 and words in done.stdout and done.stdout.count("\n") == 1
    assert not (agent.state / "device.json").exists()


def test_a_portal_that_is_not_trusted(agent, portal, tmp_path):
    other, _ = make_certificate(tmp_path, "other", "IP:127.0.0.1")
    (tmp_path / "empty").write_text("")
    for ca, words in [(other, "not trusted"), (tmp_path / "empty", "no certificate"), (tmp_path / "none", "can't open")]:
        done = agent.enroll(ca=ca)
        assert done.returncode == 1 and words in done.stdout, done.stdout
    assert portal.requests == []


@pytest.mark.parametrize("words, says", [
    (["enroll"], "URL is missing"), (["enroll", "http://a/"], "https://"), (["enroll", "https://a b/"], "https://"),
    (["enroll", "https://a/", "b"], "unexpected word 'b'"), (["up", "--bogus"], "unknown option --bogus"),
    (["up", "-x"], "unknown option -x"), (["up", "--netns"], "needs its NAME"), (["status", "--json=1"], "no value"),
    (["up", "--interface", "a/b"], "no interface name"), (["bogus"], "unknown command bogus"),
    (["--bogus"], "unknown option --bogus"),
])
def test_bad_words(words, says, tmp_path):
    done = run(LANYARD, *words)
    assert done.returncode == (1 if "://" in says or "interface name" in says else 2)
    assert says in done.stdout and done.stdout.count("\n") == 1


@pytest.mark.parametrize("command", [[], ["enroll"], ["up"], ["status"], ["down"]])
def test_help(command):
    done = run(LANYARD, *command, "--help")
    assert done.returncode == 0 and done.stdout.startswith("usage: lanyard")


# ---- up: the main job ----

def test_two_agents_reach_each_other(agents, node):
    one, two = [agent.up().wait_connected() for agent in agents]
    for address in ["10.99.0.2", "fd99::2"]:
        wait_for(f"a way to {address}", lambda: one.ping(address))
    assert two.ping("10.99.0.1") and two.ping("fd99::1")
    assert one.ping("10.99.0.2", "-M", "do", "-s", "1372") and not one.ping("10.99.0.2", "-M", "do", "-s", "1373")
    assert one.ping("10.99.0.2", "-s", "9000")  # in fragments
    link = one.ip("link", "show", "lanyard0").stdout
    assert "02:00:00:00:00:01" in link and "mtu 1400" in link and "UP" in link
    told = one.status()
    assert told["ipv4"] == "10.99.0.1/24" and told["ipv6"] == "fd99::1/64" and told["network"] == "office"
    assert told["url"] == node.url and told["frames_in"] > 0 and told["bytes_out"] > 0
    text = run(LANYARD, "status", "--state", one.state)
    assert text.returncode == 0 and "10.99.0.1/24" in text.stdout


def test_many_frames_cross_in_order(agents):
    one, two = [agent.up().wait_connected() for agent in agents]
    wait_for("a way", lambda: one.ping("10.99.0.2"))
    done = run("ip", "netns", "exec", one.netns, "ping", "-f", "-c", "3000", "-s", "1000", "10.99.0.2")
    assert " 0% packet loss" in done.stdout, done.stdout


# A server in one namespace takes what a client in the other sends, and both tell its digest.
TAKE = """import hashlib, socket, sys
server = socket.create_server(("10.99.0.2", 5001))
print(flush=True)
connection, digest, total = server.accept()[0], hashlib.sha256(), 0
while data := connection.recv(1 << 20):
    digest.update(data)
print(digest.hexdigest())"""
GIVE = """import hashlib, os, socket, time
data = os.urandom(30 << 20)
with socket.create_connection(("10.99.0.2", 5001), 300) as connection:
    connection.sendall(data)
print(hashlib.sha256(data).hexdigest())"""


@pytest.mark.parametrize("protocols", [["lanyard.l2.v1"], None])
def test_a_stream_crosses_whole(agents, node, protocols):
    """In super-frames of up to 64 KB where both sides know batches, else in frames of the interface's MTU."""
    node.restart(protocols)
    one, two = [agent.up().wait_connected() for agent in agents]
    wait_for("a way", lambda: one.ping("10.99.0.2"))
    take = subprocess.Popen(["ip", "netns", "exec", two.netns, "python3", "-c", TAKE], stdout=subprocess.PIPE, text=True)
    take.stdout.readline()
    give = run("ip", "netns", "exec", one.netns, "python3", "-c", GIVE)
    assert take.communicate(timeout=300)[0] == give.stdout
    assert node.longest > 20000 if protocols else node.longest == 1414
    assert one.status()["sessions"] == two.status()["sessions"] == 1


# The same with bursts of datagrams, each of which the server counts, checks and answers.
TAKE_BURSTS = """import socket
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 21)
server.bind(("10.99.0.2", 5002))
server.settimeout(60)
print(flush=True)
for burst in range(20):
    for n in range(40):
        data, client = server.recvfrom(9000)
        want = bytes([burst, n]) * (250 if n < 39 else 100)
        assert data == want, (burst, n, len(data), data[:2])
    server.sendto(b"next", client)
print("whole")"""
GIVE_BURSTS = """import socket, sys
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.connect(("10.99.0.2", 5002))
client.settimeout(60)
for burst in range(20):
    all = [bytes([burst, n]) * (250 if n < 39 else 100) for n in range(40)]
    if sys.argv[1] == "one call":
        client.setsockopt(17, 103, 500)  # UDP_SEGMENT
        client.send(b"".join(all))
    else:
        for data in all:
            client.send(data)
    client.recv(10)"""


@pytest.mark.parametrize("how", ["one call", "many calls"])
def test_bursts_of_datagrams_cross_whole(agents, node, how):
    """Those that one program sends by one call cross as one frame, where the kernel has that; others are joined at the end."""
    one, two = [agent.up().wait_connected() for agent in agents]
    wait_for("a way", lambda: one.ping("10.99.0.2"))
    take = subprocess.Popen(["ip", "netns", "exec", two.netns, "python3", "-c", TAKE_BURSTS], stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True)
    take.stdout.readline()
    give = run("ip", "netns", "exec", one.netns, "python3", "-c", GIVE_BURSTS, how)
    assert take.communicate(timeout=60)[0] == "whole\n", give.stdout
    kernel = tuple(int(number) for number in os.uname().release.split(".")[:2])
    assert node.longest > 15000 if how == "one call" and kernel >= (6, 2) else node.longest < 1500


def test_a_node_that_learns_batches(agents, node):
    """Offload goes with the session."""
    node.restart(None)
    one, two = [agent.up().wait_connected() for agent in agents]
    node.restart(["lanyard.l2.v1"])
    for agent in agents:
        agent.wait_connected(2)
    wait_for("a way", lambda: one.ping("10.99.0.2"))


@pytest.mark.parametrize("how", ["signal", "down"])
def test_a_stop_closes_the_session_and_removes_the_interface(agent, node, how):
    agent.up().wait_connected()
    if how == "down":
        assert run(LANYARD, "down", "--state", agent.state).returncode == 0
    else:
        agent.process.send_signal(signal.SIGTERM)
        assert agent.wait_exit() == 0
    assert "lanyard0" not in agent.ip("link").stdout
    wait_for("the close frame", lambda: node.close_codes == [1000])
    assert agent.wait_exit() == 0
    assert run(LANYARD, "status", "--state", agent.state).returncode == 3
    assert not list(agent.state.glob("*.sock"))


def test_a_stop_while_it_waits(agent, portal):
    portal.answer = lambda path, *rest: portal.usual(path, *rest) if path == "/v1/enrolments" else None
    agent.up()
    agent.wait_problem("can't reach the portal")
    assert run(LANYARD, "down", "--state", agent.state).returncode == 0
    assert agent.wait_exit() == 0


# ---- up: what may go wrong ----

def index_of(agent):
    return agent.ip("-o", "link", "show", "lanyard0").stdout.split(":")[0]


def test_it_connects_again_after_each_end(agent, node, portal):
    agent.up().wait_connected()
    index, ends = index_of(agent), [lambda: node.close(1012), node.abort, lambda: node.close(1011)]
    for n, end in enumerate(ends):
        end()
        agent.wait_connected(n + 2)
    assert index_of(agent) == index and portal.count("/v1/attachments") == 1
    assert agent.is_connected() and agent.status()["problem"]


def test_it_survives_a_restart_of_the_node_without_a_portal(agent, node, portal):
    agent.up().wait_connected()
    portal.answer = lambda *_: None
    node.end()
    agent.wait_problem("connect")
    node.begin()
    agent.wait_connected(2)  # with the token that it has
    assert portal.count("/v1/attachments") == 1


def test_a_refused_token_is_replaced(agent, node, portal):
    refused = []

    def gate(path, headers):
        if len(refused) < 1:
            refused.append(headers["Authorization"])
            return http.HTTPStatus.UNAUTHORIZED, [], b""

    node.gate = gate
    agent.up().wait_connected()
    assert portal.count("/v1/attachments") == 2 and node.paths[-1][1] not in refused


def test_a_pending_device_waits_for_its_approval(agent, portal):
    pending = (409, {"title": "Conflict", "detail": "the device is pending: an operator has to approve it first"})
    portal.answer = lambda path, *rest: portal.usual(path, *rest) if path == "/v1/enrolments" else pending
    agent.up()
    agent.wait_problem("an operator has to approve it")
    wait_for("some attempts", lambda: portal.count("/v1/attachments") > 3)
    assert agent.log.read_text().count("an operator has to approve it") == 1
    assert run(LANYARD, "status", "--state", agent.state).returncode == 3
    portal.answer = portal.usual
    agent.wait_connected()


def test_it_follows_its_host_to_another_path_only(agent, node):
    node.gate = lambda path, headers: (None if path == "/home" else (
        http.HTTPStatus.TEMPORARY_REDIRECT, [("Location", "/home")], b""))
    agent.up().wait_connected()
    assert [path for path, _ in node.paths] == ["/l2", "/home"] and agent.status()["url"].endswith("/home")
    node.gate = lambda path, headers: (
        http.HTTPStatus.TEMPORARY_REDIRECT, [("Location", f"wss://localhost:{node.port}/l2")], b"")
    node.close(1012)
    agent.wait_problem("307")
    assert "another host" in agent.log.read_text()


def test_endless_redirections_end(agent, node):
    node.gate = lambda path, headers: (http.HTTPStatus.TEMPORARY_REDIRECT, [("Location", path + "x")], b"")
    agent.up()
    agent.wait_problem("307")
    assert max(len(path) for path, _ in node.paths) <= len("/l2xxx")


def test_the_next_url_is_tried(agent, node, portal):
    portal.more = {"urls": ["wss://127.0.0.1:1/l2", node.url]}
    agent.up().wait_connected()
    assert agent.status()["url"] == node.url


def test_a_new_token_in_time(agent, node, portal):
    portal.more = {"expires_in": 12}
    agent.up().wait_connected()
    portal.more = {"ipv4": "10.99.0.77/24", "ipv6": "", "mtu": 1300}
    wait_for("the next attachment", lambda: agent.status().get("mtu") == 1300)
    addresses = agent.ip("addr", "show", "lanyard0").stdout
    assert "10.99.0.77/24" in addresses and "10.99.0.1/24" not in addresses and "fd99" not in addresses
    assert "mtu 1300" in addresses and agent.status()["sessions"] == 1


def test_a_mac_address_that_is_left_to_the_device(agents, node, portal):
    """It is the same at each start, another for each device, and the node is told."""
    portal.more, told, macs = {"mac": ""}, [], []
    node.gate = lambda path, headers: told.append(headers["X-vpn-ws-MAC"])
    for agent in (agents[0], agents[0], agents[1]):
        agent.up().wait_connected()
        macs.append(agent.status()["mac"])
        assert f"link/ether {macs[-1]} " in agent.ip("-o", "link", "show", "lanyard0").stdout
        agent.stop_process()
    assert macs == told and macs[0] == macs[1] != macs[2] and {mac[1] for mac in macs} <= set("26ae")


@pytest.mark.parametrize("more, words", [
    ({"mac": "03:00:00:00:00:01"}, "mac"), ({"mac": "00:00:00:00:00:00"}, "mac"), ({"mac": "02-00-00-00-00-01"}, "mac"),
    ({"ipv4": "10.99.0.1"}, "ipv4"), ({"ipv4": "224.0.0.1/24"}, "ipv4"), ({"ipv4": "10.99.0.1/33"}, "ipv4"),
    ({"ipv6": "fd99::1/0"}, "ipv6"), ({"ipv6": ["fd99::1/64"]}, "ipv6"), ({"mtu": 100000}, "mtu"), ({"mtu": 0}, "mtu"),
    ({"urls": []}, "urls"), ({"urls": ["ws://127.0.0.1/"]}, "urls"), ({"urls": "wss://a/"}, "urls"),
    ({"access_token": "a b\r\nX: y"}, "access_token"), ({"access_token": "x" * 9000}, "access_token"),
    ({"expires_in": -1}, "expires_in"), ({"network_name": "a\nb"}, "network_name"),
])
def test_an_attachment_is_checked(agent, portal, more, words):
    portal.more = more
    agent.up()
    agent.wait_problem(words)
    assert agent.status()["state"] in ("waiting", "attaching") and "UP" not in agent.ip("link", "show", "lanyard0").stdout


@pytest.mark.parametrize("message, code", [
    ("a text", 1003), (b"x" * 262145, 1009),
    (b"\x83\x00", 1002), (b"\xc2\x01a", 1002), (b"\x82\x81aaaab", 1002), (b"\x82\x7e\x00\x01a", 1002), (b"\x80\x01a", 1002),
], ids=lambda value: str(len(value) if isinstance(value, (bytes, str)) else value))
def test_a_node_that_breaks_the_protocol(agent, node, message, code):
    agent.up().wait_connected()
    if code == 1002:
        node.send_raw(message)
    else:
        node.send(message)
    wait_for("the close frame", lambda: node.close_codes and node.close_codes[0] == code)
    agent.wait_connected(2)


def test_strange_frames_do_no_harm(agent, node):
    agent.up().wait_connected()
    for frame in [b"x" * 14, b"\xff" * 14, b"\0" * 60, os.urandom(1500), os.urandom(9000), b"\0" * 65549]:
        node.send_frame(frame)
    wait_for("what could be written", lambda: agent.status()["frames_in"] >= 2)
    assert agent.status()["sessions"] == 1


def test_frames_that_are_none_are_dropped(agent, node):
    node.restart(None)
    agent.up().wait_connected()
    for frame in [b"", b"x", b"x" * 13]:
        node.send(frame)
    wait_for("the drops", lambda: agent.status()["frames_dropped"] == 3)


def test_headers_that_do_not_fit_are_dropped(agent, node):
    """The kernel believes what is written to a TAP; the agent does not believe the node."""
    agent.up().wait_connected()
    frame = b"\xff" * 6 + b"\x02\0\0\0\0\x09" + b"\x08\0" + b"\x45" + bytes(59)
    for header in [struct.pack("<BBHHHH", *fields) for fields in [
            (1, 0, 0, 0, 0, 0), (1, 0, 0, 0, 60, 30), (0, 1, 54, 1000, 0, 0), (1, 1, 54, 0, 34, 16), (0, 9, 0, 0, 0, 0)]]:
        node.send_frame(frame, header)
    node.send(record(frame, flags=1))
    wait_for("the drops", lambda: agent.status()["frames_dropped"] == 6)
    assert agent.status()["sessions"] == 1


@pytest.mark.parametrize("message", [b"x", b"\0" * 14, record(b"x" * 13), record(b"x" * 60)[:-1],
                                     record(b"x" * 60) + b"x", record(b"x" * 65550)], ids=len)
def test_a_batch_that_is_cut_ends_the_session(agent, node, message):
    agent.up().wait_connected()
    node.send(message)
    wait_for("the close frame", lambda: node.close_codes and node.close_codes[0] == 1002)
    agent.wait_connected(2)


def test_pings_are_answered(agent, node):
    agent.up().wait_connected()

    async def ping():
        await (await node.sessions[0].ping(b"x" * 125))
    node.do(ping())


class Garbage:
    """A TLS server that answers each connection with the next of `answers`, then with the last one again."""

    def __init__(self, certificate, answers):
        self.answers, self.seen = answers, 0
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.context = server_context(certificate)
        self.url = f"wss://127.0.0.1:{self.socket.getsockname()[1]}/l2"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection, _ = self.socket.accept()
                with self.context.wrap_socket(connection, server_side=True) as connection:
                    connection.recv(8192)
                    connection.sendall(self.answers[min(self.seen, len(self.answers) - 1)])
                    self.seen += 1
            except ssl.SSLError:
                self.seen += 1
            except OSError:
                return


@pytest.mark.parametrize("answer, words", [
    (b"", "ended the connection"), (b"\0" * 9000, "over 8192"),
    (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 19\r\n\r\nNot with that MAC.\n\x1b[2J", "HTTP status 403: Not with that MAC."),
    (b"HTTP/1.1 502 Bad\r\n\r\n<html>\nbad", "HTTP status 502"), (b"HTTP/1.1 101 X\r\n\r\n", "no WebSocket"),
    (b"SSH-2.0-OpenSSH\r\n\r\n", "not HTTP"), (b"HTTP/1.1 200 OK\r\n\r\n", "status 200"),
    (b"HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n", "Accept"),
])
def test_a_node_that_is_none(agent, portal, certificate, answer, words):
    garbage = Garbage(certificate, [answer])
    portal.more = {"urls": [garbage.url]}
    agent.up()
    wait_for("two attempts", lambda: garbage.seen >= 2)
    agent.wait_problem(words)
    garbage.socket.close()


def test_a_node_with_another_name_is_not_trusted(agent, portal, tmp_path):
    other = make_certificate(tmp_path, "another", "DNS:another.example,IP:127.0.0.2")
    bundle = tmp_path / "bundle"
    bundle.write_text(agent.ca.read_text() + other[0].read_text())
    agent.ca = bundle
    node = Node(other)
    portal.more = {"urls": [node.url]}
    agent.up()
    agent.wait_problem("not trusted")
    assert node.paths == []  # the token was not shown
    node.stop()


# ---- up: this machine ----

def test_one_process_an_interface(agent):
    agent.up().wait_connected()
    again = run(LANYARD, "up", "--state", agent.state, "--netns", agent.netns)
    assert again.returncode == 1 and "already" in again.stdout
    assert agent.is_connected()


def test_an_interface_of_another_is_left_alone(agent):
    assert agent.enroll().returncode == 0
    assert agent.ip("tuntap", "add", "dev", "lanyard0", "mode", "tap").returncode == 0
    done = run(LANYARD, "up", "--state", agent.state, "--netns", agent.netns)
    assert done.returncode == 1 and "choose another --interface" in done.stdout
    assert "lanyard0" in agent.ip("link").stdout


def test_what_is_missing_is_told(agent):
    assert agent.enroll().returncode == 0
    up = [LANYARD, "up", "--state", agent.state]
    for words, says in [
            ([*up, "--netns", "lanyard-test-none"], "can't open the network namespace"),
            ([LANYARD, "up", "--state", agent.state / "none"], "lanyard enroll does it"),
            (["unshare", "-m", "sh", "-c", 'mount -t tmpfs none /dev/net && exec "$0" "$@"', *up], "modprobe tun"),
            (["setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin", *up], "run as root")]:
        done = run(*words)
        assert done.returncode == 1 and says in done.stdout and done.stdout.count("\n") == 1, done.stdout


def test_a_damaged_identity_is_told(agent):
    assert agent.enroll().returncode == 0
    for damage in ["", "{", "[]", "{}", '{"url": 1}', "\0"]:
        (agent.state / "device.json").write_text(damage)
        done = run(LANYARD, "up", "--state", agent.state)
        assert done.returncode == 1 and "damaged" in done.stdout, done.stdout


def test_an_interface_that_is_deleted_ends_it(agent):
    agent.up().wait_connected()
    agent.ip("link", "del", "lanyard0")
    assert agent.wait_exit() == 1
    assert "interface_gone" in agent.log.read_text()


def processor_seconds(agent):
    fields = open(f"/proc/{agent.process.pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_an_interface_that_is_down_costs_nothing(agents, node):
    one, two = [agent.up().wait_connected() for agent in agents]
    one.ip("link", "set", "lanyard0", "down")
    before, began = processor_seconds(one), time.monotonic()
    for _ in range(10):
        node.send_frame(b"\xff" * 60)
    wait_for("the drops", lambda: one.status()["frames_dropped"] >= 10)
    wait_for("some time", lambda: time.monotonic() - began > 3)
    assert processor_seconds(one) - before < 1.5
    one.ip("link", "set", "lanyard0", "up")
    one.ip("addr", "replace", "10.99.0.1/24", "dev", "lanyard0")
    wait_for("a way", lambda: one.ping("10.99.0.2"))


def test_status_says_which_of_several(agent):
    agent.up().wait_connected()
    other = run(LANYARD, "status", "--state", agent.state, "--interface", "lanyard1")
    assert other.returncode == 3 and "not running" in other.stdout
    (agent.state / "control-lanyard1.sock").write_text("")
    assert "--interface" in run(LANYARD, "status", "--state", agent.state).stdout
    told = run(LANYARD, "status", "--json", "--state", agent.state, "--interface", "lanyard0")
    assert told.returncode == 0 and json.loads(told.stdout)["mac"] == agent.status()["mac"]


@pytest.mark.parametrize("request_", [b"", b"x", b"status", b"bogus\n", b"x" * 1000, b"\0\n"])
def test_nonsense_on_the_control_socket(agent, request_):
    agent.up().wait_connected()
    path = str(agent.state / "control-lanyard0.sock")
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    for _ in range(20):
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(path)
            client.sendall(request_)
    wait_for("an answer to the next", agent.is_connected)
