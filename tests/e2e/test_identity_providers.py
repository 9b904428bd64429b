"""People sign in at the identity provider of their tenant: the whole code flow at a real one (npm's oidc-provider), over the
real gateway, and what comes back that should not."""

import html
import json
import os
import pathlib
import re
import shutil
import subprocess
import urllib.parse

import pytest
import requests

from api_client import WAIT_S, wait_for
from api_world import PASSWORD, Tenant, admin, api, site_of  # fixtures too
from conftest import ROOT, free_ports
from oauth_world import App, Browser, back

HERE = pathlib.Path(__file__).resolve().parent
SECRET = "a secret: with = and +"
PEOPLE = {
    "u1": {"preferred_username": "Zoë", "groups": ["staff", "vpn-admins"]},
    "u2": {"preferred_username": "yann", "groups": ["staff"]},
    "u3": {"preferred_username": "xaver", "groups": []},
    "u4": {"preferred_username": "owner", "groups": ["vpn-admins"]},
    "u5": {"groups": ["staff"]},
}
ROLES = [{"group": "vpn-admins", "role": "admin"}, {"group": "staff", "role": "member"}]


@pytest.fixture(scope="module")
def provider(fleet):
    """The issuer of a running provider."""
    place = pathlib.Path(fleet.environment["LANYARD_BUILD"]) / "oidc"
    place.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", "provider.mjs"):
        shutil.copy(HERE / "oidc" / name, place)
    subprocess.run(["npm", "ci", "--silent", "--no-audit", "--no-fund"], cwd=place, check=True, timeout=300)
    port = free_ports(1)
    process = subprocess.Popen(["node", "provider.mjs", str(port), str(fleet.var / "tls/server.crt"),
                                str(fleet.var / "secrets/server.key"), fleet.base_url + "/sign-in/callback"], cwd=place,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                               env={**os.environ, "NODE_ENV": "test"})
    process.stdin.write(json.dumps(PEOPLE))
    process.stdin.close()
    assert any(line.strip() == "ready" for line in process.stdout)
    yield f"https://127.0.0.1:{port}"
    process.kill()
    process.wait()


@pytest.fixture(scope="module")
def tenant(api, admin):
    tenant = Tenant(api, admin)
    with site_of(api, admin, tenant.id):
        yield tenant


@pytest.fixture(scope="module")
def of(tenant):
    return {"tenant": tenant.id}


def body_of(issuer, **changes):
    return {"name": "Company", "issuer": issuer, "client_id": "lanyard", "client_secret": SECRET, "group_claim": "groups",
            "roles": ROLES, **changes}


@pytest.fixture
def company(api, tenant, of, provider):
    made = api.ok("createIdentityProvider", tenant.owner, body_of(provider), **of)
    yield made
    api.call("deleteIdentityProvider", tenant.owner, id_=made["id"], **of)


class Person(Browser):
    """A browser that also goes to the provider."""

    def __init__(self, fleet):
        super().__init__(fleet)
        self.app = App(fleet)

    def go(self, provider_id, target=None, **headers):
        return self.ask("POST", "/sign-in/provider", data={"provider": provider_id, "target": target or self.app.path()},
                        **headers)

    def follow(self, url):
        """Like a person does, up to a page that asks something or the first page of ours."""
        while not url.startswith(self.base):
            reply = self.session.get(url, allow_redirects=False, verify=self.ca, timeout=WAIT_S)
            if reply.status_code not in (302, 303):
                return reply, None
            url = urllib.parse.urljoin(url, reply.headers["Location"])
        return None, url

    def log_in(self, url, person):
        """Shows to be that person at the provider, agrees, and returns the URL that leads back."""
        page, back_url = self.follow(url)
        while page is not None:
            prompt = re.search(r'name="prompt" value="(\w+)"', page.text).group(1)
            action = html.unescape(re.search(r'<form[^>]*action="([^"]+)"', page.text).group(1))
            reply = self.session.post(urllib.parse.urljoin(url, action), verify=self.ca, timeout=WAIT_S,
                                      data={"prompt": prompt, "login": person, "password": "x"}, allow_redirects=False)
            page, back_url = self.follow(urllib.parse.urljoin(url, reply.headers["Location"]))
        return back_url

    def come(self, company, person):
        url = self.log_in(self.go(company["id"]).headers["Location"], person)
        return self.ask("GET", url.removeprefix(self.base))


def user_of(api, tenant, of, name):
    found = api.ok("listUsers", tenant.owner, query={"name": name}, **of)["items"]
    return found[0] if found else None


def test_a_person_signs_in_at_the_provider_and_lets_an_app_in(api, fleet, tenant, of, company):
    group = api.ok("createGroup", tenant.owner, {"name": "staff"}, **of)
    person = Person(fleet)
    page = person.ask("GET", person.app.path())
    assert "Sign in with Company" in page.text and company["id"] in page.text and 'name="password"' in page.text
    went = person.go(company["id"])
    assert went.status_code == 303 and all(w in went.headers["Set-Cookie"] for w in ("__Host-provider=lyp_", "HttpOnly"))
    query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(went.headers["Location"]).query))
    assert query["code_challenge_method"] == "S256" and query["nonce"] and query["state"] and query["client_id"] == "lanyard"
    back_url = person.log_in(went.headers["Location"], "u1")
    came = person.ask("GET", back_url.removeprefix(person.base))
    assert came.status_code == 303 and came.headers["Location"] == person.app.path(), came.text
    assert "__Host-sign-in=lys_" in came.headers["Set-Cookie"]
    code = back(person.ask("POST", person.app.path(), data={"approve": "yes"}))["code"]
    assert person.app.exchange(code).status_code == 200
    user = user_of(api, tenant, of, "Zoë")
    assert (user["role"], user["state"]) == ("admin", "active")
    assert [u["id"] for u in api.ok("listGroupMembers", tenant.owner, id_=group["id"], **of)["items"]] == [user["id"]]
    # What came back once is worth nothing a second time.
    assert person.ask("GET", back_url.removeprefix(person.base)).status_code == 403


def test_who_comes_again_is_the_same_user_with_the_role_that_the_groups_give_now(api, fleet, tenant, of, provider, company):
    assert Person(fleet).come(company, "u2").status_code == 303
    first = user_of(api, tenant, of, "yann")
    assert first["role"] == "member"
    api.ok("deleteIdentityProvider", tenant.owner, id_=company["id"], **of)
    again = api.ok("createIdentityProvider", tenant.owner,
                   body_of(provider, roles=[{"group": "staff", "role": "operator"}]), **of)
    try:
        assert Person(fleet).come(again, "u2").status_code == 303
        now = user_of(api, tenant, of, "yann")
        assert (now["id"], now["role"]) == (first["id"], "operator")
        # A provider that makes no owners unmakes none: who registered it need be none.
        api.ok("updateUser", tenant.owner, {"role": "owner"}, id_=now["id"], **of)
        assert Person(fleet).come(again, "u2").status_code == 303
        assert user_of(api, tenant, of, "yann")["role"] == "owner"
        api.ok("updateUser", tenant.owner, {"role": "operator"}, id_=now["id"], **of)
        api.ok("updateUser", tenant.owner, {"state": "blocked"}, id_=now["id"], **of)
        person = Person(fleet)
        assert person.come(again, "u2").status_code == 303
        assert "account disabled" in person.ask("GET", person.app.path()).text
    finally:
        api.ok("deleteIdentityProvider", tenant.owner, id_=again["id"], **of)


@pytest.mark.parametrize("who, words", [
    ("u3", "in no group that may sign in"), ("u4", "another user with your name"), ("u5", "did not tell your user name")])
def test_who_does_not_get_in_is_told_why(api, fleet, tenant, of, company, who, words):
    before = api.ok("listUsers", tenant.owner, **of)["items"]
    person = Person(fleet)
    page = person.come(company, who)
    assert page.status_code == 403 and words in page.text and "Set-Cookie" not in page.headers
    assert 'name="password"' in person.ask("GET", person.app.path()).text
    assert api.ok("listUsers", tenant.owner, **of)["items"] == before


def test_what_one_browser_brings_back_is_nothing_in_another(fleet, company):
    victim, attacker = Person(fleet), Person(fleet)
    url = attacker.log_in(attacker.go(company["id"]).headers["Location"], "u1").removeprefix(attacker.base)
    for browser in (victim, Person(fleet)):
        assert browser.ask("GET", url).status_code == 403
    victim.go(company["id"])
    assert victim.ask("GET", url).status_code == 403
    path, _, query = url.partition("?")
    parameters = dict(urllib.parse.parse_qsl(query))
    for changes in ({"state": "0" * 64}, {"state": ""}, {"code": ""}):
        page = attacker.ask("GET", path + "?" + urllib.parse.urlencode({**parameters, **changes}))
        assert page.status_code == 403, changes
    attacker.go(company["id"])
    denied = attacker.ask("GET", path + "?" + urllib.parse.urlencode({"state": parameters["state"], "error": "access_denied"}))
    assert denied.status_code == 403


def test_a_form_from_elsewhere_or_for_elsewhere_is_refused(fleet, company):
    person = Person(fleet)
    assert person.go(company["id"], headers={"Origin": "https://evil.example"}).status_code == 400
    for target in ("//evil.example/", "https://evil.example/", "/\\evil.example", "nowhere"):
        assert person.go(company["id"], target).status_code == 400, target
    for unknown in ("018f0000-0000-7000-8000-0000000000ff", "x"):
        assert person.go(unknown).status_code == 400


def test_a_provider_that_is_not_there_stops_nobody_with_a_password(api, fleet, tenant, of):
    made = api.ok("createIdentityProvider", tenant.owner, body_of(f"https://127.0.0.1:{free_ports(1)}"), **of)
    person = Person(fleet)
    assert person.go(made["id"]).status_code == 503
    assert person.sign_in(person.app.path()).status_code == 303
    api.ok("deleteIdentityProvider", tenant.owner, id_=made["id"], **of)
    assert "Company" not in Person(fleet).ask("GET", person.app.path()).text


def test_the_api_of_providers(api, tenant, of, provider, company):
    assert SECRET not in json.dumps([company, api.ok("listIdentityProviders", tenant.owner, **of),
                                     api.ok("getIdentityProvider", tenant.owner, id_=company["id"], **of)])
    assert company["roles"] == ROLES and company["user_claim"] == "preferred_username"
    for changes, status, field in [
            ({"issuer": "http://127.0.0.1"}, 400, "issuer"), ({"issuer": "https://a?b"}, 400, "issuer"),
            ({"name": ""}, 400, "name"), ({"client_id": ""}, 400, "client_id"), ({"default_role": "king"}, 400, "default_role"),
            ({"roles": [{"group": "g", "role": "king"}]}, 400, "role"), ({"group_claim": ""}, 400, "roles"),
            ({"name": "Other"}, 409, "issuer"), ({"issuer": "https://other.example"}, 409, "name")]:
        reply = api.call("createIdentityProvider", tenant.owner, {**body_of(provider), **changes}, **of)
        assert (reply.status_code, reply.json()["field"]) == (status, field), reply.text
    reply = api.call("createIdentityProvider", tenant.users["admin"],
                     body_of("https://other.example", name="o", roles=[{"group": "g", "role": "owner"}]), **of)
    assert reply.status_code == 403
