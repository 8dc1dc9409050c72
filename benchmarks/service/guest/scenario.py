"""Try one promise after the other; runs in the virtual machine as a unit of its own.

Two boots: the second follows a power cut. Findings go to standard output, a line of JSON each; the
journal and the names of the written frames to /luggage/out.
"""

import json
import os
import sys
import traceback
from collections.abc import Callable

import cifs
import faults
import life
import places
from lab import CONFIG, LUGGAGE, Lab
from service import DROPINS, UNIT, journal, must, run

OUT = LUGGAGE / "out"
CUT = OUT / "cut"
TRIALS: dict[str, Callable[[Lab], None]] = {
    "start": life.start_and_sandbox,
    "reload": life.reload,
    "stop": life.stop,
    "kill": life.kill,
    "watchdog": faults.watchdog,
    "refused": faults.refused_start,
    "crash": faults.crash_at_every_start,
    "stall": faults.stall_at_every_start,
    "secrets": places.secrets,
    "home": places.home_folder,
    "share": places.share,
    "cifs": cifs.share,
    "acquire": places.acquire,
}


def keep_journal(boot: int) -> None:
    """Write the journal to the luggage."""
    must("journalctl", "--sync")
    (OUT / f"scopewatch-{boot}.txt").write_text(journal(), encoding="utf-8")
    whole = must("journalctl", "-b", "-q", "-o", "short-monotonic")
    (OUT / f"journal-{boot}.txt").write_text(whole, encoding="utf-8")
    os.sync()


def attempt(name: str, trial: Callable[[Lab], None], lab: Lab) -> None:
    """Run one trial; repair what it broke for the next one."""
    good = CONFIG.read_bytes() if CONFIG.exists() else None
    before = {path: path.read_bytes() for path in DROPINS.glob("*.conf")}
    try:
        trial(lab)
    except Exception as error:  # noqa: BLE001 - the next trials are to run all the same
        where = traceback.extract_tb(error.__traceback__)[1]
        lab.report(name, kept=False, seen=f"{where.name}:{where.lineno}: {error}")
        for line in journal().splitlines()[-25:]:
            print(f"{name}: {line}", flush=True)
        if good is not None:
            CONFIG.write_bytes(good)
        for path in DROPINS.glob("*.conf"):
            if path not in before:
                path.unlink()
        for command in ("daemon-reload", f"reset-failed {UNIT}", f"restart {UNIT}"):
            run("systemctl", *command.split())


def main() -> None:
    """Run all trials, cut the power, check what is left."""
    plan = json.loads((LUGGAGE / "plan.json").read_text(encoding="utf-8"))
    only = set(filter(None, plan["only"].split(",")))
    lab = Lab()
    if not CUT.exists():
        life.install(lab, plan)
        for name, trial in TRIALS.items():
            if not only or name in only:
                attempt(name, trial, lab)
        CUT.touch()
        keep_journal(1)
        life.cut_power(lab)
    attempt("boot", life.after_power_cut, lab)
    attempt("ledger", life.ledger, lab)
    keep_journal(2)
    lab.report("the trial is over", kept=True, seen="all trials were run")


if __name__ == "__main__":
    sys.exit(main())
