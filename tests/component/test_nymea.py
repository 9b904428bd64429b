"""The faces for nymea's clients: what they see on the wire, from the first document to the end of a tunnel."""

import email.utils
import json
import pathlib
import secrets
import socket
import subprocess
import threading
import time

import pytest

from nymea_client import WAIT_S, Closed, Server, pair, register_client, token
from nymea_world import PATIENT, World

HERE = pathlib.Path(__file__).parent
DATA_WHILE_ALONE = "Data received while authenticated but not remote connected."


@pytest.fixture(scope="session")
def world():
    world = World()
    yield world
    world.close()


@pytest.fixture(scope="session")
def node(world):
    return world.node(**PATIENT)


@pytest.fixture(scope="session")
def other_node(world):
    return world.node(**PATIENT)


@pytest.fixture(scope="session")
def tls_node(world):
    return world.node(**PATIENT, LANYARD_NYMEA_TLS="true", LANYARD_NYMEA_TLS_CERT=str(world.cert),
                      LANYARD_NYMEA_TLS_KEY=str(world.key))


@pytest.fixture(scope="session")
def hasty_node(world):
    """Waits for a partner for a moment only, but long enough for rendezvous to answer on a busy machine."""
    return world.node(**{**PATIENT, "LANYARD_NYMEA_ALONE_TIMEOUT_MS": "2000"})


def open_by(kind, node):
    return getattr(node, kind)()


# ---- the upgrade ----

def test_the_upgrade_is_answered_as_by_qt(node):
    head = node.ws(origin="https://app.example").head.decode().split("\r\n")[1:]
    headers = dict(line.split(": ", 1) for line in head)
    assert abs(email.utils.parsedate_to_datetime(headers.pop("Date")).timestamp() - time.time()) < 600
    assert headers.pop("Sec-WebSocket-Accept")
    assert headers == {"Upgrade": "websocket", "Connection": "Upgrade", "Server": "nymea-remoteproxy",
                       "Access-Control-Allow-Credentials": "false", "Access-Control-Allow-Methods": "GET",
                       "Access-Control-Allow-Headers": "content-type",
                       "Access-Control-Allow-Origin": "https://app.example"}


@pytest.mark.parametrize("which", ["node", "tls_node"])
def test_two_clients_on_the_original_s_websocket_meet(request, which):
    node = request.getfixturevalue(which)
    url, shared = f"{'wss' if node.tls else 'ws'}://127.0.0.1:{node.ports['PAIR_WS']}", token()
    one, two = (subprocess.Popen(["/usr/bin/python3", HERE / "nymea_qt_client.py", url, shared, "n", name], text=True,
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE) for name in ("one", "two"))
    assert one.stdout.readline() == "met two {two}\n" and two.stdout.readline() == "met one {one}\n"
    for sender, receiver in ((one, two), (two, one)):
        for line in ("hello\n", "é" * 1000 + "\n", "x" * 2_000_000 + "\n"):  # Qt cuts what is over 512 KiB into frames
            sender.stdin.write(line)
            sender.stdin.flush()
            assert receiver.stdout.readline() == line
    one.stdin.close()
    assert one.stdout.readline() == "closed 1000 \n"
    assert two.stdout.readline() == "closed 1011 Tunnel client disconnected\n"
    assert one.wait(timeout=WAIT_S) == 0 and two.wait(timeout=WAIT_S) == 0


# ---- documents ----

@pytest.mark.parametrize("kind", ["ws", "tcp"])
def test_hello_is_answered_to_the_byte(node, kind):
    client = open_by(kind, node)
    client.send('{"id":0,"method":"RemoteProxy.Hello"}\n')
    assert client.document() == (b'{"id":0,"params":{"apiVersion":"0.3","name":"ny-test","server":"nymea-remoteproxy",'
                                 b'"version":"0.1.7"},"status":"success"}\n')


@pytest.mark.parametrize("text, answer, reason", [
    ("hello", '{"error":"Failed to parse JSON data: illegal value","id":-1,"status":"error"}\n',
     "Invalid JSON data received."),
    ("", '{"error":"Failed to parse JSON data: illegal value","id":-1,"status":"error"}\n',
     "Invalid JSON data received."),
    ('{"id":1,"method":"RemoteProxy.Hello"}{}',
     '{"error":"Failed to parse JSON data: garbage at the end of the document","id":-1,"status":"error"}\n',
     "Invalid JSON data received."),
    ('{"method":"RemoteProxy.Hello"}', '{"error":"Error parsing command. Missing \'id\'","id":-1,"status":"error"}\n',
     "The id property is missing in the request."),
    ('{"id":3,"method":"Hello"}',
     '{"error":"Error parsing method. Got: \'Hello\'\', Expected: \'Namespace.method\'","id":3,"status":"error"}\n',
     "Invalid method passed."),
    ('{"id":3,"method":"Foo.Hello"}', '{"error":"No such namespace","id":3,"status":"error"}\n', "No such namespace."),
    ('{"id":3,"method":"RemoteProxy.Foo"}', '{"error":"No such method","id":3,"status":"error"}\n', "No such method."),
    ('{"id":3,"method":"Authentication.Authenticate"}',
     '{"error":"Invalid params: Missing key name in {\\n}\\n","id":3,"status":"error"}\n', "Invalid params passed."),
])
def test_a_bad_request_is_answered_and_closed(node, text, answer, reason):
    client = node.ws()
    client.send(text)
    assert client.document().decode() == answer
    client.expect_closed(reason)


def test_binary_is_not_expected(node):
    client = node.ws()
    client.send(b"{}", opcode=2)
    client.expect_closed("Binary message not expected.")


def test_binary_is_not_expected_in_a_tunnel_either(node):
    one, two = pair(node.ws(), node.ws())
    one.send(b"\xff", opcode=2)
    one.expect_closed("Binary message not expected.")
    two.expect_closed("Tunnel client disconnected")


def test_documents_are_split_as_by_1_x(node):
    client = node.tcp()
    hello = '{"id":%d,"method":"RemoteProxy.Hello"}'
    client.send(hello % 1 + "\n" + hello % 2 + "\n")
    assert [client.answer()["id"], client.answer()["id"]] == [1, 2]
    for byte in hello % 3 + "\n":
        client.send(byte)
    assert client.answer()["id"] == 3
    client.send("x" * 10241)
    assert client.expect_closed() == b""


def test_a_message_without_end_costs_nothing(node):
    before = node.rss_kb()
    client = node.ws()
    client.send("{" + "x" * 65536, final=False)
    try:
        for _ in range(2400):
            client.send("x" * 65536, opcode=0, final=False)
    except OSError:
        pass  # it hung up
    assert node.rss_kb() - before < 20000


# ---- pairing: the rows of the table ----

@pytest.mark.parametrize("first", ["ws", "tcp"])
@pytest.mark.parametrize("second", ["ws", "tcp"])
@pytest.mark.parametrize("which", ["node", "tls_node"])
def test_two_clients_meet_and_their_bytes_flow(request, which, first, second):
    node = request.getfixturevalue(which)
    one, two = pair(open_by(first, node), open_by(second, node), nonce="n-1")
    one.send("Ping from one!\n")
    assert two.receive(15) == b"Ping from one!\n"
    two.send('{"a":1}\n')
    assert one.receive(8) == b'{"a":1}\n'
    big = secrets.token_hex(500000).encode()
    threading.Thread(target=one.send, args=(big,)).start()
    assert two.receive(len(big)) == big
    one.close()
    if second == "ws":
        two.expect_closed("Tunnel client disconnected")
    else:
        assert two.expect_closed() == b""


def test_data_before_the_tunnel_closes(node):
    client = node.ws().expect_success(token())
    client.send('{"id":0,"method":"RemoteProxy.Hello"}\n')
    client.expect_closed(DATA_WHILE_ALONE)


def test_a_second_authenticate_closes(node):
    client = node.ws()
    request = '{"id":%d,"method":"Authentication.Authenticate","params":{"name":"n","token":"' + token() + '","uuid":"u"}}'
    client.send(request % 1 + "\n" + request % 2 + "\n")
    while True:
        try:
            assert client.answer()["id"] == 1
        except Closed as closed:
            assert (closed.code, closed.reason) == (1011, DATA_WHILE_ALONE)
            return


def test_what_comes_together_with_an_authenticate_is_answered(node):
    client = node.tcp()
    client.send('{"id":1,"method":"Authentication.Authenticate","params":{"name":"n","token":"%s","uuid":"u"}}\n'
                '{"id":2,"method":"RemoteProxy.Hello"}\n' % token())
    assert {client.answer()["id"], client.answer()["id"]} == {1, 2}


@pytest.mark.parametrize("name, nonce", [("", ""), ("n", ""), ("", "n")])
def test_empty_tokens_names_and_nonces_are_as_good_as_others(world, name, nonce):
    node = world.node(**PATIENT, LANYARD_NYMEA_TENANT="018f0000-0000-7000-8000-" + secrets.token_hex(6))
    one, two = (node.ws().expect_success("", nonce, name=name, uuid=uuid) for uuid in ("{1}", "plain text"))
    assert one.expect_tunnel() == {"name": name, "uuid": "plain text"}
    assert two.expect_tunnel() == {"name": name, "uuid": "{1}"}


@pytest.mark.parametrize("nonce, reason", [("", "Duplicated client UUID."), ("n", "Client loop detected.")])
def test_the_same_uuid_twice(node, nonce, reason):
    shared = token()
    first = node.ws().expect_success(shared, nonce=nonce, uuid="{same}")
    second = node.ws()
    second.send('{"id":0,"method":"Authentication.Authenticate","params":{"name":"n","nonce":"%s","token":"%s",'
                '"uuid":"{same}"}}' % (nonce, shared))
    first.expect_closed(reason)
    second.expect_closed(reason)


def test_a_third_client_is_refused_and_the_pair_untouched(node):
    shared = token()
    first, second = node.ws().expect_success(shared, "n"), node.ws().expect_success(shared, "n")
    first.expect_tunnel(), second.expect_tunnel()
    third = node.ws()
    third.authenticate(shared, "n")
    third.expect_closed("Tunnel already exists for this token nonce combination.")
    second.send("still here")
    assert first.receive(10) == b"still here"
    pair(node.ws(), node.ws(), nonce="n")


@pytest.mark.parametrize("one, two", [
    (("t", ""), ("t", "n")), (("t", "n"), ("u", "n")), (("xb", "c"), ("x", "bc")), (("t", "a"), ("t", "b"))])
def test_these_never_meet(hasty_node, one, two):
    salt = secrets.token_hex(4)
    clients = [hasty_node.ws().expect_success(salt + name, nonce) for name, nonce in (one, two)]
    for client in clients:
        client.expect_closed("Proxy timeout occurred. The tunnel partner did not show up.")


def test_a_waiting_client_that_leaves_is_forgotten(node):
    shared = token()
    node.ws().expect_success(shared).close()
    second, third = node.ws().expect_success(shared), node.ws()
    third.expect_success(shared)
    second.expect_tunnel(), third.expect_tunnel()


def test_silence_is_closed(world):
    node = world.node(LANYARD_NYMEA_INACTIVE_TIMEOUT_MS="1500")
    node.ws().expect_closed("Proxy timeout occurred. The socket was inactive.")
    assert node.tcp().expect_closed() == b""


# ---- the relay ----

def test_utf8_is_carried_over_chunks_to_a_websocket(node):
    one, two = pair(node.tcp(), node.ws())
    for byte in "a€ä😀z".encode():
        one.send(bytes([byte]))
    assert two.receive(len("a€ä😀z".encode())) == "a€ä😀z".encode()


def test_messages_keep_their_borders(node):
    one, two = pair(node.ws(), node.ws())
    one.send("hel", final=False)
    one.send("lo", opcode=0)
    one.send("")
    one.send("world")
    assert [two.message() for _ in range(3)] == [(1, b"hello"), (1, b""), (1, b"world")]


def test_a_half_closed_connection_still_receives(node):
    one, two = pair(node.tcp(), node.tcp())
    one.send("question")
    one.socket.shutdown(socket.SHUT_WR)
    assert two.expect_closed() == b"question"
    two.send("answer")
    two.close()
    assert one.expect_closed() == b"answer"


def test_a_reader_that_stops_holds_the_sender(node):
    one, two = pair(node.tcp(), node.tcp())
    before = node.rss_kb()
    one.socket.settimeout(2)
    sent = 0
    with pytest.raises(TimeoutError):
        for _ in range(300 * 16):
            sent += one.socket.send(bytes(65536))
    assert node.rss_kb() - before < 8000  # a sanitizer's build; scripts/bench rendezvous has the figure
    assert len(two.receive(sent)) == sent


# ---- two nodes ----

@pytest.mark.parametrize("first", ["ws", "tcp"])
@pytest.mark.parametrize("second", ["ws", "tcp"])
def test_clients_of_two_nodes_meet(node, other_node, first, second):
    one, two = pair(open_by(first, node), open_by(second, other_node), nonce="far")
    one.send("over there")
    assert two.receive(10) == b"over there"
    big = secrets.token_hex(500000).encode()
    threading.Thread(target=two.send, args=(big,)).start()
    assert one.receive(len(big)) == big
    two.close()
    if first == "ws":
        one.expect_closed("Tunnel client disconnected")
    else:
        assert one.expect_closed() == b""


# ---- the tunnel proxy ----

@pytest.mark.parametrize("kind", ["ws", "tcp"])
@pytest.mark.parametrize("which", ["node", "other_node"])
def test_a_tunnel_server_has_many_clients(request, node, which, kind):
    there = request.getfixturevalue(which)
    server = Server(node.tcp("TUNNEL_TCP"))
    clients = [getattr(there, kind)(f"TUNNEL_{kind.upper()}") for _ in range(3)]
    for number, client in enumerate(clients, 1):
        assert register_client(client, server.uuid) == "TunnelProxyErrorNoError"
        address, document = server.frame()
        document = json.loads(document)
        assert address == 0 and document["notification"] == "TunnelProxy.ClientConnected"
        assert document["params"] == {"clientName": "cliB", "clientPeerAddress": "127.0.0.1", "socketAddress": number,
                                      "clientUuid": "{44444444-4444-4444-4444-444444444444}"}
    for number, client in enumerate(clients, 1):
        client.send(f"from {number}")
        assert server.frame() == (number, f"from {number}".encode())
        server.send(number, f"to {number}".encode())
        assert client.receive(4) == f"to {number}".encode()
    if kind == "tcp":
        clients[0].send(b"a\xc0b\xdbc")
        assert server.frame() == (1, b"a\xc0b\xdbc")
        server.send(1, b"x\xc0\xdby")
        assert clients[0].receive(4) == b"x\xc0\xdby"
    server.send(0, b'{"id":7,"method":"TunnelProxy.Ping","params":{"timestamp":1.7}}\n')
    assert json.loads(server.frame()[1]) == {"id": 7, "params": {"timestamp": 1.7}, "status": "success"}
    server.send(0, b'{"id":8,"method":"TunnelProxy.DisconnectClient","params":{"socketAddress":2}}\n')
    assert json.loads(server.frame()[1])["params"] == {"socketAddress": 2}
    assert json.loads(server.frame()[1])["params"] == {"tunnelProxyError": "TunnelProxyErrorNoError"}
    clients[0].close()
    gone = json.loads(server.frame()[1])
    assert gone["notification"] == "TunnelProxy.ClientDisconnected" and gone["params"] == {"socketAddress": 1}
    server.connection.close()
    if kind == "ws":
        clients[2].expect_closed("Server disconnected")
    else:
        assert clients[2].expect_closed() == b""


@pytest.mark.parametrize("name", ["", "x" + "é" * 200, "bell \a, \x85", "z" * 5000], ids=["empty", "cut", "control", "long"])
def test_servers_and_clients_may_have_any_name(node, other_node, name):
    uuid, server = "{%s-3333-3333-3333-333333333333}" % secrets.token_hex(4), node.tcp("TUNNEL_TCP")
    answer = server.call("TunnelProxy.RegisterServer", {"serverName": name, "serverUuid": uuid})
    assert answer["params"]["tunnelProxyError"] == "TunnelProxyErrorNoError"
    for there in node, other_node:
        assert register_client(there.tcp("TUNNEL_TCP"), uuid, name) == "TunnelProxyErrorNoError"


def test_tunnel_registrations_that_are_refused(node, other_node):
    server = Server(node.tcp("TUNNEL_TCP"))
    for there in (node, other_node):
        second = there.tcp("TUNNEL_TCP")
        answer = second.call("TunnelProxy.RegisterServer", {"serverName": "x", "serverUuid": server.uuid})
        assert answer["params"] == {"slipEnabled": False, "tunnelProxyError": "TunnelProxyErrorAlreadyRegistered"}
        assert second.expect_closed() == b""
    client = node.tcp("TUNNEL_TCP")
    assert register_client(client, "nonsense") == "TunnelProxyErrorInvalidUuid"
    assert register_client(client, "{99999999-3333-3333-3333-333333333333}") == "TunnelProxyErrorServerNotFound"
    assert client.expect_closed() == b""
    for there in (node, other_node):
        client = there.tcp("TUNNEL_TCP")
        answer = client.call("TunnelProxy.RegisterClient",
                             {"clientName": "c", "clientUuid": server.uuid, "serverUuid": server.uuid})
        assert answer["params"] == {"tunnelProxyError": "TunnelProxyErrorAlreadyRegistered"}
        assert client.expect_closed() == b""
    client = node.tcp("TUNNEL_TCP")
    assert client.call("Authentication.Authenticate")["error"] == "No such namespace"


# ---- failures ----

def test_pairs_live_on_without_rendezvous_and_waiting_clients_meet_when_it_is_back(world, node, other_node):
    alive = [pair(node.ws(), node.tcp()) for _ in range(10)]
    waiting = [(token(), node.ws()) for _ in range(30)]
    for shared, client in waiting:
        client.expect_success(shared)
    world.rendezvous.kill()
    partners = [(node if i % 2 else other_node).ws() for i in range(len(waiting))]
    for (shared, _), partner in zip(waiting, partners):
        partner.send('{"id":0,"method":"Authentication.Authenticate","params":{"name":"n","token":"%s","uuid":"u"}}\n'
                     % shared)
    for one, two in alive:
        one.send("alive")
        assert two.receive(5) == b"alive"
    world.rendezvous.start()
    for (_, client), partner in zip(waiting, partners):
        assert partner.answer()["params"] == {"authenticationError": "AuthenticationErrorNoError"}
        partner.expect_tunnel(), client.expect_tunnel()


def test_a_node_that_stops_says_so(world):
    node = world.node(**PATIENT)
    client = node.ws()
    client.call("RemoteProxy.Hello")
    node.stop()
    client.expect_closed("Stop server", 1000)
