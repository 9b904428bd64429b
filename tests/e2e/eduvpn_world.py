"""VPN apps as the unmodified ones behave on the wire, at the site 127.0.0.1 of the test's tenant."""

import subprocess
import urllib.parse

import requests

from api_client import WAIT_S
from oauth_world import App, Browser, allow

PORTAL = "/vpn-user-portal"
API2, API3 = "http://eduvpn.org/api#2", "http://eduvpn.org/api#3"
OPENVPN = "application/x-openvpn-profile"
WIREGUARD = "application/x-wireguard-profile"
PROFILE = {"profile_id": "internet", "display_name": "Internet Access", "host": "vpn.example.org", "mode": "tun",
           "ports": ["udp/1194", "udp/1195", "tcp/1194", "tcp/443"], "default_gateway": True, "dns": ["9.9.9.9"]}


def raw(fleet, method, path, **more):
    """A request whose path goes out as it is: requests itself would make one slash of two."""
    prepared = requests.Request(method, fleet.base_url + "/", **more).prepare()
    prepared.url = fleet.base_url + path
    with requests.Session() as session:
        return session.send(prepared, verify=fleet.ca_file, timeout=WAIT_S, allow_redirects=False)


class VpnApp:
    """An app that its user has let in."""

    def __init__(self, fleet, user="member"):
        self.fleet, self.oauth = fleet, App(fleet)
        reply = self.oauth.exchange(allow(Browser(fleet), self.oauth, user))
        assert reply.status_code == 200, reply.text
        self.tokens = reply.json()

    def ask(self, method, path, **more):
        headers = {"Authorization": "Bearer " + self.tokens["access_token"], **more.pop("headers", {})}
        return raw(self.fleet, method, f"{PORTAL}/api.php/{path}", headers=headers, **more)

    def get(self, path, **query):
        return self.ask("GET", path + ("?" + urllib.parse.urlencode(query) if query else ""))

    def post(self, path, headers=None, **form):
        return self.ask("POST", path, data=form, headers=headers or {})

    def data(self, name, **query):
        """What API 2 answers to a question that succeeds."""
        reply = self.get(name, **query)
        assert reply.status_code == 200 and reply.headers["Content-Type"] == "application/json", reply.text
        envelope = reply.json()[name]
        assert envelope["ok"] is True, reply.text
        return envelope["data"]

    def keypair(self, name="eduVPN for Tests", **more):
        reply = self.post("create_keypair", display_name=name, **more)
        assert reply.status_code == 200, reply.text
        return reply.json()["create_keypair"]["data"]

    def connect(self, profile="internet", headers=None, **form):
        return self.post("v3/connect", headers={"Accept": OPENVPN, **(headers or {})}, profile_id=profile, **form)


def openssl(*arguments, text=""):
    return subprocess.run(["openssl", *arguments], input=text, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=WAIT_S)


def common_name(certificate):
    subject = openssl("x509", "-noout", "-subject", "-nameopt", "sep_multiline,lname", text=certificate).stdout
    return next(line.split("=", 1)[1] for line in subject.splitlines() if "commonName" in line)


def part(config, name):
    """What stands between <NAME> and </NAME>."""
    return config.replace("\r\n", "\n").split(f"<{name}>\n")[1].split(f"</{name}>")[0]
