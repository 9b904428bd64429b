"""The table that a benchmark in Python prints, and the same as JSON for whoever follows the figures."""

import json


class Report:
    """Rows of the table and of the JSON file."""

    def __init__(self):
        self.rows = []

    def add(self, case, unit, ours, peers, goal, more_is_better):
        met = goal is None or (ours >= goal if more_is_better else ours <= goal)
        self.rows.append({"case": case, "unit": unit, "ours": round(ours, 3),
                          "peers": {name: round(value, 3) for name, value in peers.items()},
                          "goal": None if goal is None else round(goal, 3), "met": met})

    def write(self, file):
        with open(file, "w") as out:
            json.dump(self.rows, out, indent=2)
        for row in self.rows:
            peers = ", ".join(f"{name} {value:g}" for name, value in row["peers"].items())
            goal = "" if row["goal"] is None else f"goal {row['goal']:g} {'met' if row['met'] else 'MISSED'}"
            print(f"{row['case']:34} {row['ours']:>11g} {row['unit']:9} {goal:24} {peers}")
