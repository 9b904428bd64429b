"""lanyard pair through nymea's doors of a node: two shells, ports and sockets, tunnel servers and their clients."""

import json
import os
import pathlib
import re
import secrets
import socket
import subprocess
import threading

import pytest

from nymea_client import WAIT_S, Server, register_client
from nymea_world import BUILD, World, wait_for

BINARY = bytes(range(256)) * 1200 + b"\xc0\xdb\xc0\xc0"


@pytest.fixture(scope="session")
def world():
    world = World()
    yield world
    world.close()


@pytest.fixture(scope="session")
def node(world):
    return world.node(LANYARD_NYMEA_INACTIVE_TIMEOUT_MS="20000", LANYARD_NYMEA_ALONE_TIMEOUT_MS="20000")


@pytest.fixture(scope="session")
def tls_node(world):
    return world.node(LANYARD_NYMEA_INACTIVE_TIMEOUT_MS="20000", LANYARD_NYMEA_ALONE_TIMEOUT_MS="20000",
                      LANYARD_NYMEA_TLS="true", LANYARD_NYMEA_TLS_CERT=str(world.cert),
                      LANYARD_NYMEA_TLS_KEY=str(world.key))


@pytest.fixture(scope="session")
def hasty_node(world):
    return world.node(LANYARD_NYMEA_ALONE_TIMEOUT_MS="1000")


def token():
    return "token-" + secrets.token_hex(8)


def lanyard_pair(*arguments, **more):
    return subprocess.Popen([str(BUILD / "bin/lanyard"), "pair", *arguments], stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)


@pytest.mark.parametrize("first", ["wss", "ssl"])
@pytest.mark.parametrize("second", ["wss", "ssl"])
def test_two_shells_talk(world, tls_node, first, second):
    doors = {"wss": tls_node.ports["PAIR_WS"], "ssl": tls_node.ports["PAIR_TCP"]}
    secret = world.folder / "token"
    secret.write_text(token() + "\n")
    one, two = (lanyard_pair(f"@{secret}", "--url", f"{scheme}://localhost:{doors[scheme]}", "--nonce", "n", "--ca",
                             str(world.cert)) for scheme in (first, second))
    big = secrets.token_hex(300000)
    one.stdin.write(b"hello\n")
    one.stdin.flush()
    assert two.stdout.readline() == b"hello\n", two.stderr.read()
    threading.Thread(target=lambda: (two.stdin.write(big.encode() + b"\n"), two.stdin.flush())).start()
    assert one.stdout.readline() == big.encode() + b"\n"
    one.stdin.close()
    for shell in (one, two):
        assert shell.wait(timeout=WAIT_S) == 0, shell.stderr.read()


def test_a_shell_reaches_a_tunnel_server(node):
    server = Server(node.tcp("TUNNEL_TCP"))
    shell = lanyard_pair(server.uuid, "--tunnel", "--url", f"tcp://127.0.0.1:{node.ports['TUNNEL_TCP']}")
    assert server.frame()[0] == 0
    shell.stdin.write(b"question")
    shell.stdin.flush()
    assert server.frame() == (1, b"question")
    server.send(1, b"answer")
    assert shell.stdout.read(6) == b"answer"
    shell.stdin.close()
    assert b"ClientDisconnected" in server.frame()[1]


def test_a_shell_says_why_nobody_is_there(node, hasty_node):
    shell = lanyard_pair("t", "--url", f"ws://127.0.0.1:{hasty_node.ports['PAIR_WS']}")
    assert shell.wait(timeout=WAIT_S) == 1
    assert b"The tunnel partner did not show up." in shell.stderr.read()
    shell = lanyard_pair("{99999999-3333-3333-3333-333333333333}", "--tunnel", "--url",
                         f"tcp://127.0.0.1:{node.ports['TUNNEL_TCP']}")
    assert shell.wait(timeout=WAIT_S) == 1
    assert b"TunnelProxyErrorServerNotFound" in shell.stderr.read()
    shell = lanyard_pair("t", "--url", "http://127.0.0.1:1")
    assert shell.wait(timeout=WAIT_S) == 1


@pytest.mark.parametrize("door", ["PAIR_WS", "PAIR_TCP"])
def test_messages_of_any_length_arrive(node, door):
    """nymea's clients send what they have as one message."""
    secret, big = token(), secrets.token_hex(1_500_000).encode()
    shell = lanyard_pair(secret, "--url", f"ws://127.0.0.1:{node.ports['PAIR_WS']}")
    client = (node.ws if door == "PAIR_WS" else node.tcp)(door).expect_success(secret)
    client.expect_tunnel()
    sender = threading.Thread(target=client.send, args=(big,))
    sender.start()
    assert shell.stdout.read(len(big)) == big, shell.stderr.read()
    sender.join()
    client.close()
    assert shell.wait(timeout=WAIT_S) == 0, shell.stderr.read()


def test_a_server_that_says_nothing_is_given_up():
    words = {"wss": b"does not answer in TLS", "ssl": b"does not answer in TLS", "ws": b"no answer to the handshake"}
    with socket.create_server(("127.0.0.1", 0)) as mute:
        shells = {scheme: lanyard_pair("t", "--url", f"{scheme}://127.0.0.1:{mute.getsockname()[1]}")
                  for scheme in words}
        for scheme, shell in shells.items():
            assert shell.wait(timeout=WAIT_S) == 1
            assert words[scheme] in shell.stderr.read()


def url(node, scheme, door="PAIR"):
    return f"{scheme}://localhost:{node.ports[door + ('_WS' if scheme.startswith('ws') else '_TCP')]}"


def exchange(one, two):
    """Both directions between two sockets, binary, and then the end of one direction alone."""
    writer = threading.Thread(target=one.sendall, args=(BINARY,))
    writer.start()
    assert receive(two, len(BINARY)) == BINARY
    writer.join()
    one.shutdown(socket.SHUT_WR)
    assert two.recv(1) == b""
    two.sendall(b"answer after the end")
    two.close()
    assert receive(one, 20) == b"answer after the end" and one.recv(1) == b""


def receive(sock, n):
    data = b""
    while len(data) < n:
        part = sock.recv(n - len(data))
        assert part, f"ended after {len(data)} bytes"
        data += part
    return data


def reach(where):
    sock = socket.socket(socket.AF_UNIX if isinstance(where, str) else socket.AF_INET)
    sock.settimeout(WAIT_S)
    wait_for("the local side", lambda: sock.connect_ex(where) == 0)
    return sock


@pytest.mark.parametrize("local", ["port", "socket"])
def test_a_port_or_socket_reaches_a_service(world, node, tls_node, local):
    """One side listens here, the other one connects to a service there; not a byte is changed."""
    with socket.create_server(("127.0.0.1", 0)) as service, socket.create_server(("127.0.0.1", 0)) as free:
        service.settimeout(WAIT_S)
        where = str(world.folder / f"local-{secrets.token_hex(4)}") if local == "socket" else free.getsockname()
        free.close()
        environment = {**os.environ, "LANYARD_PAIR_TOKEN": token()}
        arguments = ["-", "--url", url(tls_node, "ssl"), "--ca", str(world.cert)]
        here = lanyard_pair(*arguments, "--listen", where if local == "socket" else "%s:%d" % where, env=environment)
        there = lanyard_pair(*arguments, "--connect", "127.0.0.1:%d" % service.getsockname()[1], env=environment)
        exchange(reach(where), service.accept()[0])
        assert here.wait(timeout=WAIT_S) == 0 and there.wait(timeout=WAIT_S) == 0
        assert b"connected with lanyard" in here.stderr.read()


@pytest.mark.parametrize("scheme", ["tcp", "ws", "ssl", "wss"])
def test_a_tunnel_server_for_a_service(world, node, tls_node, scheme):
    """lanyard pair --serve behind the tunnel proxy; nymea's clients and lanyard pair --tunnel reach what is there."""
    there = tls_node if scheme in ("ssl", "wss") else node
    uuid = f"{{{secrets.token_hex(4)}-3333-3333-3333-333333333333}}"
    with socket.create_server(("127.0.0.1", 0)) as service:
        service.settimeout(WAIT_S)
        server = lanyard_pair(uuid, "--serve", "--connect", "127.0.0.1:%d" % service.getsockname()[1], "--url",
                              url(there, scheme, "TUNNEL"), "--ca", str(world.cert), "--name", "my server")
        assert b"registered as " + uuid.encode() in server.stderr.readline()
        clients = [there.tcp("TUNNEL_TCP") for _ in range(3)]
        places = []
        for client in clients:
            assert register_client(client, uuid) == "TunnelProxyErrorNoError"
            places.append(service.accept()[0])
        assert re.fullmatch(rb"lanyard pair: client 1 has come: cliB\n", server.stderr.readline())
        for client, place in zip(clients, places):
            writer = threading.Thread(target=client.send, args=(BINARY,))
            writer.start()
            assert receive(place, len(BINARY)) == BINARY
            writer.join()
            writer = threading.Thread(target=place.sendall, args=(BINARY,))
            writer.start()
            assert client.receive(len(BINARY)) == BINARY
            writer.join()
        clients[0].close()
        assert places[0].recv(1) == b"", "the service is told that the client has gone"
        places[1].sendall(b"bye")
        places[1].close()
        assert clients[1].expect_closed() == b"bye", "and the client that the service has"
        shell = lanyard_pair(uuid, "--tunnel", "--url", url(there, "ssl" if there.tls else "tcp", "TUNNEL"), "--ca",
                             str(world.cert))
        shell.stdin.write(b"question")
        shell.stdin.flush()
        place = service.accept()[0]
        assert receive(place, 8) == b"question"
        place.sendall(b"answer")
        assert shell.stdout.read(6) == b"answer"
        place.close()
        assert shell.wait(timeout=WAIT_S) == 0
        clients[2].send(b"still there")
        assert receive(places[2], 11) == b"still there"
        server.terminate()
        server.wait(timeout=WAIT_S)
        assert clients[2].expect_closed() == b""


def test_a_service_that_is_not_there_ends_its_client_only(node):
    uuid = f"{{{secrets.token_hex(4)}-3333-3333-3333-333333333333}}"
    with socket.create_server(("127.0.0.1", 0)) as service:
        nowhere = service.getsockname()[1]
    server = lanyard_pair(uuid, "--serve", "--connect", f"127.0.0.1:{nowhere}", "--url", url(node, "tcp", "TUNNEL"))
    assert b"registered" in server.stderr.readline()
    for _ in range(2):
        client = node.tcp("TUNNEL_TCP")
        assert register_client(client, uuid) == "TunnelProxyErrorNoError"
        assert client.expect_closed() == b""
        assert b"has come" in server.stderr.readline()
        assert b"Connection refused" in server.stderr.readline()
    server.terminate()
    server.wait(timeout=WAIT_S)


def test_a_client_that_takes_nothing_does_not_hold_the_others_for_ever(node):
    uuid = f"{{{secrets.token_hex(4)}-3333-3333-3333-333333333333}}"
    with socket.create_server(("127.0.0.1", 0)) as service:
        service.settimeout(WAIT_S)
        server = lanyard_pair(uuid, "--serve", "--connect", "127.0.0.1:%d" % service.getsockname()[1], "--url",
                              url(node, "tcp", "TUNNEL"), "--quiet",
                              env={**os.environ, "ASAN_OPTIONS": "quarantine_size_mb=1"})
        wait_for("the server", lambda: register_client(node.tcp("TUNNEL_TCP"), uuid) == "TunnelProxyErrorNoError")
        service.accept()[0].close()
        slow, other = node.tcp("TUNNEL_TCP"), node.tcp("TUNNEL_TCP")
        places = []
        for client in (slow, other):
            assert register_client(client, uuid) == "TunnelProxyErrorNoError"
            places.append(service.accept()[0])
        before = resident_kb(server)
        flood = threading.Thread(target=lambda: [slow.send(b"x" * 65536) for _ in range(1000)], daemon=True)
        threading.excepthook = lambda _: None  # the flood ends with the connection
        flood.start()
        flood.join(timeout=2)
        other.send(b"hello")
        assert receive(places[1], 5) == b"hello"
        assert resident_kb(server) - before < 20000, "of 64 MB"
        server.terminate()
        server.wait(timeout=WAIT_S)


def resident_kb(process):
    text = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", text)[1])


@pytest.mark.parametrize("arguments, words", [
    ([], "TOKEN is missing"), (["t"], "--url is missing"),
    (["t", "--url", "tcp://a:1", "--listen", "x", "--connect", "y"], "not both"),
    (["t", "--url", "tcp://a:1", "--tunnel", "--serve"], "not both"),
    (["t", "--url", "tcp://a:1", "--serve"], "--serve needs --connect"),
    (["t", "--url", "wss://a:1/pair"], "needs --nonce"),
    (["t", "--url", "wss://a:1/pair", "--nonce", "n", "--tunnel"], "no tunnel servers"),
])
def test_wrong_usage_is_told(arguments, words):
    shell = lanyard_pair(*arguments)
    assert shell.wait(timeout=WAIT_S) == 2
    told = shell.stderr.read().decode()
    assert words in told and "lanyard pair --help" in told
