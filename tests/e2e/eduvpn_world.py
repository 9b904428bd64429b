"""VPN apps as the unmodified ones behave on the wire, at the site 127.0.0.1 of the test's tenant."""

import secrets

import requests

from api_client import WAIT_S
from oauth_world import APP, REDIRECT, App, Browser, back

PORTAL = "/vpn-user-portal"
API2, API3 = "http://eduvpn.org/api#2", "http://eduvpn.org/api#3"


def raw(fleet, method, path, **more):
    """A request whose path goes out as it is: requests itself would make one slash of two."""
    prepared = requests.Request(method, fleet.base_url + "/", **more).prepare()
    prepared.url = fleet.base_url + path
    with requests.Session() as session:
        return session.send(prepared, verify=fleet.ca_file, timeout=WAIT_S, allow_redirects=False)
