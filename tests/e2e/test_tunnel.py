"""Browsers reach a device by its name: the node finds the name in the first bytes of TLS and passes all of them on to
the device's link, without ever reading them. Statements 69 to 81 of the registration contract."""

import contextlib
import hashlib
import os
import secrets
import select
import signal
import socket
import ssl
import subprocess
import threading

import pytest

from api_client import WAIT_S, wait_for
from api_world import Device, Tenant, admin, api  # fixtures too
from tunnel_world import (ALERT_INTERNAL, ALERT_UNRECOGNIZED, ZONE, Box, FirstOpen, Nginx, Service, TunnelNode, curl,
                          cut_records, echo, hello, make_certificate, receive, receive_all, stall_or_echo, subscribe)


@pytest.fixture(scope="module")
def node(fleet):
    node = TunnelNode(fleet).start()
    yield node
    node.stop()


@pytest.fixture(scope="module")
def service():
    service = Service(echo)
    yield service
    service.close()


@pytest.fixture
def boxes():
    made = []
    yield made
    for box in made:
        box.process.send_signal(signal.SIGCONT)
        box.stop()


@pytest.fixture
def linked(fleet, node, service, boxes):
    """A name whose device sends back what it gets: (name, token, box)."""
    name, token = subscribe(fleet)
    boxes.append(Box(node, token, service.address).open())
    return name, token, boxes[0]


def get_http(port, host, path, method="GET"):
    with socket.create_connection(("127.0.0.1", port), timeout=WAIT_S) as connection:
        connection.sendall(f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        return receive_all(connection)[0].decode()


# ---- bytes ----


def test_a_browser_reaches_the_device_and_sees_its_certificate(fleet, node, boxes, tmp_path):
    name, token = subscribe(fleet)
    certificate, key = make_certificate(tmp_path, name)
    nginx = Nginx(tmp_path, certificate, key)
    try:
        content = os.urandom(32 << 20)
        (tmp_path / "www/file").write_bytes(content)
        boxes.append(Box(node, token, f"127.0.0.1:{nginx.port}", f"127.0.0.1:{nginx.http_port}").open())
        done = curl(node, name, "/file", "--cacert", certificate)
        assert done.returncode == 0, done.stderr
        assert hashlib.sha256(done.stdout).digest() == hashlib.sha256(content).digest()
        shown = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{node.https_port}", "-servername", name],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert ssl.PEM_cert_to_DER_cert(certificate.read_text()) == ssl.PEM_cert_to_DER_cert(
            shown.stdout[shown.stdout.index("-----BEGIN"):shown.stdout.index("-----END") + 25])
        # ACME's http-01 goes the same way, and nothing else of plain HTTP.
        answer = get_http(node.http_port, name, "/.well-known/acme-challenge/a-token_1")
        assert answer.startswith("HTTP/1.1 200") and answer.endswith(f"{name} /.well-known/acme-challenge/a-token_1")
        answer = get_http(node.http_port, name, "/.well-known/acme-challenge/../secret")
        assert answer.startswith("HTTP/1.1 308")
    finally:
        nginx.stop()


def test_bytes_are_equal_both_ways_and_each_side_may_end_alone(node, linked):
    name, _, _ = linked
    sent = hello(name) + os.urandom(24 << 20)
    visitor = node.connect()

    def send():
        visitor.sendall(sent)
        visitor.shutdown(socket.SHUT_WR)

    sender = threading.Thread(target=send)
    sender.start()
    came, well = receive_all(visitor)
    sender.join()
    assert well and hashlib.sha256(came).digest() == hashlib.sha256(sent).digest()


def test_a_service_that_ends_first_still_hears_its_visitor(fleet, node, boxes):
    heard = []

    def serve(connection):
        connection.sendall(b"welcome")
        connection.shutdown(socket.SHUT_WR)
        heard.append(receive_all(connection)[0])

    service = Service(serve)
    name, token = subscribe(fleet)
    boxes.append(Box(node, token, service.address).open())
    with node.visit(name) as visitor:
        assert receive_all(visitor) == (b"welcome", True)
        visitor.sendall(b"and goodbye")
    wait_for("the goodbye", lambda: heard and heard[0].endswith(b"and goodbye"))
    service.close()


@pytest.mark.parametrize("step", [1, 50])
def test_a_client_hello_may_come_in_any_pieces(node, linked, step):
    name, _, _ = linked
    flight = cut_records(hello(name), 60)
    with node.connect() as visitor:
        visitor.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(0, len(flight), step):
            visitor.sendall(flight[at:at + step])
        assert receive(visitor, len(flight)) == flight


# ---- who is refused ----


def test_nobody_under_the_name_is_told_so(node):
    before = node.metric("lanyard_tunnel_visitors_total", outcome="unknown")
    with node.visit(f"nobody.{ZONE}") as visitor:
        assert receive_all(visitor) == (ALERT_UNRECOGNIZED, True)
    with node.visit("www.example.org") as visitor:
        assert receive_all(visitor) == (ALERT_UNRECOGNIZED, True)
    with node.visit(None) as visitor:
        assert receive_all(visitor) == (ALERT_UNRECOGNIZED, True)
    assert node.metric("lanyard_tunnel_visitors_total", outcome="unknown") == before + 2
    assert b"unrecognized" in curl(node, f"nobody.{ZONE}").stderr


def test_what_is_no_tls_gets_a_clear_answer(node):
    with node.connect() as visitor:
        visitor.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert receive_all(visitor)[0].startswith(b"HTTP/1.1 400 ")
    with node.connect() as visitor:
        visitor.sendall(b"\x00\x01\x02garbage")
        assert receive_all(visitor)[0] == b""
    with node.connect() as visitor:  # a ClientHello that never ends
        visitor.sendall(cut_records(b"\x16\x03\x01\x00\x00\x01\x00\x3f\x00" + bytes(20000), 8000))
        assert receive_all(visitor)[0] in (b"\x15\x03\x03\x00\x02\x02\x32", b"")
    with node.connect() as visitor:  # one that is dripped
        visitor.sendall(hello("a.example")[:20])
        assert receive_all(visitor)[0] == b""
    assert node.metric("lanyard_tunnel_visitors_total", outcome="too_slow") >= 1


def test_a_service_that_is_not_there_is_told_as_an_alert(fleet, node, boxes):
    name, token = subscribe(fleet)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens
        boxes.append(Box(node, token, "127.0.0.1:%d" % taken.getsockname()[1]).open())
        with node.visit(name) as visitor:
            assert receive_all(visitor) == (ALERT_INTERNAL, True)
        answer = get_http(node.http_port, name, "/.well-known/acme-challenge/x")
        assert answer.startswith("HTTP/1.1 502 ")


def test_a_wrong_token_opens_nothing(node, service, boxes):
    boxes.append(Box(node, "00000000-0000-4000-8000-000000000000", service.address))
    assert "401" in boxes[0].await_state("refused")


def visit_unknown_names(node):
    """What so many visitors at once are told that not all of their names can be asked about at the same time."""
    flights = [hello(f"n{secrets.token_hex(6)}.{ZONE}") for _ in range(100)]
    with contextlib.ExitStack() as stack:
        visitors = [stack.enter_context(node.connect()) for _ in flights]
        for visitor, flight in zip(visitors, flights):
            visitor.sendall(flight)
        return {receive_all(visitor)[0] for visitor in visitors}


def test_while_names_cannot_be_asked_about_nobody_is_let_in(fleet, node, linked, service, boxes):
    name, _, _ = linked
    _, other = subscribe(fleet)
    fleet.sv("down", "dns")
    try:
        boxes.append(Box(node, other, service.address))
        assert "503" in boxes[-1].await_state("connecting")
        with node.visit(f"nobody.{ZONE}") as visitor:
            assert receive_all(visitor)[0] == ALERT_UNRECOGNIZED
        with node.visit(name) as visitor:  # whose device was let in before
            assert receive(visitor, 5) == hello(name)[:5]
        wait_for("visitors that are told of the crowd", lambda: ALERT_INTERNAL in visit_unknown_names(node))
    finally:
        fleet.sv("up", "dns")
    boxes[-1].await_state("open")


def test_a_name_has_no_more_visitors_than_allowed(fleet, service, boxes):
    node = TunnelNode(fleet, LANYARD_TUNNEL_STREAMS="3").start()
    try:
        name, token = subscribe(fleet)
        boxes.append(Box(node, token, service.address).open())
        visitors = [node.visit(name) for _ in range(3)]
        for visitor in visitors:
            receive(visitor, 1)
        with node.visit(name) as visitor:
            assert receive_all(visitor) == (ALERT_INTERNAL, True)
        visitors.pop().close()
        wait_for("a free place", lambda: receive(node.visit(name), 1) == b"\x16")
        for visitor in visitors:
            visitor.close()
    finally:
        node.stop()


# ---- one port for the whole product ----


def test_the_node_and_the_api_are_on_the_same_port(fleet, node, linked):
    done = curl(node, f"api.{ZONE}", "/v1/openapi.yaml", "--cacert", fleet.ca_file, "-k")
    assert done.returncode == 0 and b"openapi" in done.stdout, done.stderr
    context = ssl.create_default_context(cafile=fleet.ca_file)
    with context.wrap_socket(node.connect(), server_hostname="localhost") as own:
        own.sendall(b"GET /l2 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert receive_all(own)[0].startswith(b"HTTP/1.1 426 ")


def test_the_fleet_has_its_api_there_with_its_certificate(fleet):
    done = curl(fleet, "api.localhost", "/v1/openapi.yaml", "--cacert", fleet.ca_file)
    assert done.returncode == 0 and b"openapi" in done.stdout, done.stderr


def test_http_is_sent_to_https(node):
    answer = get_http(node.http_port, f"any.{ZONE}:80", "/a/b?c=d", "POST")
    assert answer.startswith("HTTP/1.1 308 ") and f"\r\nLocation: https://any.{ZONE}/a/b?c=d\r\n" in answer
    assert get_http(node.http_port, "a/b", "/").startswith("HTTP/1.1 400 ")
    assert get_http(node.http_port, f"nobody.{ZONE}", "/.well-known/acme-challenge/x").startswith("HTTP/1.1 404 ")


def test_the_device_may_ask_who_visits(fleet, node, boxes, tmp_path):
    name, token = subscribe(fleet)
    certificate, key = make_certificate(tmp_path, name)
    nginx = Nginx(tmp_path, certificate, key, proxy=True)
    try:
        boxes.append(Box(node, token, f"127.0.0.1:{nginx.port}", "-", "proxy").open())
        done = curl(node, name, "/who", "--cacert", certificate, "--interface", "127.0.0.77")
        assert done.stdout == b"127.0.0.77", done.stderr
    finally:
        nginx.stop()


# ---- many at once ----


def test_a_visitor_that_reads_nothing_harms_no_other(fleet, node, boxes):
    service = Service(stall_or_echo)
    name, token = subscribe(fleet)
    boxes.append(Box(node, token, service.address).open())
    stalled = node.connect()
    stalled.sendall(hello(name) + b"stalled")
    receive(stalled, 1)
    visitors = []
    try:
        for _ in range(999):
            visitors.append(node.visit(name))
        for visitor in visitors:
            visitor.sendall(secrets.token_bytes(1000))
        for visitor in visitors:
            assert len(receive(visitor, len(hello(name)) + 1000)) == len(hello(name)) + 1000
        assert node.metric("lanyard_tunnel_streams") == 1000
        assert len(receive(stalled, (64 << 20) - 1)) == (64 << 20) - 1  # it missed nothing
    finally:
        for visitor in [*visitors, stalled]:
            visitor.close()
        service.close()
    wait_for("an empty tunnel", lambda: node.metric("lanyard_tunnel_streams") == 0)


def test_a_visitor_that_says_nothing_for_long_is_sent_away(fleet, service, boxes):
    node = TunnelNode(fleet, LANYARD_TUNNEL_IDLE_S="3").start()
    try:
        name, token = subscribe(fleet)
        boxes.append(Box(node, token, service.address).open())
        idle, busy = node.visit(name), node.visit(name)
        receive(idle, len(hello(name)))
        receive(busy, len(hello(name)))
        while not select.select([idle], [], [], 0.2)[0]:
            busy.sendall(b"still here")
            assert receive(busy, 10) == b"still here"
        assert idle.recv(1) == b""
        busy.sendall(b"still here")
        assert receive(busy, 10) == b"still here"
        busy.close()
        wait_for("an empty tunnel", lambda: node.metric("lanyard_tunnel_streams") == 0)
    finally:
        node.stop()


# ---- links that end ----


def is_reset(visitor):
    """It ends, and not as if all had come."""
    return not receive_all(visitor)[1]


def test_a_device_that_comes_again_takes_its_place_at_once(node, linked, service, boxes):
    name, token, first = linked
    old = node.visit(name)
    receive(old, 1)
    first.process.send_signal(signal.SIGSTOP)  # gone, without a word
    boxes.append(Box(node, token, service.address).open())
    assert is_reset(old)
    with node.visit(name) as visitor:
        assert receive(visitor, 5) == hello(name)[:5]
    boxes[1].stop()
    first.process.send_signal(signal.SIGCONT)
    assert "came again" in first.await_state("refused")
    first.await_state("open")  # now that nobody else has it


def test_a_name_that_is_given_up_takes_its_visitors_with_it(fleet, node, linked):
    name, token, box = linked
    visitor = node.visit(name)
    receive(visitor, 1)
    reply = fleet.session.get(fleet.base_url + "/unsubscribe", params={"token": token}, verify=fleet.ca_file,
                              timeout=WAIT_S)
    assert reply.status_code == 200
    assert is_reset(visitor)
    box.await_state("refused")
    with node.visit(name) as visitor:
        assert receive_all(visitor)[0] == ALERT_UNRECOGNIZED


def psql(fleet, statement):
    subprocess.run(["psql", "-XAtq", "-d", f"postgresql:///lanyard?host={fleet.var}/run/postgres&user=postgres", "-c",
                    statement], check=True, stdout=subprocess.DEVNULL)


def test_a_name_that_expires_ends_until_it_is_heard_from(fleet, node, linked):
    name, token, box = linked
    visitor = node.visit(name)
    receive(visitor, 1)
    psql(fleet, f"UPDATE dns.registration SET seen_at = now() - interval '400 days' WHERE label = '{name.split('.')[0]}'")
    receive_all(visitor)
    assert "403" in wait_for("the refusal", lambda: next(
        (why for why in [box.await_state("refused")] if "status" in why), None))
    reply = fleet.session.get(fleet.base_url + "/ping", params={"token": token}, verify=fleet.ca_file, timeout=WAIT_S)
    assert reply.status_code == 200
    box.await_state("open")  # with the same token
    with node.visit(name) as visitor:
        assert receive(visitor, 1) == b"\x16"


def test_a_blocked_device_is_cut_off_by_the_node_itself(fleet, node, api, admin, service, boxes):
    tenant = Tenant(api, admin)
    network = api.ok("createNetwork", tenant.owner, {"name": "n", "ipv4": "10.93.0.0/24"}, tenant=tenant.id)
    device = Device(api, tenant, network["id"], "d" + secrets.token_hex(3))
    label = "t" + secrets.token_hex(6)
    token = api.ok("registerName", device.basic, {"name": label})["token"]
    boxes.append(Box(node, token, service.address).open())
    visitor = node.visit(f"{label}.{ZONE}")
    receive(visitor, 1)
    fleet.sv("down", "dns")  # which would end it, too
    try:
        api.ok("updateDevice", tenant.owner, {"state": "blocked"}, tenant=tenant.id, id_=device.id)
        assert is_reset(visitor)
        assert "blocked" in boxes[0].await_state("refused")
    finally:
        fleet.sv("up", "dns")
    assert "401" in boxes[0].await_state("refused"), "its token opens nothing"
    api.ok("updateDevice", tenant.owner, {"state": "approved"}, tenant=tenant.id, id_=device.id)
    wait_for("its token to be good again", lambda: fleet.session.get(
        fleet.base_url + "/ping", params={"token": token}, verify=fleet.ca_file, timeout=WAIT_S).status_code == 200)
    boxes[0].await_state("open")


# ---- more nodes ----


def test_a_device_moves_before_its_node_stops(fleet, node, service, boxes):
    """Visitors that it has by that node go on, and who comes meanwhile to another one finds the device all the time."""
    name, token = subscribe(fleet)
    said = hello(name)
    stopping = TunnelNode(fleet, LANYARD_DRAIN_S="30").start()
    door = FirstOpen(stopping, node)
    boxes.append(Box(door, token, service.address).open())
    before = node.metric("lanyard_tunnels")
    with stopping.visit(name) as visitor:
        assert receive(visitor, len(said)) == said
        wait_for("the device from there", lambda: receive(node.visit(name), len(said)) == said)
        stopping.process.terminate()
        while node.metric("lanyard_tunnels") == before:
            assert receive(node.visit(name), len(said)) == said
        assert receive(node.visit(name), len(said)) == said
        visitor.sendall(b"still")
        assert receive(visitor, 5) == b"still" and stopping.process.poll() is None
    assert stopping.process.wait(WAIT_S) == 0, stopping.log()
    assert receive(node.visit(name), len(said)) == said and boxes[0].states.empty()
    door.close()

def test_a_browser_at_another_node_reaches_the_device_too(fleet, node, linked, boxes):
    name, token, first = linked
    moved = Service(lambda connection: connection.sendall(b"moved") or connection.recv(65536))
    other = TunnelNode(fleet).start()
    try:
        sent = hello(name) + os.urandom(8 << 20)

        def reach():
            with other.connect() as visitor:
                sender = threading.Thread(target=lambda: (visitor.sendall(sent), visitor.shutdown(socket.SHUT_WR)))
                sender.start()
                try:
                    return receive_all(visitor)[0]
                finally:
                    sender.join()

        assert wait_for("the device from there", lambda: reach() == sent)
        # The device moves there, and its old node has heard nothing of an end.
        visitors = [node.visit(name), other.visit(name)]
        for visitor in visitors:
            receive(visitor, 1)
        first.process.send_signal(signal.SIGSTOP)
        boxes.append(Box(other, token, moved.address).open())
        assert receive(other.visit(name), 5) == b"moved"
        for visitor in visitors:
            assert is_reset(visitor)
        wait_for("the way from its old node", lambda: receive(node.visit(name), 5) == b"moved")
    finally:
        for box in boxes:
            box.process.send_signal(signal.SIGCONT)
            box.stop()
        boxes.clear()
        moved.close()
        other.stop()
