"""Expected devices: lists, claim codes, claims by devices and by other tenants, and serial numbers that two devices
have. Numbers in the names of tests are those of the statements of the provisioning contract."""

import csv
import io
import re
import secrets
import subprocess
import types

import pytest
import requests

from api_client import NOBODY, WAIT_S, wait_for
from api_world import admin, api  # noqa: F401
from portal_world import From, Portal, in_future, md5, read


class Claims(Portal):
    """A tenant that expects devices."""

    def import_(self, *rows, dry_run=False, header="serial,name,legacy,approve,code"):
        text = io.StringIO()
        csv.writer(text).writerows([header.split(","), *rows])
        return self.api.ok("importDevices", self.owner, text.getvalue().encode(), query={"dry_run": str(dry_run).lower()},
                           headers={"Content-Type": "text/csv"}, **self.of)

    def expect(self, legacy="", approve="", code="new"):
        serial = "WE" + secrets.token_hex(8)
        row, = self.import_([serial, "", legacy, approve, code])["rows"]
        assert row["result"] == "created", row
        found, = self.expected(serial)
        return types.SimpleNamespace(serial=serial, code=row["code"], id=found["id"])

    def expected(self, serial):
        return self.api.ok("listExpectedDevices", self.owner, query={"serial": serial}, **self.of)["items"]

    def claim(self, serial, code, **more):
        return self.api.call("claimDevice", self.owner, {"serial": serial, "code": code, **more}, **self.of)

    def device(self, claim):
        return types.SimpleNamespace(id=claim["device"], serial=claim["serial"], auth=(claim["serial"], claim["secret"]))


@pytest.fixture(scope="module")
def maker(fleet, api, admin):
    return Claims(fleet, api, admin)


@pytest.fixture(scope="module")
def customer(fleet, api, admin):
    return Claims(fleet, api, admin)


# ---- lists ----

def test_74_each_row_is_reported_and_a_dry_run_changes_nothing(maker):
    there = maker.add().serial
    one, two = ("WE" + secrets.token_hex(8) for _ in range(2))
    rows = [[one, "", "", "", "new"], ["../etc", "", "", "", ""], [two, "Bad Name", "", "", ""], [one, "", "", "", ""],
            [there, "", "", "", ""]]
    for dry_run in (True, False):
        report = maker.import_(*rows, dry_run=dry_run)
        assert (report["created"], report["refused"], report["existing"]) == (1, 3, 1)
        assert [(r["row"], r["result"], r["field"]) for r in report["rows"]] == [
            (2, "created", ""), (3, "refused", "serial"), (4, "refused", "name"), (5, "refused", "serial"), (6, "exists", "")]
        assert bool(report["rows"][0]["code"]) == (not dry_run)
        assert bool(maker.expected(one)) == (not dry_run)
    assert maker.import_(*rows)["created"] == 0  # nothing twice
    assert not maker.expected(two)


def test_a_list_that_is_none_is_refused(maker):
    for body in (b"", b"serial\n\"open", b"colour\nred\n", b"serial\n\xff\n", b"serial\n" + b"A\n" * 2001):
        reply = maker.api.call("importDevices", maker.owner, body, headers={"Content-Type": "text/csv"}, **maker.of)
        assert reply.status_code == 400, body[:20]
    as_json = maker.api.call("importDevices", maker.owner, {"csv": "serial"}, **maker.of)
    assert as_json.status_code == 415


def test_74_a_list_of_any_length_is_reported_by_its_own_lines(maker, tmp_path):
    listed, key = tmp_path / "list.csv", tmp_path / "key"
    serials = [f"L{n:04d}" for n in range(2100)]  # more than one request takes
    serials[2050] = "not one"
    listed.write_text("serial,name\n" + "".join(f"{serial},\n" for serial in serials))
    key.write_text(maker.tenant.keys["owner"].authorization.split()[1])
    done = maker.fleet.script("import-devices", "--dry-run", str(listed), LANYARD_CA_FILE=maker.fleet.ca_file,
                              LANYARD_API=f"{maker.fleet.base_url}/v1/tenants/{maker.tenant.id}",
                              LANYARD_API_KEY_FILE=str(key))
    *report, told = done.stdout.splitlines()
    rows = list(csv.reader(report))
    assert [int(row[0]) for row in rows] == list(range(2, 2102))
    assert [(row[0], row[3]) for row in rows if row[2] != "created"] == [("2052", "serial")]
    assert done.returncode == 1 and told == "import-devices: 1 of 2100 rows were refused"


# ---- claims ----

def test_a_device_claims_itself_once(maker):
    expected = maker.expect()
    claim = maker.api.ok("claim", NOBODY, {"serial": expected.serial, "code": expected.code.lower().replace("-", " ")})
    assert claim["tenant"] == maker.tenant.id and claim["state"] == "approved"
    assert claim["name"] == "d-" + expected.serial.lower()
    maker.serve(maker.device(claim))
    found, = maker.expected(expected.serial)
    assert found["state"] == "claimed" and found["device"] == claim["device"] and not found["has_code"]
    again = maker.api.call("claim", NOBODY, {"serial": expected.serial, "code": expected.code})
    assert again.status_code == 403
    assert "device.claimed" in [r["action"] for r in maker.records(claim["device"])]


def test_a_device_that_needs_approval_waits_for_it(maker):
    expected = maker.expect(approve="false")
    claim = maker.api.ok("claim", NOBODY, {"serial": expected.serial, "code": expected.code})
    device = maker.device(claim)
    assert claim["state"] == "pending" and maker.status(device).status == 0
    assert maker.fetch(device).status_code == 404
    queue = maker.api.ok("listDevices", maker.owner, query={"state": "pending"}, **maker.of)["items"]
    assert [d["id"] for d in queue] == [device.id]
    maker.block(device, "approved")
    maker.serve(device)


def test_every_refusal_of_a_claim_is_the_same(maker, customer):
    expected, other, used = maker.expect(), maker.expect(), maker.expect()
    maker.api.ok("claim", NOBODY, {"serial": used.serial, "code": used.code})
    none = maker.expect(code="")
    replies = [maker.api.call("claim", NOBODY, {"serial": serial, "code": code}) for serial, code in (
        (expected.serial, other.code), ("unknown", expected.code), (used.serial, used.code), (none.serial, ""),
        (expected.serial, "x" * 64), ("../", expected.code))]
    assert {r.status_code for r in replies} == {403}
    assert len({r.json()["detail"] for r in replies}) == 1
    assert customer.claim(expected.serial, other.code).json()["detail"] == replies[0].json()["detail"]
    assert maker.expected(expected.serial)[0]["state"] == "expected"


def test_a_code_is_made_anew_and_read_from_its_picture(maker, tmp_path):
    expected = maker.expect()
    made = maker.api.ok("createClaimCode", maker.owner, id_=expected.id, **maker.of)
    assert made["code"] != expected.code
    assert maker.api.call("claim", NOBODY, {"serial": expected.serial, "code": expected.code}).status_code == 403
    picture = draw(made["qr_svg"], tmp_path / "code.pgm")
    done = subprocess.run(["zbarimg", "--raw", "-q", picture], stdout=subprocess.PIPE, text=True, check=True)
    assert done.stdout.strip() == f"lanyard:claim?serial={expected.serial}&code={made['code']}"
    maker.api.ok("claim", NOBODY, {"serial": expected.serial, "code": made["code"]})


def draw(svg, path, scale=4):
    """The squares of the picture, as a bitmap."""
    size = int(re.search(r'viewBox="0 0 (\d+)', svg).group(1))
    dark = {(int(x), int(y)) for x, y in re.findall(r"M(\d+) (\d+)h1v1h-1z", svg)}
    pixels = bytes(0 if (x // scale, y // scale) in dark else 255
                   for y in range(size * scale) for x in range(size * scale))
    path.write_bytes(f"P5 {size * scale} {size * scale} 255\n".encode() + pixels)
    return path


# ---- from one tenant to another ----

def test_a_customer_claims_what_the_maker_expects(maker, customer):
    expected = maker.expect()
    claim = customer.claim(expected.serial, expected.code, name="pump-7")
    assert claim.status_code == 201, claim.text
    assert claim.headers["Location"] == f"/v1/tenants/{customer.tenant.id}/portal-devices/{claim.json()['device']}"
    device = customer.device(claim.json())
    customer.serve(device)
    assert customer.shown(device)["name"] == "pump-7"
    assert maker.expected(expected.serial)[0]["state"] == "claimed"


def test_a_device_is_handed_over(maker, customer):
    device = maker.add()
    maker.serve(device)
    operator = maker.tenant.users["operator"]
    assert maker.api.call("transferPortalDevice", operator, id_=device.id, **maker.of).status_code == 403
    code = maker.api.ok("transferPortalDevice", maker.owner, id_=device.id, **maker.of)
    assert code["code_until"]
    assert maker.claim(device.serial, code["code"]).status_code == 403  # to oneself
    assert maker.status(device).status == 2  # until it is claimed nothing changes
    claim = customer.claim(device.serial, code["code"]).json()
    mine = customer.device(claim)
    # The gateway hears of it by an event, since it was no call of the maker.
    wait_for("a refusal", lambda: maker.poll(device).status_code == 401)
    customer.serve(mine)
    assert customer.claim(device.serial, code["code"]).status_code == 403
    gone = maker.records(device.id)
    assert [r["action"] for r in gone][-3:] == ["device.offered", "device.retired", "device.handed_over"]
    assert gone[-1]["after"] == customer.tenant.id and gone[-1]["actor"] == gone[-2]["actor"]
    came = [r for r in customer.records(mine.id) if r["action"] == "device.claimed"]
    assert came[0]["before"] == maker.tenant.id and came[0]["after"] == device.serial


# ---- devices that can't show a code ----

def test_36_a_legacy_device_becomes_one_at_its_first_poll_if_it_is_expected(maker):
    expected = maker.expect(legacy="true", code="")
    device = types.SimpleNamespace(serial=expected.serial, auth=(expected.serial, md5(expected.serial)))
    assert maker.poll(device).status_code == 401
    assert maker.expected(expected.serial)[0]["state"] == "expected"
    maker.set(legacy_until=in_future(days=1))
    assert maker.poll(None, auth=("unknown-1", md5("unknown-1"))).status_code == 401
    assert maker.poll(None, auth=(expected.serial, "wrong")).status_code == 401
    assert maker.status(device).status == 3
    device.id = maker.expected(expected.serial)[0]["device"]
    maker.serve(device)
    records = maker.records(device.id)
    assert records[0]["action"] == "device.registered" and maker.shown(device)["legacy"]


# ---- clones ----

def poll_from(portal, device, address):
    with requests.Session() as session:
        session.mount("https://", From(address))
        return read(session.get(portal.fleet.base_url + "/api/v1/vpn", auth=device.auth, verify=portal.fleet.ca_file,
                                timeout=WAIT_S)).status


def test_43_a_serial_number_that_comes_from_two_networks_by_turns_is_quarantined(customer):
    device, moved = customer.add(), customer.add()
    for _ in range(2):  # the rule is off
        for address in ("127.0.0.1", "127.0.1.1"):
            assert poll_from(customer, device, address) == 3
    customer.set(clone_guard=True)
    for address in ("127.0.0.1", "127.0.0.2", "127.0.2.1", "127.0.2.2"):  # a device that moves once
        assert poll_from(customer, moved, address) == 3
    told = [poll_from(customer, device, address) for address in ("127.0.1.1", "127.0.0.1", "127.0.1.1", "127.0.0.1")]
    assert told[-1] == 0 and 3 in told[:2]
    shown = customer.shown(device)
    assert shown["state"] == "quarantined" and shown["quarantined_at"]
    assert customer.fetch(device).status_code == 404 and customer.acknowledge(device).status_code == 409
    assert "device.quarantined" in [r["action"] for r in customer.records(device.id)]
    customer.set(clone_guard=False)
    assert customer.status(device).status == 0  # only an operator takes it out
    released = customer.api.ok("releasePortalDevice", customer.owner, id_=device.id, **customer.of)
    assert released["state"] == "pending" and released["quarantined_at"] == ""
    customer.serve(device)


def test_73_the_serial_number_of_a_retired_device_is_released_by_somebody(customer):
    device = customer.add()
    again = {"name": "again" + secrets.token_hex(4), "serial": device.serial}
    kept = customer.api.call("forgetPortalDevice", customer.owner, id_=device.id, **customer.of)
    assert kept.status_code == 409
    customer.api.ok("retireDevice", customer.owner, id_=device.id, **customer.of)
    assert customer.poll(device).status_code == 401
    assert customer.api.call("createPortalDevice", customer.owner, again, **customer.of).status_code == 409
    customer.api.ok("forgetPortalDevice", customer.owner, id_=device.id, **customer.of)
    assert customer.api.call("getPortalDevice", customer.owner, id_=device.id, **customer.of).status_code == 404
    assert customer.api.ok("createPortalDevice", customer.owner, again, **customer.of)["current"] == 1
