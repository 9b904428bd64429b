"""Clients that cost a node what it has little of: descriptors, time, memory. It goes on serving the others, says what
is wrong once and not a thousand times, and has all of it back afterwards."""

import contextlib
import os
import resource
import socket
import time

import pytest

from vpnws_world import Node, WAIT_S, connect_to, read_all, run, temporary_folder, wait_for

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


def test_a_node_without_descriptors_serves_who_is_there_and_recovers(node, silent):
    usual = ask(node)
    assert usual.startswith(b"HTTP/1.1 4")
    early, = silent(1)
    limit = n_descriptors(node) + 10
    assert ask(node) == usual  # so the early one was accepted
    resource.prlimit(node.process.pid, resource.RLIMIT_NOFILE, (limit, limit))
    begin = time.monotonic()
    crowd = silent(60)
    wait_for("the end of descriptors", lambda: "accept_failed" in node.log())
    assert ask(node, early) == usual
    for connection in crowd:
        connection.close()
    assert ask(node) == usual
    assert node.log().count("accept_failed") <= time.monotonic() - begin + 2, "one line a second"
    wait_for("no connection", lambda: n_connections(node) == 0)


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
