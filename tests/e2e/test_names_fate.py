"""What becomes of a name: its device is blocked or retired, its tenant suspended, nothing is heard of it for months; and
when strangers ask too much."""

import itertools
import re
import secrets
import subprocess

import pytest

from api_client import wait_for
from api_world import Device, Tenant, admin, api, tenant  # fixtures too
from names_world import UUID, ZONE, Names, dig, mailbox, names, psql, settings_of  # fixtures too

NETWORKS = itertools.count()  # third bytes of their addresses


class Holder:
    """A device with a name, a local address and a challenge."""

    def __init__(self, fleet, api, tenant, names):
        network = api.ok("createNetwork", tenant.owner, {"name": "n" + secrets.token_hex(3), "ipv4": f"10.92.{next(NETWORKS)}.0/24"},
                         tenant=tenant.id)
        self.fleet, self.names = fleet, names
        self.device = Device(api, tenant, network["id"], "d" + secrets.token_hex(3))
        self.label = "n" + secrets.token_hex(6)
        self.registration = api.ok("registerName", self.device.basic, {"name": self.label})
        self.token = self.registration["token"]
        self.tell()
        wait_for("its records", self.is_there)

    def tell(self):
        assert self.names.get("/register", token=self.token, local_ip="10.1.2.3").status_code == 200
        assert self.names.get("/dnsconfig", token=self.token, challenge="c").status_code == 200

    def answers(self):
        name = f"{self.label}.{ZONE}"
        return [dig(self.fleet, owner, kind)[1] for owner, kind in
                ((name, "A"), ("local." + name, "A"), ("_acme-challenge." + name, "TXT"))]

    def is_there(self):
        return self.answers() == [["A 127.0.0.1"], ["A 10.1.2.3"], ['TXT "c"']]

    def is_silent(self):
        return self.answers() == [[], [], []]

    def token_is_good(self):
        return self.names.get("/ping", token=self.token).status_code == 200


@pytest.fixture
def holder(fleet, api, tenant, names):
    return Holder(fleet, api, tenant, names)


def set_state(api, tenant, device, state):
    api.ok("updateDevice", tenant.owner, {"state": state}, tenant=tenant.id, id_=device.id)


def test_a_blocked_device_has_no_name_until_it_is_approved_again(api, tenant, names, holder):
    set_state(api, tenant, holder.device, "blocked")
    wait_for("silence", holder.is_silent)
    assert not holder.token_is_good()
    assert names.get("/subscribe", name=holder.label).json() == {"error": "UnavailableName"}, "nobody else gets it"
    assert names.get("/reclaim", name=holder.label).json() == {"error": "NoEmail"}
    set_state(api, tenant, holder.device, "approved")
    wait_for("the token to be good again", holder.token_is_good)
    holder.tell()
    wait_for("its records", holder.is_there)


def test_the_name_of_a_retired_device_is_free(api, tenant, names, holder):
    api.ok("retireDevice", tenant.owner, tenant=tenant.id, id_=holder.device.id)
    wait_for("silence", holder.is_silent)
    assert not holder.token_is_good()
    assert names.get("/subscribe", name=holder.label).status_code == 200


def test_names_of_a_suspended_tenant_are_silent(fleet, api, admin, names):
    tenant = Tenant(api, admin)
    holder, blocked = (Holder(fleet, api, tenant, names) for _ in range(2))
    other = Holder(fleet, api, Tenant(api, admin), names)

    api.ok("updateTenant", admin, {"state": "suspended"}, tenant=tenant.id)
    wait_for("silence", holder.is_silent)
    assert not holder.token_is_good()
    assert other.is_there() and other.token_is_good()
    api.ok("updateDevice", admin, {"state": "blocked"}, tenant=tenant.id, id_=blocked.device.id)
    api.ok("updateTenant", admin, {"state": "active"}, tenant=tenant.id)
    wait_for("the token to be good again", holder.token_is_good)
    wait_for("its address", lambda: dig(fleet, f"{holder.label}.{ZONE}", "A")[1])
    assert not blocked.token_is_good(), "its device is still blocked"


def test_a_name_is_free_after_its_holder_was_warned(fleet, names, mailbox):
    """180 days without a word: a mail after 173, and seven days later anybody may have the name."""
    address = f"{secrets.token_hex(4)}@example.org"
    label, token = names.subscribe(email=address)
    psql(fleet, f"UPDATE dns.registration SET seen_at = now() - interval '200 days' WHERE label = '{label}'")
    assert f"{label}.{ZONE}" in mailbox.wait_for(address).get_payload()
    assert names.get("/subscribe", name=label).status_code == 400, "seven days are not over"
    psql(fleet, f"UPDATE dns.registration SET warned_at = now() - interval '8 days' WHERE label = '{label}'")
    wait_for("the name to be free", lambda: names.get("/info", token=token).status_code == 404)
    assert names.get("/subscribe", name=label).status_code == 200


def test_who_speaks_up_after_the_warning_keeps_the_name(fleet, names, mailbox):
    address = f"{secrets.token_hex(4)}@example.org"
    label, token = names.subscribe(email=address)
    psql(fleet, f"UPDATE dns.registration SET seen_at = now() - interval '200 days' WHERE label = '{label}'")
    mailbox.wait_for(address)
    assert names.get("/ping", token=token).status_code == 200
    rows = psql(fleet, f"SELECT warned_at IS NULL FROM dns.registration WHERE label = '{label}'")
    assert rows == "t"


def test_whether_a_name_can_be_reclaimed_is_told_if_set_so(fleet, names):
    undo = settings_of(fleet, "dns", LANYARD_DNS_RECLAIM_HINT="false")
    try:
        address = f"{secrets.token_hex(4)}@example.org"
        label, _ = names.subscribe(email=address)
        assert names.get("/subscribe", name=label, email=address).json() == {"error": "UnavailableName"}
    finally:
        undo()


def test_what_was_mailed_is_good_for_a_day(fleet, names, mailbox):
    first, second = (f"{secrets.token_hex(4)}@example.org" for _ in range(2))
    label, token = names.subscribe(email=first)
    assert names.get("/reclaim", name=label).status_code == 200
    secret = UUID.search(mailbox.wait_for(first).get_payload()).group()
    psql(fleet, f"UPDATE dns.registration SET reclamation_until = now() - interval '1 s' WHERE label = '{label}'")
    reply = names.get("/subscribe", name=label, reclamationToken=secret)
    assert reply.json() == {"error": "ReclamationTokenMismatch"}
    assert names.get("/ping", token=token).status_code == 200, "the holder keeps it"

    label, token = names.subscribe()
    assert names.get("/setemail", token=token, email=second).status_code == 200
    link = re.search(r"/verifyemail\?s=(\S+)", mailbox.wait_for(second).get_payload()).group(1)
    psql(fleet, f"UPDATE dns.registration SET verification_until = now() - interval '1 s' WHERE label = '{label}'")
    assert names.get("/verifyemail", s=link).status_code == 404
    assert names.get("/info", token=token).json()["verified"] is False


def test_secrets_are_kept_as_digests(fleet, names, mailbox):
    """Neither a token nor what was mailed stands anywhere in the database."""
    address = f"{secrets.token_hex(4)}@example.org"
    label, token = names.subscribe(email=address)
    assert names.get("/reclaim", name=label).status_code == 200
    mailed = mailbox.wait_for(address).get_payload()
    dump = subprocess.run(["pg_dump", "-d", f"postgresql:///lanyard?host={fleet.var}/run/postgres&user=postgres",
                           "--data-only", "--schema=dns", "--schema=fabric"], check=True, stdout=subprocess.PIPE,
                          text=True).stdout
    assert label in dump and token not in dump
    secret = next(word for word in mailed.split() if len(word) == 36 and word.count("-") == 4)
    assert secret not in dump


def test_strangers_that_ask_too_much_are_told_to_wait(fleet):
    """Names are costly to ask for: an address is stopped before it has a list of which are taken."""
    def replies(path, **parameters):
        for _ in range(400):
            yield fleet.session.get(fleet.base_url + path, params=parameters, verify=fleet.ca_file, timeout=30)

    for path, parameters in (("/subscribe", {"name": "api"}), ("/reclaim", {"name": "api"}), ("/verifyemail", {"s": "x"})):
        stopped = next((reply for reply in replies(path, **parameters) if reply.status_code == 429), None)
        assert stopped is not None and int(stopped.headers["Retry-After"]) >= 1, path


def test_nobody_is_flooded_with_mails(fleet, names, mailbox):
    """Anybody may ask for mails to any address, so an address gets few of them, whatever names they are about."""
    address = f"{secrets.token_hex(4)}@example.org"
    (label, _), (_, token) = names.subscribe(email=address), names.subscribe()
    for _ in range(4):
        assert names.get("/reclaim", name=label).status_code == 200
    assert names.get("/setemail", token=token, email=address.upper()).status_code == 200
    mails = wait_for("five mails", lambda: len(mailbox.messages) == 5 and mailbox.messages)
    for path, parameters in (("/reclaim", {"name": label}), ("/setemail", {"token": token, "email": address})):
        reply = fleet.session.get(fleet.base_url + path, params=parameters, verify=fleet.ca_file, timeout=30)
        assert reply.status_code == 429 and int(reply.headers["Retry-After"]) >= 60, reply.text
    # What was mailed last stays good.
    secrets_of = [UUID.search(mail.get_payload()).group() for _, mail in mails if "Taking back" in mail["Subject"]]
    assert any("token" in names.get("/subscribe", name=label, reclamationToken=secret).json() for secret in secrets_of)


def test_the_operator_reserves_names(fleet, names):
    label = "r" + secrets.token_hex(6)
    undo = settings_of(fleet, "dns", LANYARD_DNS_RESERVED=f"api {label}")
    try:
        assert names.get("/subscribe", name=label.upper()).json() == {"error": "UnavailableName"}
    finally:
        undo()
    assert names.get("/subscribe", name=label).status_code == 200
