"""Every operation of the REST API against its description, by whoever may do it; who may not is told by test_access.py."""

import json
import secrets
import uuid

import jsonschema

from api_client import NOBODY, bearer, wait_for
from api_world import (PASSWORD, Device, Tenant, admin, api, stranger, tenant, things,
                       websocket)  # fixtures too
from event_stream import event_stream
from federation_world import Lists
from oauth_world import App, Browser, back


# ---- the main road: every operation, by whoever may do it ----

def test_tenants(api, admin, tenant):
    assert api.ok("getTenant", tenant.owner, tenant=tenant.id)["name"] == tenant.name
    assert [t["id"] for t in api.ok("listTenants", admin, query={"name": tenant.name})["items"]] == [tenant.id]
    assert api.call("createTenant", admin, {"name": tenant.name}).status_code == 409


def test_suspension(api, admin):
    tenant = Tenant(api, admin)
    assert api.ok("updateTenant", admin, {"state": "suspended"}, tenant=tenant.id)["state"] == "suspended"
    assert api.call("listNetworks", tenant.keys["owner"], tenant=tenant.id).status_code == 401
    wait_for("the end of its tokens",
             lambda: api.call("listNetworks", tenant.owner, tenant=tenant.id).status_code == 401)
    assert api.ok("updateTenant", admin, {"state": "active"}, tenant=tenant.id)["state"] == "active"
    api.ok("listNetworks", tenant.keys["owner"], tenant=tenant.id)


def test_the_life_of_a_tenant(api, admin):
    """What it means to its people is told by test_tenants.py."""
    tenant = Tenant(api, admin)
    of, owner = {"tenant": tenant.id}, tenant.owner
    api.ok("createSite", admin, {"name": tenant.name + ".example"}, **of)
    invitation = api.ok("createInvitation", owner, {"name": "guest", "role": "member"}, **of)
    assert [i["id"] for i in api.ok("listInvitations", owner, **of)["items"]] == [invitation["id"]]
    assert api.ok("getInvitation", owner, id_=invitation["id"], **of)["url"] == ""
    api.ok("deleteInvitation", owner, id_=invitation["id"], **of)
    provider = api.ok("createIdentityProvider", owner, {"name": "Company", "issuer": "https://id.example",
                                                        "client_id": "lanyard"}, **of)
    assert api.ok("listIdentityProviders", owner, **of)["items"] == [provider]
    assert api.ok("getIdentityProvider", owner, id_=provider["id"], **of) == provider
    api.ok("deleteIdentityProvider", owner, id_=provider["id"], **of)
    assert api.ok("exportTenant", owner, **of)["tenant"]["name"] == tenant.name
    assert api.ok("deleteTenant", owner, **of)["state"] == "deleting"


def logged_in(api, tenant, user):
    token = tenant.log_in(api, user)
    return token if api.call("listUsers", token, tenant=tenant.id).status_code == 200 else None


def test_users(api, tenant):
    of, owner = {"tenant": tenant.id}, tenant.owner
    user = api.ok("createUser", owner, {"name": "Zoë", "role": "member", "password": PASSWORD}, **of)
    assert api.ok("getUser", owner, id_=user["id"], **of) == user
    changed = api.ok("updateUser", owner, {"role": "auditor"}, id_=user["id"], **of)
    assert changed["role"] == "auditor" and changed["version"] > user["version"]
    # The change ended all tokens of its second.
    token = wait_for("a token that is good", lambda: logged_in(api, tenant, "Zoë"))
    api.ok("updateUser", owner, {"state": "blocked"}, id_=user["id"], **of)
    wait_for("the end of its token", lambda: api.call("listUsers", token, **of).status_code == 401)
    assert [u["id"] for u in api.ok("listUsers", owner, query={"name": "Zoë"}, **of)["items"]] == [user["id"]]
    assert api.ok("getSecondFactor", owner, id_=user["id"], **of)["methods"] == []
    api.ok("resetSecondFactor", owner, id_=user["id"], **of)
    api.ok("deleteUser", owner, id_=user["id"], **of)
    assert api.call("getUser", owner, id_=user["id"], **of).status_code == 404


def test_groups(api, tenant):
    of, owner = {"tenant": tenant.id}, tenant.owner
    user = api.ok("createUser", owner, {"name": "Ada", "role": "member", "password": PASSWORD}, **of)
    group = api.ok("createGroup", owner, {"name": "staff"}, **of)
    assert api.ok("getGroup", owner, id_=group["id"], **of) == group and group in api.ok("listGroups", owner, **of)["items"]
    api.ok("changeGroupMembers", owner, {"add": [user["id"]]}, id_=group["id"], **of)
    assert [u["name"] for u in api.ok("listGroupMembers", owner, id_=group["id"], **of)["items"]] == ["Ada"]
    renamed = api.ok("updateGroup", owner, {"name": "crew"}, id_=group["id"], headers={"If-Match": '"1"'}, **of)
    assert renamed["version"] == 2 and api.ok("getUser", owner, id_=user["id"], **of)["groups"] == ["crew"]
    api.ok("deleteGroup", owner, id_=group["id"], **of)
    assert api.ok("getUser", owner, id_=user["id"], **of)["groups"] == []


def test_api_keys(api, tenant):
    of, owner = {"tenant": tenant.id}, tenant.owner
    key = api.ok("createApiKey", owner, {"name": "k", "role": "operator", "scopes": ["devices:read"]}, **of)
    shown = api.ok("getApiKey", owner, id_=key["id"], **of)
    assert key["secret"] and shown["secret"] == "" and shown["scopes"] == ["devices:read"]
    narrow = bearer("narrow key", key["secret"])
    api.ok("listDevices", narrow, **of)
    assert api.call("listNetworks", narrow, **of).status_code == 403
    assert len(api.ok("listApiKeys", owner, query={"name": "k"}, **of)["items"]) == 1
    api.ok("deleteApiKey", owner, id_=key["id"], **of)
    assert api.call("listDevices", narrow, **of).status_code == 401


def test_only_owners_make_owners(api, tenant):
    body = {"name": "usurper", "role": "owner", "password": PASSWORD}
    assert api.call("createUser", tenant.users["admin"], body, tenant=tenant.id).status_code == 403
    assert api.call("createApiKey", tenant.keys["admin"], {"name": "u", "role": "owner"},
                    tenant=tenant.id).status_code == 403


def test_a_narrowed_token_touches_nobody_who_may_more(api, tenant):
    of, body = {"tenant": tenant.id}, {"name": "eve", "role": "member", "password": PASSWORD}
    scopes = {"scopes": ["users:read", "users:write"]}
    narrow = bearer("narrow", api.ok("createNarrowToken", tenant.users["admin"], scopes, **of)["access_token"])
    for user in api.ok("listUsers", narrow, **of)["items"]:
        assert api.call("updateUser", narrow, {"password": PASSWORD + "!"}, id_=user["id"], **of).status_code == 403
        assert api.call("resetSecondFactor", narrow, id_=user["id"], **of).status_code == 403
    assert api.call("createUser", narrow, body, **of).status_code == 403
    assert api.call("createInvitation", narrow, {"name": "eve", "role": "member"}, **of).status_code == 403


def test_sites_and_the_apps_that_people_let_in(api, admin, fleet, tenant):
    of, owner = {"tenant": tenant.id}, tenant.owner
    assert api.call("createSite", owner, {"name": "127.0.0.1"}, **of).status_code == 403
    site = api.ok("createSite", admin, {"name": "127.0.0.1"}, **of)
    assert api.ok("getSite", owner, id_=site["id"], **of) == site
    assert site in api.ok("listSites", owner, query={"name": "127.0.0.1"}, **of)["items"]
    app = api.ok("createOauthClient", owner, {"client_id": "app", "name": "App", "trusted": True,
                                              "redirect_uris": ["http://127.0.0.1:{PORT}/callback"]}, **of)
    assert app["scopes"] == ["config"] and app["client_secret"] == "" and not app["approval"]
    assert api.ok("getOauthClient", owner, id_=app["id"], **of) == app
    assert app in api.ok("listOauthClients", owner, **of)["items"]
    client, browser = App(fleet), Browser(fleet)
    path = client.path(client_id="app")
    browser.sign_in(path)
    code = back(browser.ask("GET", path))["code"]
    assert client.exchange(code, client_id="app").status_code == 200
    signed_in = api.ok("listSignIns", owner, **of)["items"]
    assert [item["needs"] for item in signed_in] == [""]
    api.ok("endSignIn", owner, id_=signed_in[0]["id"], **of)
    policy = api.ok("getSignInPolicy", owner, **of)
    assert api.ok("updateSignInPolicy", owner, {"second_factor": "optional"}, **of)["version"] > policy["version"]
    allowed = api.ok("listAuthorizations", owner, **of)["items"]
    assert [item["client_name"] for item in allowed] == ["App"]
    api.ok("endAuthorization", owner, id_=allowed[0]["id"], **of)
    assert api.ok("listAuthorizations", owner, **of)["items"] == []
    api.ok("deleteOauthClient", owner, id_=app["id"], **of)
    api.ok("deleteSite", owner, id_=site["id"], **of)
    assert api.call("getSite", owner, id_=site["id"], **of).status_code == 404


def test_enrolment_keys(api, tenant):
    of, owner = {"tenant": tenant.id}, tenant.owner
    key = api.ok("createEnrolmentKey", owner, {"name": "one", "max_uses": 1}, **of)
    assert api.ok("getEnrolmentKey", owner, id_=key["id"], **of)["secret"] == ""
    assert key["id"] in [k["id"] for k in api.ok("listEnrolmentKeys", owner, **of)["items"]]
    api.ok("revokeEnrolmentKey", owner, id_=key["id"], **of)
    assert api.ok("getEnrolmentKey", owner, id_=key["id"], **of)["state"] == "revoked"
    reply = api.call("enrol", NOBODY, {"enrolment_key": key["secret"], "name": "late"})
    assert 400 <= reply.status_code < 500


def test_certificates(api, tenant, things):
    of, owner = {"tenant": tenant.id}, tenant.owner
    certificate = api.ok("createCertificate", owner, {"kind": "device", "subject": things.device.id}, **of)
    shown = api.ok("getCertificate", owner, id_=certificate["id"], **of)
    assert certificate["private_key"] and shown["private_key"] == "" and shown["state"] == "valid"
    listed = api.ok("listCertificates", owner, query={"subject": things.device.id}, **of)["items"]
    assert [c["id"] for c in listed] == [certificate["id"]]
    assert api.ok("revokeCertificates", owner, {"serial": certificate["serial"]}, **of) == {"count": 1}
    assert api.ok("getCertificate", owner, id_=certificate["id"], **of)["state"] == "revoked"


def test_profiles(api, tenant, things):
    of, owner = {"tenant": tenant.id}, tenant.owner
    body = {"display_name": "Office", "host": "vpn.example.org", "ports": ["udp/1194"], "mode": "tap"}
    profile = api.ok("createProfile", owner, {**body, "profile_id": "office", "network": things.network["id"]}, **of)
    assert api.ok("getProfile", owner, id_=profile["id"], **of) == profile
    assert api.ok("listProfiles", owner, query={"profile_id": "office"}, **of)["items"] == [profile]
    again = api.call("createProfile", owner, {**body, "profile_id": "office", "network": things.network["id"]}, **of)
    assert again.status_code == 409 and again.json()["field"] == "profile_id"
    server = api.ok("getProfileServer", owner, id_=profile["id"], **of)
    assert server["profile"] == profile and "BEGIN OpenVPN Static key" in server["tls_crypt"]
    changed = api.ok("replaceProfile", owner, {**body, "routes": ["10.0.0.0/8"]}, id_=profile["id"], **of)
    assert changed["routes"] == ["10.0.0.0/8"] and changed["profile_id"] == "office"
    assert api.ok("getProfileServer", owner, id_=profile["id"], **of)["tls_crypt"] == server["tls_crypt"]
    late = api.call("replaceProfile", owner, body, id_=profile["id"], headers={"If-Match": '"1"'}, **of)
    assert late.status_code == 412
    for wrong, field in (({"ports": []}, "ports"), ({"ports": ["udp/0"]}, "ports"), ({"ports": ["udp/1", "udp/1"]}, "ports"),
                         ({"mode": "tup"}, "mode"), ({"host": "a b"}, "host"), ({"routes": ["10.0.0.1/8"]}, "routes"),
                         ({"dns": ["dns"]}, "dns"), ({"translations": ["x"]}, "translations"), ({"lifetime_s": 5}, "lifetime_s"),
                         ({"tls_crypt": "key"}, "tls_crypt"), ({"profile_id": "other"}, "profile_id"),
                         ({"search_domains": [""]}, "search_domains"), ({"groups": [""]}, "groups")):
        reply = api.call("replaceProfile", owner, {**body, **wrong}, id_=profile["id"], **of)
        assert reply.status_code in (400, 409) and reply.json()["field"] == field, wrong
    assert api.call("deleteNetwork", owner, id_=things.network["id"], **of).status_code == 409
    api.ok("deleteProfile", owner, id_=profile["id"], **of)
    assert api.call("getProfile", owner, id_=profile["id"], **of).status_code == 404


def test_app_settings(api, tenant):
    of, owner = {"tenant": tenant.id}, tenant.owner
    assert api.ok("getAppSettings", owner, **of) == {"max_configurations": 3, "admin_api": False, "version": 0}
    assert api.ok("updateAppSettings", owner, {"max_configurations": 1}, **of)["max_configurations"] == 1
    assert api.ok("updateAppSettings", owner, {"admin_api": True}, **of)["admin_api"]
    shown = api.ok("getAppSettings", owner, **of)
    assert (shown["max_configurations"], shown["admin_api"]) == (1, True)


def test_federation(api, tenant, tmp_path):
    of, owner, lists = {"tenant": tenant.id}, tenant.owner, Lists(tmp_path)
    text, signature = lists.sign()
    shown = api.ok("setFederation", owner, text.encode(), query={"public_key": lists.public, "signature": signature},
                   headers={"Content-Type": "application/json"}, **of)
    assert (shown["public_key"], shown["seq"], shown["instances"]) == (lists.public, 1, [])
    assert api.ok("getFederation", owner, **of) == shown
    api.ok("deleteFederation", owner, **of)
    assert api.ok("getFederation", owner, **of)["public_key"] == ""


def test_notices(api, tenant):
    of, owner = {"tenant": tenant.id}, tenant.owner
    notice = api.ok("createNotice", owner, {"kind": "motd", "message": "Hello", "translations": ["nl=Hallo"]}, **of)
    assert api.ok("getNotice", owner, id_=notice["id"], **of) == notice
    assert api.ok("listNotices", owner, **of)["items"] == [notice]
    for wrong, field in (({"kind": "news"}, "kind"), ({"message": ""}, "message"), ({"user": str(uuid.uuid4())}, "user"),
                         ({"begins_at": "2026-01-01T00:00:00Z"}, "begins_at"), ({"kind": "maintenance"}, "begins_at"),
                         ({"kind": "maintenance", "begins_at": "2026-01-02T00:00:00Z", "ends_at": "2026-01-01T00:00:00Z"},
                          "ends_at"), ({"translations": ["nl=a", "nl=b"]}, "translations")):
        reply = api.call("createNotice", owner, {"kind": "motd", "message": "Hello", **wrong}, **of)
        assert reply.status_code in (400, 404) and reply.json()["field"] == field, wrong
    api.ok("deleteNotice", owner, id_=notice["id"], **of)
    assert api.ok("listNotices", owner, **of)["items"] == []


def test_authorities(api, tenant):
    of, owner = {"tenant": tenant.id}, tenant.owner
    old = api.ok("getAuthorities", owner, **of)["items"][0]
    new = api.ok("rotateAuthority", owner, {"kind": "root"}, **of)
    assert new["state"] == "next" and api.ok("getAuthorities", owner, **of)["trust"].count("BEGIN") == 2
    assert api.ok("advanceAuthority", owner, id_=new["id"], **of)["state"] == "active"
    assert api.ok("advanceAuthority", owner, id_=old["id"], **of)["state"] == "retired"
    key = api.ok("takeRootOffline", owner, {"passphrase": PASSWORD}, id_=new["id"], **of)["key"]
    assert api.call("rotateAuthority", owner, {"kind": "issuing"}, **of).json()["field"] == "root_key"
    api.ok("rotateAuthority", owner, {"kind": "issuing", "root_key": key, "passphrase": PASSWORD}, **of)


def test_portal(api, tenant, things):
    of, owner = {"tenant": tenant.id}, tenant.owner
    conf = "client\ndev tap\nremote vpn.example.org 1194\nca ca.crt\nauth-user-pass credentials\n"
    assert api.ok("getPortal", owner, **of)["interval_s"] == 900
    assert api.ok("updatePortal", owner, {"client_conf": conf, "interval_s": 600}, **of)["client_conf"] == conf
    wrong = api.call("updatePortal", owner, {"client_conf": conf + "up /bin/sh\n"}, **of)
    assert wrong.status_code == 400 and "line 6" in wrong.json()["detail"]
    device = api.ok("createPortalDevice", owner, {"name": "pump", "serial": "SN-1"}, **of)
    where = {"id_": device["id"], **of}
    assert device["secret"] and device["state"] == "pending" and device["current"] == 1
    assert api.ok("publishPackage", owner, **where)["current"] == 2
    assert api.ok("getPortalDevice", owner, **where)["secret"] == ""
    assert [d["id"] for d in api.ok("listPortalDevices", owner, query={"name": "pump"}, **of)["items"]] == [device["id"]]
    assert api.call("createPortalDevice", owner, {"name": "pump2", "serial": "SN-1"}, **of).json()["field"] == "serial"
    assert api.ok("issuePortalSecret", owner, **where)["secret"] not in ("", device["secret"])
    assert api.ok("releasePortalDevice", owner, **where)["quarantined_at"] == ""
    rollout = api.ok("createRollout", owner, {"first_percent": 100}, **of)
    assert rollout["devices"] == 1 and rollout["id"] in [r["id"] for r in api.ok("listRollouts", owner, **of)["items"]]
    where = {"id_": rollout["id"], **of}
    assert api.ok("getRolloutDevices", owner, **where)["items"][0]["id"] == device["id"]
    assert api.ok("updateRollout", owner, {"state": "cancelled"}, **where)["state"] == "cancelled"
    assert api.ok("getRollout", owner, **where)["state"] == "cancelled"
    api.ok("createPortalDevice", owner, {"device": things.device.id}, **of)
    manifest = json.loads(api.ok("getManifest", things.device.basic)["manifest"])
    assert (manifest["device"], manifest["package"]) == (things.device.id, 1)
    assert len(api.ok("getPackageFiles", things.device.basic)["files"]) == len(manifest["files"])
    api.ok("reportPackage", things.device.basic, {"version": manifest["version"], "outcome": "applied"})
    assert api.call("reportPackage", things.device.basic, {"version": 99, "outcome": "applied"}).status_code in (409, 412)
    records = api.ok("listAuditRecords", owner, query={"subject": device["id"]}, **of)["items"]
    assert [r["action"] for r in records[:3]] == ["device.registered", "package.published", "package.published"]


def test_vpn(api, tenant, things):
    of, owner, device = {"tenant": tenant.id}, tenant.owner, things.device
    body = {"device": device.id, "network": things.network["id"], "host": "vpn.example.org"}
    server = api.ok("createVpnServer", owner, body, **of)
    assert (server["mode"], server["protocol"], server["port"], server["state"]) == ("tap", "udp", 1194, "down")
    assert api.ok("getVpnServer", owner, id_=server["id"], **of) == server
    assert api.ok("listVpnServers", owner, query={"device": device.id}, **of)["items"] == [server]
    start = api.ok("startVpnServer", device.basic, {})
    asked = {"server": server["id"], "run": start["run"]}
    decision = api.ok("authorizeVpnConnection", device.basic, {**asked, "serial": "0" * 32})
    assert not decision["allowed"] and decision["reason"]
    assert api.ok("reportVpnConnections", device.basic, asked) == {"unwelcome": []}
    assert api.ok("getVpnServer", owner, id_=server["id"], **of)["state"] == "up"
    assert api.ok("listVpnConnections", owner, **of)["items"] == []
    assert api.ok("getVpnStatistics", owner, **of)["profiles"] == {}
    api.ok("deleteVpnServer", owner, id_=server["id"], **of)
    assert api.call("reportVpnConnections", device.basic, asked).status_code == 404


def test_wireguard(api, tenant, things):
    of, owner, device, key = {"tenant": tenant.id}, tenant.owner, things.device, "iWAHXts9w9fQVEbA5pVriPlAYMwwEPD5XcVCZDZn1AE="
    profile = api.ok("createProfile", owner, {"profile_id": "wireguard", "network": things.network["id"], "display_name": "W",
                                              "host": "vpn.example.org", "mode": "tun", "protocols": ["wireguard"]}, **of)
    assert (profile["protocols"], profile["ports"]) == (["wireguard"], [])
    body = {"kind": "wireguard", "device": device.id, "profile": profile["id"]}
    server = api.ok("createVpnServer", owner, body, **of)
    assert (server["mode"], server["protocol"], server["port"], server["public_key"]) == ("tun", "udp", 51820, "")
    start = api.ok("startWireguardServer", device.basic, {"public_key": key})
    assert start["server"]["id"] == server["id"]
    asked = {"server": server["id"], "run": start["run"]}
    peers = api.ok("syncWireguard", device.basic, asked)
    assert peers["peers"] == []
    report = {"peer": str(uuid.uuid4()), "source": "192.0.2.1:4000", "handshake_at": 1}
    assert api.ok("syncWireguard", device.basic, {**asked, "state": peers["state"], "reports": [report]}) == peers
    shown = api.ok("getVpnServer", owner, id_=server["id"], **of)
    assert (shown["state"], shown["public_key"]) == ("up", key)
    api.ok("deleteVpnServer", owner, id_=server["id"], **of)
    assert api.call("syncWireguard", device.basic, asked).status_code == 404
    api.ok("deleteProfile", owner, id_=profile["id"], **of)


def test_claims(api, tenant, stranger):
    of, owner = {"tenant": tenant.id}, tenant.owner
    as_csv = {"Content-Type": "text/csv"}
    report = api.ok("importDevices", owner, b"serial,code\nSN-10,new\nSN-11,new\n", headers=as_csv, **of)
    codes = {row["serial"]: row["code"] for row in report["rows"]}
    expected = api.ok("listExpectedDevices", owner, **of)["items"]
    assert [d["serial"] for d in expected] == ["SN-10", "SN-11"]
    where = {"id_": expected[1]["id"], **of}
    assert api.ok("getExpectedDevice", owner, **where) == expected[1]
    assert api.ok("createClaimCode", owner, **where)["code"] != codes["SN-11"]
    api.ok("deleteExpectedDevice", owner, **where)
    claim = api.ok("claim", NOBODY, {"serial": "SN-10", "code": codes["SN-10"]})
    offer = api.ok("transferPortalDevice", owner, id_=claim["device"], **of)
    taken = api.ok("claimDevice", stranger.owner, {"serial": "SN-10", "code": offer["code"]}, tenant=stranger.id)
    api.ok("retireDevice", stranger.owner, tenant=stranger.id, id_=taken["device"])
    api.ok("forgetPortalDevice", stranger.owner, tenant=stranger.id, id_=taken["device"])


def test_networks_members_names(api, tenant, things):
    of, owner, device = {"tenant": tenant.id}, tenant.owner, things.device.id
    network = api.ok("createNetwork", owner, {"name": "lab", "ipv4": "10.78.0.0/24", "mtu": 1300}, **of)
    where = {"id_": network["id"], **of}
    assert api.ok("getNetwork", owner, **where) == network
    assert api.ok("updateNetwork", owner, {"mtu": 1500}, **where)["mtu"] == 1500
    rules = {"no_broadcast": False, "no_multicast": True, "storm_frames": 100, "storm_bytes": 0}
    assert rules.items() <= api.ok("updateNetwork", owner, rules, **where).items()
    member = api.ok("createMember", owner, {"network": network["id"], "device": device}, **of)
    assert api.call("createMember", owner, {"network": network["id"], "device": device}, **of).status_code == 409
    assert api.ok("getMember", owner, id_=member["id"], **of) == member
    policy = {"mac": "02:00:00:00:00:0a", "mac_limit": 16, "bridge": True, "isolated": True, "dhcp_server": True,
              "router": True, "address_guard": True}
    assert policy.items() <= api.ok("updateMember", owner, policy, id_=member["id"], **of).items()
    assert api.call("updateMember", owner, {"mac_limit": 1}, id_=member["id"], **of).json()["field"] == "mac_limit"
    member = api.ok("getMember", owner, id_=member["id"], **of)
    listed = api.ok("listMembers", owner, query={"network": network["id"], "device": device}, **of)["items"]
    assert listed == [member]
    assert api.call("deleteNetwork", owner, **where).status_code == 409
    name, = wait_for("the name of the member", lambda: api.ok(
        "listNames", owner, query={"network": network["id"]}, **of)["items"])
    assert name["name"].startswith(f"first.lab.{tenant.name}.") and name["ipv4"] == member["ipv4"].split("/")[0]
    assert api.ok("getName", owner, id_=member["id"], **of) == name
    api.ok("deleteMember", owner, id_=member["id"], **of)
    api.ok("deleteNetwork", owner, **where)
    assert network["id"] not in [n["id"] for n in api.ok("listNetworks", owner, **of)["items"]]


def test_devices(api, tenant, things):
    of, owner = {"tenant": tenant.id}, tenant.owner
    device = Device(api, tenant, things.network["id"], "second")
    api.ok("attach", device.basic, {"network": "office"})
    where = {"id_": device.id, **of}
    assert api.ok("getDevice", owner, **where)["attached_at"]
    assert api.ok("updateDevice", owner, {"name": "renamed"}, **where)["name"] == "renamed"
    assert api.ok("updateDevice", owner, {"state": "blocked"}, **where)["state"] == "blocked"
    assert 400 <= api.call("attach", device.basic, {}).status_code < 500
    assert api.ok("updateDevice", owner, {"state": "approved"}, **where)["state"] == "approved"
    assert device.id in [d["id"] for d in api.ok("listDevices", owner, query={"state": "approved"}, **of)["items"]]
    api.ok("retireDevice", owner, **where)
    assert api.ok("getDevice", owner, **where)["state"] == "retired"
    assert api.call("attach", device.basic, {}).status_code == 401


def test_sessions(api, fleet, tenant, things):
    of, owner = {"tenant": tenant.id}, tenant.owner
    attachment = api.ok("attach", things.device.basic, {"network": things.network["id"]})
    with websocket(fleet, attachment["urls"][0], attachment["access_token"]) as sock:
        session, = wait_for("the session", lambda: api.ok(
            "listSessions", owner, query={"network": things.network["id"]}, **of)["items"])
        assert session["subject"] == "device:" + things.device.id
        assert api.ok("getSession", owner, id_=session["id"], **of)["member"] == attachment["member"]
        assert api.call("getSession", owner, id_=str(uuid.uuid4()), **of).status_code == 404
        with event_stream(api, owner, tenant.id, things.network["id"]) as stream:
            api.ok("closeSession", owner, id_=session["id"], **of)
            stream.find("session_closed", session=session["id"], member=attachment["member"])
        while sock.recv(4096):
            pass
    wait_for("the end of the session", lambda: api.ok("listSessions", owner, **of)["items"] == [])
    assert api.call("closeSession", owner, id_=session["id"], **of).status_code == 404


def test_pairs(api, fleet, admin, tenant, things):
    of, owner = {"tenant": tenant.id}, tenant.owner
    token = api.ok("createNarrowToken", owner, {"scopes": ["pairs:claim"]}, **of)
    assert token["scopes"] == ["pairs:claim"]
    url = things.device.attachment["urls"][0].rsplit("/", 1)[0] + "/pair?nonce=n1"
    with websocket(fleet, url, token["access_token"]):
        pair, = wait_for("the pair", lambda: api.ok("listPairs", owner, query={"state": "waiting"}, **of)["items"])
        assert api.ok("getPair", owner, id_=pair["id"], **of)["nonce"] == "n1"
        connection, = api.ok("listConnections", owner, **of)["items"]
        assert (connection["kind"], connection["state"], connection["pair"]) == ("pair", "waiting", pair["id"])
        assert connection in [dict(one) for one in api.ok("listAllConnections", admin)["items"]]
        api.ok("closePair", owner, id_=pair["id"], **of)
        assert api.ok("getPair", owner, id_=pair["id"], **of)["state"] == "closed"
    day, = wait_for("the day's traffic", lambda: api.ok("listTraffic", owner, query={"days": 2}, **of)["items"])
    assert day["connections"] >= 1


def test_tokens(api, tenant):
    of = {"tenant": tenant.id}
    narrow = api.ok("createNarrowToken", tenant.keys["owner"], {"scopes": ["devices:read"]}, **of)
    caller = bearer("narrow token", narrow["access_token"])
    api.ok("listDevices", caller, **of)
    assert api.call("listNetworks", caller, **of).status_code == 403
    assert api.call("createNarrowToken", caller, {"scopes": ["devices:read"]}, **of).status_code == 403
    assert api.call("createNarrowToken", tenant.users["member"], {"scopes": ["users:read"]}, **of).status_code == 403
    assert api.call("createNarrowToken", tenant.owner, {}, **of).status_code == 400
    of_key = api.ok("createToken", NOBODY, {"api_key": tenant.keys["auditor"].authorization.split()[1]})
    api.ok("listDevices", bearer("auditor's token", of_key["access_token"]), **of)


def test_signing_keys(api, admin, tenant):
    before = api.ok("getKeySet")
    after = api.ok("rotateSigningKeys", admin)
    assert {k["kid"] for k in before["keys"]} < {k["kid"] for k in after["keys"]}
    api.ok("listNetworks", tenant.owner, tenant=tenant.id)
    api.ok("listNetworks", tenant.log_in(api, "owner"), tenant=tenant.id)
    wait_for("the new key", lambda: api.ok("getWellKnownKeySet") == after)


def test_document(api):
    assert api.call("getOpenapi").status_code == 200
    for schema in api.document["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_zones_and_registrations(api, tenant, things):
    """What they mean to devices and resolvers is told by test_names.py."""
    zone = api.ok("createZone", tenant.owner, {"name": f"z{secrets.token_hex(4)}.example", "open": True},
                  tenant=tenant.id)
    assert api.ok("getZone", tenant.owner, tenant=tenant.id, id_=zone["id"])["name"] == zone["name"]
    assert zone["id"] in [z["id"] for z in api.ok("listZones", tenant.owner, tenant=tenant.id)["items"]]
    label = "n" + secrets.token_hex(5)
    own = api.ok("registerName", things.device.basic, {"name": label})
    made = api.ok("createRegistration", tenant.owner, {"name": label, "zone": zone["name"], "kind": "dynamic"},
                  tenant=tenant.id)
    assert api.ok("getRegistration", tenant.owner, tenant=tenant.id, id_=made["id"])["kind"] == "dynamic"
    of_device = api.ok("listRegistrations", tenant.owner, query={"device": things.device.id}, tenant=tenant.id)
    assert [r["id"] for r in of_device["items"]] == [own["id"]]
    assert api.ok("reclaimRegistration", tenant.owner, tenant=tenant.id, id_=made["id"])["token"] != made["token"]
    for registration in own, made:
        api.ok("deleteRegistration", tenant.owner, tenant=tenant.id, id_=registration["id"])
    api.ok("deleteZone", tenant.owner, tenant=tenant.id, id_=zone["id"])


def test_every_operation_was_called(api):
    """The last one of this file: nothing in the document is untried."""
    assert set(api.operations) - api.succeeded == set()
