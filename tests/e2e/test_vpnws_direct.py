"""vpn-ws-client, as it is on the wire, connects to a node directly: wss with a device's credentials in the URL."""

import pathlib
import secrets
import ssl
import sys
import threading

import pytest

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "component"))

from vpnws_world import BROADCAST, OldClient, Refused, random_mac  # noqa: E402


class Device:
    """A device of the first tenant, enrolled for a network, with the address that the network gave it."""

    def __init__(self, fleet, tenant, network):
        key = fleet.api("POST", f"/v1/tenants/{tenant}/enrolment-keys",
                        json={"name": "vpnws-" + secrets.token_hex(4), "network": network, "approve": True})
        assert key.status_code == 201, key.text
        enrolled = fleet.session.post(f"{fleet.base_url}/v1/enrolments", verify=fleet.ca_file, timeout=30, json={
            "enrolment_key": key.json()["secret"], "name": "vpnws-" + secrets.token_hex(4)})
        assert enrolled.status_code == 201, enrolled.text
        self.userinfo = f"{enrolled.json()['device']}:{enrolled.json()['secret']}"
        attached = fleet.session.post(f"{fleet.base_url}/v1/attachments", verify=fleet.ca_file, timeout=30,
                                      auth=tuple(self.userinfo.split(":")), json={})
        assert attached.status_code in (200, 201), attached.text
        self.mac = attached.json()["mac"]


@pytest.fixture(scope="module")
def place(fleet):
    """The ids of a tenant and of a network of these tests' own."""
    tenant = fleet.api("GET", "/v1/tenants").json()["items"][0]["id"]
    network = fleet.api("POST", f"/v1/tenants/{tenant}/networks",
                        json={"name": "vpnws-" + secrets.token_hex(4), "ipv4": "10.91.0.0/24"})
    assert network.status_code == 201, network.text
    return tenant, network.json()["id"]


@pytest.fixture
def connect(whole_fleet, place):
    fleet, made = whole_fleet, []

    def make(version=ssl.TLSVersion.TLSv1_3, **more):
        context = ssl.create_default_context(cafile=fleet.ca_file)
        context.minimum_version = context.maximum_version = version
        device = more.pop("device", None) or Device(fleet, *place)
        made.append(OldClient(("127.0.0.1", fleet.dataplane_port), userinfo=device.userinfo, context=context,
                              **{"mac": device.mac, **more}))
        made[-1].device = device
        return made[-1]
    yield make
    for client in made:
        client.close()


def test_frames_cross_and_nothing_comes_with_the_101(connect):
    one = connect()
    two = connect()
    assert one.lost == two.lost == b"" and "Sec-WebSocket-Protocol" not in two.head
    two.ping()  # unmasked, and never answered by it
    one.ping()
    sent = one.send(BROADCAST)
    assert two.receive() == sent
    large = two.send(one.mac, secrets.token_bytes(1300))
    assert one.receive() == large


def test_an_address_that_is_not_its_own_is_refused_with_a_status(connect):
    with pytest.raises(Refused, match="403"):
        connect(mac=random_mac())
    with pytest.raises(Refused, match="400"):
        connect(mac=BROADCAST)
    with pytest.raises(Refused, match="403"):
        connect(bridge=True)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_what_others_broadcast_does_not_come_with_the_101(connect, version):
    """What vpn-ws-client reads together with the end of the head it throws away, and then reads from the middle of a frame."""
    sender, over = connect(), threading.Event()

    def flood():
        while not over.is_set():
            sender.send(BROADCAST, bytes(100))
            over.wait(0.001)
    thread = threading.Thread(target=flood)
    thread.start()
    try:
        for _ in range(5):
            late = connect(version)
            assert late.lost == b""
            assert len(late.receive()) == 114, "a whole frame"
    finally:
        over.set()
        thread.join()


def test_records_are_no_longer_than_the_client_reads(fleet, connect):
    """It reads 8192 bytes at a time, and what is left of a record waits for the next that comes (7.1, 9)."""
    one, two = connect(), connect()
    sent = [one.send(two.mac, secrets.token_bytes(1486)) for _ in range(300)]
    got = []
    while len(got) < len(sent):
        got.append(two.receive())
        assert two.socket.pending() <= 8192
    assert got == sent


def test_a_client_that_restarts_takes_its_place_at_once(connect):
    """The earlier connection lingers in vpn-ws, and keeps the traffic."""
    one, two = connect(), connect()
    again = connect(device=two.device)
    sent = one.send(two.mac)
    assert again.receive() == sent and two.is_closed()
