"""A device gets a name and answers for it: the registration API as its unmodified clients speak it, what resolvers then
see, and what the name's holder, its tenant and strangers may do."""

import contextlib
import re
import secrets
import socket
import subprocess

import pytest

from api_client import wait_for
from conftest import free_ports
from api_world import Device, Tenant, admin, api, tenant  # fixtures too
from names_world import UUID, ZONE, Names, dig, mailbox, names, psql, settings_of  # fixtures too

CROWD = 3000  # names: more than PowerDNS reads of a socket in time, and no more than it takes of a reply by HTTP

# ---- the API ----


def test_subscribe(names):
    label = "n" + secrets.token_hex(6)
    reply = names.get("/subscribe", name=f" {label.upper()} ")
    assert reply.status_code == 200 and reply.headers["Content-Type"] == "application/json"
    assert reply.json().keys() == {"name", "token"} and reply.json()["name"] == label
    assert UUID.fullmatch(reply.json()["token"])
    again = names.get("/subscribe", name=label)
    assert (again.status_code, again.json()) == (400, {"error": "UnavailableName"})


@pytest.mark.parametrize("name", ["", "-a", "a-", "a.b", "a_b", "_acme-challenge", "api", "www", "_psl", "ns", "ns123",
                                  "xn--p1ai", "localhost", "a" * 64, "a\r\nb", "a b"])
def test_names_that_nobody_gets(names, name):
    reply = names.get("/subscribe", name=name)
    assert (reply.status_code, reply.json()) == (400, {"error": "UnavailableName"})


def test_mac_name_then_friendly_name(names):
    first = names.get("/subscribe", name="02" + secrets.token_hex(5)).json()["token"]
    assert names.subscribe()[1] != first


def test_missing_and_wrong_parameters(names):
    _, token = names.subscribe()
    unknown = "00000000-0000-4000-8000-000000000000"
    for path in "subscribe", "ping", "info", "dnsconfig", "reclaim", "unsubscribe", "setemail", "verifyemail":
        assert names.get("/" + path).status_code == 400, path
    for path, more in (("ping", {}), ("info", {}), ("dnsconfig", {"challenge": "x"}), ("revokeemail", {})):
        assert names.get("/" + path, token=unknown, **more).status_code == 404, path
        assert names.get("/" + path, token="", **more).status_code == 404, path
    reply = names.get("/ping", token=token)
    assert (reply.status_code, reply.content) == (200, b"")
    assert names.get("/unsubscribe", reclamationToken=unknown).status_code == 404
    assert names.get("/unsubscribe", reclamationToken="").status_code == 404
    assert names.get("/verifyemail", s="").status_code == 404
    assert names.get("/subscribe", name="x" + secrets.token_hex(5), mode="7").status_code == 400


def test_the_holder_releases(names):
    label, token = names.subscribe()
    assert names.get("/unsubscribe", token=token).status_code == 200
    assert names.get("/unsubscribe", token=token).status_code == 400
    assert names.get("/subscribe", name=label).status_code == 200


def test_cors(names):
    for reply in names.get("/connectivity-check"), names.get("/ping"), names.request("OPTIONS", "/subscribe"):
        assert reply.headers["Access-Control-Allow-Origin"] == "*"
    assert names.get("/connectivity-check").text == "OK"


def test_json_and_bearer(names):
    label, token = names.subscribe()
    bearer = {"Authorization": "Bearer " + token}
    assert names.request("POST", "/ping", json={"local_ip": "192.168.7.7"}, headers=bearer).status_code == 200
    info = names.request("POST", "/info", headers=bearer).json()
    assert info["name"] == f"{label}.{ZONE}" and info["local_ip"] == "192.168.7.7"
    assert not {"reclamation_token", "verification_token"} & info.keys()


@pytest.mark.parametrize("address", ["", "gateway.lan", "8.8.8.8", "127.0.0.1", "10.0.0.1;x", "2001:db8::1", "1" * 300])
def test_local_addresses_are_private_ones(names, address):
    _, token = names.subscribe()
    assert names.get("/register", token=token, local_ip=address).status_code == (200 if address == "" else 400)


def test_tokens_are_in_no_log(fleet, names):
    _, token = names.subscribe()
    names.get("/ping", token=token)
    names.get("/dnsconfig", token=token, challenge="x")
    for service in "gateway", "dns":
        assert token not in fleet.log(service)


# ---- the DNS ----


def test_records_of_a_name(fleet, names):
    label, token = names.subscribe()
    assert names.get("/register", token=token, local_ip="192.168.1.5,fd00::5").status_code == 200
    wait_for("its address", lambda: dig(fleet, f"{label}.{ZONE}", "A") == ("NOERROR", ["A 127.0.0.1"]))
    wait_for("its local addresses", lambda: dig(fleet, f"local.{label}.{ZONE}", "ANY", "+tcp") ==
             ("NOERROR", ["A 192.168.1.5", "AAAA fd00::5"]))
    assert dig(fleet, f"{label}.{ZONE}", "HTTPS") == ("NOERROR", ["HTTPS 1 ."])
    assert dig(fleet, f"{label}.{ZONE}", "MX") == ("NOERROR", [])
    assert dig(fleet, f"x.{label}.{ZONE}", "A")[0] == "NXDOMAIN"
    assert dig(fleet, f"nobody.{ZONE}", "A")[0] == "NXDOMAIN"
    assert dig(fleet, ZONE, "NS") == ("NOERROR", ["NS ns1.lanyard.test."])
    assert dig(fleet, f"{label.upper()}.Box.lanyard.test", "A")[1] == ["A 127.0.0.1"]


def test_a_challenge_is_visible_at_once_even_if_asked_before(fleet, names):
    label, token = names.subscribe()
    owner = f"_acme-challenge.{label}.{ZONE}"
    assert dig(fleet, owner, "TXT")[0] == "NXDOMAIN"
    for n, value in enumerate(["first_-1", "second_-2"]):
        assert names.get("/dnsconfig", token=token, challenge=value).status_code == 200
        wait_for("the value", lambda: f'TXT "{value}"' in dig(fleet, owner, "TXT")[1])
        assert len(dig(fleet, owner, "TXT")[1]) == n + 1
    assert names.get("/dnsconfig", token=token, challenge="").status_code == 200
    wait_for("no values", lambda: dig(fleet, owner, "TXT")[1] == [])
    for wrong in "x" * 64, 'a"b', "a b", "a;b", "ä":
        assert names.get("/dnsconfig", token=token, challenge=wrong).status_code == 400


def test_a_dynamic_name_follows_its_holder(fleet, names):
    label, token = names.subscribe(mode="1")
    names.get("/ping", token=token)
    wait_for("the caller's address", lambda: dig(fleet, f"{label}.{ZONE}", "A")[1] == ["A 127.0.0.1"])
    assert dig(fleet, f"{label}.{ZONE}", "HTTPS")[1] == []


def test_a_forged_header_is_not_believed(names):
    label, token = names.subscribe(mode="DynamicDNS")
    for address in "203.0.113.9", "nonsense", "2001:db8::9":
        reply = names.request("GET", "/ping", params={"token": token}, headers={"X-Real-IP": address})
        assert reply.status_code == 200
        assert names.get("/info", token=token).json()["public_ip"] == "127.0.0.1"


def test_a_silent_name_loses_its_addresses_until_it_is_heard_again(fleet, names):
    label, token = names.subscribe()
    names.get("/register", token=token, local_ip="10.1.2.3")
    wait_for("its address", lambda: dig(fleet, f"local.{label}.{ZONE}", "A")[1] == ["A 10.1.2.3"])
    psql(fleet, f"UPDATE dns.registration SET seen_at = now() - interval '1 day' WHERE label = '{label}'")
    for kind in "A", "AAAA", "ANY", "HTTPS":
        wait_for(f"no {kind}", lambda: dig(fleet, f"{label}.{ZONE}", kind, "+tcp")[0] == "NXDOMAIN")
    assert dig(fleet, f"local.{label}.{ZONE}", "A")[0] == "NXDOMAIN"
    assert names.get("/info", token=token).json()["local_ip"] == ""
    assert names.get("/register", token=token, local_ip="10.1.2.4").status_code == 200
    wait_for("its new address", lambda: dig(fleet, f"local.{label}.{ZONE}", "A")[1] == ["A 10.1.2.4"])
    assert dig(fleet, f"{label}.{ZONE}", "A")[1] == ["A 127.0.0.1"]


def test_a_challenge_expires_by_itself(fleet, names):
    label, token = names.subscribe()
    names.get("/dnsconfig", token=token, challenge="soon-over")
    wait_for("the value", lambda: dig(fleet, f"_acme-challenge.{label}.{ZONE}", "TXT")[1])
    psql(fleet, "WITH c AS (UPDATE dns.challenge SET expires_at = now() - interval '1 s' WHERE value = 'soon-over' "
                "RETURNING registration) UPDATE dns.registration SET changed = pg_current_xact_id() FROM c "
                "WHERE id = c.registration")
    wait_for("no value", lambda: dig(fleet, f"_acme-challenge.{label}.{ZONE}", "TXT")[1] == [])


def test_answers_do_not_need_postgresql(fleet, names):
    label, _ = names.subscribe()
    wait_for("its address", lambda: dig(fleet, f"{label}.{ZONE}", "A")[1])
    fleet.sv("down", "postgres")
    try:
        assert dig(fleet, f"{label}.{ZONE}", "A") == ("NOERROR", ["A 127.0.0.1"])
    finally:
        fleet.sv("up", "postgres")
    wait_for("a whole fleet", fleet.is_whole)


def test_dnssec(fleet, api, tenant):
    """pdnsutil signs the zone with keys that lanyard-dns keeps; the proof that a name isn't there tells no other name."""
    def pdnsutil(*args):
        done = subprocess.run(["pdnsutil", f"--config-dir={fleet.var}/run/pdnsutil", *args], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
        assert done.returncode == 0, done.stdout
        return done.stdout

    zone = f"s{secrets.token_hex(4)}.example"
    api.ok("createZone", tenant.owner, {"name": zone}, tenant=tenant.id)
    api.ok("createRegistration", tenant.owner, {"name": "pump", "zone": zone}, tenant=tenant.id)
    wait_for("the zone", lambda: dig(fleet, f"pump.{zone}", "A")[1])
    folder = fleet.var / "run/pdnsutil"
    folder.mkdir()
    (folder / "pdns.conf").write_text((fleet.var / "run/pdns.conf").read_text().replace("/srv/", f"{fleet.var}/"))
    pdnsutil("secure-zone", zone)
    assert "CSK" in pdnsutil("show-zone", zone)
    key = wait_for("a signed zone", lambda: dig(fleet, zone, "DNSKEY")[1])
    anchor = fleet.var / "run/anchor"
    anchor.write_text('trust-anchors { %s static-key %s; };\n' % (zone, re.sub(
        r"DNSKEY (\d+) (\d+) (\d+) (.*)", lambda m: f'{m[1]} {m[2]} {m[3]} "{m[4]}"', key[0])))
    done = wait_for("an answer that validates", lambda: "fully validated" in subprocess.run(
        ["delv", "@127.0.0.1", "-p", str(fleet.dns_port), "-a", str(anchor), f"+root={zone}", f"pump.{zone}", "A"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout)
    assert done

    def denial():
        text = subprocess.run(["dig", "@127.0.0.1", "-p", str(fleet.dns_port), "+dnssec", f"nobody.{zone}", "A"],
                              stdout=subprocess.PIPE, text=True).stdout
        return "status: NXDOMAIN" in text and "NSEC3" in text and text

    text = wait_for("a signed denial", denial)
    assert "\tNSEC\t" not in text and "pump" not in text


def test_transfer_to_a_secondary(fleet, names):
    label, token = names.subscribe()
    names.get("/register", token=token, local_ip="10.1.2.3")
    wait_for("its address", lambda: dig(fleet, f"local.{label}.{ZONE}", "A")[1])
    lines = subprocess.run(["dig", "@127.0.0.1", "-p", str(fleet.dns_port), "+noall", "+answer", ZONE, "AXFR"],
                           stdout=subprocess.PIPE, text=True).stdout.splitlines()
    records = [line.split(None, 4) for line in lines]
    assert records[0][3] == records[-1][3] == "SOA"
    assert [f"local.{label}.{ZONE}.", "A", "10.1.2.3"] in [[r[0], r[3], r[4]] for r in records]


def test_powerdns_over_http(fleet, names, tmp_path):
    """A PowerDNS that reaches lanyard-dns by HTTP gives the same answers; it transfers zones of some size, to whom it may,
    and tells secondaries of changes."""
    port = free_ports(3)
    undo = settings_of(fleet, "dns", LANYARD_DNS_HTTP=f"127.0.0.1:{port}")
    (tmp_path / "pdns.conf").write_text(
        f"launch=remote\nremote-connection-string=http:url=http://127.0.0.1:{port}/,post=1,post_json=1,timeout=20000\n"
        f"primary=yes\nxfr-cycle-interval=1\nallow-axfr-ips=127.0.0.9\nonly-notify=127.0.0.1\nalso-notify=127.0.0.1:{port + 2}\n"
        f"local-address=127.0.0.1\nlocal-port={port + 1}\nsocket-dir={tmp_path}\nzone-cache-refresh-interval=5\n"
        "cache-ttl=0\nquery-cache-ttl=0\nnegquery-cache-ttl=0\nsecurity-poll-suffix=\ndisable-syslog=yes\n")
    server = subprocess.Popen(["pdns_server", f"--config-dir={tmp_path}", "--guardian=no", "--daemon=no"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        label, token = names.subscribe()
        names.get("/dnsconfig", token=token, challenge="by-http")
        owner = f"_acme-challenge.{label}.{ZONE}"
        wait_for("an answer", lambda: dig(fleet, owner, "TXT", "-p", str(port + 1)) == ("NOERROR", ['TXT "by-http"']))
        for question in (f"{label}.{ZONE}", "A"), (ZONE, "SOA"), (f"nobody.{ZONE}", "A"), ("example.org", "A"):
            # Each thread of the other one notices by a question that lanyard-dns was started again.
            wait_for(question, lambda: dig(fleet, *question, "-p", str(port + 1)) == dig(fleet, *question))

        # Whichever PowerDNS sees a change first tells of it.
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as secondary:
            secondary.bind(("127.0.0.1", port + 2))
            secondary.settimeout(2)

            def is_told():
                names.get("/dnsconfig", token=token, challenge="c" + secrets.token_hex(4))
                with contextlib.suppress(TimeoutError):
                    message = secondary.recv(512)
                    return message[2] >> 3 & 15 == 4 and b"\3box\7lanyard\4test\0" in message
            wait_for("a NOTIFY", is_told)

        psql(fleet, "INSERT INTO dns.registration (tenant_id, zone, label, description, token) SELECT tenant_id, number, "
             f"'crowd' || n, '', md5(n::text) || md5('x' || n) FROM dns.zone, generate_series(1, {CROWD}) AS n WHERE name = '{ZONE}'")
        try:
            def transfer(*source):
                return subprocess.run(["dig", "@127.0.0.1", "-p", str(port + 1), "+noall", "+answer", "+time=60", "+tries=1", *source,
                                       ZONE, "AXFR"], stdout=subprocess.PIPE, text=True).stdout
            wait_for("all of the zone", lambda: len(re.findall(r"^crowd\d+\..*\sA\s", transfer("-b", "127.0.0.9"), re.M)) == CROWD)
            assert "crowd" not in transfer(), "to anybody"
        finally:
            psql(fleet, "DELETE FROM dns.registration WHERE label LIKE 'crowd%'")
    finally:
        server.terminate()
        server.wait()
        undo()


def test_dynamic_update_sets_challenges_only(fleet, names, tmp_path):
    """RFC 2136, by a PowerDNS that allows it to this machine."""
    port = free_ports(1)
    (tmp_path / "pdns.conf").write_text(
        (fleet.var / "run/pdns.conf").read_text().replace("/srv/run/pdns", str(tmp_path)).replace("/srv/", f"{fleet.var}/")
        .replace(f"local-port={fleet.dns_port}", f"local-port={port}") + "dnsupdate=yes\nallow-dnsupdate-from=127.0.0.0/8\n")
    server = subprocess.Popen(["pdns_server", f"--config-dir={tmp_path}", "--guardian=no", "--daemon=no"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        label, _ = names.subscribe()
        owner = f"_acme-challenge.{label}.{ZONE}"
        wait_for("the server", lambda: dig(fleet, ZONE, "SOA", "-p", str(port))[1])

        def update(line):
            return subprocess.run(["nsupdate"], input=f"server 127.0.0.1 {port}\nzone {ZONE}\nupdate {line}\nsend\n",
                                  text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

        assert update(f'add {owner} 60 TXT "by-update"').returncode == 0
        wait_for("the value", lambda: dig(fleet, owner, "TXT")[1] == ['TXT "by-update"'])
        for wrong in (f"add {label}.{ZONE} 60 A 203.0.113.1", f'add _acme-challenge.nobody.{ZONE} 60 TXT "x"',
                      f"add new.{ZONE} 60 A 203.0.113.1"):
            assert update(wrong).returncode != 0, wrong
        wait_for("the address", lambda: dig(fleet, f"{label}.{ZONE}", "A")[1] == ["A 127.0.0.1"])
        assert dig(fleet, f"new.{ZONE}", "A")[0] == "NXDOMAIN"
        assert update(f"delete {owner} TXT").returncode == 0
        wait_for("no value", lambda: dig(fleet, owner, "TXT")[1] == [])
    finally:
        server.terminate()
        server.wait()


# ---- 2017 ----


def test_the_api_of_2017(fleet, names):
    undo = settings_of(fleet, "gateway", LANYARD_NAMES_2017="true")
    try:
        wait_for("the gateway", lambda: names.get("/connectivity-check").ok)
        label = "N" + secrets.token_hex(6)
        first = names.get("/subscribe", name=label).json()
        assert first["name"] == label
        for reply in (names.get("/subscribe"), names.get("/register", token=first["token"]), names.get("/info", token="x")):
            assert (reply.status_code, reply.json()) == (400, {"code": 400, "errno": 400, "error": "Bad Request"})
        assert names.get("/register", token=first["token"], local_ip="10.0.0.9").status_code == 200
        here = {"href": f"https://local.{label.lower()}.{ZONE}", "desc": f"{label.lower()}'s server"}
        assert here in names.get("/ping").json()
        word = secrets.token_hex(8)
        assert names.get("/adddiscovery", token=first["token"], disco=word).status_code == 200
        assert names.get("/discovery", disco=word).json() == [here]
        assert names.get("/adddiscovery", token=first["token"], disco="other").status_code == 400
        other = names.get("/subscribe", name="n" + secrets.token_hex(6)).json()["token"]
        names.get("/revokediscovery", token=other, disco=word)
        assert names.get("/discovery", disco=word).json() == [here], "another's token revokes nothing"
        assert names.get("/revokediscovery", token=first["token"], disco=word).status_code == 200
        assert names.get("/discovery", disco=word).status_code == 400
    finally:
        undo()


# ---- mail ----


def test_a_name_is_reclaimed_by_mail(names, mailbox):
    address = f"{secrets.token_hex(4)}@example.org"
    label, token = names.subscribe(email=address)
    assert names.get("/subscribe", name=label, email=address).json() == {"error": "UnavailableNameReclamationPossible"}
    assert names.get("/reclaim", name="nobody-has-this").json() == {"error": "NoSuchName"}
    assert names.get("/reclaim", name=names.subscribe()[0]).json() == {"error": "NoEmail"}
    assert names.get("/reclaim", name=label).status_code == 200
    secret = UUID.search(mailbox.wait_for(address).get_payload()).group()
    for wrong in token, "00000000-0000-4000-8000-000000000000":
        reply = names.get("/subscribe", name=label, reclamationToken=wrong)
        assert (reply.status_code, reply.json()) == (400, {"error": "ReclamationTokenMismatch"})
    fresh = names.get("/subscribe", name=label, reclamationToken=secret).json()["token"]
    assert fresh != token
    assert names.get("/ping", token=fresh).status_code == 200
    assert names.get("/ping", token=token).status_code == 404
    again = names.get("/subscribe", name=label, reclamationToken=secret)
    assert again.json() == {"error": "ReclamationTokenMismatch"}, "one use"


def test_an_address_is_verified(names, mailbox):
    address = f"{secrets.token_hex(4)}@example.org"
    _, token = names.subscribe()
    assert names.get("/setemail", token=token, email=address, optout="1").status_code == 200
    link = re.search(r"/verifyemail\?s=(\S+)", mailbox.wait_for(address).get_payload())
    reply = names.get("/verifyemail", s=link.group(1))
    assert reply.status_code == 200 and reply.headers["Content-Type"].startswith("text/html")
    assert names.get("/info", token=token).json()["verified"] is True
    assert names.get("/verifyemail", s=link.group(1)).status_code == 404
    assert names.get("/revokeemail", token=token).status_code == 200
    assert names.get("/info", token=token).json()["verified"] is False


@pytest.mark.parametrize("address", ["", "a", "a@", "@b.org", "a@b.org\r\nBcc: c@d.org", "a@b.org,c@d.org", "a b@c.org",
                                     "<a@b.org>", "a@b.org\n", "x" * 250 + "@b.org"])
def test_no_address_makes_a_header(names, address):
    _, token = names.subscribe()
    assert names.get("/setemail", token=token, email=address).status_code == 400
    assert names.get("/info", token=token).json()["email"] == ""


# ---- a tenant's own ----


def test_a_device_registers_for_itself(fleet, api, tenant, names):
    network = api.ok("createNetwork", tenant.owner, {"name": "yard", "ipv4": "10.91.0.0/24"}, tenant=tenant.id)
    device, other = (Device(api, tenant, network["id"], name) for name in ("one", "two"))
    label = "n" + secrets.token_hex(6)
    mine = api.ok("registerName", device.basic, {"name": label})
    assert mine["name"] == f"{label}.{ZONE}" and mine["device"] == device.id
    assert names.get("/ping", token=mine["token"]).status_code == 200
    again = api.ok("registerName", device.basic, {"name": label})
    assert again["id"] == mine["id"] and again["token"] != mine["token"]
    assert names.get("/ping", token=mine["token"]).status_code == 404
    assert api.call("registerName", other.basic, {"name": label}).status_code == 409
    listed = api.ok("listRegistrations", tenant.owner, query={"device": device.id}, tenant=tenant.id)["items"]
    assert [item["id"] for item in listed] == [mine["id"]] and listed[0]["token"] == ""


def test_the_tenants_admin_reclaims_and_frees(api, tenant, names):
    label = "n" + secrets.token_hex(6)
    made = api.ok("createRegistration", tenant.owner, {"name": label}, tenant=tenant.id)
    fresh = api.ok("reclaimRegistration", tenant.owner, tenant=tenant.id, id_=made["id"])
    assert names.get("/ping", token=made["token"]).status_code == 404
    assert names.get("/ping", token=fresh["token"]).status_code == 200
    api.ok("deleteRegistration", tenant.owner, tenant=tenant.id, id_=made["id"])
    assert names.get("/ping", token=fresh["token"]).status_code == 404


def test_a_zone_of_a_tenant(fleet, api, tenant, names):
    name = f"z{secrets.token_hex(4)}.example"
    zone = api.ok("createZone", tenant.owner, {"name": name}, tenant=tenant.id)
    made = api.ok("createRegistration", tenant.owner, {"name": "pump", "zone": name}, tenant=tenant.id)
    assert made["name"] == f"pump.{name}"
    wait_for("the zone", lambda: dig(fleet, f"pump.{name}", "A") == ("NOERROR", ["A 127.0.0.1"]))
    assert api.call("deleteZone", tenant.owner, tenant=tenant.id, id_=zone["id"]).status_code in (400, 409, 412)
    for wrong in "lanyard.test", "x.box.lanyard.test", "test", "a_b.example", name:
        assert api.call("createZone", tenant.owner, {"name": wrong}, tenant=tenant.id).status_code in (400, 409), wrong
    api.ok("deleteRegistration", tenant.owner, tenant=tenant.id, id_=made["id"])
    api.ok("deleteZone", tenant.owner, tenant=tenant.id, id_=zone["id"])
    wait_for("the zone's end", lambda: dig(fleet, name, "SOA")[0] == "REFUSED")
