"""People's VPN apps of old and of today against a whole fleet: API 2 and API 3, each answer as the unmodified apps need it
(contract app-api, statements 43 to 87)."""

import datetime
import email.utils
import http.client
import re
import ssl
import time

import pytest
import requests

from api_client import wait_for
from api_world import PASSWORD, admin, api, site_of, tenant  # fixtures too
from eduvpn_world import OPENVPN, PORTAL, PROFILE, WIREGUARD, VpnApp, common_name, openssl, part, raw
from oauth_world import REDIRECT, App, Browser, allow

INVALID = 'Bearer realm="OAuth",error="invalid_token"'


@pytest.fixture(scope="module")
def network(api, tenant):
    return api.ok("createNetwork", tenant.owner, {"name": "office", "ipv4": "10.77.0.0/24"}, tenant=tenant.id)


@pytest.fixture(scope="module")
def profile(api, tenant, network):
    return api.ok("createProfile", tenant.owner, {**PROFILE, "network": network["id"]}, tenant=tenant.id)


@pytest.fixture(scope="module", autouse=True)
def site(api, admin, tenant, profile):
    with site_of(api, admin, tenant.id) as site:
        yield site


@pytest.fixture(scope="module")
def app(fleet, site):
    return VpnApp(fleet)


def user_id(api, tenant, name="member"):
    return api.ok("listUsers", tenant.owner, query={"name": name}, tenant=tenant.id)["items"][0]["id"]


def refused(reply, name, error):
    assert (reply.status_code, reply.json()) == (200, {name: {"ok": False, "error": error}})


def is_valid(app, certificate):
    return app.data("check_certificate", common_name=common_name(certificate))["is_valid"]


# ---- tokens ----

@pytest.mark.parametrize("authorization", [
    None, "Bearer", "Bearer ", "Basic x", "Bearer a b", "Bearer a%20b", "bearer abc", "Bearer ====", "Bearer \xc3\xa9",
    "Bearer " + "A" * 12000, "Bearer AAAA.BBBB.CCCC", "Bearer !!"])
@pytest.mark.parametrize("path", ["profile_list", "v3/info", "nope"])
def test_garbage_is_never_more_than_an_invalid_token(fleet, authorization, path):
    headers = {"Authorization": authorization.encode("latin-1")} if authorization is not None else {}
    reply = raw(fleet, "GET", f"{PORTAL}/api.php/{path}", headers=headers)
    assert reply.status_code == 401 and reply.headers["Content-Type"] == "application/json"
    assert reply.json()["error"] == "invalid_token" and set(reply.json()) == {"error", "error_description"}
    assert reply.headers["WWW-Authenticate"] == INVALID


@pytest.mark.parametrize("size", [20_000, 65_536])
def test_a_token_beyond_all_measure_is_not_read(fleet, size):
    try:
        reply = raw(fleet, "GET", f"{PORTAL}/api.php/v3/info", headers={"Authorization": "Bearer " + "A" * size})
    except requests.ConnectionError:
        return  # the gateway had answered and closed before all was sent
    assert reply.status_code == 431


def test_a_token_counts_in_its_header_only(fleet, app):
    token = app.tokens["access_token"]
    assert raw(fleet, "GET", f"{PORTAL}/api.php/profile_list?access_token={token}").status_code == 401
    assert raw(fleet, "POST", f"{PORTAL}/api.php/v3/disconnect", data={"access_token": token}).status_code == 401
    refresh = {"Authorization": "Bearer " + app.tokens["refresh_token"]}
    assert raw(fleet, "GET", f"{PORTAL}/api.php/v3/info", headers=refresh).status_code == 401


def test_a_token_that_is_not_an_apps_is_none(fleet, tenant):
    headers = {"Authorization": tenant.users["member"].authorization}
    assert raw(fleet, "GET", f"{PORTAL}/api.php/v3/info", headers=headers).status_code == 401


def test_a_token_without_the_scope_of_apps(fleet, api, tenant):
    api.ok("createOauthClient", tenant.owner, {"client_id": "other", "name": "Other", "scopes": ["networks:read"],
                                               "redirect_uris": [REDIRECT]}, tenant=tenant.id)
    oauth, browser = App(fleet), Browser(fleet)
    changes = {"client_id": "other", "scope": "networks:read"}
    code = allow(browser, oauth, **changes)
    token = oauth.exchange(code, client_id="other").json()["access_token"]
    reply = raw(fleet, "GET", f"{PORTAL}/api.php/profile_list", headers={"Authorization": "Bearer " + token})
    assert reply.status_code == 403 and reply.json()["error"] == "insufficient_scope"
    assert "WWW-Authenticate" not in reply.headers


def test_paths_and_methods(app):
    reply = app.get("nope")
    assert (reply.status_code, reply.json()) == (404, {"error": '"/nope" not found'})
    assert app.get("v3/nope").json() == {"error": '"/v3/nope" not found'}
    assert app.get("two_factor_enroll_yubi").status_code == 404
    for method, path, allowed in (("PUT", "profile_list", "GET"), ("GET", "create_keypair", "POST"),
                                  ("GET", "v3/connect", "POST"), ("GET", "v3/disconnect", "POST")):
        reply = app.ask(method, path)
        assert (reply.status_code, reply.headers["Allow"]) == (405, allowed)
        assert reply.json() == {"error": f'method "{method}" not allowed'}


# ---- API 2 ----

def test_profiles_of_api_2(app, api, tenant, network):
    assert app.data("profile_list") == [{"profile_id": "internet", "display_name": "Internet Access",
                                         "two_factor": False, "default_gateway": True}]
    made = api.ok("createProfile", tenant.owner,
                  {**PROFILE, "profile_id": "closed", "network": network["id"], "groups": ["staff"],
                   "display_name": 'Staff "q" \\ ü', "translations": ["nl-NL=Medewerkers ë"]}, tenant=tenant.id)
    assert [p["profile_id"] for p in app.data("profile_list")] == ["internet"]
    refused(app.get("profile_config", profile_id="closed"), "profile_config",
            "profile not available or no permission")
    refused(app.post("create_config", profile_id="closed", display_name="x"), "create_config",
            "profile not available or no permission")
    body = {**PROFILE, "display_name": made["display_name"], "translations": made["translations"], "groups": []}
    del body["profile_id"]
    api.ok("replaceProfile", tenant.owner, body, id_=made["id"], tenant=tenant.id)
    shown = [p for p in app.data("profile_list") if p["profile_id"] == "closed"]
    assert shown[0]["display_name"] == {"en-US": 'Staff "q" \\ ü', "nl-NL": "Medewerkers ë"}
    assert [p["display_name"] for p in app.get("v3/info").json()["info"]["profile_list"]] == [
        "Internet Access", 'Staff "q" \\ ü']  # API 3 takes no object
    api.ok("deleteProfile", tenant.owner, id_=made["id"], tenant=tenant.id)
    assert [p["profile_id"] for p in app.data("profile_list")] == ["internet"]


def test_profiles_that_are_not_there_make_an_empty_list(app, api, tenant, profile):
    changes = {k: profile[k] for k in ("display_name", "host", "ports", "mode", "default_gateway", "dns")}
    api.ok("replaceProfile", tenant.owner, {**changes, "groups": ["nobody"]}, id_=profile["id"], tenant=tenant.id)
    assert app.data("profile_list") == [] and app.get("v3/info").json() == {"info": {"profile_list": []}}
    api.ok("replaceProfile", tenant.owner, changes, id_=profile["id"], tenant=tenant.id)
    assert len(app.data("profile_list")) == 1


def test_user_info_of_somebody(app):
    assert app.data("user_info") == {"user_id": "member", "two_factor_enrolled": False, "two_factor_enrolled_with": [],
                                     "two_factor_supported_methods": ["totp"], "is_disabled": False}


def test_the_configuration_of_api_2(app):
    reply = app.get("profile_config", profile_id="internet")
    assert reply.status_code == 200 and reply.headers["Content-Type"] == OPENVPN
    lines = reply.text.split("\n")
    assert lines[-1] == "" and all(line.endswith("\r") for line in lines[:-1])
    assert "<ca>" in reply.text and "<tls-crypt>" in reply.text and "auth-user-pass" not in reply.text
    assert "<cert>" not in reply.text and "<key>" not in reply.text
    remotes = [line.strip() for line in lines if line.startswith("remote ")]
    assert len(remotes) == 3 and [r.split()[3] for r in remotes] == ["udp", "tcp", "tcp"]


def test_the_choice_of_remotes(app):
    def remotes(strategy):
        return re.findall(r"^remote .*?(?=\r)", app.get("profile_config", profile_id="internet",
                                                        remote_strategy=strategy).text, re.M)
    assert remotes(2) == ["remote vpn.example.org 1194 udp", "remote vpn.example.org 1195 udp",
                          "remote vpn.example.org 1194 tcp", "remote vpn.example.org 443 tcp"]
    assert remotes(0) == ["remote vpn.example.org 1194 udp", "remote vpn.example.org 1194 tcp",
                          "remote vpn.example.org 443 tcp"]
    seen = wait_for("both ports", lambda: {remotes(1)[0] for _ in range(10)} if len(
        {remotes(1)[0] for _ in range(10)}) == 2 else None)
    assert seen == {"remote vpn.example.org 1194 udp", "remote vpn.example.org 1195 udp"}
    for strategy in ("7", "x", "", "-1"):
        refused(app.get("profile_config", profile_id="internet", remote_strategy=strategy), "profile_config",
                'invalid "remote_strategy"')


def test_profiles_that_are_not_there(app):
    refused(app.get("profile_config", profile_id="other"), "profile_config", "profile not available or no permission")
    refused(app.get("profile_config", profile_id="a/b"), "profile_config", 'invalid "profile_id"')
    reply = app.get("profile_config")
    assert (reply.status_code, reply.json()) == (400, {"error": 'missing required field "profile_id"'})


def test_a_keypair_that_openssl_believes(app, tmp_path):
    pair = app.keypair()
    assert set(pair) == {"certificate", "private_key"}
    ca = tmp_path / "ca.pem"
    ca.write_text(part(app.get("profile_config", profile_id="internet").text, "ca"))
    key = openssl("pkey", "-pubout", text=pair["private_key"]).stdout
    assert key == openssl("x509", "-noout", "-pubkey", text=pair["certificate"]).stdout and "BEGIN PUBLIC" in key
    certificate = tmp_path / "certificate.pem"
    certificate.write_text(pair["certificate"])
    verified = openssl("verify", "-purpose", "sslclient", "-CAfile", str(ca), str(certificate))
    assert verified.returncode == 0, verified.stdout
    assert re.fullmatch("[0-9a-f]{32}", common_name(pair["certificate"]))
    text = openssl("x509", "-noout", "-text", text=pair["certificate"]).stdout
    assert "TLS Web Client Authentication" in text and "CA:FALSE" in text
    assert is_valid(app, pair["certificate"])


def end_of(certificate):
    text = openssl("x509", "-noout", "-enddate", text=certificate).stdout.strip().partition("=")[2]
    return datetime.datetime.strptime(text, "%b %d %H:%M:%S %Y GMT")


def test_a_certificate_never_outlives_what_its_user_allowed(app, api, tenant):
    allowed = api.ok("listAuthorizations", tenant.owner, tenant=tenant.id)["items"]
    until = max(datetime.datetime.strptime(a["expires_at"], "%Y-%m-%dT%H:%M:%SZ") for a in allowed)
    end = end_of(app.keypair()["certificate"])
    assert until - datetime.timedelta(minutes=5) < end <= until


def test_what_a_keypair_needs(app):
    reply = app.post("create_keypair")
    assert (reply.status_code, reply.json()) == (400, {"error": 'missing required field "display_name"'})
    refused(app.post("create_keypair", display_name=""), "create_keypair", 'invalid "display_name"')


def test_a_key_that_never_leaves_the_device(app, tmp_path):
    key = tmp_path / "key.pem"
    assert openssl("genpkey", "-algorithm", "ED25519", "-out", str(key)).returncode == 0
    csr = openssl("req", "-new", "-key", str(key), "-subj", "/CN=somebody else").stdout
    pair = app.keypair(csr=csr)
    assert set(pair) == {"certificate"} and re.fullmatch("[0-9a-f]{32}", common_name(pair["certificate"]))
    assert openssl("x509", "-noout", "-pubkey", text=pair["certificate"]).stdout == openssl(
        "pkey", "-in", str(key), "-pubout").stdout
    broken = csr.splitlines()
    broken[-2] = "AAAA" + broken[-2][4:]
    for bad in ("\n".join(broken), "nothing", "-----BEGIN CERTIFICATE REQUEST-----\n"):
        refused(app.post("create_keypair", display_name="x", csr=bad), "create_keypair", 'invalid "csr"')
    config = app.connect(csr=csr)
    assert config.status_code == 200 and "<key>" not in config.text and "<cert>" in config.text
    assert app.connect(csr="nothing").json() == {"error": 'invalid value for "csr"'}


def test_questions_about_certificates(fleet, app):
    mine = app.keypair()["certificate"]
    assert app.data("check_certificate", common_name=common_name(mine)) == {"is_valid": True}
    assert app.data("check_certificate", common_name=common_name(mine).upper()) == {"is_valid": True}
    missing = {"is_valid": False, "reason": "certificate_missing"}
    assert app.data("check_certificate", common_name="0" * 32) == missing
    assert VpnApp(fleet, "auditor").data("check_certificate", common_name=common_name(mine)) == missing
    for bad in ("x" * 32, "0" * 31, "0" * 33, ""):
        reply = app.get("check_certificate", common_name=bad)
        assert (reply.status_code, reply.json()) == (400, {"error": 'invalid "common_name"'})
    reply = app.get("check_certificate")
    assert (reply.status_code, reply.json()) == (400, {"error": 'missing required field "common_name"'})


def test_a_configuration_with_its_keypair_in_one(app):
    reply = app.post("create_config", profile_id="internet", display_name="all in one")
    assert reply.status_code == 200 and reply.headers["Content-Type"] == OPENVPN
    assert "BEGIN PRIVATE KEY" in part(reply.text, "key") and is_valid(app, part(reply.text, "cert"))
    assert all(line.endswith("\r") for line in reply.text.split("\n")[:-1])


# ---- the end of what an app has ----

def test_certificates_end_with_the_app_that_got_them(fleet, api, tenant):
    leaving, staying = VpnApp(fleet), VpnApp(fleet)
    pair, config = leaving.keypair(), leaving.connect()
    kept = staying.keypair()
    assert config.status_code == 200
    newest = [a for a in api.ok("listAuthorizations", tenant.owner, query={"limit": 200}, tenant=tenant.id)["items"]][-2]
    api.ok("endAuthorization", tenant.owner, id_=newest["id"], tenant=tenant.id)
    for certificate in (pair["certificate"], part(config.text, "cert")):
        wait_for("its end", lambda: not is_valid(staying, certificate))
    assert is_valid(staying, kept["certificate"])
    reply = leaving.get("v3/info")
    assert reply.status_code == 401 and reply.json()["error_description"] == (
        'authorization for client "org.eduvpn.app.linux" no longer exists')


def test_a_blocked_user_reads_of_it_in_old_apps_and_is_out_in_new_ones(fleet, api, tenant):
    api.ok("createUser", tenant.owner, {"name": "noisy", "role": "member", "password": PASSWORD}, tenant=tenant.id)
    app, user = VpnApp(fleet, "noisy"), user_id(api, tenant, "noisy")
    pair = app.keypair()
    api.ok("updateUser", tenant.owner, {"state": "blocked"}, id_=user, tenant=tenant.id)
    info = app.data("user_info")
    assert info["is_disabled"] is True and app.data("profile_list")
    assert app.data("check_certificate", common_name=common_name(pair["certificate"])) == {
        "is_valid": False, "reason": "user_disabled"}
    wait_for("a message", lambda: any("disabled" in m["message"] for m in app.data("user_messages")))
    assert app.get("v3/info").status_code == 401 and app.connect().status_code == 401
    api.ok("updateUser", tenant.owner, {"state": "active"}, id_=user, tenant=tenant.id)
    assert app.data("user_info")["is_disabled"] is False and app.get("v3/info").status_code == 200
    assert is_valid(app, pair["certificate"])


def test_a_users_certificates_end_with_the_user(fleet, api, tenant):
    api.ok("createUser", tenant.owner, {"name": "leaver", "role": "member", "password": PASSWORD}, tenant=tenant.id)
    certificate = VpnApp(fleet, "leaver").keypair()["certificate"]
    user = user_id(api, tenant, "leaver")
    api.ok("deleteUser", tenant.owner, id_=user, tenant=tenant.id)
    wait_for("its end", lambda: api.ok("listCertificates", tenant.owner, query={"subject": user}, tenant=tenant.id)
             ["items"][0]["state"] == "revoked")
    assert certificate


# ---- API 3 ----

def test_info_has_nothing_that_apps_stumble_over(app):
    reply = app.get("v3/info")
    assert reply.status_code == 200 and reply.headers["Content-Type"] == "application/json"
    assert reply.json() == {"info": {"profile_list": [{"profile_id": "internet", "display_name": "Internet Access",
                                                       "vpn_proto_list": ["openvpn"], "default_gateway": True}]}}


def test_a_connection_of_today(app, api, tenant):
    reply = app.connect()
    assert reply.status_code == 200 and reply.headers["Content-Type"] == OPENVPN
    expires = email.utils.parsedate_to_datetime(reply.headers["Expires"])
    assert reply.headers["Expires"].endswith(" GMT")
    ends = [a["expires_at"] for a in api.ok("listAuthorizations", tenant.owner, tenant=tenant.id)["items"]]
    assert expires.strftime("%Y-%m-%dT%H:%M:%SZ") in ends
    assert app.connect().headers["Expires"] == reply.headers["Expires"]
    lines = reply.text.split("\n")
    assert lines[0].startswith("# Portal: https://127.0.0.1") and lines[0].endswith("/vpn-user-portal/")
    assert lines[1] == "# Profile: Internet Access (internet)"
    assert lines[2] == expires.strftime("# Expires: %Y-%m-%dT%H:%M:%S+00:00") and lines[3] == ""
    assert re.fullmatch(r"remote vpn\.example\.org \d+ tcp", lines[-1]) and "\r" not in reply.text
    assert all(f"<{tag}>" in reply.text for tag in ("ca", "cert", "key", "tls-crypt"))


def test_tcp_first_if_it_is_preferred(app):
    def first(**form):
        return next(line for line in app.connect(**form).text.split("\n") if line.startswith("remote "))
    assert first().endswith(" udp") and first(prefer_tcp="no").endswith(" udp")
    assert first(prefer_tcp="yes").endswith(" tcp") and first(tcp_only="on").endswith(" tcp")


@pytest.mark.parametrize("accept, status", [
    (["*/*"], 200), (["application/x-new-profile"], 200), ([], 200), ([OPENVPN], 200), ([WIREGUARD], 406),
    (["application/x-wireguard+tcp-profile"], 406), ([WIREGUARD, OPENVPN], 200), ([WIREGUARD + ", " + OPENVPN], 200),
    (["application/x-wireguard+tcp-profile", WIREGUARD, OPENVPN + ";q=0.5"], 200)])
def test_what_an_app_accepts_in_one_header_or_in_many(fleet, app, accept, status):
    context = ssl.create_default_context(cafile=fleet.ca_file)
    connection = http.client.HTTPSConnection("127.0.0.1", fleet.gateway_port, context=context, timeout=30)
    body = b"profile_id=internet"
    connection.putrequest("POST", f"{PORTAL}/api.php/v3/connect")
    for header in accept:
        connection.putheader("Accept", header)
    connection.putheader("Authorization", "Bearer " + app.tokens["access_token"])
    connection.putheader("Content-Type", "application/x-www-form-urlencoded")
    connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body)
    reply = connection.getresponse()
    text = reply.read().decode()
    assert reply.status == status, text
    if status == 406:
        assert '"error":"no common VPN protocol support between client and server profile"' in text
    connection.close()


@pytest.mark.parametrize("form, status, error", [
    ({}, 400, 'missing post parameter "profile_id"'), ({"profile_id": "other"}, 404, 'no such "profile_id"'),
    ({"profile_id": "a/b"}, 400, 'invalid value for "profile_id"'),
    ({"profile_id": ""}, 400, 'invalid value for "profile_id"'),
    ({"profile_id": "internet", "prefer_tcp": "maybe"}, 400, 'invalid value for "prefer_tcp"'),
    ({"profile_id": "internet", "public_key": "AAAA"}, 400, 'invalid value for "public_key"')])
def test_what_does_not_connect_leaves_the_earlier_connection(app, form, status, error):
    config = app.connect()
    reply = app.post("v3/connect", **form)
    assert (reply.status_code, reply.json()) == (status, {"error": error})
    assert is_valid(app, part(config.text, "cert"))


def test_one_configuration_an_authorization_and_three_a_user(fleet, api, tenant):
    api.ok("createUser", tenant.owner, {"name": "many", "role": "member", "password": PASSWORD}, tenant=tenant.id)
    apps = [VpnApp(fleet, "many") for _ in range(4)]
    first = part(apps[0].connect().text, "cert")
    second = part(apps[0].connect().text, "cert")
    assert not is_valid(apps[0], first) and is_valid(apps[0], second)
    others = [part(app.connect().text, "cert") for app in apps[1:3]]
    assert is_valid(apps[0], second)
    last = part(apps[3].connect().text, "cert")
    assert not is_valid(apps[0], second) and all(is_valid(apps[0], c) for c in [*others, last])
    keypair = apps[0].keypair()["certificate"]  # API 2 is not counted
    assert is_valid(apps[0], keypair) and is_valid(apps[0], others[0])


def test_who_disconnects_has_nothing_any_more(app):
    certificate, keypair = part(app.connect().text, "cert"), app.keypair()["certificate"]
    for _ in range(2):
        reply = app.post("v3/disconnect")
        assert reply.status_code == 204 and reply.content == b"" and "Content-Type" not in reply.headers
    assert not is_valid(app, certificate) and is_valid(app, keypair)


def test_a_tenant_may_allow_none(app, api, tenant):
    api.ok("updateAppSettings", tenant.owner, {"max_configurations": 0}, tenant=tenant.id)
    reply = app.connect()
    assert (reply.status_code, reply.json()) == (403, {"error": "no API configuration downloads allowed"})
    api.ok("updateAppSettings", tenant.owner, {"max_configurations": 3}, tenant=tenant.id)
    assert app.connect().status_code == 200


def test_a_profile_with_certificates_that_live_shortly(app, api, tenant, network):
    api.ok("createProfile", tenant.owner, {**PROFILE, "profile_id": "short", "network": network["id"],
                                           "lifetime_s": 3600, "two_factor": True}, tenant=tenant.id)
    reply = app.connect("short")
    left = email.utils.parsedate_to_datetime(reply.headers["Expires"]).timestamp() - time.time()
    assert 3000 < left <= 3600 and end_of(part(reply.text, "cert")).timestamp() - time.time() <= 3600 + 86400
    assert "\nauth-user-pass\n" in reply.text
    assert "auth-user-pass" in app.get("profile_config", profile_id="short").text
    made = api.ok("listProfiles", tenant.owner, query={"profile_id": "short"}, tenant=tenant.id)["items"][0]
    api.ok("deleteProfile", tenant.owner, id_=made["id"], tenant=tenant.id)
    wait_for("its end", lambda: not is_valid(app, part(reply.text, "cert")))


# ---- what people are told ----

def test_messages_of_operators(app, api, tenant):
    assert app.data("system_messages") == []
    text = 'Wartung "morgen" \\ früh'
    made = [api.ok("createNotice", tenant.owner, body, tenant=tenant.id) for body in (
        {"kind": "motd", "message": "This is the MOTD!"},
        {"kind": "notification", "message": "Hello", "translations": ["de-DE=" + text]},
        {"kind": "maintenance", "message": "works", "begins_at": "2020-01-01T00:00:00Z",
         "ends_at": "2020-01-01T02:00:00Z"},
        {"kind": "maintenance", "message": "works", "begins_at": "2020-01-01T00:00:00Z",
         "ends_at": "2099-01-01T02:00:00Z"})]
    shown = app.data("system_messages")
    assert [m["type"] for m in shown] == ["maintenance", "notification", "notification"]  # not the one that is over
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", m["date_time"]) for m in shown)
    assert (shown[0]["begin"], shown[0]["end"]) == ("2020-01-01T00:00:00Z", "2099-01-01T02:00:00Z")
    assert shown[1]["message"] == {"en-US": "Hello", "de-DE": text}
    assert shown[2]["message"] == "This is the MOTD!" and app.data("system_messages") == shown
    for notice in made:
        api.ok("deleteNotice", tenant.owner, id_=notice["id"], tenant=tenant.id)
    assert app.data("system_messages") == []


def test_messages_for_one_user(fleet, app, api, tenant):
    api.ok("createNotice", tenant.owner, {"kind": "notification", "message": "for you",
                                          "user": user_id(api, tenant)}, tenant=tenant.id)
    app.keypair("my phone")
    mine = [m["message"] for m in app.data("user_messages")]
    assert "for you" in mine and 'new certificate "my phone" generated by user' in mine
    assert "for you" not in [m["message"] for m in VpnApp(fleet, "auditor").data("user_messages")]
