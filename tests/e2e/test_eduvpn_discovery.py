"""What an app learns before anybody has signed in (contract app-api, statements 1 to 9)."""

import pytest
import requests

from api_client import WAIT_S
from api_world import admin, api, tenant  # fixtures too
from eduvpn_world import API2, API3, raw
from oauth_world import APP, REDIRECT, App, Browser, back


@pytest.fixture(scope="module", autouse=True)
def site(api, tenant):
    return api.ok("createSite", tenant.owner, {"name": "127.0.0.1"}, tenant=tenant.id)


def test_old_apps_find_the_api_of_their_time(fleet):
    for path in ("/info.json", "//info.json"):
        reply = raw(fleet, "GET", path)
        assert reply.status_code == 200 and reply.headers["Content-Type"] == "application/json"
        found = reply.json()["api"][API2]
        assert found == {"api_base_uri": fleet.base_url + "/vpn-user-portal/api.php",
                         "authorization_endpoint": fleet.base_url + "/vpn-user-portal/_oauth/authorize",
                         "token_endpoint": fleet.base_url + "/vpn-user-portal/oauth.php/token"}


def test_apps_of_today_find_both_apis_and_nothing_that_they_stumble_over(fleet):
    reply = raw(fleet, "GET", "/.well-known/vpn-user-portal")
    assert reply.status_code == 200 and reply.headers["Content-Type"] == "application/json"
    assert reply.headers["Cache-Control"] == "no-store"
    found = reply.json()
    assert set(found) == {"api", "v"} and isinstance(found["v"], str) and set(found["api"]) == {API2, API3}
    assert found["api"][API3] == {"api_endpoint": fleet.base_url + "/vpn-user-portal/api.php/v3",
                                  "authorization_endpoint": fleet.base_url + "/vpn-user-portal/_oauth/authorize",
                                  "token_endpoint": fleet.base_url + "/vpn-user-portal/oauth.php/token"}
    assert found["api"][API2]["api_base_uri"] == fleet.base_url + "/vpn-user-portal/api.php"


@pytest.mark.parametrize("path", ["/info.json.sig", "//info.json.sig"])
def test_the_signature_that_the_first_apps_ask_for_is_not_there(fleet, path):
    assert raw(fleet, "GET", path).status_code == 404


@pytest.mark.parametrize("path", ["/info.json", "//info.json", "/.well-known/vpn-user-portal"])
def test_discovery_is_read_only(fleet, path):
    for method in ("POST", "PUT"):
        reply = raw(fleet, method, path)
        assert reply.status_code == 405 and reply.headers["Allow"] == "GET"
    head = raw(fleet, "HEAD", path)
    assert head.status_code == 200 and head.content == b"" and int(head.headers["Content-Length"]) > 0


def test_a_host_where_nobody_signs_in_has_no_apis(fleet):
    for path in ("/info.json", "/.well-known/vpn-user-portal"):
        assert raw(fleet, "GET", path, headers={"Host": "elsewhere.example"}).status_code == 404


def test_the_endpoints_that_apps_are_sent_to_let_them_in(fleet):
    apis = requests.get(fleet.base_url + "/info.json", verify=fleet.ca_file, timeout=WAIT_S).json()["api"][API2]
    app, browser = App(fleet), Browser(fleet)
    path = apis["authorization_endpoint"].removeprefix(fleet.base_url) + app.path().removeprefix("/oauth/authorize")
    page = browser.ask("GET", path)
    assert page.status_code == 200 and page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert browser.sign_in(path).headers["Location"] == path
    answer = back(browser.ask("POST", path, data={"approve": "yes"}))
    assert answer["iss"] == fleet.base_url + "/"
    form = {"grant_type": "authorization_code", "code": answer["code"], "redirect_uri": REDIRECT, "client_id": APP,
            "code_verifier": app.verifier}
    tokens = app.post(apis["token_endpoint"].removeprefix(fleet.base_url), **form)
    assert tokens.status_code == 200 and tokens.json()["token_type"] == "bearer"
