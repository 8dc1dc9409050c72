"""The life cycle of the service: install, start, reload, stop, kill, power cut."""

import json
import os
import re
import time
from pathlib import Path

from lab import CONFIG, LUGGAGE, RUN, Lab, configure, written
from service import (
    START_S,
    UNIT,
    active,
    ask,
    attempts,
    cursor,
    journal,
    must,
    run,
    show,
    start,
    status_of,
    until,
)

RELEASE = LUGGAGE / "release"
STOP_S = 5.0


def install(lab: Lab, plan: dict[str, list[str]]) -> None:
    """Install with the commands of docs/operating.md; environment and wheel are in the image."""
    RUN.mkdir(parents=True)
    os.environ["EDITOR"] = f"python3 -B {LUGGAGE}/guest/lab.py"
    os.chdir(RELEASE)
    failed = []
    for step in [*plan["raw_data"], *plan["install"]]:
        began_s = time.monotonic()
        done = run("sh", "-c", step)
        print(f"{time.monotonic() - began_s:5.1f} s  {step}  [{done.returncode}]", flush=True)
        for line in (done.stdout + done.stderr).splitlines():
            print(f"    {line}", flush=True)
        if done.returncode:
            failed.append(f"{step} -> {done.returncode}")
    os.chdir("/")
    lab.report(
        "installed as the page says", kept=not failed, seen="; ".join(failed) or "every step"
    )


def start_and_sandbox(lab: Lab) -> None:
    """READY=1 makes it active; it works within its sandbox, which holds."""
    lab.report(
        "Type=notify: active once ready",
        kept=active() and show("NRestarts") == "0",
        seen=f"{show('ActiveState')}, {show('SubState')}: {show('StatusText')}",
    )
    lab.scored(lab.frames(4))
    lab.report("frames are scored", kept=True, seen="4 of 4")
    pages = {page: status_of(f"http://127.0.0.1:8787/{page}") for page in ("", "healthz")}
    lab.report(
        "the dashboard answers on loopback", kept=set(pages.values()) == {200}, seen=str(pages)
    )
    pid = show("MainPID")
    status = dict(
        line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text("utf-8").splitlines()
    )
    facts = {name: status[name].strip() for name in ("Uid", "CapBnd", "NoNewPrivs", "Seccomp")}
    owner = must("id", "-u", "scopewatch").strip()
    lab.report(
        "runs as scopewatch, without a privilege, its calls filtered",
        kept=facts["Uid"].split() == [owner] * 4
        and int(facts["CapBnd"], 16) == 0
        and (facts["NoNewPrivs"], facts["Seccomp"]) == ("1", "2"),
        seen=str(facts),
    )
    within = ("nsenter", "-t", pid, "-m", "--", "touch")
    tried = {
        where: run(*within, f"{where}/probe").returncode == 0
        for where in (str(RUN), "/etc/scopewatch", "/opt/scopewatch", "/var/lib/scopewatch")
    }
    Path("/var/lib/scopewatch/probe").unlink(missing_ok=True)
    lab.report(
        "raw data and system are read-only to it, even to root in its place",
        kept=tried == {where: where == "/var/lib/scopewatch" for where in tried},
        seen=str(tried),
    )
    unhappy = [line for line in journal().splitlines() if re.search(r"warning|error|EPERM", line)]
    lab.report(
        "the log complains of nothing", kept=not unhappy, seen=" | ".join(unhappy) or "nothing"
    )
    modes = must(
        "stat", "-c", "%n %a %U:%G", "/var/lib/scopewatch", "/var/log/scopewatch", str(CONFIG)
    )
    lab.report(
        "folders and configuration belong to whom they should",
        kept=modes.split()
        == [
            "/var/lib/scopewatch",
            "750",
            "scopewatch:scopewatch",
            "/var/log/scopewatch",
            "750",
            "scopewatch:scopewatch",
            str(CONFIG),
            "640",
            "root:scopewatch",
        ],
        seen=modes,
    )


def reload(lab: Lab) -> None:
    """A good configuration takes effect in the same process; a bad one changes nothing."""
    pid, since = show("MainPID"), cursor()
    names = lab.frames(3)
    configure(("max_px: 2048", "max_px: 512"))
    began_s = time.monotonic()
    must("systemctl", "reload", UNIT)
    names += lab.frames(3)
    until(lambda: "configuration taken up" in journal(since), 300, "taken up")
    took_s = time.monotonic() - began_s
    until(active, 60, "active again")
    lab.scored(names)
    lab.report(
        "systemctl reload takes up a changed configuration, in the same process",
        kept=show("MainPID") == pid and _once(names),
        seen=f"in {took_s:.1f} s; 6 frames meanwhile, each scored once; {show('StatusText')}",
    )
    since = cursor()
    configure(("max_attempts: 2", "max_attempts: 0"))
    done = run("systemctl", "reload", UNIT)
    until(lambda: "reload refused" in journal(since), 300, "refused")
    until(lambda: "reload refused" in show("StatusText"), 60, "the status line")
    refused = show("StatusText")
    lab.scored(lab.frames(1))
    configure(("max_attempts: 0", "max_attempts: 2"))
    lab.report(
        "a reload with a bad configuration is refused, and the run goes on",
        kept=show("MainPID") == pid and active() and done.returncode == 0,
        seen=f"status line: {refused}",
    )
    must("systemctl", "reload", UNIT)


def stop(lab: Lab) -> None:
    """SIGTERM with frames waiting: the current one is finished, exit 0."""
    names = lab.frames(12)
    until(is_scoring, 30, "a frame under way")
    began_s = time.monotonic()
    must("systemctl", "stop", UNIT)
    took_s = time.monotonic() - began_s
    left = len(set(names) - attempts().keys())
    claimed = is_scoring()
    code, result = show("ExecMainStatus"), show("Result")
    start()
    lab.scored(names)
    lab.report(
        f"systemctl stop: current frame finished, exit 0 within {STOP_S:g} s",
        kept=took_s <= STOP_S and (code, result) == ("0", "success") and not claimed,
        seen=f"{took_s:.1f} s, exit {code}, {result}; {left} of 12 left",
    )
    lab.report(
        "those left are scored after the start, none twice", kept=_once(names), seen="12 of 12"
    )


def kill(lab: Lab) -> None:
    """SIGKILL with a frame under way: systemd starts it again, nothing is lost."""
    before = int(show("NRestarts"))
    names = lab.frames(12)
    until(is_scoring, 30, "a frame under way")
    since = cursor()
    must("systemctl", "kill", "--kill-whom=main", "--signal=SIGKILL", UNIT)
    took_s = until(
        lambda: active() and int(show("NRestarts")) == before + 1, START_S, "started again"
    )
    lab.scored(names)
    killed = "code=killed, status=9/KILL" in journal(since)
    again = [name for name in names if attempts()[name] > 1]
    lab.report(
        "after SIGKILL it is started again; no frame lost, at most one begun twice",
        kept=killed and len(again) <= 1,
        seen=f"active again after {took_s:.1f} s; 12 of 12 scored, {len(again)} begun twice",
    )


def cut_power(lab: Lab) -> None:
    """Reset the machine during the work, without a shutdown."""
    lab.frames(12)
    until(is_scoring, 30, "a frame under way")
    Path("/proc/sysrq-trigger").write_text("b", encoding="utf-8")
    time.sleep(60)


def after_power_cut(lab: Lab) -> None:
    """The enabled service starts at boot and catches up."""
    took_s = until(active, START_S, "active after the boot")
    names = written()
    before = len(attempts())
    lab.scored(names)
    lab.report(
        "after a power cut it comes up with the machine and catches up",
        kept=True,
        seen=f"active {took_s:.1f} s after the trial began; {before} known, then all {len(names)}",
    )
    status = run(
        "runuser",
        "-u",
        "scopewatch",
        "--",
        "/opt/scopewatch/bin/scopewatch",
        "status",
        "-c",
        str(CONFIG),
        "--json",
    )
    lab.report(
        "scopewatch status answers",
        kept=status.returncode == 0 and bool(json.loads(status.stdout)),
        seen=f"exit {status.returncode} {status.stderr}",
    )


def ledger(lab: Lab) -> None:
    """In the end every frame has one result, and the database is intact."""
    names = written()
    rows = ask(
        "SELECT f.locator, f.state, count(r.frame_id) FROM frames f"
        " LEFT JOIN results r ON r.frame_id = f.id GROUP BY f.id"
    )
    each = sorted(Path(str(locator)).name for locator, _, _ in rows)
    odd = [row for row in rows if row[1:] != ("done", 1)]
    whole = ask("PRAGMA integrity_check")
    lab.report(
        "the ledger: every frame once, with one result, the database whole",
        kept=each == sorted(names) and not odd and whole == [("ok",)],
        seen=f"{len(names)} written, {len(each)} in the ledger, odd: {odd}, {whole}",
    )
    twice = sorted(name for name, count in attempts().items() if count > 1)
    lab.report(
        "frames begun twice: at most one a kill, a hang, a power cut",
        kept=len(twice) <= 3,
        seen=f"{len(twice)}: {twice}",
    )


def is_scoring() -> bool:
    """Return whether the database has a claimed frame."""
    return bool(ask("SELECT 1 FROM frames WHERE state = 'claimed'"))


def _once(names: list[str]) -> bool:
    done = attempts()
    return all(done[name] == 1 for name in names)
