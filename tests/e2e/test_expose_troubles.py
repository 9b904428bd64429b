"""Whatever keeps a box from its certificate, lanyard status names the step that failed: the DNS, the authority, the helper,
the clock or the portal."""

import os
import time

from api_client import wait_for
from api_world import admin, api, tenant  # fixtures
from conftest import free_ports
from expose_world import CERTIFICATE_S, authority, box, make_box  # fixtures too
from test_certificates import Authority


def reason(box, label):
    return wait_for("a reason", lambda: (status := box.name_status(label)).get("certificate_reason") and status,
                    CERTIFICATE_S)


def test_reason_dns(fleet, make_box, tmp_path):
    """An authority that asks a name server which knows nothing."""
    blind = Authority(tmp_path, free_ports(1), 0, {"PEBBLE_VA_NOSLEEP": "1"})
    try:
        box = make_box(authority=blind)
        box.start(1)
        status = reason(box, box.mac)
        assert status["certificate_reason"] == "dns" and "did not find the challenge" in status["certificate_problem"]
    finally:
        blind.stop()


def test_reason_authority_not_trusted(box):
    box.start(1, acme=["--acme", box.authority.url])
    status = reason(box, box.mac)
    assert status["certificate_reason"] == "ca" and "--acme-ca FILE" in status["certificate_problem"]


def test_reason_no_helper(box):
    empty = box.folder / "empty"
    empty.mkdir()
    box.start(1, environment={"PATH": str(empty)})
    status = reason(box, box.mac)
    assert status["certificate_reason"] == "helper" and "install the package" in status["certificate_problem"]


def test_reason_clock(box):
    process = box.start(1, acme=["--acme", box.authority.url])  # fails, but leaves the key of an account
    reason(box, box.mac)
    box.stop(process)
    key = next(box.state.glob("acme/*/private/key.pem"))
    os.utime(key, (time.time() + 10**8, time.time() + 10**8))
    box.start(1, acme=["--acme", box.authority.url])
    status = reason(box, box.mac)
    assert status["certificate_reason"] == "clock" and "clock is behind" in status["certificate_problem"]


def test_reason_portal(fleet, box):
    """The portal goes away just when the challenge has to be set: a uacme that stops it first."""
    helper = box.folder / "bin"
    helper.mkdir()
    (helper / "uacme").write_text(f'#!/bin/sh\ncase "$*" in *" issue "*) SVDIR={fleet.var}/service sv -w 30 down gateway;; esac\n'
                                  'exec /usr/bin/uacme "$@"\n')
    (helper / "uacme").chmod(0o755)
    try:
        box.start(1, environment={"PATH": f"{helper}:{os.environ['PATH']}"})
        status = reason(box, box.mac)
        assert status["certificate_reason"] == "api" and "did not take the challenge" in status["certificate_problem"]
    finally:
        fleet.sv("up", "gateway")
