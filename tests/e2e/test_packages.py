"""Agents that fetch packages: what is signed and newer is applied, what cuts them off is undone, and the portal is told."""

import json
import re
import subprocess
import types

import pytest

from agent_world import LANYARD, run
from api_client import wait_for
from api_world import admin, api  # noqa: F401
from packages_world import World, sign


@pytest.fixture(scope="module")
def world(fleet, api, admin, tmp_path_factory):  # noqa: F811
    world = World(fleet, api, admin, tmp_path_factory.mktemp("packages"))
    yield world
    world.stop()


@pytest.fixture
def device(world):
    """One that uses its first package."""
    world.middle.alter = world.middle.unaltered
    world.portal.set(client_conf="client\ndev tap\nremote vpn.example.org 1194\nverb 1\n", agent_settings="")
    device = world.device()
    done = device.once()
    assert done.status == 0, done.said
    return device


def state_of(device):
    shown = device.shown()
    return types.SimpleNamespace(**{name: shown[name] for name in ("current", "delivered", "acknowledged", "bad", "state",
                                                                   "failure")})


def test_a_device_gets_its_package_and_says_so(world, device):
    assert device.current() == 1 and device.told() == ["apply 1 1"]
    folder = device.packages / "current"
    assert "verb 1" in (folder / "client.conf").read_text() and "BEGIN PRIVATE KEY" in (folder / "client.conf").read_text()
    assert (folder / "agent.json").read_text() == "{}\n"
    assert all(file.stat().st_mode & 0o777 == 0o600 for file in folder.iterdir())
    now = state_of(device)
    assert (now.current, now.delivered, now.acknowledged, now.state) == (1, 1, 1, "enabled")
    assert device.once().status == 0 and device.told() == ["apply 1 1"]  # nothing is done twice
    records = [(r["action"], r["actor"], r["package"], r["source"]) for r in world.portal.records(device.id)]
    by = "device:" + device.id
    assert ("package.delivered", by, 1, "127.0.0.1") in records and ("package.acknowledged", by, 1, "127.0.0.1") in records


def test_a_package_that_cuts_the_device_off_is_undone_and_reported(world, device):
    assert device.publish(verb=9) == 2
    done = device.once()
    assert done.status == 1 and "the portal is not reached with it" in done.said
    assert device.current() == 1 and device.told() == ["apply 1 1", "apply 2 2", "return 1 1"]
    assert not (device.packages / "2").exists()
    now = state_of(device)
    assert (now.current, now.acknowledged, now.bad, now.state) == (1, 1, 2, "enabled")
    assert "the portal is not reached with it" in now.failure
    assert device.once().status == 0 and len(device.told()) == 3  # it is not tried again
    assert device.publish(verb=2) == 3
    assert device.once().status == 0 and device.current() == 3 and state_of(device).acknowledged == 3


@pytest.mark.parametrize("verb, more, reason", [(8, [], "the command ended with status 7"),
                                                (7, ["--apply-timeout", "1"], "the command took too long")])
def test_a_command_that_fails_takes_the_package_back(device, verb, more, reason):
    device.publish(verb=verb)
    done = device.once(*more)
    assert done.status == 1 and reason in done.said
    assert device.current() == 1 and device.told()[-1] == "return 1 1"
    assert (state_of(device).bad, state_of(device).failure) == (2, reason)


def kill_while_applying(device):
    process = device.begin()
    wait_for("the command", (device.folder / "began").exists)
    process.kill()
    process.wait()
    (device.folder / "go").touch()  # its command ends too
    wait_for("a whole package", lambda: device.current() == 2)
    (device.folder / "began").unlink()


def test_killed_while_applying_it_goes_on(device):
    device.publish(verb=7)
    kill_while_applying(device)
    assert state_of(device).acknowledged == 1
    assert device.once().status == 0
    assert device.current() == 2 and state_of(device).acknowledged == 2


def test_killed_each_time_it_gives_up(device):
    device.publish(verb=7)
    for _ in range(3):
        (device.folder / "go").unlink(missing_ok=True)
        kill_while_applying(device)
    done = device.once()
    assert done.status == 1 and "interrupted each time" in done.said
    assert device.current() == 1 and device.told()[-1] == "return 1 1"
    assert (state_of(device).bad, state_of(device).current) == (2, 1)


def test_an_older_manifest_is_not_gone_back_to(world, device):
    old = json.dumps(device.manifest()).encode()
    device.publish(verb=2)
    assert device.once().status == 0 and device.current() == 2
    world.middle.alter = lambda path, content: old if path == "/v1/manifest" else content
    done = device.once()
    assert done.status == 1 and "the manifest is older" in done.said
    assert device.current() == 2


def refused(world, device, alter):
    """What is said about a newer package that was altered on its way."""
    device.publish(verb=2)
    world.middle.alter = alter
    done = device.once()
    assert done.status == 1 and device.current() == 1 and not (device.packages / "2").exists()
    assert len(device.told()) == 1
    return done.said


def altered_manifest(**changes):
    def alter(path, content):
        if path != "/v1/manifest":
            return content
        reply = json.loads(content)
        for name, change in changes.items():
            reply[name] = change(reply[name])
        return json.dumps(reply).encode()
    return alter


def test_a_manifest_that_was_altered_is_refused(world, device):
    said = refused(world, device, altered_manifest(manifest=lambda text: text.replace('"package":2', '"package":3')))
    assert "the text is not what was signed" in said


def test_files_that_are_not_those_of_the_manifest_are_refused(world, device):
    said = refused(world, device, lambda path, content: content.replace(b"vpn.example.org", b"vpn.example.com")
                   if path == "/v1/package-files" else content)
    assert "client.conf of package 2 is not what the manifest says" in said


def test_a_manifest_of_another_device_is_refused(world, device):
    other = world.device()
    other.publish(verb=2)
    manifest = other.manifest()
    said = refused(world, device, altered_manifest(**{name: lambda _, name=name: manifest[name] for name in
                                                      ("manifest", "signature", "chain")}))
    assert "expected this device of this tenant" in said


def test_nobody_signs_with_a_device_s_certificate(world, device):
    conf = (device.packages / "current/client.conf").read_text()
    certificate, key = (re.search(f"<{tag}>\n(.*)</{tag}>", conf, re.DOTALL).group(1) for tag in ("cert", "key"))
    text = device.manifest()["manifest"].replace('"version":', '"version":1')
    said = refused(world, device, altered_manifest(manifest=lambda _: text, chain=lambda _: certificate,
                                                   signature=lambda _: sign(device.folder, key, text)))
    assert "its certificate is not one for signing" in said


def test_another_root_is_not_believed(world, device):
    """Whoever is in the middle shows its own root, certificate and signature."""
    text = device.manifest()["manifest"].replace('"version":', '"version":1')
    own, key = world.middle.ca.read_text(), world.middle.ca.with_suffix(".key").read_text()
    said = refused(world, device, altered_manifest(
        manifest=lambda _: text, chain=lambda _: own, trust=lambda _: own, signature=lambda _: sign(device.folder, key, text)))
    assert "the signature is not good" in said


def test_devices_follow_a_change_of_the_root(world, device):
    portal = world.portal
    authorities = portal.api.ok("getAuthorities", portal.owner, **portal.of)["items"]
    old = next(a for a in authorities if a["kind"] == "root" and a["state"] == "active")
    root = portal.api.ok("rotateAuthority", portal.owner, {"kind": "root"}, **portal.of)
    device.publish(verb=2)
    assert device.once().status == 0
    assert (device.packages / "current/ca.crt").read_text().count("BEGIN CERTIFICATE") == 2
    shown = portal.api.ok("getAuthorities", portal.owner, **portal.of)
    assert 1 <= shown["devices_ready"] < shown["devices"]  # others have not fetched it
    portal.set(trust_percent=100)
    early = portal.api.call("advanceAuthority", portal.owner, id_=root["id"], **portal.of)
    assert early.status_code == 409 and "have the new root" in early.json()["detail"]
    portal.set(trust_percent=0)
    for id_ in (root["id"], old["id"]):  # the new one is active, the old one retired
        portal.api.ok("advanceAuthority", portal.owner, id_=id_, **portal.of)
    device.publish(verb=3)
    assert device.once().status == 0 and device.current() == 3
    assert (device.packages / "current/ca.crt").read_text().count("BEGIN CERTIFICATE") == 1


def test_roots_are_where_agents_look_for_them_whatever_files_are_called(world, device):
    portal, usual = world.portal, "client\ndev tap\nremote vpn.example.org 1194\n"
    portal.set(file_names="root.pem vpn.conf static.key user", client_conf=usual + "ca root.pem\n")
    try:
        assert portal.publish(device) == 2 and device.once().status == 0
    finally:
        portal.set(file_names="ca.crt client.conf ta.key credentials", client_conf=usual)
    folder = device.packages / "current"
    assert sorted(file.name for file in folder.iterdir()) == ["agent.json", "ca.crt", "root.pem", "static.key", "user", "vpn.conf"]
    assert (folder / "ca.crt").read_text() == (folder / "root.pem").read_text() != ""
    assert portal.publish(device) == 3 and device.once().status == 0 and device.current() == 3


def test_a_rollout_stops_when_agents_report_failures(world, device):
    portal = world.portal
    portal.set(client_conf="client\ndev tap\nremote vpn.example.org 1194\nverb 8\n")
    rollout = portal.api.ok("createRollout", portal.owner, {"first_percent": 100, "max_open": 5000}, **portal.of)["id"]
    wait_for("the package", lambda: device.shown()["current"] == 2)
    assert device.once().status == 1
    stopped = wait_for("its end", lambda: (r := portal.api.ok("getRollout", portal.owner, id_=rollout, **portal.of))
                       and r["state"] == "stopped" and r)
    assert stopped["failed"] >= 1
    portal.api.ok("updateRollout", portal.owner, {"state": "cancelled"}, id_=rollout, **portal.of)
    assert device.current() == 1 and device.shown()["current"] == 1


def test_lanyard_status_and_down_know_it(device):
    which = ["--state", device.folder / "state", "--packages"]
    assert run(LANYARD, "status", *which).returncode == 3
    process = subprocess.Popen([word for word in device.words() if word != "--once"], stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for("what it says", lambda: run(LANYARD, "status", *which).returncode == 0)
    shown = json.loads(run(LANYARD, "status", "--json", *which).stdout)
    assert (shown["command"], shown["state"], shown["package"], shown["wanted"]) == ("packages", "connected", 1, 1)
    assert "package     1\n" in run(LANYARD, "status", "--state", device.folder / "state").stdout
    run(LANYARD, "down", *which)
    assert process.wait(30) == 0


def test_a_blocked_device_gets_nothing(world, device):
    world.portal.block(device)
    done = device.once()
    assert done.status == 1 and "blocked" in done.said and device.current() == 1


def test_lanyard_up_heeds_the_settings_of_a_package(world, device):
    portal, netns = world.portal, "lanyard-test-" + device.id[-8:]
    name = "n" + device.id[-8:]
    network = portal.api.ok("createNetwork", portal.owner, {"name": name, "ipv4": "10.78.0.0/24"}, **portal.of)["id"]
    portal.api.ok("createMember", portal.owner, {"network": network, "device": device.id}, **portal.of)
    portal.set(agent_settings=json.dumps({"network": name, "interface": "told0"}))
    portal.publish(device)
    assert device.once().status == 0
    assert run("ip", "netns", "add", netns).returncode == 0
    process = subprocess.Popen([LANYARD, "up", "--state", device.folder / "state", "--netns", netns, "--settings",
                                device.packages / "current/agent.json"], stderr=subprocess.DEVNULL)
    try:
        wait_for("the interface", lambda: "inet 10.78.0.1/24" in run("ip", "-n", netns, "address", "show", "told0").stdout)
    finally:
        process.terminate()
        assert process.wait(30) == 0
        run("ip", "netns", "del", netns)


@pytest.mark.parametrize("settings, member", [
    ('{"network": "No Label"}', "network"), ('{"exec": "rm -rf /"}', "exec"), ('{"proxy": "file:///etc/passwd"}', "proxy"),
    ('{"interface": "a b"}', "interface"), ("no JSON", "expected")])
def test_settings_that_agents_could_not_use_are_refused(world, settings, member):
    portal = world.portal
    reply = portal.api.call("updatePortal", portal.owner, {"agent_settings": settings}, **portal.of)
    assert reply.status_code == 400 and reply.json()["field"] == "agent_settings" and member in reply.json()["detail"]
