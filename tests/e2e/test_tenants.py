"""The life of a tenant: people are invited, all of it can be taken along, it is suspended and comes back, and when it is
deleted nothing of it is left in any table of the database."""

import json
import re
import secrets
import urllib.parse

from api_client import NOBODY, bearer, wait_for
from api_world import FLEET, PASSWORD, Tenant, admin, api, websocket  # fixtures too
from eduvpn_world import raw
from oauth_world import App, Browser
from tenant_world import of, tenant, world  # fixtures

# Where a secret could hide in what the API tells of a tenant.
SECRET = re.compile(r"ly[a-z]_[A-Za-z0-9_-]{20}|PRIVATE KEY|argon2")


def path_of(invitation):
    parts = urllib.parse.urlsplit(invitation["url"])
    return f"{parts.path}?{parts.query}"


def accept(browser, invitation, password, again=None):
    secret = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(invitation["url"]).query))["secret"]
    return browser.ask("POST", "/invitation", data={"secret": secret, "password": password,
                                                    "again": again or password})


# ---- invitations ----

def test_an_invited_person_sets_a_password_and_has_the_role(api, fleet, tenant, of):
    invitation = api.ok("createInvitation", tenant.owner, {"name": "Zoë", "role": "operator"}, **of)
    assert invitation["url"].startswith(fleet.base_url + "/invitation?secret=lyi_")
    where = {"id_": invitation["id"], **of}
    assert api.ok("getInvitation", tenant.owner, **where) == {**invitation, "url": ""}
    assert {**invitation, "url": ""} in api.ok("listInvitations", tenant.owner, **of)["items"]
    browser = Browser(fleet)
    page = browser.ask("GET", path_of(invitation))
    assert page.status_code == 200 and "Zoë" in page.text and tenant.name in page.text and "operator" in page.text
    assert page.headers["Cache-Control"] == "no-store" and page.headers["Referrer-Policy"] == "same-origin"
    assert accept(browser, invitation, "short").status_code == 400
    assert "not the same" in accept(browser, invitation, PASSWORD, "something else").text
    assert "You are in" in accept(browser, invitation, PASSWORD).text
    user, = api.ok("listUsers", tenant.owner, query={"name": "Zoë"}, **of)["items"]
    assert (user["role"], user["state"]) == ("operator", "active")
    api.ok("listDevices", tenant.log_in(api, "Zoë"), **of)
    assert browser.sign_in(App(fleet).path(), "Zoë").status_code == 303
    assert api.ok("getInvitation", tenant.owner, **where)["state"] == "accepted"
    # The link was good for one time.
    assert browser.ask("GET", path_of(invitation)).status_code == 404
    assert accept(browser, invitation, PASSWORD).status_code == 404
    assert len(api.ok("listUsers", tenant.owner, query={"name": "Zoë"}, **of)["items"]) == 1


def test_an_invitation_ends_by_time_and_by_hand(api, fleet, tenant, of):
    browser = Browser(fleet)
    late = api.ok("createInvitation", tenant.owner, {"name": "late", "role": "member", "expires_in_s": 3600}, **of)
    taken = api.call("createInvitation", tenant.owner, {"name": "late", "role": "member"}, **of)
    assert (taken.status_code, taken.json()["field"]) == (409, "name")
    fleet.sql(f"UPDATE auth.invitation SET expires_at = now() WHERE id = '{late['id']}'")
    assert api.ok("getInvitation", tenant.owner, id_=late["id"], **of)["state"] == "expired"
    assert browser.ask("GET", path_of(late)).status_code == 404 and accept(browser, late, PASSWORD).status_code == 404
    again = api.ok("createInvitation", tenant.owner, {"name": "late", "role": "member"}, **of)
    assert browser.ask("GET", path_of(again)).status_code == 200
    api.ok("deleteInvitation", tenant.owner, id_=again["id"], **of)
    assert browser.ask("GET", path_of(again)).status_code == 404
    assert api.call("getInvitation", tenant.owner, id_=again["id"], **of).status_code == 404


def test_who_may_invite_whom_and_where(api, admin, tenant, of):
    for caller, role, status in [(tenant.users["admin"], "owner", 403), (tenant.users["operator"], "member", 403),
                                 (tenant.owner, "king", 400), (tenant.users["admin"], "admin", 201)]:
        reply = api.call("createInvitation", caller, {"name": "n" + secrets.token_hex(4), "role": role}, **of)
        assert reply.status_code == status, f"{caller} invites {role}: {reply.text}"
    for body, field in [({"name": "owner", "role": "member"}, "name"), ({"name": "", "role": "member"}, "name"),
                        ({"name": "x", "role": "member", "site": "other.example"}, "site"),
                        ({"name": "x", "role": "member", "expires_in_s": 2592001}, "expires_in_s")]:
        reply = api.call("createInvitation", tenant.owner, body, **of)
        assert reply.status_code in (400, 409) and reply.json()["field"] == field, reply.text
    homeless = api.ok("createTenant", admin, {"name": "h" + secrets.token_hex(6)})
    reply = api.call("createInvitation", admin, {"name": "first", "role": "owner"}, tenant=homeless["id"])
    assert (reply.status_code, reply.json()["field"]) == (409, "site")


def test_a_form_from_elsewhere_or_a_guess_gets_nothing(api, fleet, tenant, of):
    invitation = api.ok("createInvitation", tenant.owner, {"name": "guarded", "role": "member"}, **of)
    browser = Browser(fleet)
    elsewhere = browser.ask("POST", "/invitation", headers={"Origin": "https://evil.example"},
                            data={"secret": path_of(invitation).split("=")[1], "password": PASSWORD, "again": PASSWORD})
    assert elsewhere.status_code == 400
    right = path_of(invitation).split("=")[1]
    for secret in ("", "lyi_AAAA", right[:8] + ("B" if right[8] == "A" else "A") + right[9:], "<script>"):
        page = browser.ask("GET", "/invitation?" + urllib.parse.urlencode({"secret": secret}))
        assert page.status_code == 404 and "<script>" not in page.text
    assert api.ok("getInvitation", tenant.owner, id_=invitation["id"], **of)["state"] == "open"


# ---- roles ----

def test_the_last_owner_stays_in_whatever_way_it_is_tried(api, tenant, of):
    owner, = api.ok("listUsers", tenant.owner, query={"name": "owner"}, **of)["items"]
    where = {"id_": owner["id"], **of}
    for caller in (tenant.owner, tenant.keys["owner"]):
        assert api.call("updateUser", caller, {"role": "admin"}, **where).status_code == 409
        assert api.call("updateUser", caller, {"state": "blocked"}, **where).status_code == 409
        assert api.call("deleteUser", caller, **where).status_code == 409
    assert api.call("deleteUser", tenant.users["admin"], **where).status_code == 403
    assert api.ok("getUser", tenant.owner, **where) == owner


# ---- all of it in one document ----

def test_the_export_has_everything_and_no_secret(api, tenant, of, world):
    export = api.ok("exportTenant", tenant.owner, **of)
    assert export["complete"] and export["tenant"]["id"] == tenant.id
    resources = export["resources"]
    for operation in api.operations.values():
        words = operation.path.split("/")
        if operation.method == "GET" and operation.path.startswith("/v1/tenants/{tenant}/") and len(words) == 5 and \
                words[4] not in ("export", "sessions", "connections", "pairs",  # that live, and are not kept
                                 "vpn-statistics"):  # summed from vpn-connections
            whole = api.ok(operation.id, tenant.owner, query={"limit": 200} if "Cursor" in json.dumps(
                operation.schema.get("parameters", [])) else None, **of)
            assert resources[words[4]] == whole.get("items", whole) or words[4] == "traffic", words[4]
    for name in ("users", "devices", "networks", "members", "names", "zones", "registrations", "certificates", "sites",
                 "portal-devices", "rollouts", "audit-records", "oauth-clients", "authorizations", "invitations", "groups",
                 "identity-providers", "profiles", "app-settings", "notices", "vpn-servers", "vpn-connections", "federation"):
        assert resources[name], f"nothing in {name}"
    assert not SECRET.search(json.dumps(export))


def test_an_export_is_of_any_length(api, admin):
    tenant = Tenant(api, admin)
    for n in range(205):
        api.ok("createEnrolmentKey", tenant.keys["owner"], {"name": f"k{n}"}, tenant=tenant.id)
    export = api.ok("exportTenant", tenant.keys["owner"], tenant=tenant.id)
    assert export["complete"] and sorted(k["name"] for k in export["resources"]["enrolment-keys"]) == \
        sorted(f"k{n}" for n in range(205))


# ---- suspension and deletion ----

def is_out(api, fleet, tenant, world):
    """Nothing that was given to anybody of the tenant opens anything."""
    of = {"tenant": tenant.id}
    return all(reply.status_code in (401, 404) for reply in (
        api.call("listNetworks", tenant.owner, **of), api.call("listNetworks", tenant.keys["owner"], **of),
        api.call("attach", world.basic, {}), Browser(fleet).ask("GET", App(fleet).path()),
        api.call("listNetworks", bearer("the app's token", world.app_token), **of),
        api.call("createToken", NOBODY, {"tenant_name": tenant.name, "user": "owner", "password": PASSWORD})))


def session_ends(sock):
    while sock.recv(4096):
        pass


def test_a_suspended_tenant_is_out_and_comes_back(api, fleet, admin, tenant, of, world):
    with websocket(fleet, world.attachment["urls"][0], api.ok("attach", world.basic, {})["access_token"]) as sock:
        assert api.ok("updateTenant", admin, {"state": "suspended"}, **of)["state"] == "suspended"
        session_ends(sock)
    wait_for("the end of all that it had", lambda: is_out(api, fleet, tenant, world))
    app, portal = App(fleet), "/vpn-user-portal/api.php/v3/info"
    reply = raw(fleet, "GET", portal, headers={"Authorization": "Bearer " + world.app_token})
    assert (reply.status_code, reply.json()["error"]) == (401, "invalid_token")
    reply = app.refresh(world.app_refresh)
    assert (reply.status_code, reply.json()["error"]) == (400, "invalid_grant")
    assert api.ok("updateTenant", admin, {"state": "active"}, **of)["state"] == "active"
    assert app.refresh(world.app_refresh).status_code == 200
    api.ok("listNetworks", tenant.keys["owner"], **of)
    api.ok("attach", world.basic, {})
    assert Browser(fleet).ask("GET", App(fleet).path()).status_code == 200


def test_only_its_owners_and_the_fleet_delete_a_tenant(api, admin, tenant, of):
    for role in ("admin", "operator", "auditor", "member"):
        assert api.call("deleteTenant", tenant.keys[role], **of).status_code == 403
    reply = api.call("deleteTenant", admin, tenant=FLEET)
    assert reply.status_code == 409
    assert api.call("deleteTenant", tenant.keys["owner"], headers={"If-Match": '"999"'}, **of).status_code == 412


def test_a_deleted_tenant_is_out_and_can_be_restored_for_a_while(api, fleet, admin, tenant, of, world):
    with websocket(fleet, world.attachment["urls"][0], api.ok("attach", world.basic, {})["access_token"]) as sock:
        deleting = api.ok("deleteTenant", tenant.keys["owner"], **of)
        session_ends(sock)
    assert deleting["state"] == "deleting" and deleting["delete_at"]
    wait_for("the end of all that it had", lambda: is_out(api, fleet, tenant, world))
    assert api.ok("deleteTenant", admin, **of) == deleting
    assert api.ok("getTenant", admin, **of) == deleting
    restored = api.ok("updateTenant", admin, {"state": "active"}, **of)
    assert (restored["state"], restored["delete_at"]) == ("active", "")
    api.ok("listNetworks", tenant.keys["owner"], **of)
    api.ok("attach", world.basic, {})


def tables_with(fleet, words):
    """Tables of all schemas in which a row holds one of the words, as text or in bytes."""
    tables = fleet.sql("SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
                       " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')")
    needles = [needle for word in words for needle in (word, word.replace("-", ""), word.encode().hex())]
    found = " OR ".join(f"strpos(t::text, '{needle}') > 0" for needle in needles)
    rows = fleet.sql(" UNION ALL ".join(f"SELECT '{name}' FROM {name} AS t WHERE {found}" for (name,) in tables))
    return {name for (name,) in rows}


def is_erased(fleet, tenant):
    left = tables_with(fleet, [tenant.id, tenant.name])
    print("still in", sorted(left))  # shown if the test fails
    return not left


def test_nothing_is_left_of_a_deleted_tenant(api, fleet, admin, tenant, of, world):
    before = {name.replace('"', "") for name in tables_with(fleet, [tenant.id])}
    wanted = {"auth.tenant", "auth.user", "auth.api_key", "auth.device_secret", "auth.sign_in", "auth.oauth_authorization",
            "auth.oauth_client", "auth.invitation", "auth.site", "provision.network", "provision.device", "provision.member",
            "provision.certificate", "provision.portal_device", "provision.package", "provision.rollout_device",
            "provision.audit", "provision.expected_device", "rendezvous.traffic", "dns.name", "dns.zone", "dns.registration",
            "fabric.event", "auth.group", "auth.group_member", "auth.identity_provider", "auth.sign_in_policy",
            "auth.password_failure", "auth.known_browser", "auth.federation", "auth.trusted_instance", "auth.guest",
            "provision.profile", "provision.app_settings", "provision.app_certificate", "provision.notice",
            "provision.vpn_server", "provision.vpn_connection", "provision.vpn_midnight", "provision.wireguard_peer"}
    assert wanted - before == set()
    api.ok("deleteTenant", admin, **of)
    fleet.sql(f"UPDATE auth.tenant SET delete_at = now() WHERE id = '{tenant.id}'")
    wait_for("the end of the tenant", lambda: api.call("getTenant", admin, **of).status_code == 404)
    assert api.call("updateTenant", admin, {"state": "active"}, **of).status_code == 404
    fleet.kill("dns")  # what is still to be done survives that
    wait_for("the end of all its rows", lambda: is_erased(fleet, tenant), 90)
    assert api.ok("listTenants", admin, query={"name": tenant.name})["items"] == []
    # Its name and its host are free for others.
    heir = api.ok("createTenant", admin, {"name": tenant.name})
    api.ok("deleteSite", admin, tenant=heir["id"],
           id_=api.ok("createSite", admin, {"name": "127.0.0.1"}, tenant=heir["id"])["id"])
