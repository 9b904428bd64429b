"""People and the apps on their phones that show codes (oathtool)."""

import re
import secrets
import subprocess
import time
import types

import pytest

from api_world import PASSWORD


def code_of(secret, steps=0):
    """What the app shows so many steps from now."""
    now = int(time.time()) + 30 * steps
    return subprocess.run(["oathtool", "--totp", "--base32", secret, "--now", f"@{now}"], check=True, text=True,
                          stdout=subprocess.PIPE).stdout.strip()


def fresh_step():
    """Waits until this step has 15 seconds left, so that a code and the next one can be used in turn."""
    while time.time() % 30 > 15:
        time.sleep(0.2)


def secret_on(page):
    return re.search(r'name="secret" value="([A-Z2-7]{32})"', page)[1]


def codes_on(page):
    return re.findall(r"<li>([A-Z]{4}-[A-Z]{4}-[A-Z]{4})</li>", page)


def enrol(browser, path="/account/second-factor"):
    """Turns the second factor on in a browser that is signed in: the secret, and the recovery codes."""
    secret = secret_on(browser.ask("GET", path).text)
    fresh_step()
    shown = browser.ask("POST", path, data={"secret": secret, "code": code_of(secret)})
    assert shown.status_code == 200, shown.text
    return secret, codes_on(shown.text)


@pytest.fixture
def person(api, admin, tenant):
    """A new member of the tenant."""
    name = "p" + secrets.token_hex(4)
    user = api.ok("createUser", admin, {"name": name, "role": "member", "password": PASSWORD}, tenant=tenant.id)
    return types.SimpleNamespace(name=name, id=user["id"])


