"""Host names of one node, as server blocks of nginx: each shows its certificate, and is for a tenant, a network or a face."""

import asyncio
import secrets
import ssl

import pytest
import websockets

from agent_world import make_certificate, run
from api_client import wait_for
from node_world import Node
from test_vpnws_direct import BROADCAST, Device, OldClient, Refused

NAMES = ("office", "acme", "pairs")


class World:
    """A node with a host for a network, one for a tenant and one for pairs; and what lies beyond them."""

    def __init__(self, fleet):
        self.fleet = fleet
        folder = fleet.var / "tls"
        self.certificates = {name: make_certificate(folder, name, f"DNS:{name}.example") for name in NAMES}
        for _, key in self.certificates.values():
            key.chmod(0o644)
        self.tenant, self.other_tenant = self.make_tenant(), self.make_tenant()
        self.office, self.lab = self.make_network(self.tenant, 92), self.make_network(self.tenant, 93)
        self.foreign = self.make_network(self.other_tenant, 92)
        self.node = Node(
            fleet,
            LANYARD_TLS_CERT=",".join(f"/srv/tls/{name}.crt" for name in NAMES),
            LANYARD_TLS_KEY=",".join(f"/srv/tls/{name}.key" for name in NAMES),
            LANYARD_HOSTS=f"office.example network={self.office}, acme.example tenant={self.tenant} face=l2, "
                          "pairs.example face=pair").start()

    def make_tenant(self):
        reply = self.fleet.api("POST", "/v1/tenants", json={"name": "hosts-" + secrets.token_hex(4)})
        assert reply.status_code == 201, reply.text
        return reply.json()["id"]

    def make_network(self, tenant, number):
        reply = self.fleet.api("POST", f"/v1/tenants/{tenant}/networks",
                               json={"name": "hosts-" + secrets.token_hex(4), "ipv4": f"10.{number}.0.0/24"})
        assert reply.status_code == 201, reply.text
        return reply.json()["id"]

    def device(self, tenant, network):
        return Device(self.fleet, tenant, network)

    def token(self, device):
        reply = self.fleet.session.post(f"{self.fleet.base_url}/v1/attachments", verify=self.fleet.ca_file, timeout=30,
                                        auth=tuple(device.userinfo.split(":")), json={})
        return reply.json()["access_token"]

    def context(self, name):
        return ssl.create_default_context(cafile=str(self.certificates[name][0]))

    def old_client(self, name, device, **more):
        """As vpn-ws-client: Basic credentials in the URL, no network named."""
        return OldClient(("127.0.0.1", self.node.port), host=f"{name}.example", context=self.context(name),
                         userinfo=device.userinfo, mac=device.mac, **more)

    def open(self, name, path, token):
        return websockets.connect(f"wss://{name}.example:{self.node.port}{path}", host="127.0.0.1", port=self.node.port,
                                  ssl=self.context(name), server_hostname=f"{name}.example",
                                  extra_headers={"Authorization": "Bearer " + token})

    def status(self, name, path, token):
        async def ask():
            try:
                async with self.open(name, path, token):
                    return 101
            except websockets.exceptions.InvalidStatusCode as refused:
                return refused.status_code
        return asyncio.run(ask())

    def curl(self, name, *options, path="/"):
        return run("curl", "-sS", "--cacert", self.certificates[name][0] if name in NAMES else self.fleet.ca_file,
                   "--resolve", f"{name}.example:{self.node.port}:127.0.0.1", "-o", "/dev/null", "-w", "%{http_code}",
                   *options, f"https://{name}.example:{self.node.port}{path}").stdout


@pytest.fixture(scope="module")
def world(fleet):
    world = World(fleet)
    yield world
    world.node.stop()


def test_each_host_shows_its_own_certificate(world):
    for name in NAMES:
        assert world.curl(name) == "426", "it is there, for WebSocket"


def test_no_other_host_is_there(world):
    assert world.curl("nothing", "-k") == "421"
    assert world.curl("nothing", "-k", path="/tunnel") == "421", "whatever it is for"
    assert run("curl", "-sSk", "-o", "/dev/null", "-w", "%{http_code}",
               f"https://127.0.0.1:{world.node.port}/").stdout == "421", "nor is its address one"


def test_what_tls_was_asked_for_and_host_have_to_be_one_name(world):
    assert world.curl("office", "-H", "Host: acme.example") == "421"
    assert world.curl("office", "-H", "Host: OFFICE.example.:1") == "426"
    assert world.curl("office", "-H", "Host:", "--http1.0") == "426"


def test_a_host_of_a_network_puts_clients_into_it(world):
    """vpn-ws-client can name no network; users of vpn-ws have a server block for each."""
    one, two = [world.old_client("office", world.device(world.tenant, world.office)) for _ in range(2)]
    sent = one.send(BROADCAST)
    assert two.receive() == sent
    # The gateway hears of a node that is new within some seconds.
    sessions = wait_for("the sessions", lambda: world.fleet.api(
        "GET", f"/v1/tenants/{world.tenant}/sessions").json()["items"])
    one.close()
    two.close()
    assert [item["network"] for item in sessions] == [world.office] * 2
    with pytest.raises(Refused, match="403"):
        world.old_client("office", world.device(world.tenant, world.lab))
    with pytest.raises(Refused, match="403"):
        world.old_client("office", world.device(world.other_tenant, world.foreign))
    assert world.status("office", "/l2", world.token(world.device(world.tenant, world.lab))) == 403
    assert world.status("office", "/l2", world.token(world.device(world.tenant, world.office))) == 101


def test_a_host_of_a_tenant_is_for_all_its_networks_and_no_other_tenant(world):
    for network in (world.office, world.lab):
        device = world.device(world.tenant, network)
        world.old_client("acme", device).close()
        for path in ("/any/path", "/tunnel"):
            assert world.status("acme", path, world.token(device)) == 101
        assert world.status("acme", "/pair?nonce=n", world.token(device)) == 101, "its face is l2 on each path"
    stranger = world.device(world.other_tenant, world.foreign)
    assert world.status("acme", "/l2", world.token(stranger)) == 403
    with pytest.raises(Refused, match="403"):
        world.old_client("acme", stranger)


def test_a_host_of_a_face_has_that_face_on_each_path(world):
    token = world.token(world.device(world.tenant, world.office))

    async def talk():
        async with world.open("pairs", "/?nonce=n", token) as one, world.open("pairs", "/l2?nonce=n", token) as two:
            await one.send("hello")
            return await two.recv()
    assert asyncio.run(talk()) == "hello"
    assert world.status("pairs", "/l2", token) == 400, "a pair needs a nonce"
    wait_for("the end of sessions", lambda: not world.fleet.api(
        "GET", f"/v1/tenants/{world.tenant}/sessions").json()["items"])
