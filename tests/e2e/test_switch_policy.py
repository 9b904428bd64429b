"""What an operator makes of the switch through the API: policy of members, rules of networks, counters, kicks, and the
stream of what happens, with two members that speak Ethernet over plain WebSocket messages."""

import secrets
import socket
import struct

import pytest

from api_client import wait_for
from api_world import Device, api, tenant, admin, stranger, websocket  # fixtures too
from event_stream import event_stream

BROADCAST = b"\xff" * 6


def mac_bytes(text):
    return bytes.fromhex(text.replace(":", ""))


class Port:
    """A member's connection: a frame is a message. What is no frame for it fails the test, a close ends it."""

    def __init__(self, fleet, api, device, url=None):
        attachment = api.ok("attach", device.basic, {})
        self.mac, self.ipv4 = mac_bytes(attachment["mac"] or "02:00:00:00:0f:0f"), attachment["ipv4"].split("/")[0]
        self.member = attachment["member"]
        self.sock = websocket(fleet, url or attachment["urls"][0], attachment["access_token"])
        self.sock.settimeout(30)
        self.data = b""

    def send(self, to, kind=b"\x88\xb5", payload=b"x" * 46, source=None):
        frame = to + (source or self.mac) + kind + payload
        mask = secrets.token_bytes(4)
        masked = bytes(b ^ mask[i % 4] for i, b in enumerate(frame))
        length = bytes([0x80 | len(frame)]) if len(frame) < 126 else b"\xfe" + struct.pack(">H", len(frame))
        self.sock.sendall(b"\x82" + length + mask + masked)

    def take(self, count):
        while len(self.data) < count:
            part = self.sock.recv(65536)
            if not part:
                raise EOFError
            self.data += part
        taken, self.data = self.data[:count], self.data[count:]
        return taken

    def message(self):
        """The next one as (opcode, payload)."""
        head = self.take(2)
        length = head[1] if head[1] < 126 else struct.unpack(">H", self.take(2))[0]
        return head[0] & 15, self.take(length)

    def receive(self):
        opcode, payload = self.message()
        assert opcode == 2, payload
        return payload

    def is_alive_with(self, other):
        """What was sent before has gone its way when this arrives."""
        mark = secrets.token_bytes(46)
        other.send(self.mac, payload=mark)
        frames = []
        while not frames or frames[-1][14:] != mark:
            frames.append(self.receive())
        return frames[:-1]

    def close_reason(self):
        while True:
            opcode, payload = self.message()
            if opcode == 8:
                return struct.unpack(">H", payload[:2])[0], payload[2:].decode()

    def close(self):
        self.sock.close()


@pytest.fixture
def world(fleet, api, tenant):
    """A network with two members, connected."""
    class World:
        of, owner = {"tenant": tenant.id}, tenant.owner
        ports = []

        def connect(self, device):
            self.ports.append(Port(fleet, api, device))
            return self.ports[-1]

        def update(self, port, **policy):
            return api.ok("updateMember", self.owner, policy, id_=port.member, **self.of)

        def with_policy(self, number, **policy):
            """The port of the device with that number, after its member has another policy."""
            self.update(self.ports[number], **policy)
            assert self.ports[number].close_reason() == (1008, "the member's policy has changed")
            self.ports[number] = Port(fleet, api, self.devices[number])
            return self.ports[number]

        def rules(self, **rules):
            return api.ok("updateNetwork", self.owner, rules, id_=self.network, **self.of)

        def sessions(self):
            found = api.ok("listSessions", self.owner, query={"network": self.network}, **self.of)["items"]
            return {s["member"]: s for s in found}

        def stream(self, last_id=None):
            return event_stream(api, self.owner, tenant.id, self.network, last_id)

    world = World()
    tag = secrets.token_hex(3)
    world.network = api.ok("createNetwork", tenant.owner, {
        "name": f"n-{tag}", "ipv4": f"10.{secrets.randbelow(60) + 100}.{secrets.randbelow(256)}.0/24"}, **world.of)["id"]
    world.devices = [Device(api, tenant, world.network, f"{name}-{tag}") for name in "ab"]
    world.a, world.b = [world.connect(device) for device in world.devices]
    wait_for("both sessions", lambda: len(world.sessions()) == 2)
    yield world
    for port in world.ports:
        port.close()


def arp(sender, sender_ip, target_ip, operation=1):
    return (struct.pack(">HHBBH", 1, 0x0800, 6, 4, operation) + sender + socket.inet_aton(sender_ip) + bytes(6) +
            socket.inet_aton(target_ip) + bytes(18))


def test_a_changed_policy_ends_the_session_and_holds_for_the_next(world):
    a, b = world.a, world.b
    old_source = mac_bytes("02:00:00:00:00:63")
    a.send(BROADCAST, source=old_source)
    assert b.is_alive_with(a) == []
    world.update(a, mac_limit=8, bridge=True)
    assert a.close_reason() == (1008, "the member's policy has changed")
    a = world.connect(world.devices[0])
    a.send(BROADCAST, source=old_source)
    assert [frame[6:12] for frame in b.is_alive_with(a)] == [old_source]
    b.send(mac_bytes("02:00:00:00:00:99"))  # nobody's: for the bridge
    assert [frame[:6].hex() for frame in a.is_alive_with(b)] == ["020000000099"]
    assert world.sessions()[a.member]["stations"] == 2


def test_a_token_with_an_earlier_policy_is_refused(fleet, api, world):
    attachment = api.ok("attach", world.devices[0].basic, {})
    world.update(world.a, isolated=True)
    assert world.a.close_reason()[0] == 1008
    with pytest.raises(AssertionError, match="401"):
        websocket(fleet, attachment["urls"][0], attachment["access_token"])
    world.connect(world.devices[0])


def test_isolated_members_reach_only_those_who_are_not(api, tenant, world):
    world.devices.append(Device(api, tenant, world.network, f"c-{secrets.token_hex(3)}"))
    c = world.connect(world.devices[2])
    a, b = world.with_policy(0, isolated=True), world.with_policy(1, isolated=True)
    wait_for("all sessions", lambda: len(world.sessions()) == 3)
    a.send(b.mac)
    a.send(BROADCAST)
    a.send(BROADCAST, b"\x08\x06", arp(a.mac, a.ipv4, b.ipv4))
    assert [frame[:6] for frame in c.is_alive_with(a)] == [BROADCAST, BROADCAST], "nobody answers for b"
    assert b.is_alive_with(c) == []
    assert world.sessions()[a.member]["drops"]["policy"] == 1


def ipv6(protocol, payload):
    link_local = [socket.inet_pton(socket.AF_INET6, address) for address in ("fe80::1", "ff02::1")]
    return struct.pack(">IHBB", 6 << 28, len(payload), protocol, 255) + b"".join(link_local) + payload


ADVERTISEMENT = ipv6(58, struct.pack(">BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0))
ANSWER = ipv6(17, struct.pack(">HHHH", 547, 546, 12, 0) + b"\x02abc")


@pytest.mark.parametrize("may, packet, detail", [
    ("router", ADVERTISEMENT, "router advertisement of a member that is none"),
    ("dhcp_server", ANSWER, "DHCP answer of a member that is no server")])
def test_routers_and_dhcp_servers_are_those_who_may(world, may, packet, detail):
    a, b = world.a, world.b
    with world.stream() as stream:
        a.send(b"\x33\x33\0\0\0\x01", b"\x86\xdd", packet)
        assert b.is_alive_with(a) == []
        assert stream.find("guard", member=a.member)["detail"] == detail
    a = world.with_policy(0, **{may: True})
    a.send(b"\x33\x33\0\0\0\x01", b"\x86\xdd", packet)
    assert [frame[14:] for frame in b.is_alive_with(a)] == [packet]


def test_a_guarded_member_speaks_for_its_own_address_only(world):
    a, b = world.a, world.b
    claims = [arp(a.mac, ip, ip) for ip in ("192.0.2.1", a.ipv4)]
    for claim in claims:
        a.send(BROADCAST, b"\x08\x06", claim)
    assert [frame[14:] for frame in b.is_alive_with(a)] == claims
    a = world.with_policy(0, address_guard=True)
    with world.stream() as stream:
        for claim in claims:
            a.send(BROADCAST, b"\x08\x06", claim)
        assert [frame[14:] for frame in b.is_alive_with(a)] == claims[1:]
        assert stream.find("guard", member=a.member)["detail"] == "it speaks for an address that is not its own"


def test_rules_of_a_network_reach_live_sessions(world):
    a, b = world.a, world.b
    a.send(BROADCAST)
    assert len(b.is_alive_with(a)) == 1
    world.rules(no_broadcast=True)

    def is_kept_back():
        a.send(BROADCAST)
        return b.is_alive_with(a) == []
    wait_for("the rule", is_kept_back)
    a.send(b"\x01\x00\x5e\x00\x00\xfb")
    assert len(b.is_alive_with(a)) == 1
    drops = world.sessions()[a.member]["drops"]
    assert drops["policy"] >= 1
    world.rules(no_broadcast=False, storm_frames=1)

    def is_a_storm():
        for _ in range(10):
            a.send(BROADCAST)
        return b.is_alive_with(a) and world.sessions()[a.member]["drops"]["storm"] > 0
    wait_for("the storm", is_a_storm)


def test_arp_is_answered_and_nobody_speaks_for_another(world):
    a, b = world.a, world.b
    a.send(BROADCAST, b"\x08\x06", arp(a.mac, a.ipv4, b.ipv4))
    reply = a.receive()
    assert (reply[:6], reply[6:12], reply[22:28]) == (a.mac, b.mac, b.mac)
    assert b.is_alive_with(a) == []
    with world.stream() as stream:
        a.send(BROADCAST, b"\x08\x06", arp(a.mac, b.ipv4, b.ipv4, 2))
        assert b.is_alive_with(a) == []
        event = stream.find("guard", member=a.member)
        assert event["detail"] == "it speaks for an address of another member"
    assert world.sessions()[a.member]["drops"]["policy"] == 1


def test_short_frames_and_reserved_addresses_go_nowhere(world):
    a, b = world.a, world.b
    for length in range(14):  # a client of vpn-ws would end itself on such a frame
        a.send(BROADCAST, b"", b"", source=(a.mac + b"\x88\xb5")[:max(0, length - 6)])
    a.send(b"\x01\x80\xc2\x00\x00\x00")
    assert b.is_alive_with(a) == []
    drops = world.sessions()[a.member]["drops"]
    assert drops["length"] >= 8 and drops["policy"] == 1


def test_the_stream_tells_what_happens_and_goes_on_where_it_was(api, world):
    with world.stream() as stream:
        world.b.close()
        closed = stream.find("session_closed", member=world.b.member)
        assert closed["detail"]
        last_id = stream.last_id
    b = world.connect(world.devices[1])
    world.a.send(BROADCAST, source=b"\x02\0\0\0\0\x77")
    with world.stream(last_id) as stream:
        opened = stream.find("session_opened", member=b.member)
        assert opened["session"] in [s["id"] for s in world.sessions().values()]
        refused = stream.find("station_refused", member=world.a.member)
        assert refused["mac"] == "02:00:00:00:00:77"
        # Ending a session is no ban: the member may come back at once.
        api.ok("closeSession", world.owner, id_=opened["session"], **world.of)
        assert b.close_reason() == (1008, "ended by an operator")
        stream.find("session_closed", session=opened["session"], detail="ended by an operator")
        again = world.connect(world.devices[1])
        stream.find("session_opened", member=again.member)
        newer = world.connect(world.devices[1])
        stream.find("session_replaced", member=newer.member)


def test_a_loop_between_two_bridges_is_held_and_told(world):
    for device, port in zip(world.devices, (world.a, world.b)):
        world.update(port, mac_limit=8, bridge=True)
        assert port.close_reason()[0] == 1008
    a, b = [world.connect(device) for device in world.devices]
    station = b"\x02\0\0\0\0\x55"
    with world.stream() as stream:
        for port, other in ((a, b), (b, a), (a, b), (b, a), (a, b)):
            port.send(other.mac, source=station)
            assert other.receive()[6:12] == station
        b.send(a.mac, source=station)
        loop = stream.find("loop", member=b.member)
        assert loop["mac"] == "02:00:00:00:00:55" and loop["other_member"] == a.member


def test_a_stream_is_for_those_who_may_and_for_good_ids(api, world, tenant, stranger):
    path = f"/v1/tenants/{tenant.id}/networks/{world.network}/events"
    assert api.send("GET", path, stranger.owner).status_code == 404
    for wrong in ("x", f"{world.network}:", f"{world.network}:1,", f"{world.network}:1,{world.network}",
                  f"{world.network}:1234567890123456789"):
        reply = api.send("GET", path, world.owner, headers={"Last-Event-ID": wrong})
        api.check_problem(reply, 400)
        assert reply.json()["field"] == "Last-Event-ID"


def test_streams_are_counted(api, world, tenant):
    path = f"/v1/tenants/{tenant.id}/networks/{world.network}/events"
    streams = [world.stream() for _ in range(16)]
    opened = [stream.__enter__() for stream in streams]
    reply = api.session.get(api.base_url + path, headers={"Authorization": world.owner.authorization}, timeout=30)
    assert reply.status_code == 429
    assert opened
    for stream in streams:
        stream.__exit__(None, None, None)
