"""Apps and people's browsers, as far as OAuth 2 over HTTP goes; the tenant of the test has the site 127.0.0.1."""

import base64
import hashlib
import secrets
import urllib.parse

import pytest
import requests
from selenium import webdriver

from api_client import WAIT_S
from api_world import PASSWORD, site_of

APP = "org.eduvpn.app.linux"
REDIRECT = "http://127.0.0.1:5000/callback"


class Browser:
    """A person's browser, as far as HTTP goes: it keeps cookies and says where a form comes from."""

    def __init__(self, fleet):
        self.base, self.ca = fleet.base_url, fleet.ca_file
        self.session = requests.Session()

    def ask(self, method, path, **more):
        headers = more.pop("headers", {"Origin": self.base} if method == "POST" else {})
        return self.session.request(method, self.base + path, headers=headers, allow_redirects=False, timeout=WAIT_S,
                                    verify=self.ca, **more)

    def sign_in(self, path, user="member", password=PASSWORD):
        return self.ask("POST", path, data={"user": user, "password": password})


class App:
    """A public client with PKCE."""

    def __init__(self, fleet):
        self.base, self.ca = fleet.base_url, fleet.ca_file
        self.verifier = secrets.token_urlsafe(48)
        digest = hashlib.sha256(self.verifier.encode()).digest()
        self.parameters = {
            "client_id": APP, "redirect_uri": REDIRECT, "response_type": "code", "scope": "config", "state": "a b&c=d",
            "code_challenge_method": "S256", "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode()}

    def path(self, **changes):
        parameters = {k: v for k, v in {**self.parameters, **changes}.items() if v is not None}
        return "/oauth/authorize?" + urllib.parse.urlencode(parameters)

    def post(self, path, **form):
        auth = form.pop("auth", None)
        return requests.post(self.base + path, data=form, auth=auth, verify=self.ca, timeout=WAIT_S)

    def exchange(self, code_, **changes):
        form = {"grant_type": "authorization_code", "code": code_, "redirect_uri": REDIRECT, "client_id": APP,
                "code_verifier": self.verifier, **changes}
        return self.post("/oauth/token", **{k: v for k, v in form.items() if v is not None})

    def refresh(self, token, **more):
        return self.post("/oauth/token", grant_type="refresh_token", refresh_token=token, **more)


def back(reply):
    """What a redirect to the app says."""
    assert reply.status_code == 302, reply.text
    assert reply.headers["Location"].startswith(REDIRECT + "?")
    return dict(urllib.parse.parse_qsl(reply.headers["Location"].split("?", 1)[1], strict_parsing=True))


def allow(browser, app, user="member", **changes):
    path = app.path(**changes)
    browser.sign_in(path, user=user)
    return back(browser.ask("POST", path, data={"approve": "yes"}))["code"]


@pytest.fixture(scope="module")
def site(api, admin, tenant):
    with site_of(api, admin, tenant.id) as site:
        yield site


@pytest.fixture
def app(fleet):
    return App(fleet)


@pytest.fixture
def browser(fleet):
    return Browser(fleet)


@pytest.fixture
def chromium():
    options = webdriver.ChromeOptions()
    options.accept_insecure_certs = True  # the gateway's certificate is of the test's own authority
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=390,844",
                     "--blink-settings=scriptEnabled=false"):
        options.add_argument(argument)
    driver = webdriver.Chrome(options=options)
    yield driver
    driver.quit()
