"""Crowds at the doors for nymea's clients, clients that are slow, silent or gone, and the time limits: nobody else
notices, and all of it is given back."""

import contextlib
import itertools
import resource
import secrets
import select
import socket
import ssl
import struct
import threading
import time

import pytest

from nymea_client import WAIT_S, Closed, Connection, Server
from nymea_world import World, wait_for

N_SILENT = 10000
N_PAIRS = 1000
PATIENT = {"LANYARD_NYMEA_INACTIVE_TIMEOUT_MS": "120000", "LANYARD_NYMEA_ALONE_TIMEOUT_MS": "120000",
           "LANYARD_NYMEA_AUTHENTICATION_TIMEOUT_MS": "120000", "LANYARD_NYMEA_JSON_RPC_TIMEOUT_MS": "120000",
           "LANYARD_NYMEA_PER_ADDRESS": "100000"}
INACTIVE = "Proxy timeout occurred. The socket was inactive."


@pytest.fixture(scope="module")
def world():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    world = World()
    yield world
    world.close()
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture(scope="module")
def node(world):
    return world.node(**PATIENT)


@pytest.fixture(scope="module")
def tls_node(world):
    return world.node(**PATIENT, LANYARD_NYMEA_TLS="true", LANYARD_NYMEA_TLS_CERT=str(world.cert),
                      LANYARD_NYMEA_TLS_KEY=str(world.key))


def pair(first, second):
    shared = secrets.token_hex(8)
    for number, client in enumerate((first, second)):
        client.expect_success(shared, uuid=f"{{{number}}}")
    first.expect_tunnel(), second.expect_tunnel()
    return first, second


def talk(first, second):
    """Each hears the other."""
    for one, other in ((first, second), (second, first)):
        one.send("hello")
        assert other.receive(5) == b"hello"


def ask_for_pair(client, token):
    client.send('{"id":0,"method":"Authentication.Authenticate","params":{"name":"n","token":"%s","uuid":"%s"}}\n'
                % (token, secrets.token_hex(8)))


def connect_many(stack, port, count):
    return [stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=WAIT_S)) for _ in range(count)]


def await_ends(connections):
    """Reads all of them until each has ended."""
    poll, open_ = select.poll(), {connection.fileno(): connection for connection in connections}
    for number in open_:
        poll.register(number, select.POLLIN)
    deadline = time.monotonic() + 4 * WAIT_S
    while open_:
        assert time.monotonic() < deadline, f"{len(open_)} were never closed"
        for number, _ in poll.poll(1000):
            with contextlib.suppress(ConnectionResetError):
                if open_[number].recv(65536):
                    continue
            poll.unregister(number)
            del open_[number]


# ---- crowds ----

def test_ten_thousand_connections_that_say_nothing(world):
    node = world.node(LANYARD_NYMEA_PER_ADDRESS="100000")
    talk(*pair(node.ws(), node.tcp()))
    before = node.rss_kb()
    with contextlib.ExitStack() as stack:
        crowd = [connection for door in ("PAIR_WS", "PAIR_TCP", "TUNNEL_WS", "TUNNEL_TCP")
                 for connection in connect_many(stack, node.ports[door], N_SILENT // 4)]
        talk(*pair(node.ws(), node.tcp()))
        assert node.rss_kb() - before < N_SILENT * 30  # of a sanitizer's build, which keeps what was freed
        await_ends(crowd)
    talk(*pair(node.ws(), node.tcp()))
    assert node.log().count("\n") < 200, "a log line for each"


@pytest.mark.parametrize("door", ["PAIR_WS", "PAIR_TCP"])
def test_handshakes_of_tls_that_never_finish(tls_node, door):
    hello = ssl.MemoryBIO()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client = context.wrap_bio(ssl.MemoryBIO(), hello, server_hostname="localhost")
    with contextlib.suppress(ssl.SSLWantReadError):
        client.do_handshake()
    begin = hello.read()
    with contextlib.ExitStack() as stack:
        crowd = connect_many(stack, tls_node.ports[door], 300)
        for number, connection in enumerate(crowd):
            connection.sendall(begin[:number % len(begin)] if number % 3 else begin)
        talk(*pair(tls_node.ws(), tls_node.tcp()))
        await_ends(crowd)


def is_served(node):
    with contextlib.closing(node.tcp()) as client, contextlib.suppress(Closed, ConnectionError):
        return client.call("RemoteProxy.Hello")


def test_connections_of_one_address_are_counted(world):
    node = world.node(LANYARD_NYMEA_PER_ADDRESS="20")
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(contextlib.closing(node.tcp())) for _ in range(20)]
        for client in clients:
            client.call("RemoteProxy.Hello")
        assert node.tcp().expect_closed() == b""
        clients[0].call("RemoteProxy.Hello")
    wait_for("room", lambda: is_served(node))


# ---- one byte after the other, and without end ----

class Drip(Connection):
    """Sends each byte by itself."""

    def send_bytes(self, data):
        for byte in data:
            self.socket.sendall(bytes([byte]))


@pytest.mark.parametrize("which", ["node", "tls_node"])
def test_bytes_one_at_a_time(request, which):
    there = request.getfixturevalue(which)
    client = Drip(there.ports["PAIR_WS"], there.tls)
    client.send_bytes(b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                      b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
    while b"\r\n\r\n" not in client.buffer:
        assert client.more()
    hello = b'{"id":5,"method":"RemoteProxy.Hello"}\n'
    client.buffer = b""
    client.send_bytes(bytes([0x81, 0x80 | len(hello)]) + bytes(4) + hello)
    while b'"status":"success"' not in client.buffer:
        assert client.more(), client.buffer
    assert b'"id":5' in client.buffer


def test_a_message_without_end_flows_through_a_pair(world):
    node = world.node(**PATIENT, ASAN_OPTIONS="quarantine_size_mb=1")  # else it keeps what was freed
    first, second = pair(node.ws(), node.ws())
    before, part, n = node.rss_kb(), "x" * 65536, 2400

    def send():
        for number in range(n):
            first.send(part, opcode=0 if number else 1, final=False)

    sender = threading.Thread(target=send)
    sender.start()
    received = 0
    while received < n * len(part):
        kind, final, data = second.frame()
        assert not final and kind == (0 if received else 1)
        received += len(data)
    sender.join()
    assert received == n * len(part) and node.rss_kb() - before < 20000


# ---- answers that cost more than the request ----

INTROSPECT = b'{"id":0,"method":"RemoteProxy.Introspect"}\n'


def ask_and_read_nothing(client, request):
    """Until the node hangs up, or has taken far more than it may keep the answers of."""
    with contextlib.suppress(OSError):
        for _ in range(40000):
            client.send(request)


@pytest.mark.parametrize("door", ["PAIR_WS", "PAIR_TCP", "TUNNEL_WS", "TUNNEL_TCP"])
def test_who_asks_on_and_reads_no_answers_is_sent_away(node, door):
    before = node.rss_kb()
    client = node.ws(door) if door.endswith("WS") else node.tcp(door)
    ask_and_read_nothing(client, INTROSPECT)
    assert node.rss_kb() - before < 40000  # 100 MB of answers, in a sanitizer's build
    client.close()
    assert is_served(node)


def test_a_tunnel_server_that_reads_no_answers_is_sent_away(node):
    server = Server(node.tcp("TUNNEL_TCP"))
    before = node.rss_kb()
    ask_and_read_nothing(server.connection, struct.pack(">H", 0) + INTROSPECT + b"\xc0")
    assert node.rss_kb() - before < 40000
    server.connection.close()
    assert is_served(node)


@pytest.mark.parametrize("kind, n", [("tcp", 1500), ("ws", 25000)])
def test_a_refusal_is_not_much_longer_than_its_request(node, kind, n):
    request = ('{"id":1,"method":"RemoteProxy.Hello","params":{"a":' + "[" * 1500 + ",".join("1" * n) + "]" * 1500
               + "}}\n").encode()
    client = getattr(node, kind)()
    client.send(request)
    answer = client.document()
    assert b"Forbidden key" in answer and len(answer) < len(request) + 1000


# ---- who is gone, and who is silent ----

def answer_pings(client, over):
    while not over.is_set():
        kind, _, payload = client.frame()
        assert kind == 9
        client.send(payload, 10)


def test_a_client_that_is_gone_without_a_word_is_noticed(world):
    node = world.node(**PATIENT, LANYARD_PAIR_PING_S="1")
    alive = pair(node.ws(), node.ws())
    over = threading.Event()
    answering = [threading.Thread(target=answer_pings, args=(client, over)) for client in alive]
    for thread in answering:
        thread.start()
    mute, partner = pair(node.ws(), node.ws())
    partner.expect_closed("Tunnel client disconnected")
    over.set()
    for thread in answering:
        thread.join(WAIT_S)
        assert not thread.is_alive(), "no pings came"
    talk(*alive)
    mute.close()


def test_a_pair_that_carries_nothing_is_closed(world):
    node = world.node(**PATIENT, LANYARD_PAIR_IDLE_S="2")
    busy = pair(node.ws(), node.tcp())
    over = threading.Event()

    def chat():
        while not over.is_set():
            talk(*busy)
            time.sleep(0.05)

    chatting = threading.Thread(target=chat)
    chatting.start()
    try:
        idle, partner = pair(node.ws(), node.ws())
        closed = []
        for client in (idle, partner):
            try:
                while True:
                    client.message()
            except Closed as end:
                closed.append((end.code, end.reason))
        assert (1011, "the pair was idle") in closed, closed
    finally:
        over.set()
        chatting.join()
    talk(*busy)


# ---- the time limits ----

@pytest.fixture
def mute_authorizer():
    """Takes questions, and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield {"LANYARD_NYMEA_AUTHENTICATOR": "http",
               "LANYARD_NYMEA_AUTHORIZER_URL": f"http://127.0.0.1:{server.getsockname()[1]}/"}


@pytest.mark.parametrize("short, answer, reason", [
    ("AUTHENTICATION", {"id": 0, "params": {"authenticationError": "AuthenticationErrorTimeout"}, "status": "success"},
     "API call was not successfully."),
    ("JSON_RPC", {"id": 0, "error": "Command timed out", "status": "error"}, "API call timeouted."),
    ("INACTIVE", None, INACTIVE),
])
def test_an_authenticator_that_does_not_answer(world, mute_authorizer, short, answer, reason):
    limits = {f"LANYARD_NYMEA_{name}_TIMEOUT_MS": "1000" if name == short else "60000"
              for name in ("AUTHENTICATION", "JSON_RPC", "INACTIVE")}
    node = world.node(**mute_authorizer, **limits)
    for client in (node.ws(), node.tcp()):
        ask_for_pair(client, "token")
        if answer:
            assert client.answer() == answer
        assert client.expect_closed(reason) in (None, b"")


def test_a_client_that_leaves_while_it_is_judged(world, mute_authorizer):
    node = world.node(**mute_authorizer)
    for _ in range(20):
        client = node.ws()
        ask_for_pair(client, "token")
        client.close()
    assert node.ws().call("RemoteProxy.Hello")["status"] == "success"


def test_requests_of_a_client_keep_it_from_being_inactive(world):
    node = world.node(LANYARD_NYMEA_INACTIVE_TIMEOUT_MS="1500")
    with contextlib.closing(node.ws()) as silent, contextlib.closing(node.ws()) as talking:
        closing = threading.Thread(target=silent.expect_closed, args=(INACTIVE,))
        closing.start()
        while closing.is_alive():
            assert talking.call("RemoteProxy.Hello")["status"] == "success"
            time.sleep(0.1)
        assert talking.call("RemoteProxy.Hello")["status"] == "success"
        talking.expect_closed(INACTIVE)


def test_a_tunnel_server_that_is_silent_is_closed(world):
    node = world.node(**PATIENT, LANYARD_NYMEA_SERVER_TIMEOUT_MS="1500")
    servers = [node.tcp("TUNNEL_TCP") for _ in range(2)]
    for number, server in enumerate(servers):
        answer = server.call("TunnelProxy.RegisterServer", {
            "serverName": "s", "serverUuid": f"{{0000000{number}-3333-3333-3333-333333333333}}"})
        assert answer["params"]["tunnelProxyError"] == "TunnelProxyErrorNoError"
    ping = struct.pack(">H", 0) + b'{"id":1,"method":"TunnelProxy.Ping","params":{"timestamp":1}}\n\xc0'
    closing = threading.Thread(target=servers[0].expect_closed)
    closing.start()
    while closing.is_alive():
        servers[1].send(ping)
        assert servers[1].more(), "a server that pings was closed"
        time.sleep(0.2)


# ---- rendezvous is killed ----

def living(pairs, items):
    """The items; meanwhile the clients of the pairs say that they live, as those do that answer pings."""
    for n, item in enumerate(items):
        if n % 200 == 0:
            for client in itertools.chain(*pairs):
                client.send(b"", 10)
        yield item


def test_a_thousand_pairs_and_a_thousand_waiting_clients_outlive_rendezvous(world, node):
    alive = []
    for _ in living(alive, range(N_PAIRS)):
        alive.append(pair(node.ws(), node.ws()))
    waiting = [(secrets.token_hex(8), node.ws()) for _ in living(alive, range(N_PAIRS))]
    for token, client in waiting:
        ask_for_pair(client, token)
    for _, client in living(alive, waiting):
        assert client.answer()["params"] == {"authenticationError": "AuthenticationErrorNoError"}
    world.rendezvous.kill()
    partners = [node.ws() for _ in living(alive, waiting)]
    for (token, _), partner in zip(waiting, partners):
        ask_for_pair(partner, token)
    for first, second in living(alive, alive):
        talk(first, second)
    world.rendezvous.start()
    begin = time.monotonic()
    for (_, client), partner in living(alive, zip(waiting, partners)):
        assert partner.answer()["params"] == {"authenticationError": "AuthenticationErrorNoError"}
        partner.expect_tunnel(), client.expect_tunnel()
    print(f"{N_PAIRS} waiting clients were paired {time.monotonic() - begin:.1f} s after the start of rendezvous")
    for (_, client), partner in living(alive, zip(waiting, partners)):
        talk(client, partner)
    for first, second in alive:
        talk(first, second)
        first.close(), second.close()
