"""People's own pages: the second factor from the picture to the sign-in, connected apps, browsers, the password; with a real
browser, the codes of oathtool, and zbarimg as the phone's camera."""

import subprocess
import time
import urllib.parse

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from account_world import code_of, codes_on, enrol, fresh_step, person, secret_on  # fixtures too
from api_client import NOBODY, WAIT_S
from api_world import PASSWORD, admin, api, tenant  # fixtures too
from oauth_world import Browser, app, back, browser, chromium, site  # fixtures too

ACCOUNT = "/account"
FACTOR = "/account/second-factor"
NEW_PASSWORD = "another staple battery"


@pytest.fixture(autouse=True)
def one_site(site):
    """Every test signs in at the same site."""


@pytest.fixture
def signed_in(browser, person):
    assert browser.sign_in(ACCOUNT, user=person.name).status_code == 303
    return browser


def asks_for_password(reply):
    return reply.status_code == 200 and 'name="password"' in reply.text


# ---- the second factor ----

def submit(driver, words):
    driver.find_element(By.CSS_SELECTOR, "button.main").click()
    WebDriverWait(driver, WAIT_S).until(lambda _: words in driver.page_source)


def scan(driver, path):
    driver.save_screenshot(str(path))
    picture = subprocess.run(["zbarimg", "--raw", "--quiet", str(path)], check=True, text=True, stdout=subprocess.PIPE)
    return urllib.parse.urlsplit(picture.stdout.strip())


def test_a_person_turns_it_on_by_the_picture_and_signs_in_with_it(chromium, fleet, person, tmp_path):
    chromium.get(fleet.base_url + FACTOR)
    chromium.find_element(By.NAME, "user").send_keys(person.name)
    chromium.find_element(By.NAME, "password").send_keys(PASSWORD)
    submit(chromium, "Scan this")
    uri = scan(chromium, tmp_path / "enrol.png")
    parameters = dict(urllib.parse.parse_qsl(uri.query))
    assert uri.scheme == "otpauth" and uri.netloc == "totp" and uri.path == f"/127.0.0.1:{person.name}"
    assert parameters | {"secret": ""} == {"algorithm": "SHA1", "digits": "6", "period": "30", "issuer": "127.0.0.1", "secret": ""}
    fresh_step()
    chromium.find_element(By.NAME, "code").send_keys(code_of(parameters["secret"]))
    submit(chromium, "Your recovery codes")
    chromium.save_screenshot(str(tmp_path / "codes.png"))
    assert len(codes_on(chromium.page_source)) == 10
    chromium.find_element(By.PARTIAL_LINK_TEXT, "continue").click()
    assert "The second factor is on" in chromium.page_source
    chromium.save_screenshot(str(tmp_path / "account.png"))
    chromium.delete_all_cookies()
    chromium.get(fleet.base_url + ACCOUNT)
    chromium.find_element(By.NAME, "user").send_keys(person.name)
    chromium.find_element(By.NAME, "password").send_keys(PASSWORD)
    submit(chromium, "One more step")
    chromium.save_screenshot(str(tmp_path / "code.png"))
    chromium.find_element(By.NAME, "code").send_keys(code_of(parameters["secret"], 1))
    submit(chromium, "Your account")


def test_without_the_code_the_password_opens_nothing(app, signed_in, person, fleet):
    secret, _ = enrol(signed_in)
    other = Browser(fleet)
    other.sign_in(app.path(), user=person.name)
    for reply in (other.ask("GET", app.path()), other.ask("POST", app.path(), data={"approve": "yes"}), other.ask("GET", ACCOUNT),
                  other.ask("POST", "/account/password", data={"password": PASSWORD, "new_password": NEW_PASSWORD, "again": NEW_PASSWORD})):
        assert reply.status_code == 200 and "One more step" in reply.text and "Location" not in reply.headers
    wrong = other.ask("POST", app.path(), data={"code": "000000"})
    assert wrong.status_code == 401 and "This is not the code" in wrong.text
    replay = other.ask("POST", app.path(), data={"code": code_of(secret)})
    assert replay.status_code == 401 and "was tried already" in replay.text
    right = other.ask("POST", app.path(), data={"code": code_of(secret, 1)})
    assert right.status_code == 303 and right.headers["Location"] == app.path()
    assert back(other.ask("POST", app.path(), data={"approve": "yes"}))["code"]


def test_a_browser_that_was_signed_in_before_is_asked_for_the_code_too(signed_in, person, fleet):
    earlier = Browser(fleet)
    earlier.sign_in(ACCOUNT, user=person.name)
    assert "Your account" in earlier.ask("GET", ACCOUNT).text
    enrol(signed_in)
    assert "Your account" in signed_in.ask("GET", ACCOUNT).text
    assert "One more step" in earlier.ask("GET", ACCOUNT).text


def test_a_recovery_code_stands_in_once_as_people_type_it(signed_in, person, fleet):
    _, codes = enrol(signed_in)
    typed = codes[0].lower().replace("-", " ")
    for want in (303, 401):
        other = Browser(fleet)
        other.sign_in(ACCOUNT, user=person.name)
        assert other.ask("POST", ACCOUNT, data={"code": typed}).status_code == want
    assert "<strong>9</strong>" in signed_in.ask("GET", FACTOR).text
    renewed = codes_on(signed_in.ask("POST", FACTOR, data={"do": "renew", "code": codes[1]}).text)
    assert len(renewed) == 10
    assert signed_in.ask("POST", FACTOR, data={"do": "disable", "code": codes[2]}).status_code == 400
    assert signed_in.ask("POST", FACTOR, data={"do": "disable", "code": renewed[0]}).headers["Location"] == ACCOUNT
    assert "The second factor is off" in signed_in.ask("GET", ACCOUNT).text


def test_an_operator_sees_and_resets_it(api, tenant, signed_in, person, fleet):
    enrol(signed_in)
    told = api.ok("getSecondFactor", tenant.owner, tenant=tenant.id, id=person.id)
    assert told["methods"] == ["totp"] and told["recovery_codes"] == 10
    api.ok("resetSecondFactor", tenant.owner, tenant=tenant.id, id=person.id)
    other = Browser(fleet)
    other.sign_in(ACCOUNT, user=person.name)
    assert "The second factor is off" in other.ask("GET", ACCOUNT).text


def test_a_token_by_password_needs_the_code_too(api, tenant, signed_in, person):
    secret, _ = enrol(signed_in)
    body = {"tenant_name": tenant.name, "user": person.name, "password": PASSWORD}
    missing = api.call("createToken", NOBODY, body)
    assert missing.status_code == 401 and missing.json()["field"] == "code"
    assert api.call("createToken", NOBODY, {**body, "code": "000000"}).json()["detail"] == "invalid OTP code"
    assert api.ok("createToken", NOBODY, {**body, "code": code_of(secret, 1)})["access_token"]


@pytest.fixture
def required(api, tenant):
    api.ok("updateSignInPolicy", tenant.owner, {"second_factor": "required"}, tenant=tenant.id)
    yield
    api.ok("updateSignInPolicy", tenant.owner, {"second_factor": "optional"}, tenant=tenant.id)


def test_where_it_is_required_its_enrolment_is_the_next_page(api, tenant, required, app, browser, person):
    browser.sign_in(app.path(), user=person.name)
    for reply in (browser.ask("GET", app.path()), browser.ask("POST", app.path(), data={"approve": "yes"})):
        assert reply.status_code == 200 and "Scan this" in reply.text
    body = {"tenant_name": tenant.name, "user": person.name, "password": PASSWORD}
    assert "enrol a second factor" in api.call("createToken", NOBODY, body).json()["detail"]
    page = browser.ask("GET", app.path())
    wrong = browser.ask("POST", app.path(), data={"secret": secret_on(page.text), "code": "000000"})
    assert wrong.status_code == 401 and secret_on(wrong.text) == secret_on(page.text)
    secret, codes = enrol(browser, app.path())
    assert len(codes) == 10 and "eduVPN for Linux" in browser.ask("GET", app.path()).text
    refused = browser.ask("POST", FACTOR, data={"do": "disable", "code": code_of(secret, 1)})
    assert refused.status_code == 400 and "wants a second factor of everybody" in refused.text


# ---- apps and browsers ----

def test_a_person_sees_and_disconnects_an_app(app, signed_in, fleet):
    code = back(signed_in.ask("POST", app.path(), data={"approve": "yes"}))["code"]
    tokens = app.exchange(code).json()
    page = signed_in.ask("GET", ACCOUNT).text
    assert "eduVPN for Linux" in page and "get VPN configurations for you" in page
    id_ = page.split('action="/account/apps"', 1)[1].split('name="id" value="', 1)[1].split('"', 1)[0]
    stranger = Browser(fleet)
    stranger.sign_in(ACCOUNT, user="operator")
    assert stranger.ask("POST", "/account/apps", data={"id": id_}).status_code == 303
    assert app.refresh(tokens["refresh_token"]).status_code == 200
    assert signed_in.ask("POST", "/account/apps", data={"id": id_}).headers["Location"] == ACCOUNT
    assert "You have let no app in" in signed_in.ask("GET", ACCOUNT).text
    assert app.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"


def test_a_person_signs_another_browser_out_and_an_operator_too(api, tenant, signed_in, person, fleet):
    others = [Browser(fleet), Browser(fleet)]
    for other in others:
        other.ask("POST", ACCOUNT, data={"user": person.name, "password": PASSWORD},
                  headers={"Origin": fleet.base_url, "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:102.0) Firefox/102.0"})
    page = signed_in.ask("GET", ACCOUNT).text
    assert page.count("Firefox on Linux") == 2 and page.count("(this browser)") == 1
    of = {"tenant": tenant.id}
    listed = api.ok("listSignIns", tenant.owner, query={"user": person.id}, **of)["items"]
    assert [item["user"] for item in listed] == [person.name] * 3 and listed[1]["address"] == "127.0.0.1"
    assert page.rindex("Firefox on Linux") < page.index("(this browser)")  # the newest first
    older = signed_in.ask("GET", f"{ACCOUNT}?sign-ins={listed[1]['id']}").text
    assert "Firefox on Linux" not in older and "(this browser)" in older and ">Newest</a>" in older
    assert signed_in.ask("GET", f"{ACCOUNT}?sign-ins=1").status_code == 400
    assert signed_in.ask("POST", "/account/sign-ins", data={"id": listed[1]["id"]}).status_code == 303
    api.ok("endSignIn", tenant.owner, id_=listed[2]["id"], **of)
    assert all(asks_for_password(other.ask("GET", ACCOUNT)) for other in others)
    assert "Your account" in signed_in.ask("GET", ACCOUNT).text


# ---- the password ----

def change(browser, password, new, again=None):
    return browser.ask("POST", "/account/password", data={"password": password, "new_password": new, "again": again or new})


def test_a_person_changes_the_password_and_other_browsers_are_signed_out(signed_in, person, fleet):
    other = Browser(fleet)
    other.sign_in(ACCOUNT, user=person.name)
    for reply, words in ((change(signed_in, "not the password", NEW_PASSWORD), "not the present password"),
                         (change(signed_in, PASSWORD, "short"), "12 to 256 bytes"),
                         (change(signed_in, PASSWORD, "aaaaaaaaaaaaaaa"), "5 different characters"),
                         (change(signed_in, PASSWORD, NEW_PASSWORD, "x"), "not the same")):
        assert reply.status_code == 400 and words in reply.text
    assert "The password is changed" in change(signed_in, PASSWORD, NEW_PASSWORD).text
    assert "Your account" in signed_in.ask("GET", ACCOUNT).text
    assert asks_for_password(other.ask("GET", ACCOUNT))
    assert other.sign_in(ACCOUNT, user=person.name).status_code == 401
    assert other.sign_in(ACCOUNT, user=person.name, password=NEW_PASSWORD).status_code == 303


def test_an_operator_who_sets_a_password_signs_all_browsers_out(api, tenant, signed_in, person):
    api.ok("updateUser", tenant.owner, {"password": NEW_PASSWORD}, tenant=tenant.id, id=person.id)
    assert asks_for_password(signed_in.ask("GET", ACCOUNT))


def guess(browser, name, password):
    """One try; the limit of the address, which has nothing to do with the user, is waited for."""
    while True:
        reply = browser.ask("POST", ACCOUNT, data={"user": name, "password": password})
        if reply.headers.get("Content-Type") != "application/problem+json":
            return reply
        assert reply.status_code == 429
        time.sleep(int(reply.headers["Retry-After"]))


def test_who_guesses_a_password_is_slowed_down(browser, person, fleet):
    for _ in range(10):
        assert guess(browser, person.name, "not the password").status_code == 401
    shut = guess(browser, person.name, PASSWORD)
    throttled = 'lanyard_auth_passwords_total{result="throttled"} '
    assert int(fleet.ops("auth", "/metrics").split(throttled, 1)[1].split()[0]) >= 1
    assert shut.status_code == 429 and int(shut.headers["Retry-After"]) > 60 and "Wait 15 minutes" in shut.text
    assert "Set-Cookie" not in shut.headers


def test_a_browser_is_known_again_by_a_cookie_of_its_own(fleet, browser, person):
    cookies = browser.sign_in(ACCOUNT, user=person.name).headers["Set-Cookie"]
    known = cookies[cookies.index("__Host-browser="):]
    assert known.startswith("__Host-browser=lyb_") and "Max-Age=31536000" in known
    assert all(word in known for word in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"))
    assert "__Host-browser" not in browser.sign_in(ACCOUNT, user=person.name).headers["Set-Cookie"]
    stranger = Browser(fleet)
    for _ in range(10):
        assert guess(stranger, person.name, "not the password").status_code == 401
    assert guess(stranger, person.name, PASSWORD).status_code == 429
    assert guess(browser, person.name, PASSWORD).status_code == 303


# ---- all pages ----

def test_pages_are_closed_to_other_sites_and_to_caches(signed_in):
    for path in (ACCOUNT, FACTOR, "/account/password"):
        page = signed_in.ask("GET", path)
        assert page.status_code == 200 and page.headers["Cache-Control"] == "no-store", path
        assert page.headers["X-Frame-Options"] == "DENY" and "default-src 'none'" in page.headers["Content-Security-Policy"]
        assert "<script" not in page.text and "http:" not in page.text.replace("http://www.w3.org/2000/svg", "")
    for path in (ACCOUNT, FACTOR, "/account/password", "/account/apps", "/account/sign-ins", "/sign-out"):
        for headers in ({}, {"Origin": "https://evil.example"}, {"Referer": "https://evil.example/"}):
            assert signed_in.ask("POST", path, data={"id": "x"}, headers=headers).status_code == 400, path
    assert "Your account" in signed_in.ask("GET", ACCOUNT).text


def test_what_a_page_says_back_is_escaped(api, admin, tenant, browser):
    name = "<b>\"Zoë\" & 'co'"
    api.ok("createUser", admin, {"name": name, "role": "member", "password": PASSWORD}, tenant=tenant.id)
    browser.ask("POST", ACCOUNT, data={"user": name, "password": PASSWORD}, headers={"Origin": browser.base, "User-Agent": "<i>"})
    for path in (ACCOUNT, FACTOR, "/account/password"):
        page = browser.ask("GET", path).text
        assert "<b>" not in page and "<i>" not in page
    reply = browser.ask("POST", FACTOR, data={"secret": "\"><b>", "code": "1"})
    assert "<b>" not in reply.text


def test_who_was_signed_out_comes_back_to_the_account(browser, person):
    assert asks_for_password(browser.ask("POST", "/account/apps", data={"id": "x"}))
    assert browser.sign_in("/account/apps", user=person.name).status_code == 303
    assert browser.ask("GET", "/account/apps").headers["Location"] == ACCOUNT
