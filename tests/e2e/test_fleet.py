"""What an operator sees of a running fleet: instances share the work, names follow members, a blocked device is out,
pairs carry bytes."""

import asyncio
import re
import secrets
import ssl

import pytest
import websockets

from api_client import wait_for
from api_world import Device, Tenant, admin, api, tenant  # fixtures too
from node_world import Twin


def served(fleet, port):
    found = re.search(r"^lanyard_bus_served_total (\d+)", fleet.ops("", "/metrics", port) or "", re.M)
    return int(found.group(1)) if found else None


def share(fleet, api, tenant, port, count):
    """How many of so many calls of the gateway, and of any other process meanwhile, come to that instance."""
    before = served(fleet, port)
    for _ in range(count):
        api.ok("listNetworks", tenant.owner, tenant=tenant.id)
    return served(fleet, port) - before


@pytest.fixture(scope="module")
def second_instance(fleet, api, tenant):
    """Another process of lanyard-provision, of a later version. Gives both ops ports once the others have found it."""
    first, twin = fleet.ops_port + 1, Twin(fleet, "provision", later=True)
    wait_for("its share of calls", lambda: share(fleet, api, tenant, twin.ops_port, 10) >= 3)
    yield first, twin.ops_port
    twin.stop()


def test_instances_share_the_work(fleet, api, tenant, second_instance):
    did = [share(fleet, api, tenant, port, 50) for port in second_instance]
    assert min(did) >= 5, did


def test_versions_understand_each_other(fleet, api, tenant, second_instance):
    """The later one asks auth, answers the gateway, and publishes what dns follows."""
    network = api.ok("createNetwork", tenant.owner, {"name": "shed", "ipv4": "10.92.0.0/24"}, tenant=tenant.id)
    before = served(fleet, second_instance[1])
    for n in range(6):
        device = Device(api, tenant, network["id"], f"tool{n}")
        wait_for("its address", lambda: fleet.dig(f"tool{n}.shed.{tenant.name}.lanyard.test", "A") ==
                 [device.attachment["ipv4"].split("/")[0]])
    assert served(fleet, second_instance[1]) >= before + 4


def test_the_rest_carry_on_without_an_instance(fleet, api, tenant, second_instance):
    fleet.kill("provision")
    for _ in range(100):
        api.ok("listNetworks", tenant.owner, tenant=tenant.id)
    wait_for("the killed one", fleet.is_ready)


def test_names_follow_members(fleet, api, tenant):
    network = api.ok("createNetwork", tenant.owner, {"name": "yard", "ipv4": "10.90.0.0/24"}, tenant=tenant.id)
    device = Device(api, tenant, network["id"], "pump")
    name = f"pump.yard.{tenant.name}.lanyard.test"
    wait_for("its address", lambda: fleet.dig(name, "A") == [device.attachment["ipv4"].split("/")[0]])
    wait_for("its IPv6 address", lambda: fleet.dig(name, "AAAA") == [device.attachment["ipv6"].split("/")[0]])
    api.ok("deleteMember", tenant.owner, tenant=tenant.id, id_=device.attachment["member"])
    wait_for("the end of its name", lambda: fleet.dig(name, "A") == [])


def connect(fleet, url, token):
    return websockets.connect(url, ssl=ssl.create_default_context(cafile=fleet.ca_file), open_timeout=30,
                              extra_headers={"Authorization": "Bearer " + token})


def test_blocked_device_is_out(fleet, api, tenant):
    network = api.ok("createNetwork", tenant.owner, {"name": "attic", "ipv4": "10.91.0.0/24"}, tenant=tenant.id)
    device = Device(api, tenant, network["id"], "lamp")
    url, token = device.attachment["urls"][0], device.attachment["access_token"]

    async def story():
        async with connect(fleet, url, token) as session:
            api.ok("updateDevice", tenant.owner, {"state": "blocked"}, tenant=tenant.id, id_=device.id)
            await asyncio.wait_for(session.wait_closed(), 30)
        with pytest.raises(websockets.exceptions.InvalidStatusCode) as refused:
            await connect(fleet, url, token)
        assert refused.value.status_code in (401, 403)

    asyncio.run(story())
    assert api.call("attach", device.basic, {}).status_code == 409


def test_pairs_carry_bytes(fleet, api, tenant):
    token = api.ok("createNarrowToken", tenant.owner, {"scopes": ["pairs:claim"]}, tenant=tenant.id)["access_token"]
    url = f"{fleet.dataplane_url}/pair?nonce={secrets.token_hex(8)}"
    sent = [secrets.token_bytes(size) for size in (1, 125, 126, 1400, 30000)]

    async def story():
        async with connect(fleet, url, token) as one, connect(fleet, url, token) as other:
            for speaker, listener in ((one, other), (other, one)):
                for message in sent:
                    await speaker.send(message)
                got = b""
                while len(got) < sum(map(len, sent)):
                    got += await asyncio.wait_for(listener.recv(), 30)
                assert got == b"".join(sent)
            await one.close()
            await asyncio.wait_for(other.wait_closed(), 30)

    asyncio.run(story())
