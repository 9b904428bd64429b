"""Enrolment over secure transport (RFC 7030) with openssl and curl, as a standard client does it."""

import secrets
import subprocess

import pytest

from api_world import Tenant, admin, api  # noqa: F401
from api_client import NOBODY, wait_for
from conftest import free_ports


class Box:
    """A device with a key of its own that only it has."""

    def __init__(self, fleet, api, tenant, folder, approve=True):
        self.fleet, self.api, self.tenant, self.folder = fleet, api, tenant, folder
        self.name = "d" + secrets.token_hex(6)
        key = api.ok("createEnrolmentKey", tenant.owner, {"name": self.name, "approve": approve}, tenant=tenant.id)
        made = api.ok("enrol", NOBODY, {"enrolment_key": key["secret"], "name": self.name})
        self.id, self.secret = made["device"], made["secret"]
        (folder / "netrc").write_text(f"machine 127.0.0.1 login {self.id} password {self.secret}\n")

    def run(self, *command, **more):
        return subprocess.run(command, cwd=self.folder, check=True, stdout=subprocess.PIPE, **more).stdout

    def make_csr(self, subject="/CN=somebody-else"):
        self.run("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                 "key.pem", "-subj", subject, "-outform", "DER", "-out", "csr.der", stderr=subprocess.DEVNULL)
        self.run("openssl", "base64", "-in", "csr.der", "-out", "csr.b64")

    def curl(self, path, *options, out="reply", port=None):
        """The status; the reply's headers are in the file `head`."""
        return int(self.run("curl", "-sS", "--noproxy", "*", "--cacert", self.fleet.ca_file, "-D", "head", "-o", out, "-w",
                            "%{http_code}", *options,
                            f"https://127.0.0.1:{port or self.fleet.gateway_port}/.well-known/est{path}"))

    def enrol(self, path="/simpleenroll", *options):
        return self.curl(path, "--netrc-file", "netrc", "-H", "Content-Type: application/pkcs10",
                         "--data-binary", "@csr.b64", *options)

    def certificates(self, source="reply", out="certs.pem"):
        """What is in a reply, written to `out`: how many there are."""
        self.run("openssl", "base64", "-d", "-in", source, "-out", "bundle.der")
        text = self.run("openssl", "pkcs7", "-inform", "DER", "-in", "bundle.der", "-print_certs", "-out", "-").decode()
        (self.folder / out).write_text(text)
        return text.count("BEGIN CERTIFICATE")

    def serial(self, source="certs.pem"):
        return self.run("openssl", "x509", "-in", source, "-noout", "-serial").decode().strip().split("=")[1].lower()


@pytest.fixture(scope="module")
def tenant(api, admin):
    return Tenant(api, admin)


@pytest.fixture
def box(fleet, api, tenant, tmp_path):
    return Box(fleet, api, tenant, tmp_path)


def test_a_client_learns_whom_to_trust_and_gets_a_certificate_that_is_renewed(box):
    assert box.curl(f"/{box.tenant.id}/cacerts", out="trust") == 200
    head = (box.folder / "head").read_text().lower()
    assert "content-type: application/pkcs7-mime" in head and "content-transfer-encoding: base64" in head
    assert box.certificates("trust", "trust.pem") == 2
    assert box.curl("/csrattrs") == 200
    told = box.run("openssl", "base64", "-d", "-in", "reply", "-out", "attributes.der")
    told = box.run("openssl", "asn1parse", "-inform", "DER", "-in", "attributes.der").decode()
    assert "id-ecPublicKey" in told and "prime256v1" in told and "ecdsa-with-SHA256" in told
    box.make_csr()
    assert box.enrol() == 200 and box.certificates() == 1
    assert "certs.pem: OK" in box.run("openssl", "verify", "-CAfile", "trust.pem", "certs.pem").decode()
    subject = box.run("openssl", "x509", "-in", "certs.pem", "-noout", "-subject").decode()
    assert box.id in subject and "somebody-else" not in subject  # the subject is ours to say
    public = box.run("openssl", "x509", "-in", "certs.pem", "-noout", "-pubkey")
    assert public == box.run("openssl", "pkey", "-in", "key.pem", "-pubout")
    first = box.serial()
    box.make_csr()
    assert box.enrol("/simplereenroll") == 200 and box.certificates() == 1
    assert box.serial() != first
    assert "certs.pem: OK" in box.run("openssl", "verify", "-CAfile", "trust.pem", "certs.pem").decode()


def test_30_what_was_revoked_is_not_renewed(box):
    box.make_csr()
    assert box.enrol("/simplereenroll") == 403  # there is none yet
    assert box.enrol(f"/{box.tenant.id}/simpleenroll") == 200
    box.certificates()
    box.api.ok("revokeCertificates", box.tenant.owner, {"serial": box.serial(), "reason": "lost"}, tenant=box.tenant.id)
    box.make_csr()
    assert box.enrol("/simplereenroll") == 403


def test_who_may_enrol(fleet, api, admin, box, tmp_path):
    box.make_csr()
    stranger = ["-H", "Content-Type: application/pkcs10", "--data-binary", "@csr.b64"]
    assert box.curl("/simpleenroll", *stranger) == 401
    assert 'www-authenticate: basic realm="lanyard"' in (box.folder / "head").read_text().lower()
    assert box.curl("/simpleenroll", *stranger, "-u", f"{box.id}:wrong") == 401
    assert box.curl("/simpleenroll", *stranger, "-H", f"Authorization: {box.tenant.owner.authorization}") == 403
    other = Tenant(api, admin)
    assert box.enrol(f"/{other.id}/simpleenroll") == 404
    for label in ("nobody", "00000000-0000-7000-8000-0000000000ff"):
        assert box.curl(f"/{label}/cacerts") == 404
    assert box.curl("/cacerts") == 401 and box.curl("/cacerts", "--netrc-file", "netrc") == 200
    (tmp_path / "waiting").mkdir()
    waiting = Box(fleet, api, box.tenant, tmp_path / "waiting", approve=False)
    waiting.make_csr()
    assert waiting.enrol() == 202 and "retry-after:" in (waiting.folder / "head").read_text().lower()
    api.ok("updateDevice", box.tenant.owner, {"state": "approved"}, id_=waiting.id, tenant=box.tenant.id)
    assert waiting.enrol() == 200


@pytest.mark.parametrize("body", [b"", b"hello!", b"AAAA", b"-----BEGIN", b"\0", b"A" * 60000])
def test_what_is_no_request_is_refused(box, body):
    (box.folder / "csr.b64").write_bytes(body)
    assert box.enrol() == 400


def test_a_request_of_another_kind_is_refused(box):
    box.make_csr()
    assert box.curl("/simpleenroll", "--netrc-file", "netrc", "-H", "Content-Type: text/plain", "--data-binary",
                    "@csr.b64") == 415


@pytest.fixture(scope="module")
def certificate_port(fleet):
    """Where clients are asked for a certificate."""
    port = free_ports(1)
    run = fleet.var / "service/gateway/run"
    run.write_text(run.read_text().replace("'PATH=", f"'LANYARD_EST_LISTEN=127.0.0.1:{port}' 'PATH=", 1))
    fleet.sv("restart", "gateway")
    wait_for("the gateway", fleet.is_ready)
    return port


def test_a_certificate_renews_itself(box, certificate_port):
    """RFC 7030, 3.3.2: the device shows the certificate that it has, and no password."""
    def renew(path="/simplereenroll", certificate="mine.pem", key="mine.key", port=certificate_port):
        return box.curl(path, "--cert", certificate, "--key", key, "-H", "Content-Type: application/pkcs10",
                        "--data-binary", "@csr.b64", port=port)
    box.make_csr()
    assert box.enrol() == 200 and box.certificates(out="mine.pem") == 1
    (box.folder / "key.pem").rename(box.folder / "mine.key")
    first = box.serial("mine.pem")
    box.make_csr()
    assert renew() == 200 and box.certificates() == 1 and box.serial() != first
    assert box.id in box.run("openssl", "x509", "-in", "certs.pem", "-noout", "-subject").decode()
    assert box.curl("/cacerts", "--cert", "mine.pem", "--key", "mine.key", port=certificate_port) == 200
    assert box.curl("/simplereenroll", "-H", "Content-Type: application/pkcs10", "--data-binary", "@csr.b64",
                    port=certificate_port) == 401  # without it
    assert renew(port=None) == 401  # the front door does not ask for it
    # One of the same name and serial number that somebody else has signed is nothing.
    box.run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
            f"/O={box.tenant.id}/OU=device/CN={box.id}", "-set_serial", "0x" + first, "-keyout", "forged.key", "-out",
            "forged.pem", stderr=subprocess.DEVNULL)
    assert renew(certificate="forged.pem", key="forged.key") == 401
    box.api.ok("revokeCertificates", box.tenant.owner, {"serial": first, "reason": "lost"}, tenant=box.tenant.id)
    assert renew() == 401
    # The new one goes on.
    (box.folder / "key.pem").rename(box.folder / "new.key")
    (box.folder / "certs.pem").rename(box.folder / "new.pem")
    box.make_csr()
    assert renew(certificate="new.pem", key="new.key") == 200
    box.api.ok("updateDevice", box.tenant.owner, {"state": "blocked"}, id_=box.id, tenant=box.tenant.id)
    assert renew(certificate="new.pem", key="new.key") >= 400
