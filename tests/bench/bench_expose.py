"""From nothing to a certificate for a new device's name, beside ACME clients that get one for a name of their own by the same
portal, name servers and authority (pebble): scripts/bench expose.

usage: bench_expose.py OUT.json [ROUNDS]

Ours begins with lanyard enroll and ends when lanyard status shows the certificate of the name of the MAC address; that of the
others with /subscribe, and ends when the client does. Rounds take turns; figures are medians."""

import pathlib
import statistics
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

from api_client import Api, bearer, wait_for  # noqa: E402
from api_world import Tenant  # noqa: E402
from conftest import Fleet  # noqa: E402
from expose_world import CERTIFICATE_S, Box  # noqa: E402
from report import Report  # noqa: E402
from test_certificates import Authority, Client, dehydrated, lego_by_httpreq  # noqa: E402

GOAL_S = 5


def ours(fleet, api, tenant, authority, folder):
    begun = time.monotonic()
    box = Box(fleet, api, tenant, authority, folder)
    try:
        box.start(1)
        wait_for("the certificate", lambda: "certificate_until" in box.name_status(box.mac), CERTIFICATE_S)
        return time.monotonic() - begun
    finally:
        box.close()


def peer(run):
    """A client of the registration API, for one name; ours has all names below it, too."""
    def take(fleet, _api, _tenant, authority, folder):
        begun = time.monotonic()
        run(fleet, Client(fleet, authority, folder))
        return time.monotonic() - begun
    return take


RUNS = {"ours": ours, "lego": peer(lambda fleet, client: lego_by_httpreq(fleet, client, client.name)),
        "dehydrated": peer(lambda _, client: dehydrated(client))}


def measure(folder, rounds):
    fleet = Fleet(folder / "fleet")
    fleet.up()
    try:
        api = Api(fleet.base_url, fleet.ca_file)
        tenant = Tenant(api, bearer("the first operator", fleet.admin_api_key))
        (folder / "pebble").mkdir()
        authority = Authority(folder / "pebble", fleet.dns_port, 0, {"PEBBLE_VA_NOSLEEP": "1"})
        seconds = {name: [] for name in RUNS}
        for number in range(rounds):
            for name, run in RUNS.items():
                place = folder / f"{name}{number}"
                place.mkdir()
                seconds[name].append(run(fleet, api, tenant, authority, place))
                print(f"  round {number + 1}: {name} {seconds[name][-1]:.2f} s", file=sys.stderr, flush=True)
        authority.stop()
        return {name: statistics.median(values) for name, values in seconds.items()}
    finally:
        fleet.down("--purge")


def main():
    with tempfile.TemporaryDirectory(prefix="lanyard-bench-") as folder:
        (pathlib.Path(folder) / "fleet").mkdir()
        figures = measure(pathlib.Path(folder), int(sys.argv[2]) if len(sys.argv) > 2 else 3)
    report = Report()
    report.add("new device to certificate", "s", figures.pop("ours"), figures, GOAL_S, more_is_better=False)
    report.write(sys.argv[1])


if __name__ == "__main__":
    main()
