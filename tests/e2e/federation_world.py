"""Other sites of eduVPN, and who signs lists of them."""

import base64
import datetime
import json
import os
import pathlib
import subprocess

from api_client import WAIT_S


class ForeignSite:
    """Another site of eduVPN 1, with the key by which it signs tokens."""

    def __init__(self, folder, base_uri):
        self.base_uri, self.folder = base_uri, folder
        self.pem = folder / "token.pem"
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", self.pem], check=True)
        der = subprocess.run(["openssl", "pkey", "-in", self.pem, "-pubout", "-outform", "DER"], check=True,
                             stdout=subprocess.PIPE).stdout
        self.public_key = base64.b64encode(der[-32:]).decode()

    def token(self, **more):
        expires = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)
        claims = json.dumps({"type": "access_token", "auth_key": "random_1", "user_id": "jane", "client_id": "org.eduvpn.app",
                             "scope": "config", "expires_at": expires.strftime("%Y-%m-%dT%H:%M:%S+00:00"), **more}).encode()
        (self.folder / "claims").write_bytes(claims)
        signature = subprocess.run(["openssl", "pkeyutl", "-sign", "-inkey", self.pem, "-rawin", "-in", self.folder / "claims"],
                                   check=True, stdout=subprocess.PIPE).stdout
        return base64.urlsafe_b64encode(signature + claims).rstrip(b"=").decode()


class Lists:
    """Who signs lists of sites with `lanyard instances`."""

    def __init__(self, folder):
        self.file, self.key = folder / "federation.json", folder / "key"
        self.seq = 0
        self.public = self.run("key", "--key", self.key).split()[0]

    def run(self, *arguments):
        binary = pathlib.Path(os.environ["LANYARD_BUILD"]) / "bin/lanyard"
        return subprocess.run([str(binary), "instances", *map(str, arguments)], text=True, timeout=WAIT_S, check=True,
                              stdout=subprocess.PIPE).stdout

    def sign(self, *sites, **more):
        """The list's text and its signature; `seq` rises."""
        self.file.write_text(json.dumps({"authorization_type": "distributed", "seq": self.seq, "instances": [
            {"base_uri": each.base_uri, "display_name": "A site", "public_key": each.public_key} for each in sites], **more}))
        self.run("sign", "--key", self.key, "--list", self.file)
        self.seq = json.loads(self.file.read_text())["seq"]
        return self.file.read_text(), (self.file.parent / "federation.json.sig").read_text().strip()
