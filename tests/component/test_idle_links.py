"""Connections on which nothing happens stay, through a proxy that forgets them soon, and without one. The limits are
settings of nginx and of the node made short; all connections are idle at the same time, once for all tests."""

import contextlib
import select
import time

import pytest

from test_vpnws import ProxiedClient
from vpnws_world import (UWSGI_PARAMS, Nginx, Node, OldClient, masked, peers, random_mac, temporary_folder, wait_for)

LIMIT_S = 2  # of nginx, for silence in either direction
IDLE_S = 12  # longer than that, and than the 10 s that a handshake may take


class Place:
    """A node behind nginx."""

    def __init__(self, stack, ping_s):
        folder = stack.enter_context(temporary_folder())
        self.door, self.web = folder / "vpn.sock", folder / "web.sock"
        self.node = Node(folder, self.door, environment={"LANYARD_PING_S": str(ping_s)}).start()
        stack.callback(self.node.stop)
        nginx = Nginx(folder, f"""
            server {{
                listen unix:{self.web};
                location / {{
                    {UWSGI_PARAMS} uwsgi_pass unix:{self.door};
                    uwsgi_read_timeout {LIMIT_S}s; uwsgi_send_timeout {LIMIT_S}s; send_timeout {LIMIT_S}s;
                }}
            }}""").wait(self.web)
        stack.callback(nginx.stop)

    def has(self, client):
        return client.mac.upper() in [peer["MAC"] for peer in peers(self.door)]


class Link:
    """A client, what it does by itself now and then, and when it is pinged; what has come."""

    def __init__(self, stack, place, says=b"", answers=False, client=None):
        self.place, self.says, self.answers, self.got, self.is_over = place, says, answers, [], False
        self.client = client or OldClient(place.web, mac=random_mac())
        stack.callback(self.client.close)
        wait_for("it", lambda: place.has(self.client))

    def take(self):
        try:
            self.got.append(self.client.receive_message())
            if self.answers:
                self.client.socket.sendall(masked(b"", self.client.mask, 0x8a))
        except ConnectionError:
            self.is_over = True

    def send_to(self, other):
        sent = self.client.send(other.client.mac)
        assert other.client.receive() == sent


def be_idle(links):
    end = time.monotonic() + IDLE_S
    while time.monotonic() < end:
        for link in links:
            if link.says:
                link.client.socket.sendall(link.says)
        pause = time.monotonic() + LIMIT_S / 4
        while (left := pause - time.monotonic()) > 0:
            there = {link.client.socket: link for link in links if not link.is_over}
            for connection in select.select(list(there), [], [], left)[0]:
                there[connection].take()


@pytest.fixture(scope="module")
def links():
    """Pairs of links, by what they do."""
    with contextlib.ExitStack() as stack:
        silent, pinging = Place(stack, ping_s=0), Place(stack, ping_s=1)
        pairs = {
            "ping": [Link(stack, silent, says=b"\x89\x00") for _ in range(2)],
            "answer": [Link(stack, pinging, answers=True) for _ in range(2)],
            "do nothing": [Link(stack, pinging) for _ in range(2)],
            "cut": [Link(stack, silent)],
            "no proxy": [Link(stack, silent, client=ProxiedClient(silent.door, random_mac())) for _ in range(2)]}
        be_idle([link for pair in pairs.values() for link in pair])
        yield pairs


def test_who_pings_is_answered_and_stays(links):
    """As vpn-ws-client does, without a mask; the node itself is silent."""
    one, two = links["ping"]
    for link in (one, two):
        assert len(link.got) > IDLE_S / LIMIT_S and set(link.got) == {(0x8a, b"")}, "pongs"
    one.send_to(two)


@pytest.mark.parametrize("what", ["answer", "do nothing"])
def test_who_is_silent_is_pinged_and_stays(links, what):
    """As the clients in perl and Python of vpn-ws, which send nothing by themselves."""
    one, two = links[what]
    for link in (one, two):
        assert len(link.got) > IDLE_S / LIMIT_S and set(link.got) == {(0x89, b"")}, "pings"
    one.send_to(two)


def test_without_pings_the_proxy_ends_it(links):
    """So the limit is one, and the tests above prove something."""
    link, = links["cut"]
    assert link.is_over and link.got == []
    wait_for("the node to see it", lambda: not link.place.has(link.client))


def test_without_a_proxy_silence_is_no_reason_to_end(links):
    one, two = links["no proxy"]
    assert one.got == two.got == []
    one.send_to(two)
