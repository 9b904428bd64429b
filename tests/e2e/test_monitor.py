"""lanyard monitor: what an operator sees of the pairs and tunnels of a fleet, on a terminal and as JSON."""

import json
import os
import pathlib
import re
import ssl
import subprocess
import sys
import threading

import pytest

from api_client import WAIT_S, wait_for
from api_world import admin, api, stranger, tenant  # fixtures
from terminal import Terminal

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "component"))

from nymea_client import Server, Tcp, WebSocket, register_client  # noqa: E402


@pytest.fixture(scope="module")
def traffic(fleet, api, tenant):
    """A pair of the tenant that carries something, one client that waits, and a tunnel server with a client."""
    trust = ssl.create_default_context(cafile=fleet.ca_file)
    key = api.ok("createEnrolmentKey", tenant.owner, {"name": "pairing"}, tenant=tenant.id)["secret"]
    one = WebSocket(fleet.pair_port, trust).expect_success(key, name="nymea\x1b[31m app", uuid="{1}")
    two = Tcp(fleet.pair_port + 1, trust).expect_success(key, name="Zoë's core", uuid="{2}")
    one.expect_tunnel(), two.expect_tunnel()
    server = Server(Tcp(fleet.tunnel_port + 1, trust))
    client = WebSocket(fleet.tunnel_port, trust)
    assert register_client(client, server.uuid) == "TunnelProxyErrorNoError"
    over = threading.Event()

    def flow():
        while not over.wait(0.05):
            two.send("x" * 1000)
            one.receive(1000)

    flowing = threading.Thread(target=flow)
    flowing.start()
    yield key
    over.set()
    flowing.join()
    for connection in (one, two, client, server.connection):
        connection.close()


def command(fleet, *arguments):
    return [str(pathlib.Path(fleet.environment["LANYARD_BUILD"]) / "bin/lanyard"), "monitor", fleet.base_url, "--ca",
            fleet.ca_file, *arguments]


def secret(caller):
    return caller.authorization.removeprefix("Bearer ")


def run(fleet, caller, *arguments):
    return subprocess.run(command(fleet, *arguments), env={**os.environ, "LANYARD_API_KEY": secret(caller)}, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=WAIT_S)


def look(fleet, caller, *arguments):
    done = run(fleet, caller, "--json", "--count", "1", *arguments)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_json_tells_pairs_tunnels_and_rates(fleet, admin, traffic):
    def with_rate():
        found = look(fleet, admin)
        return found if found["totals"]["rate"] > 0 else None
    model = wait_for("a rate", with_rate)
    pair, = [tunnel for tunnel in model["tunnels"] if tunnel["kind"] == "pair"]
    assert {one["name"] for one in pair["connections"]} == {"nymea\x1b[31m app", "Zoë's core"}
    assert pair["rate"] > 0 and pair["bytes"] > 0 and {one["transport"] for one in pair["connections"]} == \
        {"websocket", "tcp"}
    tunnel, = [tunnel for tunnel in model["tunnels"] if tunnel["kind"] == "tunnel"]
    assert [one["kind"] for one in tunnel["connections"]] == ["tunnel_server", "tunnel_client"]
    assert [one["name"] for one in tunnel["connections"]] == ["srv", "cliB"]
    assert (model["totals"]["pairs"], model["totals"]["tunnel_servers"], model["totals"]["tunnel_clients"]) == (1, 1, 1)


def test_a_tenant_sees_its_own_only(fleet, api, tenant, stranger, traffic):
    assert look(fleet, tenant.keys["auditor"], "--tenant", tenant.id)["totals"]["pairs"] == 1
    assert look(fleet, stranger.keys["auditor"], "--tenant", stranger.id)["totals"]["connections"] == 0
    for caller, arguments in ((stranger.keys["owner"], ["--tenant", tenant.id]), (tenant.keys["owner"], []),
                              (tenant.keys["member"], ["--tenant", tenant.id])):
        done = run(fleet, caller, "--json", *arguments)
        assert done.returncode == 1 and done.stderr.startswith("lanyard monitor: ") and done.stdout == "", done
        assert secret(caller) not in done.stderr


def test_the_pair_and_the_traffic_of_the_tenant(fleet, api, tenant, traffic):
    def carrying():
        pair, = api.ok("listPairs", tenant.owner, query={"state": "joined"}, tenant=tenant.id)["items"]
        return pair if pair["rate"] > 0 else None
    pair = wait_for("a rate of the pair", carrying)
    later = wait_for("more bytes", lambda: [one for one in [api.ok("getPair", tenant.owner, id_=pair["id"],
                                                                   tenant=tenant.id)] if one["bytes"] > pair["bytes"]])
    assert later[0]["state"] == "joined"
    trust = ssl.create_default_context(cafile=fleet.ca_file)
    before = wait_for("traffic of a pair that lives", lambda: sum(
        day["bytes"] for day in api.ok("listTraffic", tenant.owner, tenant=tenant.id)["items"]))
    one, two = (Tcp(fleet.pair_port + 1, trust).expect_success(traffic, "billed", uuid=uuid) for uuid in "12")
    one.expect_tunnel(), two.expect_tunnel()
    one.send("x" * 5000)
    two.receive(5000)
    one.close(), two.close()
    wait_for("the day's traffic", lambda: sum(
        day["bytes"] for day in api.ok("listTraffic", tenant.owner, query={"days": 2}, tenant=tenant.id)["items"]) >=
        before + 5000)


@pytest.mark.parametrize("kind", ["xterm-256color", "vt100"])
def test_on_a_terminal(fleet, admin, traffic, kind):
    terminal = Terminal(command(fleet), TERM=kind, LANYARD_API_KEY=secret(admin))
    terminal.line("lanyard monitor", fleet.base_url, "all tenants")
    terminal.line("Pairs 1", "Servers 1", "Their clients 1")
    pair = terminal.line("pair", "Zoë's core", "<->")
    assert "nymea?[31m app" in pair, "a name does not speak to the terminal"
    terminal.line("tunnel", "srv", "a server")
    terminal.line("client", "cliB")
    terminal.wait_for("a rate", lambda lines: any("kB/s" in line and "<->" in line for line in lines))
    terminal.type("\t")
    terminal.line("[Connections]")
    terminal.line("tunnel_server", "joined", "tcp", "srv")
    terminal.line("tunnel_client", "joined", "websocket", "cliB")
    terminal.resize(60, 10)
    terminal.wait_for("the narrow screen", lambda lines: "lanyard monitor" in lines[0] and "SINCE" in lines[3])
    terminal.resize(8, 3)
    terminal.wait_for("the tiny screen", lambda lines: "lanyar" in lines[0])
    terminal.resize(120, 24)
    terminal.line("tunnel_client", "joined")
    terminal.type("q")
    assert terminal.end() == 0


@pytest.mark.parametrize("kind, coloured", [("xterm-256color", True), ("vt100", False)])
def test_a_gateway_that_is_away_is_told_and_awaited(fleet, admin, traffic, kind, coloured):
    terminal = Terminal(command(fleet), TERM=kind, LANYARD_API_KEY=secret(admin))
    terminal.line("<->")
    try:
        fleet.sv("down", "gateway")
        terminal.line("can't reach the gateway")
        terminal.line("<->")
    finally:
        fleet.sv("up", "gateway")
    terminal.line("[Tunnels]")
    assert bool(re.search(rb"\x1b\[(\d+;)*[34]\d(;\d+)*m", terminal.raw)) == coloured, "only a problem has a colour"
    terminal.type("\x1b")
    assert terminal.end() == 0


def test_the_key_is_asked_for_without_an_echo(fleet, admin):
    terminal = Terminal(command(fleet))
    terminal.line("API key:")
    terminal.type(secret(admin) + "\n")
    terminal.line("lanyard monitor", "all tenants")
    assert secret(admin).encode() not in terminal.raw
    terminal.type("q")
    assert terminal.end() == 0


def test_a_terminal_that_can_t(fleet, admin):
    done = run(fleet, admin)
    assert done.returncode == 1 and "use --json" in done.stderr
    terminal = Terminal(command(fleet), TERM="no-such-terminal", LANYARD_API_KEY=secret(admin))
    terminal.line("TERM=no-such-terminal")
    assert terminal.end() == 1
