"""A tenant with a site and something in as many tables as the API fills."""

import secrets
import uuid

import pytest

from api_client import NOBODY, wait_for
from api_world import Device, Tenant, websocket
from eduvpn_world import PORTAL, PROFILE, raw
from federation_world import ForeignSite, Lists
from oauth_world import App, Browser, allow


@pytest.fixture(scope="module")
def tenant(api, admin):
    tenant = Tenant(api, admin)
    tenant.site = api.ok("createSite", admin, {"name": "127.0.0.1"}, tenant=tenant.id)
    yield tenant
    api.call("deleteSite", admin, tenant=tenant.id, id_=tenant.site["id"])  # gone with the tenant if a test deletes that


@pytest.fixture(scope="module")
def of(tenant):
    return {"tenant": tenant.id}


def let_apps_in(api, fleet, tenant, of, device, network, folder):
    """VPN profiles with all that hangs on them, and a guest of another site."""
    owner, user = tenant.owner, api.ok("listUsers", tenant.owner, query={"name": "member"}, **of)["items"][0]
    profile = api.ok("createProfile", owner, {**PROFILE, "network": network, "protocols": ["openvpn", "wireguard"]}, **of)
    server = api.ok("createVpnServer", owner, {"kind": "wireguard", "device": device.id, "profile": profile["id"]}, **of)
    api.ok("updateAppSettings", owner, {"max_configurations": 2}, **of)
    api.ok("createNotice", owner, {"kind": "motd", "message": "Hello"}, **of)
    site, lists = ForeignSite(folder, "https://other.example.org/"), Lists(folder)
    text, signature = lists.sign(site)
    api.ok("setFederation", owner, text.encode(), query={"public_key": lists.public, "signature": signature},
           headers={"Content-Type": "application/json"}, **of)
    for token in (device.app_token, site.token()):
        reply = raw(fleet, "POST", PORTAL + "/api.php/create_keypair", headers={"Authorization": "Bearer " + token},
                    data={"display_name": "x"})
        assert reply.status_code == 200 and reply.json()["create_keypair"]["ok"], reply.text
    ids = f"'{tenant.id}', '{server['id']}', '{network}'"  # what only a server that runs makes
    fleet.sql("INSERT INTO provision.wireguard_peer (tenant_id, server_id, network_id, user_id, authorization_id, profile_id,"
              f" public_key, host, expires_at, ended_at) VALUES ({ids}, '{user['id']}', '{uuid.uuid4()}', 'internet', 'key', 200,"
              " now(), now())")
    fleet.sql("WITH c AS (INSERT INTO provision.vpn_connection (tenant_id, server_id, network_id, run_id, kind, subject, label,"
              f" serial, source, ended_at, gone) VALUES ({ids}, '{uuid.uuid4()}', 'user', '{user['id']}', '', '{'0' * 32}', '', now(), true)"
              " RETURNING tenant_id, id) INSERT INTO provision.vpn_midnight SELECT tenant_id, id, now()::date, 1 FROM c")


def let_people_in(api, tenant, of):
    """Groups, a provider and a policy of sign-ins, and somebody who mistypes a password."""
    owner, user = tenant.owner, api.ok("listUsers", tenant.owner, query={"name": "member"}, **of)["items"][0]
    group = api.ok("createGroup", owner, {"name": "staff"}, **of)
    api.ok("changeGroupMembers", owner, {"add": [user["id"]]}, id_=group["id"], **of)
    api.ok("createIdentityProvider", owner, {"name": "Company", "issuer": "https://id.example", "client_id": "lanyard"}, **of)
    api.ok("updateSignInPolicy", owner, {"blocked_users": "closed"}, **of)
    assert api.call("createToken", NOBODY, {"tenant_name": tenant.name, "user": "member", "password": "mistyped"}
                    ).status_code == 401


@pytest.fixture(scope="module")
def world(api, fleet, tenant, of, tmp_path_factory):
    """Its device, with the token that a person's app got."""
    owner = tenant.owner
    network = api.ok("createNetwork", owner, {"name": "office", "ipv4": "10.79.0.0/24"}, **of)
    device = Device(api, tenant, network["id"], "first")
    conf = "client\ndev tap\nremote vpn.example.org 1194\nca ca.crt\nauth-user-pass credentials\n"
    api.ok("updatePortal", owner, {"client_conf": conf}, **of)
    api.ok("createPortalDevice", owner, {"name": "pump", "serial": "SN-1"}, **of)
    api.ok("createRollout", owner, {"first_percent": 100}, **of)
    api.ok("importDevices", owner, b"serial,code\nSN-10,new\n", headers={"Content-Type": "text/csv"}, **of)
    api.ok("createCertificate", owner, {"kind": "device", "subject": device.id}, **of)
    zone = api.ok("createZone", owner, {"name": f"z{secrets.token_hex(4)}.example", "open": True}, **of)
    api.ok("createRegistration", owner, {"name": "printer", "zone": zone["name"], "kind": "dynamic"}, **of)
    api.ok("registerName", device.basic, {"name": "n" + secrets.token_hex(5)})
    api.ok("createOauthClient", owner, {"client_id": "app", "name": "App",
                                        "redirect_uris": ["http://127.0.0.1:{PORT}/back"]}, **of)
    api.ok("createInvitation", owner, {"name": "guest", "role": "member"}, **of)
    app, browser = App(fleet), Browser(fleet)
    tokens = app.exchange(allow(browser, app)).json()
    device.app_token, device.app_refresh = tokens["access_token"], tokens["refresh_token"]
    let_people_in(api, tenant, of)
    let_apps_in(api, fleet, tenant, of, device, network["id"], tmp_path_factory.mktemp("lists"))
    wait_for("the name of the member", lambda: api.ok("listNames", owner, **of)["items"])
    token = api.ok("createNarrowToken", owner, {"scopes": ["pairs:claim"]}, **of)["access_token"]
    with websocket(fleet, device.attachment["urls"][0].rsplit("/", 1)[0] + "/pair?nonce=n1", token):
        pair, = wait_for("the pair", lambda: api.ok("listPairs", owner, query={"state": "waiting"}, **of)["items"])
        api.ok("closePair", owner, id_=pair["id"], **of)
    wait_for("the day's traffic", lambda: api.ok("listTraffic", owner, **of)["items"])
    wait_for("the rollout's package", lambda: api.ok("listPortalDevices", owner, **of)["items"][0]["current"] == 2)
    return device
