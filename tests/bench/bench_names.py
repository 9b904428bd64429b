"""Names: questions through PowerDNS to lanyard-dns and to PowerDNS' own backends in one run, how soon a challenge is
visible, and what names cost: scripts/bench names.

usage: bench_names.py OUT.json [--rounds N] [--window SECONDS] [--case NAME]..."""

import argparse
import contextlib
import os
import pathlib
import statistics
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent / "names"))

import powerdns  # noqa: E402
import registration  # noqa: E402
from report import Report  # noqa: E402

BUILD = pathlib.Path(os.environ.get("LANYARD_BUILD", "build/bench")).resolve()
CASES = ["questions", "registration"]
NAMES = 10000


def questions(options, folder, report):
    """All caches of PowerDNS off, the same records behind it. Each round asks every backend in turn."""
    with contextlib.ExitStack() as stack:
        servers = powerdns.start_all(stack, BUILD / "bin", folder, NAMES)
        kib, changes_s = servers["ours"].figures
        results = {name: [] for name in servers}
        for _ in range(options.rounds):
            for name, server in servers.items():
                results[name].append(server.ask(NAMES, 64, int(options.window * 1000)))
    rates = {name: statistics.median([r[0] for r in rs]) for name, rs in results.items()}
    p99s = {name: statistics.median([r[1] for r in rs]) for name, rs in results.items()}
    ours, ours_p99 = rates.pop("ours"), p99s.pop("ours")
    # PostgreSQL is what keeps our names too; SQLite is a file that no second machine sees.
    report.add("DNS uncached", "q/s", ours, rates, max(v for n, v in rates.items() if "PostgreSQL" in n), True)
    report.add("DNS uncached, p99", "ms", ours_p99, p99s, min(v for n, v in p99s.items() if "PostgreSQL" in n), False)
    report.add(f"memory of {NAMES} names", "KiB", kib, {}, 10240, False)
    report.add("changes taken over", "1/s", changes_s, {}, 10000, True)


def main():
    parser = argparse.ArgumentParser(description="Measures names.")
    parser.add_argument("out", help="file for the results as JSON")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--window", type=float, default=2, help="seconds of one measurement")
    parser.add_argument("--case", action="append", choices=CASES, help="only these; default: all")
    options = parser.parse_args()
    report = Report()
    with tempfile.TemporaryDirectory(prefix="lanyard-bench-") as folder:
        os.chmod(folder, 0o755)
        for case in options.case or CASES:
            if case == "questions":
                questions(options, pathlib.Path(folder), report)
            else:
                registration.measure(BUILD, report)
    report.write(options.out)


if __name__ == "__main__":
    main()
