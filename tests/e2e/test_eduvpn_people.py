"""What apps see of people: groups, second factors, blocked accounts; and a real OpenVPN that takes what apps fetch (contract
app-api, statements 51, 54, 55, 64, 68 to 71, 99)."""

import contextlib
import pathlib
import secrets
import subprocess

import pytest

from account_world import code_of, fresh_step, person  # fixture too
from api_client import wait_for
from api_world import admin, api, tenant  # fixtures too
from eduvpn_world import PROFILE, VpnApp, part, raw
from oauth_world import App

SECRET = "K4JMMGO7T4ZR7ROZK4JMMGO7T4ZR7ROZ"


@pytest.fixture(scope="module")
def network(api, tenant):
    return api.ok("createNetwork", tenant.owner, {"name": "office", "ipv4": "10.77.0.0/24"}, tenant=tenant.id)


@pytest.fixture(scope="module", autouse=True)
def site(api, tenant, network):
    api.ok("createSite", tenant.owner, {"name": "127.0.0.1"}, tenant=tenant.id)
    return api.ok("createProfile", tenant.owner, {**PROFILE, "network": network["id"], "host": "127.0.0.1",
                                                  "ports": ["udp/1194"]}, tenant=tenant.id)


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
def server(api, tenant, site, tmp_path_factory):
    """Debian's OpenVPN with what the API tells a server of the profile, in a namespace of its own."""
    of, folder = {"tenant": tenant.id}, tmp_path_factory.mktemp("server")
    authorities = api.ok("getAuthorities", tenant.owner, **of)
    shown = api.ok("getProfileServer", tenant.owner, id_=site["id"], **of)
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
