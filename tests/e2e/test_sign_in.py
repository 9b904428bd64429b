"""People let apps in: OAuth 2 as the unmodified VPN apps speak it, over the real gateway, with requests as the app and as
the browser, and with a real browser (contract app-api, statements 10 to 42)."""

import concurrent.futures
import http.server
import re
import threading
import urllib.parse

import pytest
import requests
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from api_client import WAIT_S, bearer, wait_for
from api_world import PASSWORD, admin, api, tenant  # fixtures too
from oauth_world import APP, REDIRECT, allow, app, back, browser, chromium, site  # fixtures too

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture(autouse=True)
def one_site(site):
    """Every test signs in at the same site."""


def refused(reply, status, error, description):
    assert (reply.status_code, reply.json()) == (status, {"error": error, "error_description": description})
    assert reply.headers["Cache-Control"] == "no-store"


# ---- pages ----

def test_a_person_signs_in_allows_and_the_app_gets_its_tokens(app, browser, fleet):
    page = browser.ask("GET", app.path())
    assert page.status_code == 200 and page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert page.headers["X-Frame-Options"] == "DENY" and "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    assert page.headers["Cache-Control"] == "no-store" and 'name="password"' in page.text
    signed_in = browser.sign_in(app.path())
    assert signed_in.status_code == 303 and signed_in.headers["Location"] == app.path()
    cookie = signed_in.headers["Set-Cookie"]
    assert all(word in cookie for word in ("__Host-sign-in=lys_", "Secure", "HttpOnly", "SameSite=Lax", "Path=/"))
    assert "eduVPN for Linux" in browser.ask("GET", app.path()).text
    answer = back(browser.ask("POST", app.path(), data={"approve": "yes"}))
    assert answer["state"] == "a b&c=d" and answer["iss"] == fleet.base_url + "/"
    tokens = app.exchange(answer["code"])
    assert tokens.status_code == 200 and tokens.headers["Content-Type"] == "application/json"
    assert tokens.headers["Cache-Control"] == "no-store" and tokens.headers["Pragma"] == "no-cache"
    body = tokens.json()
    assert set(body) == {"access_token", "refresh_token", "token_type", "expires_in"}
    assert body["token_type"] == "bearer" and body["expires_in"] == 3600
    assert re.fullmatch(r"[a-zA-Z0-9\-._~+/]+=*", body["access_token"])


def test_who_refuses_sends_the_app_away_without_a_code(app, browser):
    browser.sign_in(app.path())
    answer = back(browser.ask("POST", app.path(), data={"approve": "no"}))
    assert answer["error"] == "access_denied" and answer["state"] == "a b&c=d" and "code" not in answer


@pytest.mark.parametrize("changes, status, words", [
    *(({name: None}, 400, f"invalid_request (missing &quot;{name}&quot; parameter)")
      for name in ("client_id", "redirect_uri", "response_type", "scope", "state", "code_challenge_method",
                   "code_challenge")),
    ({"response_type": "token"}, 400, "unsupported_response_type"),
    ({"code_challenge_method": "plain"}, 400, "invalid &quot;code_challenge_method&quot;"),
    ({"code_challenge": "A" * 42}, 400, "invalid &quot;code_challenge&quot;"),
    ({"code_challenge": "A" * 44}, 400, "invalid &quot;code_challenge&quot;"),
    ({"code_challenge": "A" * 42 + "+"}, 400, "invalid &quot;code_challenge&quot;"),
    ({"client_id": "<b>x"}, 401, "invalid_client (client does not exist with this &quot;client_id&quot;)"),
    *(({"redirect_uri": uri}, 401, "client does not support this &quot;redirect_uri&quot;")
      for uri in ("http://127.0.0.1:1023/callback", "http://127.0.0.1:65536/callback", "http://localhost:5000/callback",
                  "http://127.0.0.1:5000/other", "http://127.0.0.1:5000/callback?x", "https://127.0.0.1:5000/callback",
                  "http://127.0.0.1:5000@evil/callback")),
    ({"state": "caf\xe9"}, 400, "invalid &quot;state&quot;"),
])
def test_a_wrong_request_is_shown_and_never_redirected(app, browser, changes, status, words):
    reply = browser.ask("GET", app.path(**changes))
    assert reply.status_code == status and words in reply.text and "<b>x" not in reply.text
    assert "Location" not in reply.headers


@pytest.mark.parametrize("path", ["/oauth/authorize", "/vpn-user-portal/_oauth/authorize"])
@pytest.mark.parametrize("bytes_", ["%FF", "%00", "%C3%28"])
def test_a_state_that_is_no_text_is_shown_too(app, browser, path, bytes_):
    query = app.path(state=None).partition("?")[2]
    reply = browser.ask("GET", f"{path}?{query}&state={bytes_}")
    assert reply.status_code == 400 and reply.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "invalid_request (invalid &quot;state&quot;)" in reply.text and "Location" not in reply.headers
    assert browser.ask("GET", f"/oauth/device?user_code={bytes_}").headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("client, uri", [
    (APP, "http://127.0.0.1:1024/callback"), (APP, "http://127.0.0.1:65535/callback"), (APP, "http://[::1]:5000/callback"),
    ("org.eduvpn.app", "org.eduvpn.app:/api/callback")])
def test_the_published_apps_come_back_where_they_said(app, browser, client, uri):
    path = app.path(client_id=client, redirect_uri=uri)
    browser.sign_in(path)
    reply = browser.ask("POST", path, data={"approve": "yes"})
    assert reply.status_code == 302 and reply.headers["Location"].startswith(uri + "?code=lyc_")


def test_the_windows_app_has_no_scheme_of_its_own(app, browser):
    reply = browser.ask("GET", app.path(client_id="org.eduvpn.app.windows", redirect_uri="org.eduvpn.app:/api/callback"))
    assert reply.status_code == 401


@pytest.mark.parametrize("data, headers", [
    ({}, None), ({"approve": "maybe"}, None), ({"approve": "yes"}, {"Origin": "https://evil.example"}),
    ({"approve": "yes"}, {"Referer": "https://evil.example/x"}), ({"approve": "yes"}, {}), ({"approve": "yes"}, {"Origin": "null"})])
def test_only_our_own_form_allows(app, browser, data, headers):
    browser.sign_in(app.path())
    more = {} if headers is None else {"headers": headers}
    reply = browser.ask("POST", app.path(), data=data, **more)
    assert reply.status_code == 400 and "Location" not in reply.headers


def test_a_wrong_password_and_an_unknown_user_look_the_same(app, browser):
    wrong = browser.sign_in(app.path(), password="x" * 20)
    unknown = browser.sign_in(app.path(), user="nobody")
    assert wrong.status_code == unknown.status_code == 401 and wrong.text == unknown.text
    assert "Set-Cookie" not in wrong.headers


def test_a_blocked_user_sees_so(api, admin, tenant, app, browser):
    user = api.ok("createUser", admin, {"name": "blocked", "role": "member", "password": PASSWORD}, tenant=tenant.id)
    browser.sign_in(app.path(), user="blocked")
    api.ok("updateUser", admin, {"state": "blocked"}, tenant=tenant.id, id=user["id"])
    for reply in (browser.ask("GET", app.path()), browser.ask("POST", app.path(), data={"approve": "yes"})):
        assert reply.status_code == 403 and "account disabled" in reply.text and "Location" not in reply.headers


def test_nobody_signs_in_at_an_unknown_host(app, fleet):
    reply = requests.get(fleet.base_url + app.path(), headers={"Host": "other.example"}, verify=fleet.ca_file, timeout=WAIT_S)
    assert reply.status_code == 404


# ---- tokens ----

def test_a_code_is_good_once_and_its_second_use_ends_all(app, browser):
    code = allow(browser, app)
    tokens = app.exchange(code).json()
    for _ in range(2):
        refused(app.exchange(code), 400, "invalid_grant", '"authorization_code" was used before')
    refused(app.refresh(tokens["refresh_token"]), 400, "invalid_grant", '"refresh_token" is no longer authorized')


def test_of_many_exchanges_at_once_one_succeeds(app, browser):
    code = allow(browser, app)
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        statuses = [reply.status_code for reply in pool.map(lambda _: app.exchange(code), range(10))]
    assert sorted(statuses) == [200] + [400] * 9


@pytest.mark.parametrize("changes, status, error, description", [
    ({"grant_type": None}, 400, "invalid_request", 'missing "grant_type" parameter'),
    ({"grant_type": "password"}, 400, "invalid_request", 'invalid "grant_type"'),
    *(({name: None}, 400, "invalid_request", f'missing "{name}" parameter')
      for name in ("code", "redirect_uri", "client_id", "code_verifier")),
    ({"code_verifier": "x" * 43}, 400, "invalid_grant", 'invalid "code_verifier"'),
    ({"code_verifier": "x" * 42}, 400, "invalid_request", 'invalid "code_verifier"'),
    ({"redirect_uri": "http://127.0.0.1:5001/callback"}, 400, "invalid_request", 'unexpected "redirect_uri"'),
    ({"client_id": "org.eduvpn.app.windows"}, 400, "invalid_request", 'unexpected "client_id"'),
    ({"code": "lyc_garbage"}, 400, "invalid_grant", '"authorization_code" has invalid signature'),
    ({"client_id": "nobody"}, 401, "invalid_client", 'client does not exist with this "client_id"'),
])
def test_the_token_endpoint_refuses_in_the_words_that_apps_know(app, browser, changes, status, error, description):
    reply = app.exchange(allow(browser, app), **changes)
    refused(reply, status, error, description)
    assert (reply.headers.get("WWW-Authenticate") == 'Basic realm="OAuth"') == (status == 401)


def test_a_parameter_that_comes_twice_is_refused(app):
    reply = requests.post(app.base + "/oauth/token", data="grant_type=a&grant_type=b", headers=FORM, verify=app.ca, timeout=WAIT_S)
    refused(reply, 400, "invalid_request", "expected each form parameter once")


def test_the_token_endpoint_takes_no_get(app):
    reply = requests.get(app.base + "/oauth/token", verify=app.ca, timeout=WAIT_S)
    assert reply.status_code == 405 and reply.headers["Allow"] == "POST"


def test_a_refresh_gives_a_new_pair_and_the_old_access_token_stays(app, browser):
    first = app.exchange(allow(browser, app)).json()
    second = app.refresh(first["refresh_token"], scope="config").json()
    assert second["refresh_token"] != first["refresh_token"]
    refused(app.refresh(second["refresh_token"], scope="other"), 400, "invalid_request", 'unexpected "scope"')
    refused(app.refresh(second["access_token"]), 400, "invalid_grant", '"refresh_token" has invalid signature')


# ---- other clients ----

@pytest.fixture(scope="module")
def dashboard(api, tenant):
    return api.ok("createOauthClient", tenant.owner, {
        "client_id": "dashboard", "name": "Dashboard <1>", "redirect_uris": [REDIRECT], "confidential": True,
        "scopes": ["networks:read", "devices:read"], "trusted": True}, tenant=tenant.id)


def test_a_trusted_confidential_client_reads_what_its_scopes_say(api, tenant, dashboard, app, browser):
    path = app.path(client_id="dashboard", scope="networks:read")
    browser.sign_in(path, user="operator")
    code = back(browser.ask("GET", path))["code"]
    refused(app.exchange(code, client_id="dashboard"), 401, "invalid_client",
            "invalid credentials (expected HTTP Basic with the client's secret)")
    tokens = app.exchange(code, client_id="dashboard", auth=("dashboard", dashboard["client_secret"])).json()
    caller = bearer("dashboard's token", tokens["access_token"])
    assert api.call("listNetworks", caller, tenant=tenant.id).status_code == 200
    assert api.call("listDevices", caller, tenant=tenant.id).status_code == 403
    listed = api.ok("listAuthorizations", tenant.owner, tenant=tenant.id)["items"]
    mine = [item for item in listed if item["client_id"] == "dashboard"]
    api.ok("endAuthorization", tenant.owner, tenant=tenant.id, id=mine[0]["id"])
    wait_for("the end of the token", lambda: api.call("listNetworks", caller, tenant=tenant.id).status_code == 401)


def test_introspection_tells_only_who_may_know(tenant, dashboard, app, browser):
    tokens = app.exchange(allow(browser, app)).json()
    refused(app.post("/oauth/introspect", token=tokens["access_token"]), 401, "invalid_client",
            "expected HTTP Basic of a confidential client or with an API key")
    who = ("dashboard", dashboard["client_secret"])
    told = app.post("/oauth/introspect", token=tokens["access_token"], auth=who).json()
    assert told["active"] and told["username"] == "member" and told["client_id"] == APP and told["tenant"] == tenant.id
    assert app.post("/oauth/revoke", token=tokens["refresh_token"], client_id=APP).status_code == 200
    assert app.post("/oauth/introspect", token=tokens["access_token"], auth=who).json() == {"active": False}


def test_a_device_without_a_browser_is_let_in(app, browser):
    code = app.post("/oauth/device_authorization", client_id=APP, scope="config").json()
    grant = {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "client_id": APP, "device_code": code["device_code"]}
    assert app.post("/oauth/token", **grant).json()["error"] == "authorization_pending"
    path = "/oauth/device?user_code=" + code["user_code"]
    assert browser.sign_in(path).status_code == 303
    assert "eduVPN for Linux" in browser.ask("GET", path).text
    assert "Allowed" in browser.ask("POST", "/oauth/device", data={"user_code": code["user_code"], "approve": "yes"}).text
    tokens = wait_for("the device's tokens", lambda: app.post("/oauth/token", **grant).json().get("access_token"))
    assert tokens.count(".") == 2


def test_who_guesses_codes_of_devices_is_slowed_down(browser):
    browser.sign_in("/oauth/device")

    def guess(letters):
        return browser.ask("GET", f"/oauth/device?user_code=BBBB-B{letters}").status_code

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        statuses = {404}
        while 429 not in statuses:
            statuses = set(pool.map(guess, ("CDF", "DFG", "FGH", "GHJ", "HJK", "JKL", "KLM", "LMN") * 4))
            assert statuses <= {404, 429}
    wait_for("an end of the punishment", lambda: browser.ask("GET", "/oauth/device").status_code == 200)


def test_the_description_names_endpoints_that_are_there(app):
    told = requests.get(app.base + "/.well-known/oauth-authorization-server", verify=app.ca, timeout=WAIT_S).json()
    assert told["issuer"] == app.base + "/" and told["code_challenge_methods_supported"] == ["S256"]
    assert requests.get(told["jwks_uri"], verify=app.ca, timeout=WAIT_S).json()["keys"]
    for name in ("token", "introspection", "revocation", "device_authorization"):
        assert requests.post(told[name + "_endpoint"], data={"x": "y"}, verify=app.ca, timeout=WAIT_S).status_code in (400, 401)


# ---- a real browser ----

class Callback(http.server.BaseHTTPRequestHandler):
    """The app's own web server on a loopback port."""

    def do_GET(self):
        self.server.seen.append(self.path)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"you may close this window")

    def log_message(self, *_):
        pass


@pytest.fixture
def callback():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Callback)
    server.seen = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()


def test_a_person_lets_an_app_in_with_a_browser_without_script(app, callback, chromium, fleet, tmp_path):
    uri = f"http://127.0.0.1:{callback.server_port}/callback"
    chromium.get(fleet.base_url + app.path(redirect_uri=uri))
    chromium.find_element(By.NAME, "user").send_keys("member")
    chromium.find_element(By.NAME, "password").send_keys(PASSWORD)
    chromium.save_screenshot(str(tmp_path / "sign-in.png"))
    chromium.find_element(By.CSS_SELECTOR, "button.main").click()
    WebDriverWait(chromium, WAIT_S).until(lambda driver: "eduVPN for Linux" in driver.page_source)
    chromium.save_screenshot(str(tmp_path / "allow.png"))
    chromium.find_element(By.CSS_SELECTOR, "button[value=yes]").click()
    WebDriverWait(chromium, WAIT_S).until(lambda driver: "close this window" in driver.page_source)
    answer = dict(urllib.parse.parse_qsl(callback.seen[0].split("?", 1)[1]))
    assert app.exchange(answer["code"], redirect_uri=uri).status_code == 200
