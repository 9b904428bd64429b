"""Debian's pagekite, unmodified, flies a name as existing gateways start it, and browsers reach the server behind it."""

import hashlib
import os
import subprocess
import time

import pytest

from api_client import wait_for
from names_world import Names, ZONE, dig, psql, settings_of
from test_certificates import SET, Client, authority  # a fixture too
from tunnel_world import ALERT_UNRECOGNIZED, FirstOpen, Nginx, TunnelNode, curl, hello, make_certificate, receive, subscribe


@pytest.fixture(scope="module")
def node(fleet):
    undo = settings_of(fleet, "dns", LANYARD_DNS_PAGEKITE="true")
    node = TunnelNode(fleet, LANYARD_TUNNEL_PAGEKITE="true").start()
    yield node
    node.stop()
    undo()


@pytest.fixture
def kites():
    running = []
    yield running
    for kite in running:
        kite.terminate()
        kite.wait()


def fly(node, name, port, token, folder, *more, front_end=None):
    """As the gateway of WebThings does it."""
    log = open(folder / f"kite-{port}.log", "w")
    return subprocess.Popen(
        ["/usr/bin/python3", "-u", "/usr/bin/pagekite", "--clean", f"--frontend=127.0.0.1:{front_end or node.https_port}",
         f"--service_on=https:{name}:localhost:{port}:{token}", *more], stdin=subprocess.DEVNULL, stdout=log,
        stderr=subprocess.STDOUT, env={**os.environ, "HOME": str(folder)})


@pytest.fixture
def server(fleet, tmp_path):
    """(name, token, nginx behind it, its certificate)"""
    name, token = subscribe(fleet)
    certificate, key = make_certificate(tmp_path, name)
    nginx = Nginx(tmp_path, certificate, key)
    yield name, token, nginx, certificate
    nginx.stop()


def reaches(node, name, certificate, path="/file"):
    return curl(node, name, path, "--cacert", certificate, "--max-time", "20").returncode == 0


def is_unknown(node, name):
    with node.visit(name) as visitor:
        try:
            return receive(visitor, 7) == ALERT_UNRECOGNIZED
        except ConnectionResetError:  # it came while the kite fell
            return False


def test_a_kite_carries_https(node, server, kites, tmp_path):
    name, token, nginx, certificate = server
    content = os.urandom(3 << 20)
    (tmp_path / "www/file").write_bytes(content)
    assert is_unknown(node, name)
    kites.append(fly(node, name, nginx.port, token, tmp_path))
    wait_for("the kite", lambda: reaches(node, name, certificate))
    for _ in range(3):
        done = curl(node, name, "/file", "--cacert", certificate)
        assert done.returncode == 0, done.stderr
        assert hashlib.sha256(done.stdout).digest() == hashlib.sha256(content).digest()


def test_many_visitors_at_a_time(node, server, kites, tmp_path):
    name, token, nginx, certificate = server
    (tmp_path / "www/file").write_bytes(b"x" * 100000)
    kites.append(fly(node, name, nginx.port, token, tmp_path))
    wait_for("the kite", lambda: reaches(node, name, certificate))
    visitors = [subprocess.Popen(["curl", "-s", "-o", "/dev/null", "-w", "%{size_download}", "--noproxy", "*", "--cacert",
                                  str(certificate), "--resolve", f"{name}:{node.https_port}:127.0.0.1",
                                  f"https://{name}:{node.https_port}/file"], stdout=subprocess.PIPE, text=True)
                for _ in range(20)]
    assert [visitor.communicate()[0] for visitor in visitors] == ["100000"] * 20


def test_another_token_flies_nothing(fleet, node, server, kites, tmp_path):
    name, _, nginx, _ = server
    _, other = subscribe(fleet)
    kites.append(fly(node, name, nginx.port, other, tmp_path))
    wait_for("the refusal", lambda: "Rejected" in (tmp_path / f"kite-{nginx.port}.log").read_text())
    assert is_unknown(node, name)


def test_the_kite_falls_with_its_name_or_node(fleet, node, server, kites, tmp_path):
    """The other one comes again by itself. It connects to one front end once a minute at most; what is before several nodes is one."""
    name, token, nginx, certificate = server
    (tmp_path / "www/file").write_bytes(b"x")
    other_name, other_token = subscribe(fleet)
    other_certificate, key = make_certificate(tmp_path, other_name)
    (tmp_path / "other/www").mkdir(parents=True)
    (tmp_path / "other/www/file").write_bytes(b"x")
    other_nginx = Nginx(tmp_path / "other", other_certificate, key)
    stopping = TunnelNode(fleet, LANYARD_TUNNEL_PAGEKITE="true").start()
    door = FirstOpen(stopping, node, door="https_port")
    kites.append(fly(node, name, nginx.port, token, tmp_path))
    kites.append(fly(node, other_name, other_nginx.port, other_token, tmp_path, front_end=door.port))
    wait_for("the kite", lambda: reaches(node, name, certificate))
    wait_for("the other one", lambda: reaches(stopping, other_name, other_certificate))
    stopping.stop()
    stopped = time.monotonic()
    label = name.removesuffix("." + ZONE)
    psql(fleet, f"UPDATE dns.registration SET seen_at = now() - interval '1 day' WHERE label = '{label}'")
    wait_for("its end", lambda: is_unknown(node, name))
    assert Names(fleet).get("/ping", token=token).status_code == 200
    wait_for("the other kite at the other node", lambda: reaches(node, other_name, other_certificate), limit_s=300)
    print(f"a kite that had flown for some seconds is back {time.monotonic() - stopped:.0f} s after its node stopped")
    kites[0].terminate()
    kites[0].wait()
    kites.append(fly(node, name, nginx.port, token, tmp_path))
    wait_for("the kite", lambda: reaches(node, name, certificate))
    assert Names(fleet).get("/unsubscribe", token=token).status_code == 200
    wait_for("its end", lambda: is_unknown(node, name))
    door.close()
    other_nginx.stop()


def test_the_flow_of_an_existing_gateway(fleet, node, authority, kites, tmp_path):
    """The calls that WebThings' gateway makes from the choice of a name to its page, in their order: subscribe, setemail,
    dnsconfig with 2.5 s of patience and no clean-up, the kite, and a sign of life."""
    client = Client(fleet, authority, tmp_path)
    names = Names(fleet)
    assert names.get("/setemail", token=client.token, email="a@example.org", optout="0").status_code == 200
    hook = client.hook("auth", "#!/bin/sh\n" + SET % "$CERTBOT_VALIDATION" + "\nsleep 2.5\n")
    folders = [part for kind in ("config", "work", "logs") for part in (f"--{kind}-dir", str(tmp_path / kind))]
    client.run("certbot", "certonly", "--manual", "--preferred-challenges", "dns", "--manual-auth-hook", hook, "--server",
               authority.url, "--agree-tos", "-m", "a@example.org", "-n", "--key-type", "rsa", *folders, "-d", client.name)
    live = tmp_path / f"config/live/{client.name}"
    nginx = Nginx(tmp_path, live / "fullchain.pem", live / "privkey.pem")
    try:
        (tmp_path / "www/file").write_bytes(b"the page of the gateway")
        kites.append(fly(node, client.name, nginx.port, client.token, tmp_path))
        root = tmp_path / "root.pem"
        root.write_text(authority.roots())
        done = wait_for("the page", lambda: curl(node, client.name, "/file", "--cacert", root).stdout)
        assert done == b"the page of the gateway"
        reply = names.get("/ping", token=client.token)
        assert (reply.status_code, reply.content) == (200, b"")
    finally:
        nginx.stop()


def test_the_dns_knows_kites_too(fleet, node, tmp_path):
    """What front ends elsewhere ask (--authdomain), signed by pagekite's own code."""
    label, token = Names(fleet).subscribe()
    name = f"{label}.{ZONE}"
    done = subprocess.run(
        ["/usr/bin/python3", "-c", "import sys; from pagekite.proto.proto import signToken\n"
         "print(signToken(secret=sys.argv[1], payload=sys.argv[2]))", token, f"https:{name}:{'a' * 36}:{'b' * 36}"],
        stdout=subprocess.PIPE, text=True, check=True)
    question = f"{'a' * 36}.{'b' * 36}.{done.stdout.strip()}.%s.%s.{ZONE}"
    for protocol, whose, want in (("https", name, "255.255.254.255"), ("http", name, "255.255.255.1"),
                                  ("https", "nobody." + ZONE, "255.255.255.0")):
        wait_for(want, lambda: dig(fleet, question % (protocol, whose), "A") == ("NOERROR", [f"A {want}"]))
    for shape in f"a.b.c.{name}.{ZONE}", f"{ZONE}.{ZONE}", f"a.{ZONE}.{ZONE}", f"{'.'.join(['x' * 60] * 3)}.{ZONE}.{ZONE}":
        assert dig(fleet, shape, "A")[0] in ("NOERROR", "NXDOMAIN"), shape


def test_what_is_no_kite(node):
    for garbage in (b"CONNECT PageKite:1 HTTP/1.0\r\n\r\n", b"CONNECT PageKite:1 HTTP/1.0\r\nX-PageKite: https:a\r\n\r\n",
                    b"CONNECT PageKite:1 HTTP/1.0\r\n" + b"X: y\r\n" * 3000):
        with node.connect() as kite:
            try:
                kite.sendall(garbage)
                assert kite.recv(4096) == b"", "closed without a word"
            except ConnectionResetError:
                pass
