"""Print the wells of a run that need somebody, gravest first.

    python read_api.py http://127.0.0.1:8787 [TOKEN]

Uses the HTTP API of a running daemon (`/openapi.json` describes it) and the standard library alone.
Exits with 1 where no all-clear may be given.
"""

import json
import sys
from typing import Any
from urllib.request import Request, urlopen


def ask(address: str, token: str | None) -> Any:
    """Return the answer of one address as JSON."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with urlopen(Request(address, headers=headers), timeout=10) as answer:
        return json.load(answer)


def main(base: str, token: str | None = None) -> int:
    """Print one line for the run, and one for each well that is flagged."""
    status = ask(f"{base}/api/status.json", token)
    state = status["state"]
    print(f"{state['run']}: {state['sentence']} {state['advice']}".rstrip())
    wells = ask(f"{base}/api/wells.json", token)["wells"]
    for well in sorted(wells, key=risk, reverse=True):
        if well["flagged"]:
            now = "not judged" if well["outlook"] is None else f"{well['outlook']['now']:.0%} now"
            print(f"{well['plate']} {well['well']}: {now}, {', '.join(well['rules'])}")
    return 0 if state["level"] in {"clear", "finished"} else 1


def risk(well: Any) -> float:
    """Return the probability of a weak end; 0 where there is no forecast."""
    outlook = well["outlook"] or {"forecast": {"below_target": None}}
    return float(outlook["forecast"]["below_target"] or 0)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
