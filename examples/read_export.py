"""Print what each well of an export came to, beside what was forecast for it on an earlier day.

    scopewatch export -c config.yaml --format csv --out results.csv
    python read_export.py results.csv [DAY]

Uses the standard library alone. Fractions in the file are 0 to 1, days count from the run's start.
"""

import csv
import sys
from collections import defaultdict
from pathlib import Path


def main(path: str, asked_day: str = "5") -> int:
    """Print a line for each well: its last efficiency, and the newest forecast up to a day."""
    wells: dict[tuple[str, ...], list[dict[str, str]]] = defaultdict(list)
    with Path(path).open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["state"] == "done" and row["well_efficiency"]:
                wells[row["experiment"], row["plate"], row["well"]].append(row)
    for name, rows in sorted(wells.items()):
        rows.sort(key=lambda row: float(row["day"]))
        last = rows[-1]
        early = [row for row in rows if row["forecast"] and float(row["day"]) <= float(asked_day)]
        forecast = f"{float(early[-1]['forecast']):.0%}" if early else "none"
        note = "  simulated" if last["simulated"] == "True" else ""
        now = f"{float(last['well_efficiency']):.0%} on day {float(last['day']):.1f}"
        print(f"{'  '.join(name)}: {now}, forecast by day {asked_day}: {forecast}{note}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
