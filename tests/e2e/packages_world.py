"""A device with lanyard packages, and a portal in the middle that passes everything on to the real one, unless a test
tells it otherwise."""

import base64
import http.server
import json
import pathlib
import secrets
import socket
import subprocess
import threading
import types

from agent_world import LANYARD, make_certificate, run, server_context
from conftest import SANITIZER
from portal_world import Portal


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self):
        self.request = self.server.middle.context.wrap_socket(self.request, server_side=True)
        super().setup()

    def finish(self):
        super().finish()
        self.request.close()

    def answer(self):
        middle = self.server.middle
        if middle.is_cut():
            self.close_connection = True
            self.request.shutdown(socket.SHUT_RDWR)
            return
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name: self.headers[name] for name in ("Authorization", "Content-Type", "Accept") if self.headers[name]}
        reply = middle.fleet.session.request(self.command, middle.fleet.base_url + self.path, headers=headers, data=body,
                                             verify=middle.fleet.ca_file, timeout=30)
        content = middle.alter(self.path, reply.content)
        self.send_response(reply.status_code)
        self.send_header("Content-Type", reply.headers.get("Content-Type", "application/json"))
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = answer

    def log_message(self, *args):
        pass


class Middle:
    """Stands between devices and the portal. While one of the files in `cuts` is there, it lets nobody through."""

    def __init__(self, fleet, folder):
        self.fleet, self.cuts, self.alter = fleet, [], self.unaltered
        self.ca, key = make_certificate(folder, "middle", "IP:127.0.0.1")
        self.context = server_context((self.ca, key))
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.middle = self
        self.url = f"https://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    @staticmethod
    def unaltered(path, content):
        return content

    def is_cut(self):
        return any(file.exists() for file in self.cuts)

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


# It keeps a list of what it was told, and cuts the device off when it applies a package with `verb 9`.
COMMAND = """cd '{folder}'
echo "$LANYARD_REASON $LANYARD_PACKAGE_NUMBER $(readlink "$LANYARD_PACKAGE")" >>told
if grep -qs '^verb 9' "$LANYARD_PACKAGE/client.conf"; then touch cut; else rm -f cut; fi
if grep -qs '^verb 8' "$LANYARD_PACKAGE/client.conf"; then exit 7; fi
if grep -qs '^verb 7' "$LANYARD_PACKAGE/client.conf"; then touch began; while [ ! -e go ]; do sleep 0.1; done; fi
"""


class Device:
    """A device that was enrolled, with its state folder."""

    def __init__(self, world, folder):
        self.world, self.portal, self.folder = world, world.portal, folder
        folder.mkdir()
        self.packages = folder / "state/packages"
        key = self.portal.api.ok("createEnrolmentKey", self.portal.owner, {"name": "k" + secrets.token_hex(6),
                                                                           "approve": True}, **self.portal.of)
        done = run(LANYARD, "enroll", world.middle.url, "--state", folder / "state", "--ca", world.middle.ca, "--name",
                   "d" + secrets.token_hex(6), stdin=None, input=key["secret"])
        assert done.returncode == 0, done.stdout
        self.identity = json.loads((folder / "state/device.json").read_text())
        self.id = self.identity["device"]
        self.auth = (self.id, self.identity["secret"])
        world.middle.cuts.append(folder / "cut")
        self.portal.api.ok("createPortalDevice", self.portal.owner, {"device": self.id}, **self.portal.of)

    def words(self, *more):
        return [str(word) for word in (
            LANYARD, "packages", "--once", "--state", self.folder / "state", "--settle", "0", "--test-timeout", "2",
            "--apply-command", COMMAND.format(folder=self.folder), *more)]

    def once(self, *more):
        done = run(*self.words(*more))
        assert not SANITIZER.search(done.stdout), done.stdout
        return types.SimpleNamespace(status=done.returncode, said=done.stdout)

    def begin(self):
        """In the background; ends by itself or is killed."""
        return subprocess.Popen(self.words(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL)

    def publish(self, verb):
        """Another package, told apart by its client.conf."""
        self.portal.set(client_conf=f"client\ndev tap\nremote vpn.example.org 1194\nverb {verb}\n")
        return self.portal.publish(self)

    def current(self):
        """The number of the package in use, which has all its files."""
        link = self.packages / "current"
        if not link.is_symlink():
            return 0
        assert sorted(file.name for file in link.iterdir()) == [
            "agent.json", "ca.crt", "client.conf", "credentials", "ta.key"]
        return int(link.readlink().name)

    def told(self):
        return (self.folder / "told").read_text().splitlines()

    def shown(self):
        return self.portal.shown(self)

    def manifest(self):
        """What the portal says, as it is signed."""
        reply = self.portal.ask("GET", "/v1/manifest", self)
        assert reply.status_code == 200, reply.text
        return reply.json()


class World:
    def __init__(self, fleet, api, admin, folder):
        self.folder = pathlib.Path(folder)
        self.portal, self.middle = Portal(fleet, api, admin), Middle(fleet, self.folder)

    def device(self):
        return Device(self, self.folder / secrets.token_hex(4))

    def stop(self):
        self.middle.stop()


def sign(folder, key, text):
    """A signature in base64, by openssl."""
    (folder / "signer.key").write_text(key)
    done = subprocess.run(["openssl", "dgst", "-sha256", "-sign", str(folder / "signer.key")], input=text.encode(),
                          stdout=subprocess.PIPE, check=True)
    return base64.b64encode(done.stdout).decode()
