"""What operators have of VPN apps beside their profiles: the admin API for their programs, guests of other sites, and statistics
(contract app-api, statements 46, 94, 95, 97, 98)."""

import concurrent.futures
import datetime
import email.utils
import hashlib
import json

import pytest

from account_world import person  # fixture too
from api_client import NOBODY, bearer, wait_for
from api_world import admin, api, site_of, stranger, tenant  # fixtures too
from eduvpn_world import OPENVPN, PORTAL, PROFILE, VpnApp, common_name, part, raw
from federation_world import ForeignSite, Lists


@pytest.fixture(scope="module")
def profile(api, tenant):
    network = api.ok("createNetwork", tenant.owner, {"name": "office", "ipv4": "10.77.0.0/24"}, tenant=tenant.id)
    return api.ok("createProfile", tenant.owner, {**PROFILE, "network": network["id"]}, tenant=tenant.id)


@pytest.fixture(scope="module", autouse=True)
def site(api, admin, tenant, profile):
    with site_of(api, admin, tenant.id) as site:
        yield site


# ---- the admin API ----

class Program:
    """A program of the tenant that knows an API key of it, or something else."""

    def __init__(self, fleet, key):
        self.fleet, self.headers = fleet, {} if key is None else {"Authorization": "Bearer " + key}

    def ask(self, name, method="POST", **form):
        return raw(self.fleet, method, f"{PORTAL}/admin/api/v1/{name}", headers=self.headers, data=form)

    def create(self, user, profile="internet", **more):
        return self.ask("create", user_id=user, profile_id=profile, **more)


@pytest.fixture(scope="module")
def program(fleet, api, tenant):
    key = api.ok("createApiKey", tenant.owner, {"name": "imaging", "role": "admin", "scopes": ["vpn-users:write"]}, tenant=tenant.id)
    api.ok("updateAppSettings", tenant.owner, {"admin_api": True}, tenant=tenant.id)
    return Program(fleet, key["secret"])


def users_named(api, tenant, name):
    return api.ok("listUsers", tenant.owner, query={"name": name}, tenant=tenant.id)["items"]


def certificate_of(api, tenant, user, config):
    """What the API shows of the certificate in a configuration."""
    shown = api.ok("listCertificates", tenant.owner, query={"subject": user}, tenant=tenant.id)["items"]
    found, = [each for each in shown if each["serial"] == common_name(part(config, "cert"))]
    return found


def test_94_the_admin_api_is_not_there_until_it_is_wanted(fleet, api, tenant, stranger, program):
    own = api.ok("createApiKey", tenant.owner, {"name": "all", "role": "owner"}, tenant=tenant.id)
    other = api.ok("createApiKey", stranger.owner, {"name": "x", "role": "owner"}, tenant=stranger.id)
    narrow = api.ok("createApiKey", tenant.owner, {"name": "y", "role": "admin", "scopes": ["users:write"]}, tenant=tenant.id)
    wrong = program.headers["Authorization"][len("Bearer "):]
    wrong = wrong[:-9] + ("A" if wrong[-9] != "A" else "B") + wrong[-8:]
    for key in (None, "", "x", "lyk_AAAA", wrong, other["secret"], tenant.owner.authorization[len("Bearer "):]):
        for name in ("create", "destroy", "nope"):
            reply = Program(fleet, key).ask(name, user_id="kiosk", profile_id="internet")
            assert (reply.status_code, reply.json()) == (401, {"error": "authentication required"}), (key, name)
            assert reply.headers["WWW-Authenticate"].startswith("Bearer ")
    assert Program(fleet, narrow["secret"]).create("kiosk").status_code == 403
    api.ok("updateAppSettings", tenant.owner, {"admin_api": False}, tenant=tenant.id)
    for caller in (program, Program(fleet, None), Program(fleet, own["secret"])):
        reply = caller.create("kiosk")
        assert (reply.status_code, reply.json()) == (404, {"error": '"/v1/create" not found'})
    api.ok("updateAppSettings", tenant.owner, {"admin_api": True}, tenant=tenant.id)
    assert not users_named(api, tenant, "kiosk")
    assert Program(fleet, own["secret"]).create("kiosk").status_code == 200


def test_95_programs_make_and_take_away_users_with_their_configurations(api, tenant, program):
    reply = program.create("desk-1", display_name="Desk 1")
    assert reply.status_code == 200 and reply.headers["Content-Type"] == OPENVPN
    until = email.utils.parsedate_to_datetime(reply.headers["Expires"]) - datetime.datetime.now(datetime.timezone.utc)
    assert datetime.timedelta(days=89) < until < datetime.timedelta(days=91)
    user, = users_named(api, tenant, "desk-1")
    for password in ("", " ", "correct horse battery staple"):
        refused = api.call("createToken", NOBODY, {"tenant_name": tenant.name, "user": "desk-1", "password": password})
        assert refused.status_code in (400, 401), "no password lets it in"
    first = certificate_of(api, tenant, user["id"], reply.text)
    assert (user["role"], user["state"], first["label"], first["state"]) == ("member", "active", "Desk 1", "valid")
    again = program.create("desk-1", expires_in="P1DT12H", prefer_tcp="no")
    until = email.utils.parsedate_to_datetime(again.headers["Expires"]) - datetime.datetime.now(datetime.timezone.utc)
    assert datetime.timedelta(hours=35) < until < datetime.timedelta(hours=37)
    assert certificate_of(api, tenant, user["id"], again.text)["label"] == "Admin API"
    assert certificate_of(api, tenant, user["id"], reply.text)["state"] == "valid", "the first one is good beside it"
    done = program.ask("destroy", user_id="desk-1")
    assert done.status_code == 204 and not done.content
    assert not users_named(api, tenant, "desk-1")
    wait_for("the end of both", lambda: {certificate_of(api, tenant, user["id"], each.text)["state"] for each in (reply, again)}
             == {"revoked"})
    assert program.ask("destroy", user_id="desk-1").status_code == 204


@pytest.mark.parametrize("form, status, error", [
    ({}, 400, 'missing post parameter "user_id"'),
    ({"user_id": "new"}, 400, 'missing post parameter "profile_id"'),
    ({"user_id": "", "profile_id": "internet"}, 400, 'invalid value for "user_id"'),
    ({"user_id": "new", "profile_id": "nope"}, 404, 'no such "profile_id"'),
    ({"user_id": "new", "profile_id": "a/b"}, 400, 'invalid value for "profile_id"'),
    ({"user_id": "new", "profile_id": "internet", "prefer_tcp": "maybe"}, 400, 'invalid value for "prefer_tcp"'),
    ({"user_id": "new", "profile_id": "internet", "display_name": "x" * 65}, 400, 'invalid value for "display_name"'),
    *[({"user_id": "new", "profile_id": "internet", "expires_in": wrong}, 400, 'invalid value for "expires_in"')
      for wrong in ("", "P", "PT", "1D", "P1", "P1H", "P1D1Y", "P1DT", "P-1D", "P99Y", "P9999999999S")]])
def test_what_makes_no_user(api, tenant, program, form, status, error):
    reply = program.ask("create", **form)
    assert (reply.status_code, reply.json()) == (status, {"error": error})
    assert not users_named(api, tenant, "new")


def test_programs_touch_members_only(api, tenant, person, program):
    assert program.create(person.name).status_code == 200, "also for a person who was there before"
    refused = program.ask("destroy", user_id="owner")
    assert refused.status_code == 403 and users_named(api, tenant, "owner")
    api.ok("updateUser", tenant.owner, {"state": "blocked"}, id_=person.id, tenant=tenant.id)
    blocked = program.create(person.name)
    assert (blocked.status_code, blocked.json()) == (403, {"error": "account disabled"})
    wrong = program.ask("create", "GET")
    assert (wrong.status_code, wrong.headers["Allow"], wrong.json()) == (405, "POST", {"error": 'method "GET" not allowed'})
    unknown = program.ask("users")
    assert (unknown.status_code, unknown.json()) == (404, {"error": '"/v1/users" not found'})


# ---- what operators see ----

DAY = datetime.timedelta(days=1)


def connected(fleet, tenant, profile, who, begins, ends, carried, **midnights):
    """A connection of the past in the log; what it had carried at midnight, by `d` and the number of days after its first."""
    (row,), = fleet.sql(
        "INSERT INTO provision.vpn_connection (tenant_id, server_id, run_id, network_id, kind, subject, label, serial, source,"
        f" started_at, ended_at, bytes_in, bytes_out, gone, profile_id) SELECT '{tenant.id}', gen_random_uuid(),"
        f" gen_random_uuid(), gen_random_uuid(), 'user', '{who}', '', '', '', '{begins}', '{ends}', 1, {carried} - 1, true,"
        f" '{profile}' RETURNING id")
    for days, carried_then in midnights.items():
        fleet.sql(f"INSERT INTO provision.vpn_midnight VALUES ('{tenant.id}', '{row}',"
                  f" '{begins.date() + int(days[1:]) * DAY}', {carried_then})")


def test_98_what_was_used_by_day(fleet, api, tenant):
    today = datetime.datetime.now(datetime.timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
    one, two, old = today - DAY, today - 2 * DAY, today - 31 * DAY

    def hours(n, minutes=0):
        return datetime.timedelta(hours=n, minutes=minutes)

    connected(fleet, tenant, "office", "jane", two + hours(22), one + hours(2), 100, d1=60)
    connected(fleet, tenant, "office", "john", one + hours(1), one + hours(3), 10)
    connected(fleet, tenant, "office", "jane", one + hours(2), one + hours(2, 30), 5)  # begins as another ends
    connected(fleet, tenant, "office", "june", one + hours(12), today, 7)  # was not there today
    connected(fleet, tenant, "office", "jack", old - 9 * DAY, old + DAY, 1000, d5=500, d9=700)
    connected(fleet, tenant, "other", "jane", one, one + hours(1), 3)
    connected(fleet, tenant, "", "jane", one, one + hours(1), 3)
    shown = api.ok("getVpnStatistics", tenant.owner, tenant=tenant.id)
    if shown["generated_at"][:10] != today.date().isoformat():
        pytest.skip("midnight has passed since the test began")

    def day(date, n, carried, users):
        return {"date": date.date().isoformat(), "number_of_connections": n, "bytes_transferred": carried,
                "unique_user_count": users}

    assert shown["profiles"] == {
        "office": {"days": [day(old, 1, 300, 1), day(two, 1, 60, 1), day(one, 4, 62, 3)], "total_traffic": 422,
                   "max_concurrent_connections": 2, "unique_user_count": 4,
                   "max_concurrent_connections_time": (one + hours(1)).strftime("%Y-%m-%d %H:%M:%S")},
        "other": {"days": [day(one, 1, 3, 1)], "total_traffic": 3, "max_concurrent_connections": 1, "unique_user_count": 1,
                  "max_concurrent_connections_time": one.strftime("%Y-%m-%d %H:%M:%S")}}

# ---- guests ----

class Federation:
    def __init__(self, api, tenant, public_key):
        self.api, self.tenant, self.public_key = api, tenant, public_key
        self.url = f"/v1/tenants/{tenant.id}/federation"

    def set(self, signed, **more):
        text, signature = signed
        return self.api.send("PUT", self.url, self.tenant.owner, data=text.encode(), headers={"Content-Type": "application/json"},
                             params={"public_key": self.public_key, "signature": signature, **more})

    def remove(self):
        self.api.ok("deleteFederation", self.tenant.owner, tenant=self.tenant.id)

    def shown(self):
        return self.api.ok("getFederation", self.tenant.owner, tenant=self.tenant.id)


@pytest.fixture(scope="module")
def lists(tmp_path_factory):
    return Lists(tmp_path_factory.mktemp("lists"))


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return ForeignSite(tmp_path_factory.mktemp("home"), "https://vpn.example-1.org:8443/")


@pytest.fixture
def federation(api, tenant, lists):
    federation = Federation(api, tenant, lists.public)
    yield federation
    federation.remove()


def ask(fleet, token, path, **form):
    return raw(fleet, "POST" if form else "GET", f"{PORTAL}/api.php/{path}",
               headers={"Authorization": "Bearer " + token, "Accept": OPENVPN}, **({"data": form} if form else {}))


def test_46_a_token_of_a_listed_site_lets_its_person_in(fleet, api, tenant, profile, lists, home, federation):
    api.ok("createProfile", tenant.owner, {**PROFILE, "profile_id": "staff", "network": profile["network"], "groups": ["staff"]},
           tenant=tenant.id)
    assert ask(fleet, home.token(), "user_info").status_code == 401, "nobody is listed"
    reply = federation.set(lists.sign(home))
    assert reply.status_code == 200, reply.text
    assert federation.shown()["instances"] == [{"host": "vpn.example-1.org", "base_uri": home.base_uri,
                                                "public_key": home.public_key}]
    info = ask(fleet, home.token(), "user_info")
    assert (info.status_code, info.json()["user_info"]["data"]["user_id"]) == (200, "vpn.example_1.org_jane")
    profiles = ask(fleet, home.token(), "profile_list").json()["profile_list"]["data"]
    assert [each["profile_id"] for each in profiles] == ["internet"], "none that is for groups"
    assert ask(fleet, home.token(), "v3/connect", profile_id="staff").status_code == 404
    connected = ask(fleet, home.token(), "v3/connect", profile_id="internet")
    until = email.utils.parsedate_to_datetime(connected.headers["Expires"]) - datetime.datetime.now(datetime.timezone.utc)
    assert connected.status_code == 200 and datetime.timedelta(hours=23) < until < datetime.timedelta(hours=25)
    pair = ask(fleet, home.token(), "create_keypair", display_name="x").json()["create_keypair"]
    assert pair["ok"] and len(users_named(api, tenant, "vpn.example_1.org_jane")) == 1, "one user for all of it"
    assert ask(fleet, home.token(user_id="john"), "user_info").status_code == 200
    assert users_named(api, tenant, "vpn.example_1.org_john")


def test_46_a_crowd_of_guests_comes_in_at_once(fleet, lists, home, federation):
    assert federation.set(lists.sign(home)).status_code == 200
    tokens = [home.token(user_id=f"crowd-{n // 2}") for n in range(24)]  # two of each
    with concurrent.futures.ThreadPoolExecutor(len(tokens)) as pool:
        assert {reply.status_code for reply in pool.map(lambda token: ask(fleet, token, "user_info"), tokens)} == {200}


@pytest.mark.parametrize("claims", [
    {"type": "refresh_token"}, {"type": None}, {"user_id": ""}, {"user_id": 7}, {"user_id": "x" * 200}, {"user_id": "a\u0001"},
    {"expires_at": "2016-01-01T01:00:00+00:00"}, {"expires_at": "2126-01-01T01:00:00Z"}, {"expires_at": 9999999999}, {"auth_key": None}])
def test_46_what_a_listed_site_does_not_say_so(fleet, lists, home, federation, claims):
    assert federation.set(lists.sign(home)).status_code == 200
    reply = ask(fleet, home.token(**claims), "user_info")
    assert (reply.status_code, reply.json()["error"]) == (401, "invalid_token")


def test_46_other_sites_and_scopes(fleet, lists, home, federation, tmp_path):
    other = ForeignSite(tmp_path, "https://other.example.org/")
    assert federation.set(lists.sign(home)).status_code == 200
    assert ask(fleet, other.token(), "user_info").status_code == 401
    good = home.token()
    changed = good[:100] + ("A" if good[100] != "A" else "B") + good[101:]
    for wrong in (changed, good[:-8], good + "AAAA", good[:86]):
        assert ask(fleet, wrong, "v3/info").status_code == 401
    refused = ask(fleet, home.token(scope="other"), "user_info")
    assert (refused.status_code, refused.json()["error"]) == (403, "insufficient_scope")


def test_46_guests_are_blocked_and_go_with_their_site(fleet, api, tenant, lists, home, federation, tmp_path):
    other = ForeignSite(tmp_path, "https://other.example.org/")
    assert federation.set(lists.sign(home, other)).status_code == 200
    for each in (home, other):
        assert ask(fleet, each.token(), "v3/info").status_code == 200
    guest, = users_named(api, tenant, "other.example.org_jane")
    keep, = users_named(api, tenant, "vpn.example_1.org_jane")
    leaves = other.token(user_id="jim")
    config = ask(fleet, leaves, "v3/connect", profile_id="internet").text
    gone, = users_named(api, tenant, "other.example.org_jim")
    api.ok("updateUser", tenant.owner, {"state": "blocked"}, id_=guest["id"], tenant=tenant.id)
    assert ask(fleet, other.token(), "user_info").json()["user_info"]["data"]["is_disabled"] is True
    assert ask(fleet, other.token(), "v3/info").status_code == 401
    assert federation.set(lists.sign(home)).status_code == 200
    assert not users_named(api, tenant, gone["name"]) and users_named(api, tenant, keep["name"]) == [keep]
    wait_for("the end of what it had", lambda: certificate_of(api, tenant, gone["id"], config)["state"] == "revoked")
    assert ask(fleet, other.token(), "user_info").status_code == 401
    assert federation.set(lists.sign(home, other)).status_code == 200, "the site is back"
    assert ask(fleet, leaves, "v3/info").status_code == 200
    assert ask(fleet, other.token(), "v3/info").status_code == 401
    assert users_named(api, tenant, guest["name"])[0]["state"] == "blocked", "as before"
    federation.remove()
    assert not users_named(api, tenant, keep["name"]) and ask(fleet, home.token(), "user_info").status_code == 401
    assert federation.shown()["instances"] == [] and federation.shown()["public_key"] == ""


def test_46_a_person_is_never_taken_for_a_guest(fleet, api, tenant, lists, home, federation):
    assert federation.set(lists.sign(home)).status_code == 200
    api.ok("createUser", tenant.owner, {"name": "vpn.example_1.org_june", "role": "admin", "password": "correct horse battery"},
           tenant=tenant.id)
    assert ask(fleet, home.token(user_id="june"), "user_info").status_code == 401


def test_46_97_what_auth_does_not_keep(fleet, api, tenant, person, lists, home, federation):
    """Guests who do not come, authorizations that have expired, and codes that were tried."""
    VpnApp(fleet, person.name)
    of = f"WHERE tenant_id = '{tenant.id}' AND user_id = '{person.id}'"
    fleet.sql(f"UPDATE auth.oauth_authorization SET expires_at = now() - interval '25 hours' {of}")
    fleet.sql("INSERT INTO auth.code_attempt (tenant_id, user_id, digest, created_at)"
              f" VALUES ('{tenant.id}', '{person.id}', 'x', now() - interval '6 minutes')")
    assert federation.set(lists.sign(home)).status_code == 200
    for user in ("jim", "joe", "jack", "jill"):
        assert ask(fleet, home.token(user_id=user), "user_info").status_code == 200
    for user, change in (("jack", {"state": "blocked"}), ("jill", {"role": "operator"})):
        guest, = users_named(api, tenant, "vpn.example_1.org_" + user)
        api.ok("updateUser", tenant.owner, change, id_=guest["id"], tenant=tenant.id)
    fleet.sql("UPDATE auth.guest SET seen_at = now() - interval '33 days' WHERE subject <> 'joe'"
              f" AND tenant_id = '{tenant.id}'")
    fleet.sv("restart", "auth")
    wait_for("the clean-up", lambda: not users_named_soon(api, tenant, "vpn.example_1.org_jim"))
    for user in ("joe", "jack", "jill"):
        assert users_named(api, tenant, "vpn.example_1.org_" + user), user
    assert ask(fleet, home.token(user_id="jack"), "v3/info").status_code == 401, "blocked as before"
    for table in ("oauth_authorization", "code_attempt"):
        wait_for("the clean-up", lambda table=table: not fleet.sql(f"SELECT 1 FROM auth.{table} {of}"))


def users_named_soon(api, tenant, name):
    """The same while auth starts."""
    reply = api.call("listUsers", tenant.owner, query={"name": name}, tenant=tenant.id)
    return reply.json()["items"] if reply.status_code == 200 else True


def test_46_who_may_say_who_is_trusted(api, tenant, lists, home, federation):
    """A list makes members of strangers: a key that may less than a member makes none."""
    narrow = api.ok("createApiKey", tenant.owner, {"name": "narrow", "role": "admin", "scopes": ["oauth:write"]}, tenant=tenant.id)
    text, signature = lists.sign(home)
    reply = api.send("PUT", federation.url, bearer("narrow", narrow["secret"]), data=text.encode(),
                     headers={"Content-Type": "application/json"},
                     params={"public_key": federation.public_key, "signature": signature})
    assert (reply.status_code, reply.json()["field"]) == (403, "role"), reply.text
    assert federation.shown()["instances"] == []
    assert api.call("deleteFederation", bearer("narrow", narrow["secret"]), tenant=tenant.id).status_code == 403


def test_46_a_list_is_taken_if_it_is_signed_and_not_older(lists, home, federation, tmp_path):
    older = lists.sign(home)
    newer = lists.sign(home)
    assert federation.set(newer).status_code == 200 == federation.set(newer).status_code, "the same one again is fine"
    refused = federation.set(older)
    assert refused.status_code == 409 and refused.json()["field"] == "seq"

    def wrong(signed, field, **more):
        reply = federation.set(signed, **more)
        assert (reply.status_code, reply.json()["field"]) == (400, field), reply.text

    text, signature = newer
    wrong((text.replace("A site", "a site"), signature), "signature")
    wrong((text, hashlib.sha512(b"").hexdigest()), "signature")
    wrong((text, ""), "signature")
    wrong(newer, "public_key", public_key="AAAA")
    wrong(newer, "signature", public_key=home.public_key)
    wrong(lists.sign(home, authorization_type="local"), "list")
    wrong(lists.sign(home, home), "list")
    wrong(lists.sign(home, instances=[{"base_uri": "https://a.example/", "display_name": "x"}]), "list")
    wrong(lists.sign(home, instances=[{"base_uri": "https://a b/", "display_name": "x", "public_key": home.public_key}]), "list")
    assert federation.shown()["seq"] == json.loads(text)["seq"]
