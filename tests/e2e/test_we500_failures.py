"""What the portal says while things are killed under it, and when several things happen to one device at once. Numbers in
the names of tests are those of the statements of the provisioning contract."""

import concurrent.futures
import itertools
import os
import signal
import socket
import ssl
import subprocess

import pytest
import requests

from api_client import WAIT_S, wait_for
from api_world import admin, api  # noqa: F401
from portal_world import EMPTY_MD5, FILES, Portal, md5, read, unpack
from test_we500 import basic


@pytest.fixture(scope="module")
def portal(fleet, api, admin):
    return Portal(fleet, api, admin)


def check(portal, device):
    """What the device is told, what it gets and what the operator sees are one thing."""
    told, shown = portal.status(device), portal.shown(device)
    assert told.status == (2 if shown["acknowledged"] == shown["current"] else 3)
    archive = portal.fetch(device)
    assert archive.status_code == 200
    files = unpack(archive.content)
    assert [md5(files[name]) for name in FILES] == list(told.info.values())[1:]
    assert told.info["md5_ta_key"] == EMPTY_MD5


def test_61_killed_at_any_point_the_next_poll_is_right(portal, fleet):
    device = portal.add()
    portal.serve(device)
    for delay in range(6):
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            def change():
                for step in itertools.count():
                    try:
                        publish = portal.api.call("publishPackage", portal.owner, id_=device.id, **portal.of)
                        fetched, put = portal.fetch(device), portal.acknowledge(device)
                    except requests.RequestException:
                        return step  # a download that can't be noted is cut
                    if step > 50 or 503 in (publish.status_code, fetched.status_code, put.status_code):
                        return step
            running = pool.submit(change)
            seen = portal.shown(device)["current"]
            wait_for("some changes", lambda: portal.shown(device)["current"] > seen + delay)
            fleet.kill("provision")
            running.result(timeout=WAIT_S)
        wait_for("provision", lambda: portal.api.call("getPortalDevice", portal.owner, id_=device.id,
                                                      **portal.of).status_code == 200)
        wait_for("a poll that is not from memory", lambda: portal.acknowledge(device).status_code == 200)
        check(portal, device)


def test_62_publish_acknowledge_and_disable_at_once(portal):
    for _ in range(5):
        device = portal.add()
        portal.serve(device)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            work = [pool.submit(portal.acknowledge, device) for _ in range(4)]
            work += [pool.submit(portal.api.call, "publishPackage", portal.owner, id_=device.id, **portal.of)
                     for _ in range(2)]
            work += [pool.submit(portal.block, device)]
            for done in work:
                done.result(timeout=WAIT_S)
        assert portal.acknowledge(device).status_code == 409  # disable wins over one that comes late
        told = portal.status(device)
        assert told.status == 0 and told.info is None and portal.fetch(device).status_code == 404
        portal.block(device, "approved")
        check(portal, device)


def test_70_polls_are_answered_while_postgresql_is_down(portal, fleet):
    device = portal.add()
    portal.serve(device)
    told = portal.status(device)
    fleet.sv("stop", "postgres")
    try:
        later = portal.poll(device)  # the first one waits for provision; later ones may know that it is away
        assert (read(later).status, read(later).info) == (told.status, told.info)
        assert portal.acknowledge(device).status_code == 503
    finally:
        fleet.sv("start", "postgres")
    wait_for("PostgreSQL", lambda: portal.acknowledge(device).status_code == 200)
    check(portal, device)


def database(fleet, *words):
    """A program of PostgreSQL, as its superuser; the path of the socket's folder is too long for a socket."""
    folder = os.open(fleet.var / "run/postgres", os.O_PATH)
    try:
        done = subprocess.run([*words, "-h", f"/proc/self/fd/{folder}", "-U", "postgres"], pass_fds=[folder], timeout=120,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    finally:
        os.close(folder)
    assert done.returncode == 0, done.stdout


def test_75_a_backup_brings_back_what_there_was(portal, fleet, tmp_path):
    """Of the whole database, as docs/operations.md has it: digests, ETags and states are what they were."""
    device, other = portal.add(), portal.add()
    portal.serve(device)
    portal.fetch(other)

    def look():
        return [(portal.poll(d).headers["ETag"], portal.fetch(d).content, portal.shown(d)["state"]) for d in (device, other)]
    before = look()
    database(fleet, "pg_dump", "-Fc", "-f", str(tmp_path / "backup"), "lanyard")
    portal.publish(device)
    portal.block(other)
    assert look_differs(before, look)
    services = ["gateway", "dataplane", "rendezvous", "dns", "provision", "auth"]
    for service in services:
        fleet.sv("stop", service)
    try:
        database(fleet, "dropdb", "--force", "lanyard")
        database(fleet, "createdb", "lanyard")
        database(fleet, "pg_restore", "-d", "lanyard", str(tmp_path / "backup"))
    finally:
        for service in services:
            fleet.sv("start", service)
    wait_for("the fleet", fleet.is_ready)
    wait_for("the portal", lambda: portal.poll(device).status_code == 200)
    assert look() == before


def look_differs(before, look):
    try:
        return look() != before
    except KeyError:
        return True  # a blocked device gets no package


def test_69_in_overload_devices_are_told_to_come_later(portal, fleet):
    """Of a device that has a package to fetch the gateway asks each time."""
    device = portal.add()
    told = portal.status(device)
    assert (told.status, told.interval) == (3, 10)
    os.kill(fleet.pid("provision"), signal.SIGSTOP)
    try:
        later = portal.poll(device)  # the first one waits for provision; later ones may know that it is away
        assert (read(later).status, read(later).info, read(later).interval) == (3, told.info, 20)
        refused = portal.acknowledge(device)
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "60")
    finally:
        os.kill(fleet.pid("provision"), signal.SIGCONT)
    wait_for("provision", lambda: portal.acknowledge(device).status_code == 200)


# ---- HTTP ----

def exchange(portal, data, n_replies):
    """Sends bytes on one connection and reads until there are as many replies."""
    context = ssl.create_default_context(cafile=portal.fleet.ca_file)
    plain = socket.create_connection(("127.0.0.1", portal.fleet.gateway_port), timeout=WAIT_S)
    with context.wrap_socket(plain, server_hostname="127.0.0.1") as sock:
        sock.sendall(data)
        answer = b""
        while answer.count(b"</ntx>") < n_replies:
            part = sock.recv(4096)
            assert part, answer
            answer += part
    return answer


def test_7_12_13_one_connection_many_requests(portal):
    device = portal.add()
    head = f"HTTP/1.1\r\nHost: portal.test\r\nAuthorization: Basic {basic(device.auth)}\r\n"
    get = f"GET /api/v1/vpn {head}Accept-Encoding: gzip\r\n\r\n".encode()
    answer = exchange(portal, get * 3, 3)
    assert answer.count(b"HTTP/1.1 200") == 3 and answer.lower().count(b"content-length:") == 3
    assert b"transfer-encoding" not in answer.lower() and b"content-encoding" not in answer.lower()
    put = f"PUT /api/v1/vpn/packet {head}Expect: 100-continue\r\nContent-Length: 8\r\n\r\nstatus=2".encode()
    answer = exchange(portal, put, 1)
    assert answer.startswith(b"HTTP/1.1 100") and b"HTTP/1.1 200" in answer


def test_10_other_methods(portal):
    device = portal.add()
    for path, allow in (("/api/v1/vpn", "GET, HEAD, OPTIONS"), ("/api/v1/vpn/packet", "GET, HEAD, PUT, OPTIONS")):
        for method in ("POST", "DELETE", "PATCH"):
            reply = portal.ask(method, path, device)
            assert reply.status_code == 405 and reply.headers["Allow"] == allow


def test_44_an_api_key_in_the_query_is_nothing_to_the_portal(portal):
    key = portal.tenant.keys["owner"].authorization.split()[1]
    assert portal.poll(None, params={"api_key": key}).status_code == 401
    assert key not in portal.fleet.log("gateway")
