"""Rollouts over HTTP, with devices that behave and devices that don't. Statement 66 of the provisioning contract."""

import types

import pytest

from api_client import wait_for
from api_world import admin, api  # noqa: F401
from portal_world import CONF, Portal, read


class World(Portal):
    """A portal with devices that all use their first package."""

    def __init__(self, fleet, api, admin, n):
        super().__init__(fleet, api, admin)
        self.devices = [self.add() for _ in range(n)]
        for device in self.devices:
            self.serve(device)

    def begin(self, **limits):
        return self.api.ok("createRollout", self.owner, limits, **self.of)["id"]

    def rollout(self, id_):
        return self.api.ok("getRollout", self.owner, id_=id_, **self.of)

    def change(self, id_, **changes):
        return self.api.ok("updateRollout", self.owner, changes, id_=id_, **self.of)

    def listed(self, id_, state):
        page = self.api.ok("getRolloutDevices", self.owner, query={"state": state, "limit": 200}, id_=id_, **self.of)
        ids = {device["id"] for device in page["items"]}
        return [device for device in self.devices if device.id in ids]

    def told(self, id_, n):
        """The devices that are to fetch now, once there are n of them."""
        def told():
            devices = [d for d in self.listed(id_, "open") if self.shown(d)["acknowledged"] == 1]
            return devices if len(devices) == n else None
        return wait_for(f"{n} devices that are told to fetch", told)


@pytest.fixture
def world(fleet, api, admin):
    return types.SimpleNamespace(of=lambda n: World(fleet, api, admin, n))


def test_each_wave_waits_for_the_one_before(world):
    portal = world.of(10)
    id_ = portal.begin(first_percent=10, second_percent=30, max_open=2)
    first = portal.told(id_, 1)
    assert [portal.status(d).status for d in portal.devices].count(3) == 1
    portal.serve(first[0])
    for left in (2, 2, 2, 2, 1):  # the second wave, then the third one: never more than max_open at a time
        for device in portal.told(id_, left):
            portal.serve(device)
    done = wait_for("the end", lambda: portal.rollout(id_)["state"] == "done" and portal.rollout(id_))
    assert (done["wave"], done["devices"], done["done"], done["failed"]) == (3, 10, 10, 0)
    assert all(portal.shown(d)["acknowledged"] == 2 for d in portal.devices)


def test_66_a_wave_with_too_many_failures_stops_and_the_rest_keeps_what_it_has(world):
    portal = world.of(6)
    id_ = portal.begin(first_percent=50, fail_percent=40)
    good, bad, worse = portal.told(id_, 3)
    portal.serve(good)
    for device in (bad, worse):
        for _ in range(10):  # it asks, is told to fetch, and does not get on
            portal.poll(device)
    stopped = wait_for("a stop", lambda: portal.rollout(id_)["state"] == "stopped" and portal.rollout(id_))
    assert stopped["failed"] == 2 and stopped["waiting"] == 3
    assert stopped["reason"] == "2 of 3 devices failed in waves 1 to 1"
    for device in portal.devices:
        if device is good:
            assert portal.shown(device)["current"] == 2
        else:
            assert portal.shown(device)["current"] == 1
            wait_for("the gateway to hear of the stop", lambda: portal.status(device).status == 2)
    assert portal.shown(bad)["bad"] == 2
    assert [r["action"] for r in portal.records(id_)] == ["rollout.running", "rollout.stopped"]


def test_a_rollout_is_held_goes_on_and_is_cancelled(world):
    portal = world.of(2)
    id_ = portal.begin(first_percent=50)
    told = portal.told(id_, 1)
    assert portal.change(id_, state="paused")["state"] == "paused"
    portal.serve(told[0])
    wait_for("a result", lambda: portal.rollout(id_)["done"] == 1)
    assert portal.rollout(id_)["wave"] == 1
    again = portal.api.call("createRollout", portal.owner, {}, **portal.of)
    assert again.status_code == 409 and again.json()["field"] == "state"
    changed = portal.api.call("updatePortal", portal.owner, {"client_conf": CONF + "verb 4\n"}, **portal.of)
    assert changed.status_code == 409 and changed.json()["field"] == "client_conf"
    portal.change(id_, state="running")
    other = portal.told(id_, 1)[0]
    assert portal.status(other).status == 3
    assert portal.change(id_, state="cancelled")["state"] == "cancelled"
    assert portal.status(other).status == 2 and portal.shown(other)["current"] == 1
    over = portal.api.call("updateRollout", portal.owner, {"state": "running"}, id_=id_, **portal.of)
    assert over.json()["field"] == "state"
    portal.set(client_conf=CONF + "verb 4\n")


def test_what_is_no_rollout_is_refused(world):
    portal = world.of(0)
    for body, field in (({"first_percent": 101}, "first_percent"), ({"first_percent": 20, "second_percent": 10},
                        "second_percent"), ({"max_open": 5001}, "max_open"), ({"fail_percent": 101}, "fail_percent")):
        reply = portal.api.call("createRollout", portal.owner, body, **portal.of)
        assert reply.status_code == 400 and reply.json()["field"] == field
    id_ = portal.begin()
    wait_for("the end of a rollout of nothing", lambda: portal.rollout(id_)["state"] == "done")
    assert portal.api.ok("listRollouts", portal.owner, **portal.of)["items"][0]["id"] == id_
