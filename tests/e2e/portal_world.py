"""A tenant whose devices fetch packages, and the device's side of HTTP."""

import datetime
import hashlib
import io
import secrets
import tarfile
import types
import xml.etree.ElementTree

from requests.adapters import HTTPAdapter

from api_client import WAIT_S
from api_world import Tenant

CONF = ("# Gerät für {{name}}: ein Kommentar in UTF-8\n"
        "client\ndev tap\nproto tcp\nremote vpn.example.org 1194\nca ca.crt\nauth-user-pass credentials\n"
        "remote-cert-tls server\nverify-x509-name {{serial}}.example.org name\n")
FILES = ["ca.crt", "client.conf", "ta.key", "credentials"]
EMPTY_MD5 = "d41d8cd98f00b204e9800998ecf8427e"


class Portal:
    """A tenant whose devices fetch packages, and the device's side of HTTP."""

    def __init__(self, fleet, api, admin):
        self.fleet, self.api = fleet, api
        self.tenant = Tenant(api, admin)
        self.owner, self.of = self.tenant.owner, {"tenant": self.tenant.id}
        self.set(client_conf=CONF)

    def set(self, **changes):
        return self.api.ok("updatePortal", self.owner, changes, **self.of)

    def add(self, **more):
        serial = "WE" + secrets.token_hex(8)
        body = {"name": "d" + secrets.token_hex(8), "serial": serial, **more}
        device = self.api.ok("createPortalDevice", self.owner, body, **self.of)
        return types.SimpleNamespace(id=device["id"], serial=serial, secret=device["secret"],
                                     auth=(serial, device["secret"] or md5(serial)))

    def shown(self, device):
        return self.api.ok("getPortalDevice", self.owner, id_=device.id, **self.of)

    def records(self, subject):
        return self.api.ok("listAuditRecords", self.owner, query={"subject": subject, "limit": 200}, **self.of)["items"]

    def publish(self, device):
        return self.api.ok("publishPackage", self.owner, id_=device.id, **self.of)["current"]

    def block(self, device, state="blocked"):
        self.api.ok("updateDevice", self.owner, {"state": state}, id_=device.id, **self.of)

    def ask(self, method, path, device=None, **more):
        more.setdefault("auth", device.auth if device else None)
        return self.fleet.session.request(method, self.fleet.base_url + path, verify=self.fleet.ca_file, timeout=WAIT_S,
                                          **more)

    def poll(self, device, **more):
        return self.ask("GET", "/api/v1/vpn", device, **more)

    def status(self, device):
        reply = self.poll(device)
        assert reply.status_code == 200, reply.text
        return read(reply)

    def fetch(self, device, **more):
        return self.ask("GET", "/api/v1/vpn/packet", device, **more)

    def acknowledge(self, device, body=b"", **more):
        return self.ask("PUT", "/api/v1/vpn/packet", device, data=body, **more)

    def serve(self, device):
        """The whole flow once."""
        assert self.fetch(device).status_code == 200
        assert read(self.acknowledge(device)).status == 2


def md5(data):
    return hashlib.md5(data if isinstance(data, bytes) else data.encode()).hexdigest()


def read(reply):
    assert reply.status_code == 200, reply.text
    vpn = xml.etree.ElementTree.fromstring(reply.content).find("vpn")
    info = vpn.find("package_info")
    names = [e.tag for e in vpn]
    assert names == ["reconnection_time", "status"] + (["package_info"] if info is not None else [])
    interval = int(vpn.findtext("reconnection_time"))
    assert 10 <= interval <= 86400
    return types.SimpleNamespace(status=int(vpn.findtext("status")), interval=interval,
                                 info={e.tag: e.text for e in info} if info is not None else None)


def in_future(**time):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(**time)).strftime("%Y-%m-%dT%H:%M:%SZ")


class From(HTTPAdapter):
    """Connections from an address of loopback."""

    def __init__(self, address):
        self.address = address
        super().__init__()

    def init_poolmanager(self, *args, **more):
        super().init_poolmanager(*args, source_address=(self.address, 0), **more)


def unpack(content):
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as archive:
        return {m.name: archive.extractfile(m).read() for m in archive.getmembers()}
