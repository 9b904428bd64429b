"""Ports for processes that tests start."""

import contextlib
import secrets
import socket


def free_port(family=socket.AF_INET):
    """A port that nobody listens on, below those that the kernel gives to clients."""
    while True:
        port = 10000 + secrets.randbelow(10000)
        with socket.socket(family, socket.SOCK_STREAM) as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1" if family == socket.AF_INET else "::1", port))
            return port
