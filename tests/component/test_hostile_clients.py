"""Clients that cost a node what it has little of: descriptors, time, memory. It goes on serving the others, says what
is wrong once and not a thousand times, and has all of it back afterwards."""

import contextlib
import os
import resource
import socket
import time

import pytest

from vpnws_world import (Node, WAIT_S, connect_to, free_port, read_all, run, temporary_folder, uwsgi_packet, wait_for)

REQUEST = b"GET /nothing HTTP/1.1\r\nHost: node\r\n\r\n"
N_STORM = 2000


@pytest.fixture
def node():
    with temporary_folder() as folder:
        running = Node(folder).start()
        yield running
        running.stop()


@pytest.fixture
def silent(node):
    """Makes connections that say nothing; those that are left are closed in the end."""
    with contextlib.ExitStack() as stack:
        yield lambda count: [stack.enter_context(connect_to(("127.0.0.1", node.port))) for _ in range(count)]


def n_descriptors(node):
    return len(os.listdir(f"/proc/{node.process.pid}/fd"))


def n_connections(node):
    """That the node has not closed."""
    return len(run("ss", "-Htn", "state", "established", "state", "close-wait", "sport", "=",
                   f":{node.port}").stdout.splitlines())


def ask(node, connection=None):
    """The status of a request."""
    with connection or connect_to(("127.0.0.1", node.port)) as asking:
        asking.sendall(REQUEST)
        return read_all(asking).split(b"\r\n")[0]


def ask_uwsgi(node, connection=None):
    """The status page of vpn-ws."""
    with connection or connect_to(node.uwsgi) as asking:
        asking.sendall(uwsgi_packet(1, {"QUERY_STRING": ""}))
        return read_all(asking).split(b"\r\n")[0]


def ask_nymea(node, connection=None):
    """What the pairing server of nymea says to a message that is none."""
    with connection or connect_to(("127.0.0.1", node.nymea_port)) as asking:
        asking.sendall(b"{}\n")
        return asking.recv(20)


@pytest.fixture
def node_with_doors():
    with temporary_folder() as folder:
        uwsgi, nymea_port = folder / "vpn.sock", free_port()
        node = Node(folder, uwsgi, environment={"LANYARD_NYMEA_TUNNEL_TCP": f"127.0.0.1:{nymea_port}",
                                                "LANYARD_NYMEA_TLS": "false"})
        node.uwsgi, node.nymea_port = uwsgi, nymea_port
        yield node.start()
        node.stop()


@pytest.mark.parametrize("door, ask_there", [("main", ask), ("uwsgi", ask_uwsgi), ("nymea", ask_nymea)])
def test_a_door_without_descriptors_serves_who_is_there_and_recovers(node_with_doors, door, ask_there):
    node = node_with_doors
    address = {"main": ("127.0.0.1", node.port), "uwsgi": node.uwsgi, "nymea": ("127.0.0.1", node.nymea_port)}[door]
    usual = ask_there(node)
    assert usual
    with contextlib.ExitStack() as stack:
        early = stack.enter_context(connect_to(address))
        assert ask_there(node) == usual  # so the early one was accepted
        limit = n_descriptors(node) + 10
        resource.prlimit(node.process.pid, resource.RLIMIT_NOFILE, (limit, limit))
        begin, used = time.monotonic(), node.cpu_s()
        crowd = [stack.enter_context(connect_to(address)) for _ in range(60)]
        wait_for("the end of descriptors", lambda: "accept_failed" in node.log())
        assert ask_there(node, early) == usual
        wait_for("more than one rest", lambda: node.log().count("accept_failed") > 1)
        assert node.cpu_s() - used < (time.monotonic() - begin) / 2, "it does not spin"
        for connection in crowd:
            connection.close()
    assert ask_there(node) == usual
    assert node.metric("lanyard_accepts_failed_total") > 1
    log, where = node.log(), str(address) if door == "uwsgi" else f"{address[0]}:{address[1]}"
    assert all(where in line for line in log.splitlines() if "accept_failed" in line)
    assert log.count("accept_failed") <= time.monotonic() - begin + 2, "one line a second"
    wait_for("a word that it is over", lambda: "accepting_again" in node.log())


def test_a_dripped_request_is_answered_408(node):
    with connect_to(("127.0.0.1", node.port)) as connection:
        connection.settimeout(0.1)
        answer, n_sent = b"", 0
        end = time.monotonic() + 2 * WAIT_S
        connection.sendall(b"GET /nothing HTTP/1.1\r\nHost: node\r\nX: ")
        while not answer.endswith(b"\n\n") and b"408" not in answer:
            assert time.monotonic() < end, "the node waits for ever"
            connection.sendall(b"x")
            n_sent += 1
            with contextlib.suppress(TimeoutError, socket.timeout):
                answer += connection.recv(4096)
        assert answer.startswith(b"HTTP/1.1 408 "), answer
        assert n_sent > 10


def test_a_storm_of_connections_that_say_nothing_keeps_nobody_out(node, silent):
    usual, before, lines = ask(node), n_descriptors(node), node.log().count("\n")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, N_STORM + 500)), hard))
    crowd = silent(N_STORM)
    assert ask(node) == usual
    wait_for("all of them", lambda: n_descriptors(node) >= before + N_STORM / 2)
    assert ask(node) == usual
    for connection in crowd:
        assert read_all(connection).startswith(b"HTTP/1.1 408 ")
    for connection in crowd:
        connection.close()
    wait_for("no connection", lambda: n_connections(node) == 0)
    assert ask(node) == usual
    assert node.log().count("\n") - lines < 50, "a log line for each"
