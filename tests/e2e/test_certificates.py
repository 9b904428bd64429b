"""Devices get certificates for their names: Debian's ACME clients, unmodified, answer DNS-01 challenges through us, and
pebble validates them by asking PowerDNS. One pebble is an easy one, the other rejects every fifth nonce and takes its
time, as real authorities do."""

import json
import os
import pathlib
import stat
import subprocess

import pytest
import requests

from api_client import wait_for
from conftest import free_ports
from names_world import ZONE, Names, dig

SET = """curl -fsS --noproxy '*' --cacert "$GATEWAY_CA" -G "$GATEWAY/dnsconfig" --data-urlencode token="$TOKEN" \\
	--data-urlencode challenge="%s" """

# The same, and waits until it is visible, as any hook does whose client validates at once.
SHOW = SET + """
timeout 30 sh -c 'until dig +short @127.0.0.1 -p "$DNS_PORT" TXT "_acme-challenge.$NAME" | grep -qF -- "$0"; do
	sleep 0.1
done' "%s"
"""


class Authority:
    """pebble, with a CA of its own for its HTTPS."""

    def __init__(self, folder, dns_port, reject, sleep, **more):
        self.folder = folder
        self.port = free_ports(2)
        self.management = self.port + 1
        self.url = f"https://localhost:{self.port}/dir"
        self.ca = folder / "ca.pem"
        self.make_certificates()
        config = {"pebble": {
            "listenAddress": f"127.0.0.1:{self.port}", "managementListenAddress": f"127.0.0.1:{self.management}",
            "certificate": str(folder / "server.pem"), "privateKey": str(folder / "server.key"), "httpPort": 5002,
            "tlsPort": 5001, "ocspResponderURL": "", "externalAccountBindingRequired": False, **more}}
        (folder / "pebble.json").write_text(json.dumps(config))
        self.log = open(folder / "pebble.log", "w")
        self.process = subprocess.Popen(
            ["pebble", "-config", str(folder / "pebble.json"), "-dnsserver", f"127.0.0.1:{dns_port}", "-strict"],
            env={**os.environ, "PEBBLE_WFE_NONCEREJECT": str(reject), **sleep}, stdout=self.log,
            stderr=self.log)
        wait_for("pebble", self.answers)

    def make_certificates(self):
        def openssl(*args):
            subprocess.run(["openssl", *args], cwd=self.folder, check=True, stderr=subprocess.DEVNULL)

        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=test CA",
                "-addext", "basicConstraints=critical,CA:TRUE")
        openssl("req", *key, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost")
        (self.folder / "ext").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n")
        openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days",
                "2", "-extfile", "ext", "-out", "server.pem")

    def answers(self):
        try:
            return requests.get(self.url, verify=str(self.ca), timeout=5, proxies={"https": ""}).ok
        except requests.ConnectionError:
            return False

    def roots(self):
        return requests.get(f"https://127.0.0.1:{self.management}/roots/0", verify=str(self.ca), timeout=5,
                            proxies={"https": ""}).text

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.log.close()


@pytest.fixture(scope="module")
def authority(fleet, tmp_path_factory):
    authority = Authority(tmp_path_factory.mktemp("pebble"), fleet.dns_port, 0, {"PEBBLE_VA_NOSLEEP": "1"})
    yield authority
    authority.stop()


@pytest.fixture(scope="module")
def slow_authority(fleet, tmp_path_factory):
    authority = Authority(tmp_path_factory.mktemp("pebble"), fleet.dns_port, 20, {"PEBBLE_VA_SLEEPTIME": "2"})
    yield authority
    authority.stop()


class Client:
    """What a client runs with: a name, its token, and the roots it has to trust."""

    def __init__(self, fleet, authority, folder):
        self.folder, self.authority = folder, authority
        self.label, self.token = Names(fleet).subscribe()
        self.name = f"{self.label}.{ZONE}"
        self.bundle = folder / "bundle.pem"
        self.bundle.write_text(authority.ca.read_text() + pathlib.Path(fleet.ca_file).read_text())
        self.environment = {
            "PATH": os.environ["PATH"], "HOME": str(folder), "GATEWAY": fleet.base_url, "GATEWAY_CA": fleet.ca_file,
            "TOKEN": self.token, "NAME": self.name, "DNS_PORT": str(fleet.dns_port), "SSL_CERT_FILE": str(self.bundle), "REQUESTS_CA_BUNDLE": str(self.bundle),
            "LEGO_CA_CERTIFICATES": str(self.bundle), "no_proxy": "localhost,127.0.0.1"}
        wait_for("its name in the DNS", lambda: dig(fleet, self.name, "A")[1])

    def hook(self, name, text):
        path = self.folder / name
        path.write_text(text)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return str(path)

    def run(self, *command, **environment):
        done = subprocess.run(command, cwd=self.folder, env={**self.environment, **environment}, text=True, timeout=240,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def check(self, certificate, *names):
        """It is for these names, and a client that trusts pebble's root believes it."""
        text = subprocess.run(["openssl", "x509", "-noout", "-ext", "subjectAltName", "-in", str(certificate)],
                              stdout=subprocess.PIPE, text=True, check=True).stdout
        assert sorted(word.removeprefix("DNS:") for word in text.replace(",", " ").split() if
                      word.startswith("DNS:")) == sorted(names)
        root = self.folder / "root.pem"
        root.write_text(self.authority.roots())
        subprocess.run(["openssl", "verify", "-CAfile", str(root), "-untrusted", str(certificate), str(certificate)],
                       check=True, stdout=subprocess.DEVNULL)


@pytest.fixture
def client(fleet, authority, tmp_path):
    return Client(fleet, authority, tmp_path)


def lego(fleet, client, *domains, **environment):
    return client.run(
        "lego", "--server", client.authority.url, "--accept-tos", "--email", "a@example.org", "--path",
        str(client.folder / "lego"), "--key-type", "ec256", "--dns", environment.pop("provider"), "--dns.resolvers",
        f"127.0.0.1:{fleet.dns_port}", "--dns.disable-cp", *(f"--domains={d}" for d in domains), "run", **environment)


def test_lego_by_hook(fleet, client):
    hook = client.hook("hook", "#!/bin/sh\n[ \"$1\" = present ] || exit 0\n" + SHOW % ("$3", "$3"))
    lego(fleet, client, client.name, provider="exec", EXEC_PATH=hook, EXEC_POLLING_INTERVAL="1")
    client.check(client.folder / f"lego/certificates/{client.name}.crt", client.name)


def lego_by_httpreq(fleet, client, *domains):
    lego(fleet, client, *domains, provider="httpreq", HTTPREQ_ENDPOINT=client.environment["GATEWAY"],
         HTTPREQ_USERNAME=client.label, HTTPREQ_PASSWORD=client.token, HTTPREQ_POLLING_INTERVAL="1")


def test_lego_by_httpreq_with_a_wildcard(fleet, client):
    """Two values of one TXT record, and they are cleaned up."""
    lego_by_httpreq(fleet, client, client.name, "*." + client.name)
    client.check(client.folder / f"lego/certificates/{client.name}.crt", client.name, "*." + client.name)
    wait_for("no challenge left", lambda: dig(fleet, f"_acme-challenge.{client.name}", "TXT")[1] == [])


def test_a_slow_authority_that_rejects_nonces(fleet, slow_authority, tmp_path):
    client = Client(fleet, slow_authority, tmp_path)
    lego_by_httpreq(fleet, client, client.name)
    client.check(client.folder / f"lego/certificates/{client.name}.crt", client.name)


def test_an_account_of_acme_dns(fleet):
    names = Names(fleet)
    account = names.request("POST", "/register").json()
    assert account["fulldomain"] == f"{account['subdomain']}.{ZONE}" and account["allowfrom"] == []
    headers = {"X-Api-User": account["username"], "X-Api-Key": account["password"]}
    for value in "A" * 43, "B" * 43:
        reply = names.request("POST", "/update", json={"subdomain": account["subdomain"], "txt": value}, headers=headers)
        assert (reply.status_code, reply.json()) == (200, {"txt": value})
    wait_for("both values", lambda: len(dig(fleet, account["fulldomain"], "TXT")[1]) == 2)
    other = names.request("POST", "/register").json()
    for wrong in ({**headers, "X-Api-Key": other["password"]}, {**headers, "X-Api-User": other["username"]}, {}):
        reply = names.request("POST", "/update", json={"subdomain": account["subdomain"], "txt": "C" * 43}, headers=wrong)
        assert reply.status_code == 401, wrong
    assert len(dig(fleet, account["fulldomain"], "TXT")[1]) == 2


def test_nobody_sets_the_challenge_of_another(fleet):
    names = Names(fleet)
    label, token = names.subscribe()
    victim, _ = names.subscribe()
    for fqdn in (f"_acme-challenge.{victim}.{ZONE}.", f"{label}.{ZONE}.", f"_acme-challenge.{ZONE}.",
                 f"_acme-challenge._acme-challenge.{label}.{ZONE}."):
        reply = names.request("POST", "/present", json={"fqdn": fqdn, "value": "x"}, auth=(label, token))
        assert reply.status_code == 401, fqdn
    assert names.request("POST", "/present", json={"fqdn": "x", "value": "x"}).status_code == 401


def dehydrated(client):
    hook = client.hook("hook", "#!/bin/sh\n[ \"$1\" = deploy_challenge ] || exit 0\n" + SHOW % ("$4", "$4"))
    config = client.folder / "config"
    config.write_text(f"CA={client.authority.url}\nCHALLENGETYPE=dns-01\nHOOK={hook}\nBASEDIR={client.folder}\n"
                      f'CURL_OPTS="--cacert {client.authority.ca}"\nOCSP_FETCH=no\nIP_VERSION=4\n')
    client.run("dehydrated", "--config", str(config), "--register", "--accept-terms")
    client.run("dehydrated", "--config", str(config), "-c", "-d", client.name)


def test_dehydrated(client):
    dehydrated(client)
    client.check(client.folder / f"certs/{client.name}/fullchain.pem", client.name)


def test_certbot(client):
    auth = client.hook("auth", "#!/bin/sh\n" + SHOW % ("$CERTBOT_VALIDATION", "$CERTBOT_VALIDATION"))
    clean = client.hook("clean", "#!/bin/sh\n" + SET % "")
    folders = [part for kind in ("config", "work", "logs") for part in (f"--{kind}-dir", str(client.folder / kind))]
    client.run("certbot", "certonly", "--manual", "--preferred-challenges", "dns", "--manual-auth-hook", auth,
               "--manual-cleanup-hook", clean, "--server", client.authority.url, "--agree-tos", "-m", "a@example.org",
               "-n", *folders, "-d", client.name)
    client.check(client.folder / f"config/live/{client.name}/fullchain.pem", client.name)


def test_uacme(client):
    """It has no option for the CA of its authority, so it gets the bundle in a mount namespace of its own."""
    hook = client.hook("hook", "#!/bin/sh\n[ \"$2\" = dns-01 ] || exit 1\n[ \"$1\" = begin ] || exit 0\n" + SHOW % ("$5", "$5"))
    bundle = "/etc/ssl/certs/ca-certificates.crt"

    def uacme(*args):
        command = ["uacme", "-c", "u.d", "-a", client.authority.url, "-t", "EC", *args]
        return client.run("unshare", "-m", "--propagation", "private", "sh", "-c",
                          f'mount --bind {client.bundle} {bundle}; "$@"; echo "exit status $?"', "uacme", *command)

    def issue(*options):
        return uacme(*options, "-h", hook, "issue", client.name)

    assert "exit status 0" in uacme("-y", "new", "a@example.org")
    assert "exit status 0" in issue()
    certificate = client.folder / f"u.d/{client.name}/cert.pem"
    client.check(certificate, client.name)
    first = certificate.read_bytes()
    keys = [client.folder / "u.d/private/key.pem", client.folder / f"u.d/private/{client.name}/key.pem"]
    kept = [key.read_bytes() for key in keys]
    assert "exit status 1" in issue(), "not due yet, which is no failure"
    assert certificate.read_bytes() == first
    assert "exit status 0" in issue("-f")
    client.check(certificate, client.name)
    assert certificate.read_bytes() != first and [key.read_bytes() for key in keys] == kept, "the same account and key"
