"""PowerDNS goes on by itself when lanyard-dns was away, and denies no name meanwhile: that would be believed for longer."""

import pytest

from api_client import wait_for
from names_world import FAILURES, Names, ZONE, ask_often


@pytest.fixture
def name(fleet):
    name = f"{Names(fleet).subscribe()[0]}.{ZONE}"
    wait_for("the name", lambda: ask_often(fleet, name, "A") == {"NOERROR"})
    return name


def wait_until_it_answers(fleet, name):
    def is_back():
        said = ask_often(fleet, name, "A")
        assert said <= FAILURES | {"NOERROR"}, said
        return said == {"NOERROR"}
    wait_for("PowerDNS", is_back, limit_s=60)


def test_lanyard_dns_starts_again(fleet, name):
    for _ in range(3):
        fleet.sv("restart", "dns")
        wait_for("lanyard-dns", fleet.is_ready)
        wait_until_it_answers(fleet, name)


def test_lanyard_dns_is_away(fleet, name):
    fleet.sv("down", "dns")
    said = ask_often(fleet, name, "A")
    fleet.sv("up", "dns")
    assert said <= FAILURES
    wait_for("lanyard-dns", fleet.is_ready)
    wait_until_it_answers(fleet, name)
