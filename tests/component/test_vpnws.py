"""A node in the place of a vpn-ws server: the uwsgi door, the status page, and how its clients' frames are switched."""

import calendar
import json
import os
import pathlib
import re
import stat
import struct
import time

import pytest

from vpnws_world import (BROADCAST, Node, OldClient, Refused, connect_to, control, frame, masked, peers, random_mac,
                         read_all, temporary_folder, uwsgi_packet, wait_for)

ACCEPT = "HDb+3d7rsmq8A4d1GyxViUAgIfk="  # of the key MDEyMzQ1Njc4OQ==
JSON_HEAD = ("HTTP/1.0 {} OK\r\nConnection: close\r\nCache-Control: no-cache, no-store, must-revalidate\r\n"
             "Pragma: no-cache\r\nExpires: 0\r\nContent-Type: application/json")


class ProxiedClient(OldClient):
    """A client behind a proxy: what the proxy sends is made here."""

    def __init__(self, address, mac=None, modifier1=0, pipelined=b"", **variables):
        self.socket, self.mac, self.mask, self.buffer = connect_to(address), mac, os.urandom(4), b""
        wanted = {"REQUEST_METHOD": "GET", "QUERY_STRING": "", "REMOTE_ADDR": "10.91.2.2",
                  "HTTP_UPGRADE": "websocket", "HTTP_SEC_WEBSOCKET_KEY": "MDEyMzQ1Njc4OQ==",
                  **({"HTTP_X_VPN_WS_MAC": mac} if mac else {}), **variables}
        self.packet = uwsgi_packet(modifier1, {k: v for k, v in wanted.items() if v is not None})
        self.socket.sendall(self.packet + pipelined)
        self.head = self.read_head()
        if not self.head.startswith("HTTP/1.1 101"):
            self.body = self.lost + read_all(self.socket)
            self.socket.close()
            raise Refused(self.head.split("\r\n")[0], self.body.decode())


@pytest.fixture(scope="module")
def folder():
    with temporary_folder() as path:
        yield path


NODES = []


def door_node():
    return NODES[-1]


def resident_kb(node):
    text = (pathlib.Path("/proc") / str(node.process.pid) / "status").read_text()
    return int(re.search(r"^VmRSS:\s+(\d+)", text, re.M).group(1))


@pytest.fixture(scope="module")
def door(folder):
    """The path of a node's uwsgi socket."""
    path = folder / "vpn.sock"
    node = Node(folder, path, environment={"LANYARD_VPNWS_BRIDGES": "true"}).start()
    NODES.append(node)
    yield path
    node.stop()
    assert not path.exists(), "the socket's file is removed"


@pytest.fixture
def clients(door):
    """Makes clients of the door, and closes them."""
    made = []

    def make(mac=None, **more):
        made.append(ProxiedClient(door, mac, **more))
        return made[-1]
    yield make
    for client in made:
        client.close()
    wait_for("an empty network", lambda: not peers(door))


def attached(door, client):
    """When the client's address is known to the node."""
    wait_for(client.mac, lambda: any(peer["MAC"].lower() == client.mac for peer in peers(door)))
    return client


# ---- the door ----

def test_the_handshake_is_that_of_vpn_ws(clients):
    assert clients(random_mac()).head == ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                                          "Connection: Upgrade\r\nSec-WebSocket-Accept: " + ACCEPT)


def test_the_socket_is_closed_to_others(door):
    assert stat.S_IMODE(os.stat(door).st_mode) == 0o660  # 3.4 13: vpn-ws has 0666


@pytest.mark.parametrize("variables, status", [
    ({"HTTP_SEC_WEBSOCKET_KEY": None}, "400 Bad Request"),
    ({"HTTP_X_VPN_WS_MAC": "02:00:00:00:00"}, "400 Bad Request"),
    ({"HTTP_X_VPN_WS_MAC": BROADCAST}, "400 Bad Request"),
    ({"HTTP_X_VPN_WS_MAC": "00:00:00:00:00:00"}, "400 Bad Request"),
    ({"REMOTE_USER": "u" * 300}, "431 Request Header Fields Too Large"),
])
def test_a_refusal_is_an_answer_that_says_why(clients, variables, status):
    """vpn-ws hangs up, and the proxy says 502."""
    with pytest.raises(Refused) as refused:
        clients(**variables)
    line, body = refused.value.args
    assert line == "HTTP/1.1 " + status and len(body) > 10


def test_more_than_64_variables_are_fine(clients):
    clients(random_mac(), **{f"HTTP_X_EXTRA_{n}": "value" for n in range(300)})


def test_a_packet_may_come_byte_by_byte(door):
    packet = uwsgi_packet(0, {"HTTP_SEC_WEBSOCKET_KEY": "MDEyMzQ1Njc4OQ=="})
    with connect_to(door) as connection:
        for n in range(len(packet)):
            connection.sendall(packet[n:n + 1])
        assert connection.recv(12) == b"HTTP/1.1 101"


def test_a_packet_that_never_ends_is_hung_up_on(door):
    """3.4 15: vpn-ws waits for ever."""
    packet = uwsgi_packet(0, {"HTTP_SEC_WEBSOCKET_KEY": "MDEyMzQ1Njc4OQ=="})
    connections = [connect_to(door) for _ in range(3)]
    for connection, begin in zip(connections, (b"", packet[:2], packet[:-1])):
        connection.sendall(begin)
    for connection in connections:
        with connection:
            assert connection.recv(1) == b""


def test_frames_may_follow_the_packet_at_once(door, clients):
    """3.4 16: vpn-ws destroys the first byte when the MAC comes last."""
    one, mac = attached(door, clients(random_mac())), random_mac()
    sent = frame(one.mac, mac)
    clients(mac, pipelined=masked(sent, b"mask"))
    assert one.receive() == sent


@pytest.mark.parametrize("garbage", [b"\0\1\0\0", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 1000, b"\0\5\0\0\1\0a\1\0"])
def test_garbage_is_no_request(door, garbage):
    with connect_to(door) as connection:
        connection.sendall(garbage)
        connection.shutdown(1)
        assert read_all(connection)[9:12] in (b"400", b"")
    assert peers(door) == []


# ---- the status page ----

def test_the_status_page_field_by_field(door, clients):
    bridge_mac, mac, behind = random_mac(), random_mac(), random_mac()
    before = int(time.time())
    bridge = attached(door, clients(bridge_mac, HTTP_X_VPN_WS_BRIDGE="on", REMOTE_USER='a"b\\', HTTPS_DN="CN=é"))
    plain = attached(door, clients(mac, REMOTE_USER="foo", HTTPS_DN="CN=client01,O=Acme", DN="CN=other",
                                   REMOTE_ADDR="fd00::2"))
    sent = [bridge.send(plain.mac), bridge.send(plain.mac, source=behind)]
    assert [plain.receive(), plain.receive()] == sent
    head, body = control(door)
    assert head == JSON_HEAD.format(200)
    document = json.loads(body)
    assert list(document) == ["status", "peers"] and document["status"] == "ok"
    first, second = document["peers"]
    assert list(first) == ["id", "MAC", "REMOTE_ADDR", "REMOTE_USER", "DN", "ts", "bridge", "macs", "unix", "tx", "rx"]
    assert body == json.dumps(document, separators=(",", ":"), ensure_ascii=False), "no blank that vpn-ws has not"
    assert 0 < first["id"] < second["id"] < 10000
    assert first["MAC"] == bridge_mac.upper() and second["MAC"] == mac.upper()
    assert (first["REMOTE_USER"], first["DN"], first["REMOTE_ADDR"]) == ('a"b\\', "CN=é", "10.91.2.2")
    assert (second["REMOTE_USER"], second["DN"], second["REMOTE_ADDR"]) == ("foo", "CN=client01,O=Acme", "fd00::2")
    assert (first["bridge"], first["macs"]) == (1, [behind.upper()])
    assert (second["bridge"], second["macs"]) == (0, [])
    assert before <= second["unix"] <= time.time()
    assert len(second["ts"]) == 24 and calendar.timegm(time.strptime(second["ts"])) - second["unix"] == \
        time.localtime(second["unix"]).tm_gmtoff
    received, frames = len(bridge.packet) + sum(6 + len(one) for one in sent), sum(2 + len(one) for one in sent)
    assert (first["rx"], first["tx"]) == (received, 129)
    assert (second["rx"], second["tx"]) == (len(plain.packet), 129 + frames)


def test_a_kill_ends_one_client(door, clients):
    one, other = attached(door, clients(random_mac())), attached(door, clients(random_mac()))
    number = peers(door)[0]["id"]
    for query in (f"kill={number + 10}", "kill=x", "kill=-1", "kill=0", "kill=99999999999"):
        head, body = control(door, query)
        assert head == JSON_HEAD.format("404") and body == '{"status":"not found"}', query
    assert [peer["id"] for peer in json.loads(control(door, "kill=")[1])["peers"]][0] == number
    assert control(door, f"a=b&kill={number}&c") == (JSON_HEAD.format("200"), '{"status":"ok"}')
    assert one.is_closed()
    sent = other.send(BROADCAST)
    assert len(peers(door)) == 1 and control(door, f"kill={number}")[1] == '{"status":"not found"}', sent
    attached(door, clients(one.mac))  # a kill is no ban


def test_a_hundred_clients_have_a_status_page(door, clients):
    """3.4 9: from 45 on vpn-ws writes beyond its buffer."""
    for n in range(100):
        clients(f"02:00:00:00:01:{n:02x}", REMOTE_USER="u" * 200, HTTPS_DN="d" * 1000)
    assert len(wait_for("all", lambda: len(peers(door)) == 100 and peers(door))) == 100


# ---- the switch, as contracts/switch.md 3.1 has it ----

def nothing_came(client, *senders):
    """What the senders send it now is the first thing that comes."""
    for sender in senders:
        mark = sender.send(client.mac, os.urandom(16))
        assert client.receive() == mark


def test_frames_go_where_they_belong(door, clients):
    bridge = attached(door, clients(random_mac(), HTTP_X_VPN_WS_BRIDGE="on"))
    one, two = attached(door, clients(random_mac())), attached(door, clients(random_mac()))
    sent = one.send(two.mac)
    assert two.receive() == sent
    sent = one.send(BROADCAST)
    assert two.receive() == sent and bridge.receive() == sent
    for group in ("01:00:5e:00:00:fb", "33:33:00:00:00:fb"):
        sent = one.send(group)
        assert two.receive() == sent and bridge.receive() == sent
    sent = one.send(random_mac())
    assert bridge.receive() == sent, "what is unknown goes to bridges"
    behind = random_mac()
    bridge.send(one.mac, source=behind)
    one.receive()
    sent = two.send(behind)
    assert bridge.receive() == sent
    for bad in (frame(two.mac, random_mac()), frame(two.mac, "00:00:00:00:00:00"), frame(two.mac, BROADCAST),
                frame("00:00:00:00:00:00", one.mac), frame(one.mac, one.mac)):
        one.send_message(bad)
    nothing_came(two, one)
    nothing_came(bridge, one)


def test_an_address_is_learned_from_the_first_frame(door, clients):
    one, silent = attached(door, clients(random_mac())), clients()
    mac = random_mac()
    assert wait_for("it", lambda: [peer["MAC"] for peer in peers(door)][1:]) == ["00:00:00:00:00:00"]
    silent.mac = mac
    sent = silent.send(one.mac)
    assert one.receive() == sent, "the first frame is forwarded"
    attached(door, silent)
    answer = one.send(mac)
    assert silent.receive_until(answer)
    silent.send(one.mac, b"of another source", source=random_mac())
    nothing_came(one, silent)


def test_who_comes_again_takes_its_place_at_once(door, clients):
    """3.2: in vpn-ws the older connection keeps the traffic."""
    mac = random_mac()
    other, old = attached(door, clients(random_mac())), attached(door, clients(mac, REMOTE_USER="foo"))
    new = clients(mac, REMOTE_USER="foo")
    assert old.is_closed()
    attached(door, new)
    sent = other.send(mac)
    assert new.receive() == sent


def test_nobody_takes_the_address_of_another(door, clients):
    mac = random_mac()
    other, owner = attached(door, clients(random_mac())), attached(door, clients(mac, REMOTE_USER="foo"))
    assert clients(mac, REMOTE_USER="mallory").is_closed()
    thief = attached(door, clients(random_mac(), HTTP_X_VPN_WS_BRIDGE="on", REMOTE_USER="mallory"))
    thief.send(other.mac, source=mac)
    sent = other.send(mac)
    assert owner.receive() == sent
    nothing_came(other, owner)


# ---- what kills vpn-ws or its clients ----

def test_short_frames_reach_nobody(door, clients):
    """3.4 1 and 19: a client that gets less than 14 bytes exits."""
    one, two = attached(door, clients(random_mac())), attached(door, clients(random_mac()))
    for length in range(14):
        one.send_message(frame(BROADCAST, one.mac)[:length])
    nothing_came(two, one)
    rude = attached(door, clients(random_mac()))
    rude.send_message(frame(BROADCAST, rude.mac)[:12], long=True)  # a longer header makes it no longer
    assert rude.is_closed()
    nothing_came(two, one)


@pytest.mark.parametrize("length", [1 << 16, (1 << 16) + 500, 1 << 40, (1 << 64) - 1])
def test_long_messages_end_their_own_client_only(door, clients, length):
    """3.4 2, 3, 4: a masked 64 KiB message hangs vpn-ws, a wrapped length corrupts it, a large one fills its memory."""
    one, two, rude = (attached(door, clients(random_mac())) for _ in range(3))
    rude.socket.sendall(struct.pack(">BBQ", 0x82, 0xff, length) + b"mask" + b"x" * 70000)
    assert rude.is_closed()
    sent = one.send(two.mac)
    assert two.receive() == sent


def test_odd_messages_are_read_as_they_are(door, clients):
    one, two = attached(door, clients(random_mac())), attached(door, clients(random_mac()))
    one.ping()  # unmasked
    assert one.receive_message() == (0x8a, b"")
    sent = frame(two.mac, one.mac)
    one.send_message(sent[:10], opcode=0x02)  # a message in two fragments is one frame
    one.send_message(sent[10:], opcode=0x80)
    assert two.receive_message() == (0x82, sent)


def test_a_client_that_reads_nothing_costs_its_queue_only(door, clients):
    """3.4 5, 6, 7: no memory without bound, no deadlock, no delay for others."""
    node, stopped = door_node(), attached(door, clients(random_mac()))
    sender, reader = attached(door, clients(random_mac())), attached(door, clients(random_mac()))
    payload, before = os.urandom(1400), resident_kb(node)
    for _ in range(200):
        for _ in range(250):
            sender.send(stopped.mac, payload)
        sent = sender.send(reader.mac)
        assert reader.receive() == sent
    assert resident_kb(node) - before < 20000, "70 MB were sent"
    sent = stopped.send(reader.mac)
    assert reader.receive() == sent, "what it sends is read all the same"
    last, used, begin = sender.send(stopped.mac, b"the last one" + payload), node.cpu_s(), time.monotonic()
    time.sleep(1)
    assert node.cpu_s() - used < (time.monotonic() - begin) / 2, "a socket without room is no reason to spin"
    assert stopped.receive_until(last), "what waits comes without another frame that pushes it"
