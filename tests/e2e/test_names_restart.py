"""PowerDNS goes on by itself when lanyard-dns was away, and denies no name meanwhile: that would be believed for longer."""

import pytest

from api_client import wait_for
from names_world import Names, ZONE, dig

QUESTIONS = 20  # each comes from another port, so that every thread of PowerDNS gets some
FAILURES = {"SERVFAIL", "no answer"}


@pytest.fixture
def name(fleet):
    name = f"{Names(fleet).subscribe()[0]}.{ZONE}"
    wait_for("the name", lambda: ask(fleet, name) == {"NOERROR"})
    return name


def ask(fleet, name):
    """What became of the questions. One that is answered without the address counts as a denial."""
    answers = [dig(fleet, name, "A") for _ in range(QUESTIONS)]
    return {status if content or status in FAILURES else "denied" for status, content in answers}


def wait_until_it_answers(fleet, name):
    def is_back():
        said = ask(fleet, name)
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
    said = ask(fleet, name)
    fleet.sv("up", "dns")
    assert said <= FAILURES
    wait_for("lanyard-dns", fleet.is_ready)
    wait_until_it_answers(fleet, name)
