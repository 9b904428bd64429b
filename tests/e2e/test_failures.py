"""kill -9 of each process in turn, while writes go on: what was acknowledged is there, once, and the fleet gets whole
again by itself."""

import secrets
import threading
import time

import pytest
import requests

from api_client import WAIT_S, wait_for
from api_world import Tenant, admin, api  # fixtures too

PROCESSES = ["postgres", "auth", "provision", "rendezvous", "dns", "gateway", "dataplane", "pdns", "agent-alpha"]
WRITERS = 4


@pytest.fixture(scope="module")
def tenant(api, admin):
    return Tenant(api, admin)


class Writer(threading.Thread):
    """Makes networks one after the other. Each request is sent with one Idempotency-Key until it is answered."""

    def __init__(self, fleet, tenant):
        super().__init__()
        self.url = f"{fleet.base_url}/v1/tenants/{tenant.id}/networks"
        self.session = requests.Session()
        self.session.trust_env = False  # no proxy and no other CA of the environment
        self.session.verify = fleet.ca_file
        self.session.headers["Authorization"] = "Bearer " + fleet.admin_api_key
        self.acknowledged, self.refused, self.stopping = {}, [], threading.Event()

    def run(self):
        while not self.stopping.is_set():
            name = "n" + secrets.token_hex(8)
            self.write(name, secrets.token_hex(16))

    def write(self, name, key):
        while True:
            try:
                reply = self.session.post(self.url, json={"name": name}, headers={"Idempotency-Key": key},
                                          timeout=WAIT_S)
            except requests.RequestException:
                reply = None
            if reply is not None and reply.status_code < 300:
                self.acknowledged[name] = reply.json()["id"]
                return
            if reply is not None and reply.status_code not in (429, 503, 504):
                self.refused.append((name, reply.status_code, reply.text))
                return
            if self.stopping.is_set():
                return
            time.sleep(0.1)


@pytest.mark.parametrize("process", PROCESSES)
def test_no_acknowledged_write_is_lost(whole_fleet, api, tenant, process):
    fleet = whole_fleet
    writers = [Writer(fleet, tenant) for _ in range(WRITERS)]

    def count():
        assert [writer.refused for writer in writers if writer.refused] == []
        return sum(len(writer.acknowledged) for writer in writers)

    for writer in writers:
        writer.start()
    try:
        wait_for("writes before", lambda: count() >= 20)
        killed = fleet.pid(process)
        fleet.kill(process)
        wait_for("its restart", lambda: fleet.pid(process) not in (None, killed))
        reached = count()
        wait_for("writes after", lambda: count() >= reached + 20)
        wait_for("a whole fleet", fleet.is_whole)
    finally:
        for writer in writers:
            writer.stopping.set()
        for writer in writers:
            writer.join()
    for writer in writers:
        for name, id_ in writer.acknowledged.items():
            found = api.ok("listNetworks", tenant.owner, query={"name": name}, tenant=tenant.id)["items"]
            assert [network["id"] for network in found] == [id_], name
