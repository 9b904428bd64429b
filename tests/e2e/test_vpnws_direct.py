"""vpn-ws-client, as it is on the wire, connects to a node directly: wss with a device's credentials in the URL."""

import pathlib
import secrets
import ssl
import sys

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
    context = ssl.create_default_context(cafile=fleet.ca_file)

    def make(**more):
        device = Device(fleet, *place)
        made.append(OldClient(("127.0.0.1", fleet.dataplane_port), userinfo=device.userinfo, context=context,
                              **{"mac": device.mac, **more}))
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
