"""What apps see of people: groups, second factors, blocked accounts; and a real OpenVPN that takes what apps fetch (contract
app-api, statements 44, 51, 54 to 56, 61, 64, 68 to 71, 87, 97)."""

import contextlib
import secrets
import subprocess

import pytest

from account_world import code_of, fresh_step, person  # fixture too
from api_client import wait_for
from api_world import admin, api, site_of, tenant  # fixtures too
from eduvpn_world import PROFILE, VpnApp, common_name, raw
from oauth_world import REDIRECT, App, Browser, allow

SECRET = "K4JMMGO7T4ZR7ROZK4JMMGO7T4ZR7ROZ"


@pytest.fixture(scope="module")
def network(api, tenant):
    return api.ok("createNetwork", tenant.owner, {"name": "office", "ipv4": "10.77.0.0/24"}, tenant=tenant.id)


@pytest.fixture(scope="module")
def profile(api, tenant, network):
    return api.ok("createProfile", tenant.owner, {**PROFILE, "network": network["id"], "host": "127.0.0.1",
                                                  "ports": ["udp/1194"]}, tenant=tenant.id)


@pytest.fixture(scope="module", autouse=True)
def site(api, admin, tenant, profile):
    with site_of(api, admin, tenant.id) as site:
        yield site


def test_a_profile_is_there_as_soon_as_its_user_is_in_the_group(fleet, api, tenant, network, person):
    api.ok("createProfile", tenant.owner, {**PROFILE, "profile_id": "staff", "network": network["id"],
                                           "groups": ["staff", "guests"]}, tenant=tenant.id)
    app = VpnApp(fleet, person.name)
    assert [p["profile_id"] for p in app.data("profile_list")] == ["internet"]
    assert app.connect("staff").status_code == 404
    group = api.ok("createGroup", tenant.owner, {"name": "staff"}, tenant=tenant.id)
    api.ok("changeGroupMembers", tenant.owner, {"add": [person.id]}, id_=group["id"], tenant=tenant.id)
    assert [p["profile_id"] for p in app.data("profile_list")] == ["internet", "staff"]
    assert app.get("profile_config", profile_id="staff").text.startswith("dev tun")
    assert len(app.get("v3/info").json()["info"]["profile_list"]) == 2 and app.connect("staff").status_code == 200
    api.ok("changeGroupMembers", tenant.owner, {"remove": [person.id]}, id_=group["id"], tenant=tenant.id)
    assert app.connect("staff").status_code == 404


def test_a_second_factor_is_enrolled_by_the_app(fleet, person):
    app = VpnApp(fleet, person.name)
    assert app.data("user_info")["two_factor_enrolled"] is False

    def refused(error, **changes):
        reply = app.post("two_factor_enroll_totp", **{"totp_secret": SECRET, "totp_key": "000000", **changes})
        assert (reply.status_code, reply.json()) == (200, {"two_factor_enroll_totp": {"ok": False, "error": error}})

    refused('invalid "totp_key"', totp_key="12345")
    refused('invalid "totp_secret"', totp_secret="abc")
    wrong = next(c for c in ("000000", "111111", "222222", "333333") if c not in {code_of(SECRET, n) for n in (-1, 0, 1, 2)})
    refused("TOTP registration failed: invalid OTP code", totp_key=wrong)
    missing = app.post("two_factor_enroll_totp", totp_secret=SECRET)
    assert (missing.status_code, missing.json()) == (400, {"error": 'missing required field "totp_key"'})
    fresh_step()
    reply = app.post("two_factor_enroll_totp", totp_secret=SECRET, totp_key=code_of(SECRET))
    assert (reply.status_code, reply.json()) == (200, {"two_factor_enroll_totp": {"ok": True}})
    info = app.data("user_info")
    assert info["two_factor_enrolled"] is True and info["two_factor_enrolled_with"] == ["totp"]
    assert info["two_factor_supported_methods"] == ["totp"]
    refused("user already enrolled", totp_key=code_of(SECRET, 1))
    assert app.get("two_factor_enroll_yubi").status_code == 404 == app.post("two_factor_enroll_yubi").status_code


def test_old_apps_find_where_a_browser_enrols_and_that_keys_may_stay(fleet):
    found = raw(fleet, "GET", "/info.json").json()
    assert found["two_factor_authentication"] == {"enroll_uri": fleet.base_url + "/account/second-factor"}
    assert found["csr"] == ["create_keypair", "connect"]
    page = raw(fleet, "GET", "/account/second-factor?two_factor_type=totp")
    assert page.status_code == 200 and 'name="password"' in page.text


def test_a_tenant_may_close_the_old_api_to_who_is_blocked(fleet, api, tenant, person):
    app = VpnApp(fleet, person.name)
    api.ok("updateUser", tenant.owner, {"state": "blocked"}, id_=person.id, tenant=tenant.id)
    assert app.get("user_info").status_code == 200
    api.ok("updateSignInPolicy", tenant.owner, {"blocked_users": "closed"}, tenant=tenant.id)
    reply = app.get("user_info")
    assert reply.status_code == 401 and reply.json()["error"] == "invalid_token"
    refresh = App(fleet).refresh(app.tokens["refresh_token"])
    assert (refresh.status_code, refresh.json()["error"]) == (400, "invalid_grant")
    api.ok("updateSignInPolicy", tenant.owner, {"blocked_users": "open"}, tenant=tenant.id)
    api.ok("updateUser", tenant.owner, {"state": "active"}, id_=person.id, tenant=tenant.id)
    assert app.get("user_info").status_code == 200


# ---- time ----

def test_tokens_and_certificates_whose_time_is_over(fleet, api, tenant, person):
    app = VpnApp(fleet, person.name)
    serial = common_name(app.keypair()["certificate"])

    def check(**shift):
        for column, by in shift.items():
            fleet.sql(f"UPDATE provision.certificate SET {column} = now() + interval '{by}' WHERE serial = '{serial}'")
        return app.data("check_certificate", common_name=serial)

    assert check(not_before="1 hour") == {"is_valid": False, "reason": "certificate_not_yet_valid"}
    assert check(not_before="-2 hours", not_after="-1 hour") == {"is_valid": False, "reason": "certificate_expired"}
    fleet.sql(f"UPDATE auth.oauth_authorization SET expires_at = now() + interval '3 s' WHERE user_id = '{person.id}'")
    app.tokens.update(App(fleet).refresh(app.tokens["refresh_token"]).json())
    wait_for("the end of the token", lambda: app.get("v3/info").status_code == 401)
    assert app.get("v3/info").json() == {"error": "invalid_token", "error_description": '"access_token" expired'}


def test_a_client_that_is_no_longer_registered(fleet, api, tenant):
    made = api.ok("createOauthClient", tenant.owner, {"client_id": "mine", "name": "Mine", "scopes": ["config"],
                                                      "redirect_uris": [REDIRECT]}, tenant=tenant.id)
    oauth = App(fleet)
    app = VpnApp(fleet)
    app.tokens = oauth.exchange(allow(Browser(fleet), oauth, client_id="mine"), client_id="mine").json()
    assert app.get("v3/info").status_code == 200
    api.ok("deleteOauthClient", tenant.owner, id_=made["id"], tenant=tenant.id)
    reply = app.get("v3/info")
    assert (reply.status_code, reply.json()["error_description"]) == (401, 'client "mine" no longer registered')


def test_56_an_app_has_twenty_keypairs_and_one_more_ends_the_first(fleet, person):
    app, other = VpnApp(fleet, person.name), VpnApp(fleet, person.name)
    kept = common_name(other.keypair()["certificate"])
    made = [common_name(app.keypair()["certificate"]) for _ in range(21)]
    good = [app.data("check_certificate", common_name=name)["is_valid"] for name in (made[0], made[1], made[20], kept)]
    assert good == [False, True, True, True]


@contextlib.contextmanager
def held(fleet, rows):
    """Meanwhile somebody else is about to change these rows."""
    url = f"postgresql:///lanyard?host={fleet.var}/run/postgres&user=postgres"
    with subprocess.Popen(["psql", "-XAtq", "-d", url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as psql:
        print(f"BEGIN; SELECT id FROM {rows} FOR UPDATE;", file=psql.stdin, flush=True)
        assert psql.stdout.readline().strip(), "there are some"
        yield


def test_87_apps_that_ask_wait_for_nobody_and_leave_nothing_with_auth(fleet, person):
    app = VpnApp(fleet, person.name)
    left = fleet.sql("SELECT count(*) FROM auth.idempotency")
    with held(fleet, f"auth.oauth_authorization WHERE user_id = '{person.id}'"):
        assert app.get("v3/info").status_code == 200 and app.connect().status_code == 200
    assert fleet.sql("SELECT count(*) FROM auth.idempotency") == left


def test_what_is_old_is_removed(fleet, api, tenant, person):
    app = VpnApp(fleet, person.name)
    serial = common_name(app.keypair()["certificate"])
    api.ok("createNotice", tenant.owner, {"kind": "notification", "message": "fresh", "user": person.id}, tenant=tenant.id)
    fleet.sql(f"UPDATE provision.certificate SET not_after = now() - interval '33 days' WHERE serial = '{serial}'")
    fleet.sql("UPDATE provision.notice SET created_at = now() - interval '33 days' WHERE message <> 'fresh'"
              f" AND user_id = '{person.id}'")
    peers = f"FROM provision.wireguard_peer WHERE user_id = '{person.id}'"
    fleet.sql("INSERT INTO provision.wireguard_peer (tenant_id, server_id, network_id, user_id, authorization_id, profile_id,"
              " public_key, host, expires_at, ended_at) SELECT user_tenant, gen_random_uuid(), gen_random_uuid(), user_id,"
              " gen_random_uuid(), 'internet', days, 7, now(), now() - make_interval(days => days::int) FROM (VALUES"
              f" ('{tenant.id}'::uuid, '{person.id}'::uuid)) AS u (user_tenant, user_id), unnest('{{31,33}}'::text[]) AS d (days)")
    fleet.sv("restart", "provision")
    wait_for("provision, which the gateway knows again", lambda: app.get("user_messages").status_code == 200)
    wait_for("the clean-up", lambda: fleet.sql(f"SELECT public_key {peers}") == [["31"]])
    wait_for("the clean-up", lambda: not fleet.sql(f"SELECT id FROM provision.certificate WHERE serial = '{serial}'"))
    wait_for("the clean-up", lambda: [m["message"] for m in app.data("user_messages")] == ["fresh"])
    assert app.data("check_certificate", common_name=serial) == {"is_valid": False, "reason": "certificate_missing"}


# ---- a real OpenVPN ----

@contextlib.contextmanager
def openvpn(netns, config, log):
    """OpenVPN in the namespace, with its words in the file `log`."""
    config.chmod(0o600)
    with open(log, "w") as out:
        process = subprocess.Popen(["ip", "netns", "exec", netns, "openvpn", "--config", str(config)], stdout=out,
                                   stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=30)


@pytest.fixture(scope="module")
def server(api, tenant, profile, tmp_path_factory):
    """Debian's OpenVPN with what the API tells a server of the profile, in a namespace of its own."""
    of, folder = {"tenant": tenant.id}, tmp_path_factory.mktemp("server")
    authorities = api.ok("getAuthorities", tenant.owner, **of)
    shown = api.ok("getProfileServer", tenant.owner, id_=profile["id"], **of)
    issued = api.ok("createCertificate", tenant.owner, {"kind": "server", "subject": "vpn.example.org"}, **of)
    config = folder / "server.conf"
    config.write_text(
        "dev tun\nlocal 127.0.0.1\nport 1194\nproto udp\ntopology subnet\nserver 10.99.0.0 255.255.255.0\ndh none\n"
        "remote-cert-tls client\ndata-ciphers AES-256-GCM:CHACHA20-POLY1305\nauth none\n"
        f"<ca>\n{authorities['trust']}{authorities['issuers']}</ca>\n<cert>\n{issued['certificate']}{issued['chain']}</cert>\n"
        f"<key>\n{issued['private_key']}</key>\n<tls-crypt>\n{shown['tls_crypt']}</tls-crypt>\n")
    netns = "lanyard-" + secrets.token_hex(4)
    subprocess.run(["ip", "netns", "add", netns], check=True)
    try:
        subprocess.run(["ip", "-n", netns, "link", "set", "lo", "up"], check=True)
        with openvpn(netns, config, folder / "log"):
            wait_for("the server", lambda: "Initialization Sequence Completed" in (folder / "log").read_text())
            yield netns
    finally:
        subprocess.run(["ip", "netns", "del", netns], check=True)


def merged(app):
    """What an old app makes of both answers."""
    pair = app.keypair()
    return (app.get("profile_config", profile_id="internet").text
            + f"<cert>\n{pair['certificate']}</cert>\n<key>\n{pair['private_key']}</key>\n")


@pytest.mark.parametrize("fetch", [merged, lambda app: app.connect().text,
                                   lambda app: app.post("create_config", profile_id="internet", display_name="x").text],
                         ids=["profile_config and create_keypair", "connect", "create_config"])
def test_a_real_openvpn_connects_with_what_apps_fetch(fleet, server, fetch, tmp_path):
    config, log = tmp_path / "client.conf", tmp_path / "log"
    config.write_text(fetch(VpnApp(fleet)), newline="")
    with openvpn(server, config, log):
        wait_for("the connection", lambda: "Initialization Sequence Completed" in log.read_text())
