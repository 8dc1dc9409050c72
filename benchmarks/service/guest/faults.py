"""Faults of the daemon: it hangs, has a wrong configuration, never becomes ready."""

import time
from pathlib import Path

from lab import Lab, configure
from service import (
    START_S,
    UNIT,
    active,
    attempts,
    cursor,
    drop_in,
    drop_out,
    journal,
    must,
    run,
    show,
    start,
    until,
)

HOOKS = Path("/opt/hooks")
HOOKED = "hooks.conf"
# The defaults of runtime.stall_s and WatchdogSec, and what a busy host may add.
STALL_S, WATCHDOG_S, RESTART_S, LATE_S = 50.0, 60.0, 10.0, 20.0
# StartLimitBurst.
STARTS = 10
# As tests/integration/hanging.py, with a flag that the service may remove.
HANG = """
import ctypes, os, threading
from scopewatch.inference.tflite import TFLiteScorer

score = TFLiteScorer.score_finely

def hang_once(self, view):
    if threading.current_thread().name == "worker":
        try:
            os.unlink("/var/lib/scopewatch/hang")
        except FileNotFoundError:
            pass
        else:
            ctypes.CDLL(None).sleep(1000)
    return score(self, view)

TFLiteScorer.score_finely = hang_once
"""
# The first look at every second start, the second look at the others: before READY=1 and after it.
HANG_AT_EVERY_START = """
import ctypes
from scopewatch.sources.folder.source import FolderSource

scan = FolderSource.scan
with open("/var/lib/scopewatch/starts", "a+") as counted:
    counted.write("x")
    looks_left = ["the first"] * (1 - counted.tell() % 2)

def hang_in_a_look(self):
    if not looks_left:
        ctypes.CDLL(None).sleep(100000)
    looks_left.pop()
    scan(self)

FolderSource.scan = hang_in_a_look
"""


def watchdog(lab: Lab) -> None:
    """A model that hangs in native code; all times are the unit's defaults."""
    _hook(HANG)
    must("systemctl", "restart", UNIT)
    before, since = int(show("NRestarts")), cursor()
    flag = Path("/var/lib/scopewatch/hang")
    flag.touch()
    must("chown", "scopewatch", str(flag))
    names = lab.frames(4)
    until(lambda: not flag.exists(), 60, "the model hangs")
    took_s = until(
        lambda: "Watchdog timeout" in journal(since),
        STALL_S + WATCHDOG_S + LATE_S,
        "the watchdog",
    )
    until(lambda: active() and int(show("NRestarts")) == before + 1, START_S, "started again")
    lab.scored(names)
    lines = journal(since)
    again = [name for name in names if attempts()[name] > 1]
    lab.report(
        f"a hang is ended by the watchdog within {STALL_S + WATCHDOG_S:g} s (and {LATE_S:g} s)",
        kept="stage makes no progress" in lines,
        seen=f"after {took_s:.1f} s; {_line(lines, 'Watchdog timeout')}",
    )
    lab.report(
        "by SIGABRT, with the stack of every thread in the journal",
        kept="status=6/ABRT" in lines and "hang_once" in lines and "Current thread" in lines,
        seen=f"{_line(lines, 'status=6/ABRT')} | {_line(lines, 'hang_once')}",
    )
    lab.report(
        "it is started again, repeats that frame alone, and scores all",
        kept=len(again) == 1,
        seen=f"4 of 4 scored, {len(again)} at its second attempt",
    )
    drop_out(HOOKED)
    must("systemctl", "restart", UNIT)


def refused_start(lab: Lab) -> None:
    """A configuration that cannot work gives status 2, every problem by name, no second start."""
    must("systemctl", "stop", UNIT)
    configure(("max_attempts: 2", "max_attempts: 0"), ("simulated-cardiomyocyte", "not-there"))
    since = cursor()
    done = run("systemctl", "start", UNIT)
    time.sleep(2.5 * RESTART_S)
    lines = journal(since)
    seen = {name: show(name) for name in ("ActiveState", "Result", "ExecMainStatus", "NRestarts")}
    names = ["greater than or equal to 1", "model bundle does not exist"]
    named = [name for name in names if name in lines]
    lab.report(
        "a start with a bad configuration fails with status 2 and is not repeated",
        kept=done.returncode != 0
        and seen
        == {
            "ActiveState": "failed",
            "Result": "exit-code",
            "ExecMainStatus": "2",
            "NRestarts": "0",
        },
        seen=f"{seen} after {2.5 * RESTART_S:g} s",
    )
    lab.report("the journal names every problem", kept=named == names, seen=str(named))
    configure(("max_attempts: 0", "max_attempts: 2"), ("not-there", "simulated-cardiomyocyte"))
    start()
    lab.scored(lab.frames(1))


def crash_at_every_start(lab: Lab) -> None:
    """A failure at every start ends in a stop after StartLimitBurst starts."""
    must("systemctl", "stop", UNIT)
    _hook("import os\nos.abort()\n", "RestartSec=1\n")
    run("systemctl", "reset-failed", UNIT)
    since = cursor()
    run("systemctl", "start", UNIT)
    until(lambda: "repeated too quickly" in journal(since), START_S, "the limit of starts")
    starts = journal(since).count("Starting scopewatch")
    lab.report(
        "a crash at every start ends after ten starts in ten minutes (RestartSec=1 for the trial)",
        kept=starts == 10 and show("ActiveState") == "failed",
        seen=f"{starts} starts, then {show('ActiveState')}",
    )
    drop_out(HOOKED)
    start()
    lab.scored(lab.frames(1))


def stall_at_every_start(lab: Lab) -> None:
    """A share that hangs at every start, for longer than StartLimitBurst, with the unit's times."""
    must("systemctl", "stop", UNIT)
    _hook(HANG_AT_EVERY_START)
    run("systemctl", "reset-failed", UNIT)
    since = cursor()
    must("systemctl", "start", "--no-block", UNIT)
    names = lab.frames(2)
    took_s = until(
        lambda: int(show("NRestarts")) > STARTS,
        (STARTS + 2) * (STALL_S + WATCHDOG_S + LATE_S + START_S),
        f"{STARTS} restarts",
    )
    lines = journal(since)
    early, late = lines.count("status=3/"), lines.count("Watchdog timeout")
    lab.report(
        f"a stall at every start is started again for ever (seen: more than {STARTS} times)",
        kept=show("ActiveState") != "failed" and min(early, late) >= STARTS // 2,
        seen=f"{early} ended themselves before READY=1, {late} were ended by the watchdog,"
        f" in {took_s:.0f} s; then {show('ActiveState')}",
    )
    drop_out(HOOKED)
    must("systemctl", "restart", UNIT)
    lab.scored(names)
    lab.report("the frames of that time are scored", kept=True, seen="2 of 2")


def _hook(code: str, settings: str = "") -> None:
    """Let every start of the service run this code first, until the drop-in HOOKED is removed."""
    HOOKS.mkdir(exist_ok=True)
    (HOOKS / "sitecustomize.py").write_text(code, encoding="utf-8")
    drop_in(HOOKED, f"[Service]\nEnvironment=PYTHONPATH={HOOKS}\n{settings}")


def _line(text: str, part: str) -> str:
    return next((line for line in text.splitlines() if part in line), f"no {part!r}")
