"""A tenant with a site and something in as many tables as the API fills."""

import secrets

import pytest

from api_client import wait_for
from api_world import Device, Tenant, websocket
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


@pytest.fixture(scope="module")
def world(api, fleet, tenant, of):
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
    wait_for("the name of the member", lambda: api.ok("listNames", owner, **of)["items"])
    token = api.ok("createNarrowToken", owner, {"scopes": ["pairs:claim"]}, **of)["access_token"]
    with websocket(fleet, device.attachment["urls"][0].rsplit("/", 1)[0] + "/pair?nonce=n1", token):
        pair, = wait_for("the pair", lambda: api.ok("listPairs", owner, query={"state": "waiting"}, **of)["items"])
        api.ok("closePair", owner, id_=pair["id"], **of)
    wait_for("the day's traffic", lambda: api.ok("listTraffic", owner, **of)["items"])
    wait_for("the rollout's package", lambda: api.ok("listPortalDevices", owner, **of)["items"][0]["current"] == 2)
    return device
