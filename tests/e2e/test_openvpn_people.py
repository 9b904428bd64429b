"""People whose apps got their configuration from the API of VPN apps, in a network of ours, with OpenVPN and with WireGuard: they
reach a device that runs our agent; with a second factor; who is blocked is thrown out. Numbers are those of the statements of the
contract of apps."""

import json

import pytest

from account_world import code_of, fresh_step, person  # noqa: F401
from agent_world import LANYARD, run
from api_client import wait_for
from api_world import admin, api, site_of, tenant  # noqa: F401
from eduvpn_world import OPENVPN, PROFILE, WIREGUARD, VpnApp
from lan_world import Network
from openvpn_world import World
from wireguard_world import Profile, WireguardClient, WireguardServer, genkey

SECRET = "K4JMMGO7T4ZR7ROZK4JMMGO7T4ZR7ROZ"
AT = {**PROFILE, "host": "198.51.100.1", "ports": ["udp/1194"], "default_gateway": False, "dns": [], "mode": "tap",
      "protocols": ["wireguard", "openvpn"]}


@pytest.fixture(scope="module")
def world(fleet, api, admin, tenant, tmp_path_factory):
    network = Network(fleet, api, tenant)
    profile = network.call("createProfile", {**AT, "network": network.id})
    world = World(tmp_path_factory.mktemp("openvpn"), network, {"profile": profile["id"]})
    world.profile = profile
    try:
        with site_of(api, admin, tenant.id):
            yield world.start()
    finally:
        world.stop()


def config_of(app):
    """What an old app makes of both answers."""
    pair = app.keypair()
    return (app.get("profile_config", profile_id="internet").text
            + f"<cert>\n{pair['certificate']}</cert>\n<key>\n{pair['private_key']}</key>\n")


def client_of(world, app, code=None):
    files = {"client.conf": config_of(app)}
    if code is not None:
        files["client.conf"] = files["client.conf"].replace("auth-user-pass", "auth-user-pass code")
        files["code"] = f"totp\n{code}\n"
    return world.client({name: text.encode() for name, text in files.items()})


def used(world):
    return world.network.call("getVpnStatistics")["profiles"]["internet"]


@pytest.mark.parametrize("fetch", [config_of, lambda app: app.connect().text], ids=["API 2", "API 3"])
def test_64_88_an_app_reaches_a_device(world, fleet, person, fetch):
    client = world.client({"client.conf": fetch(VpnApp(fleet, person.name)).encode()})
    client.start().wait_connected()
    wait_for("a way to the device", lambda: client.ping(world.other.address))
    own, = world.server.live(person.id)
    assert own["kind"] == "user" and own["ipv4"] and own["ipv6"]
    wait_for("a way back", lambda: world.other.ping(own["ipv4"]))
    client.end()
    wait_for("its end in the statistics", lambda: used(world)["total_traffic"] > 0)
    assert used(world)["unique_user_count"] == len({each["subject"] for each in world.server.connections()})


def test_89_92_a_blocked_user_is_out_and_not_let_in(world, fleet, person):
    app = VpnApp(fleet, person.name)
    client = client_of(world, app).start().wait_connected()
    wait_for("a way to the device", lambda: client.ping(world.other.address))
    world.network.call("updateUser", {"state": "blocked"}, id_=person.id)
    wait_for("the end of the session", lambda: client.says("AUTH_FAILED"))
    client.wait_exit()
    wait_for("the end of its connection", lambda: not world.server.live(person.id))


def test_92_an_app_that_is_revoked_is_out(world, fleet, person):
    client = client_of(world, VpnApp(fleet, person.name)).start().wait_connected()
    allowed, = [each for each in world.network.call("listAuthorizations", query={"limit": 200})["items"]
                if each["user"] == person.id]
    world.network.call("endAuthorization", id_=allowed["id"])
    wait_for("the end of the session", lambda: client.says("AUTH_FAILED"))
    client.wait_exit()


def test_89_who_is_not_in_the_group(world, fleet, person):
    client = client_of(world, VpnApp(fleet, person.name))
    world.network.call("createGroup", {"name": "staff"})
    change(world, groups=["staff"])
    try:
        client.start()
        client.wait_exit()
        assert client.says("account not a member of required group") and not world.server.connections(subject=person.id)
    finally:
        change(world, groups=[])


def test_what_is_in_use_is_not_deleted(world):
    refused = world.network.api.call("deleteProfile", world.network.tenant.owner, id_=world.profile["id"],
                                     tenant=world.network.tenant.id)
    assert refused.status_code == 409 and "VPN server" in refused.json()["detail"]


# ---- WireGuard ----

@pytest.fixture(scope="module")
def wireguard(world):
    server = WireguardServer(world.folder, world.server.member, world.server.device, {"profile": world.profile["id"]})
    try:
        yield server.start("lanyard-vpn")
    finally:
        server.stop()


def dial(app, accept=WIREGUARD):
    """What /connect gives for a new key, and that."""
    private, public = genkey()
    return Profile(app.connect(headers={"Accept": accept}, public_key=public), private), public


def test_78_81_96_wireguard_reaches_a_device(world, wireguard, fleet, person):
    profile, public = dial(VpnApp(fleet, person.name), f"{OPENVPN}, {WIREGUARD}")
    assert public in wireguard.keys(), "the peer is in the device when the app has its profile"
    assert "PrivateKey" not in profile.text and profile.text.splitlines()[-1] == "Endpoint = 198.51.100.1:51820"
    assert f"AllowedIPs = {world.network.prefix}.0/24," in profile.text
    client = world.add(WireguardClient(world.folder, world.server, profile)).start()
    wait_for("a way to the device", lambda: client.ping(world.other.address))
    wait_for("a way by IPv6", lambda: client.ping(world.other.status()["ipv6"].split("/")[0]))
    for address in profile.addresses:
        wait_for(f"a way back to {address}", lambda: world.other.ping(address))
    entry, = wait_for("its entry in the log", lambda: wireguard.live(person.id))
    assert [entry["ipv4"], entry["ipv6"]] == profile.addresses and entry["serial"] == public
    assert entry["source"].startswith(f"198.51.100.{client.number}:") and entry["label"] == "internet"
    client.end()


def test_92_a_blocked_user_has_no_wireguard(world, wireguard, fleet, person):
    profile, public = dial(VpnApp(fleet, person.name))
    client = world.add(WireguardClient(world.folder, world.server, profile)).start()
    wait_for("a way to the device", lambda: client.ping(world.other.address))
    wait_for("its entry in the log", lambda: wireguard.live(person.id))
    world.network.call("updateUser", {"state": "blocked"}, id_=person.id)
    wait_for("the end of the peer", lambda: public not in wireguard.keys())
    assert not client.ping(world.other.address)
    wait_for("the end of its entry", lambda: not wireguard.live(person.id))
    client.end()


def test_83_85_the_last_key_of_an_app_is_good_until_it_disconnects(wireguard, fleet, person):
    app = VpnApp(fleet, person.name)
    first, old = dial(app)
    second, new = dial(app)
    assert second.addresses == first.addresses
    assert old not in wireguard.keys() and new in wireguard.keys()
    other, kept = dial(VpnApp(fleet, person.name))
    assert set(wireguard.keys()) >= {new, kept} and not set(other.addresses) & set(second.addresses)
    for _ in range(2):
        reply = app.post("v3/disconnect")
        assert reply.status_code == 204 and not reply.content
    wait_for("the end of the peer", lambda: new not in wireguard.keys())
    assert kept in wireguard.keys()
    assert dial(app)[0].addresses == first.addresses, "whoever comes again has its address, if it is free"


def test_84_a_key_of_somebody_else_is_refused(wireguard, fleet, tenant, person):
    app = VpnApp(fleet, person.name)
    _, public = dial(app)
    _, foreign = dial(VpnApp(fleet))  # another user
    reply = app.connect(headers={"Accept": WIREGUARD}, public_key=foreign)
    assert (reply.status_code, reply.json()) == (400, {"error": 'invalid value for "public_key"'})
    assert {public, foreign} <= set(wireguard.keys())


def test_92_who_leaves_the_group_has_no_wireguard(world, wireguard, fleet, person):
    group = world.network.call("createGroup", {"name": "crew"})
    world.network.call("changeGroupMembers", {"add": [person.id]}, id_=group["id"])
    change(world, groups=["crew"])
    try:
        _, public = dial(VpnApp(fleet, person.name))
        world.network.call("changeGroupMembers", {"remove": [person.id]}, id_=group["id"])
        wait_for("the end of the peer", lambda: public not in wireguard.keys())
    finally:
        change(world, groups=[])


def test_86_without_its_server_openvpn_stands_in(world, wireguard, fleet, person):
    app = VpnApp(fleet, person.name)
    _, public = genkey()
    _, kept = dial(VpnApp(fleet, person.name))
    wait_for("its word", lambda: wireguard.lanyard("status").returncode == 0)
    shown = json.loads(wireguard.lanyard("status", "--json").stdout)
    assert (shown["command"], shown["state"], shown["server"]) == ("wireguard", "connected", wireguard.id) and shown["peers"] >= 1
    wireguard.end()
    assert wireguard.lanyard("status").returncode == 3
    reply = app.connect(headers={"Accept": f"{WIREGUARD}, {OPENVPN}"}, public_key=public)
    assert reply.status_code == 200 and reply.headers["Content-Type"] == OPENVPN
    reply = app.connect(headers={"Accept": WIREGUARD}, public_key=public)
    assert reply.status_code == 500 and reply.json()["error"].startswith("/connect failed: "), reply.text
    wireguard.start("lanyard-vpn")
    wait_for("the peers of before", lambda: wireguard.keys() != [])
    assert kept in wireguard.keys() and public not in wireguard.keys()


def change(world, **more):
    body = {key: value for key, value in {**AT, **more}.items() if key != "profile_id"}
    world.network.call("replaceProfile", body, id_=world.profile["id"])


def test_91_a_code_is_asked_for_once(world, fleet, person):
    app = VpnApp(fleet, person.name)
    fresh_step()
    assert app.post("two_factor_enroll_totp", totp_secret=SECRET, totp_key=code_of(SECRET)).json()["two_factor_enroll_totp"]["ok"]
    change(world, two_factor=True, protocols=["openvpn"])
    world.server.end()
    world.server.start()
    wrong = client_of(world, app, "000000").start()
    wrong.wait_exit()
    assert wrong.says("AUTH_FAILED,[VPN] TOTP validation failed")
    code = code_of(SECRET, 1)  # the one of enrolment is used up
    right = client_of(world, app, code).start().wait_connected()
    replayed = client_of(world, app, code).start()
    replayed.wait_exit()
    assert replayed.says("replay of OTP code")
    right.reconnect()
    assert not right.says("AUTH_FAILED"), "the server has given it a token"
    assert code not in world.server.log.read_text()


def test_servers_end_when_their_device_has_left_the_network(world, wireguard):
    world.network.call("deleteMember", id_=world.server.member.id)
    for server in (world.server, wireguard):
        assert server.process.wait(60) == 1
        assert "no member of the server's network any more" in server.log.read_text()
    again = run(LANYARD, "wireguard", "--state", world.server.member.state, "--netns", world.server.member.netns,
                "--interface", wireguard.interface)
    assert again.returncode == 1 and "no member of the server's network any more" in again.stdout
