"""What resolvers get through PowerDNS: the operator's own records, answers that do not depend on who asks, and records
that are good whatever a holder tells."""

import re
import secrets
import socket
import subprocess

import pytest

from api_client import wait_for
from api_world import Device, Tenant, admin, api, tenant  # fixtures too
from names_world import ZONE, Names, dig, names, settings_of  # fixtures too


def test_the_operators_own_records(fleet, names, tmp_path):
    records = fleet.var / "run/dns/records"  # the service sees this folder as /srv/run/dns
    records.write_text(f"# of the operator\n@ A 192.0.2.7\n@ MX 10 mail.example.org.\nwww CNAME @\nshop MX 5 mail\n"
                       "_psl TXT https://example.org/psl\na.b TXT two;strings=1\n")
    undo = settings_of(fleet, "dns", LANYARD_DNS_RECORDS_FILE="/srv/run/dns/records")
    try:
        wait_for("the zone's address", lambda: dig(fleet, ZONE, "A") == ("NOERROR", ["A 192.0.2.7"]))
        for owner, kind, want in ((ZONE, "MX", ["MX 10 mail.example.org."]),
                                  (f"www.{ZONE}", "A", ["A 192.0.2.7", f"CNAME {ZONE}."]),
                                  (f"shop.{ZONE}", "MX", [f"MX 5 mail.{ZONE}."]),
                                  (f"_psl.{ZONE}", "TXT", ['TXT "https://example.org/psl"']),
                                  (f"a.b.{ZONE}", "TXT", ['TXT "two;strings=1"']), (f"b.{ZONE}", "TXT", [])):
            wait_for(f"{kind} of {owner}", lambda: dig(fleet, owner, kind) == ("NOERROR", want))
        transfer = subprocess.run(["dig", "@127.0.0.1", "-p", str(fleet.dns_port), "+noall", "+answer", ZONE, "AXFR"],
                                  stdout=subprocess.PIPE, text=True).stdout
        assert len(re.findall(r"\sMX\s", transfer)) == 2 and len(re.findall(r"\sCNAME\s", transfer)) == 1
        for label in "www", "shop", "b":
            assert names.get("/subscribe", name=label).json() == {"error": "UnavailableName"}
    finally:
        undo()
        records.unlink()


def test_a_node_that_is_away_is_left_out(fleet, names):
    """Of the addresses of the tunnel those are told that take connections; all, if none does."""
    from conftest import free_ports
    port, label = free_ports(1), names.subscribe()[0]
    edges = {address: socket.create_server((address, port)) for address in ("127.0.0.1", "127.0.0.2", "127.0.0.3")}
    undo = settings_of(fleet, "dns", LANYARD_DNS_TUNNEL=",".join(edges), LANYARD_DNS_TUNNEL_PORT=str(port))

    def told():
        return dig(fleet, f"{label}.{ZONE}", "A")[1]

    def serial():
        return int(dig(fleet, ZONE, "SOA")[1][0].split()[3])
    try:
        everywhere = [f"A {address}" for address in edges]
        assert told() == everywhere
        before = serial()
        edges["127.0.0.2"].close()
        wait_for("the others only", lambda: told() == ["A 127.0.0.1", "A 127.0.0.3"])
        wait_for("secondaries to hear of it", lambda: serial() > before)
        assert dig(fleet, f"api.{ZONE}", "A")[1] == ["A 127.0.0.1", "A 127.0.0.3"]
        assert "lanyard_dns_tunnel_addresses_away 1\n" in fleet.ops("dns", "/metrics")
        for edge in edges.values():
            edge.close()
        wait_for("all of them", lambda: told() == everywhere)
        edges["127.0.0.2"] = socket.create_server(("127.0.0.2", port))
        wait_for("the one that is back", lambda: told() == ["A 127.0.0.2"])
    finally:
        undo()
        for edge in edges.values():
            edge.close()


def test_a_records_file_that_is_wrong_is_told(fleet, tmp_path):
    path = tmp_path / "records"
    path.write_text("@ A 192.0.2.7\nwww CNAME @\nwww A 192.0.2.8\n")
    done = subprocess.run([f"{fleet.environment['LANYARD_BUILD']}/bin/lanyard-dns", "--check"], text=True,
                          env={"LANYARD_DNS_RECORDS_FILE": str(path), "LANYARD_DNS_KEY_FILE": "x", "LANYARD_DNS_SOCKET": "x",
                               "LANYARD_DATABASE_URL": "postgresql:///x", "LANYARD_FLEET_KEY_FILE": "x"},
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 2 and f"{path} line 3: " in done.stdout, done.stdout


def test_answers_do_not_depend_on_the_subnet_of_who_asks(fleet, names, tmp_path):
    """RFC 7871: a resolver that tells its client's network hears that the answer is good for all (scope 0)."""
    from conftest import free_ports
    port = free_ports(1)
    (tmp_path / "pdns.conf").write_text(
        (fleet.var / "run/pdns.conf").read_text().replace("/srv/run/pdns", str(tmp_path)).replace("/srv/", f"{fleet.var}/")
        .replace(f"local-port={fleet.dns_port}", f"local-port={port}") + "edns-subnet-processing=yes\n")
    server = subprocess.Popen(["pdns_server", f"--config-dir={tmp_path}", "--guardian=no", "--daemon=no"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        label, _ = names.subscribe()
        for subnet in "203.0.113.0/24", "2001:db8:7::/48":
            def answer():
                text = subprocess.run(["dig", "@127.0.0.1", "-p", str(port), "+norecurse", f"+subnet={subnet}",
                                       f"{label}.{ZONE}", "A"], stdout=subprocess.PIPE, text=True).stdout
                return f"CLIENT-SUBNET: {subnet}/0" in text and re.search(r"\sA\s+127\.0\.0\.1", text)
            wait_for("an answer with scope 0", answer)
    finally:
        server.terminate()
        server.wait()


def test_the_longest_account_makes_a_good_record(fleet, names, tmp_path):
    """CAA names the holder's ACME account; one bad record would take the whole name away."""
    undo = settings_of(fleet, "dns", LANYARD_DNS_CAA="ca.example another-ca.example")
    try:
        label, token = names.subscribe()
        account = "https://ca.example/acct/" + "x" * 156
        assert len(account) == 180
        assert names.get("/ping", token=token, accounturi=account).status_code == 200
        name = f"{label}.{ZONE}"
        wait_for("its records", lambda: dig(fleet, name, "CAA", "+tcp") == (
            "NOERROR", [f'CAA 0 issue "{ca}; accounturi={account}"' for ca in ("another-ca.example", "ca.example")]))
        assert dig(fleet, name, "A") == ("NOERROR", ["A 127.0.0.1"])
        for wrong in (account + "x", "http://ca.example/1", 'https://a"b', "https://a;b", "https://a b", "https://a\\b",
                      "https://a\nb", "https://\u00e4"):
            assert names.get("/ping", token=token, accounturi=wrong).status_code == 400, wrong
        assert names.get("/ping", token=token, accounturi="").status_code == 200
        wait_for("any account", lambda: dig(fleet, name, "CAA")[1] == [
            f'CAA 0 issue "{ca}"' for ca in ("another-ca.example", "ca.example")])
        assert dig(fleet, ZONE, "CAA")[1] == [f'CAA 0 issue "{ca}"' for ca in ("another-ca.example", "ca.example")]
    finally:
        undo()


def test_the_longest_name(fleet, api, tenant, names):
    """A label of 63 bytes in a zone of 170: all that is below it still fits."""
    zone = ".".join(["z" * 50, secrets.token_hex(25), "y" * 50, "example.de.test.x"])[-170:]
    assert len(zone) == 170
    api.ok("createZone", tenant.owner, {"name": zone}, tenant=tenant.id)
    made = api.ok("createRegistration", tenant.owner, {"name": "x" * 63, "zone": zone}, tenant=tenant.id)
    owner = "_acme-challenge." + made["name"]
    assert len(owner) + 1 <= 253
    assert names.get("/dnsconfig", token=made["token"], challenge="c" * 63).status_code == 200
    wait_for("the value", lambda: dig(fleet, owner, "TXT") == ("NOERROR", [f'TXT "{"c" * 63}"']))
    assert dig(fleet, made["name"], "A") == ("NOERROR", ["A 127.0.0.1"])
    assert api.call("createZone", tenant.owner, {"name": "x" + zone}, tenant=tenant.id).status_code == 400
    assert api.call("createRegistration", tenant.owner, {"name": "x" * 64, "zone": zone}, tenant=tenant.id
                    ).status_code == 400


def test_more_bytes_than_a_packet_come_by_tcp(fleet, names):
    """Eight challenges of 63 bytes: without EDNS the answer is cut and asked for again by TCP."""
    label, token = names.subscribe()
    values = [f"{n}" * 63 for n in range(8)]
    for value in values:
        assert names.get("/dnsconfig", token=token, challenge=value).status_code == 200
    owner = f"_acme-challenge.{label}.{ZONE}"
    wait_for("all values", lambda: len(dig(fleet, owner, "TXT", "+tcp")[1]) == 8)
    cut = subprocess.run(["dig", "@127.0.0.1", "-p", str(fleet.dns_port), "+noedns", "+ignore", owner, "TXT"],
                         stdout=subprocess.PIPE, text=True).stdout
    assert re.search(r"flags:[a-z ]* tc", cut)
    assert dig(fleet, owner, "TXT", "+noedns") == ("NOERROR", sorted(f'TXT "{value}"' for value in values))
    assert names.get("/dnsconfig", token=token, challenge="9" * 63).status_code == 200
    wait_for("the newest", lambda: f'TXT "{"9" * 63}"' in dig(fleet, owner, "TXT", "+tcp")[1])
    assert len(dig(fleet, owner, "TXT", "+tcp")[1]) == 8, "the oldest gave way"
