"""The service as an operator sees it: systemctl, the journal, the database of the state folder."""

import sqlite3
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

UNIT = "scopewatch.service"
DROPINS = Path("/etc/systemd/system/scopewatch.service.d")
STATE = Path("/var/lib/scopewatch")
# TimeoutStartSec, with RestartSec before it.
START_S = 190.0


def run(*command: str, within_s: float = 900.0) -> "subprocess.CompletedProcess[str]":
    """Run a command and return the finished process."""
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=within_s)


def must(*command: str) -> str:
    """Run a command that cannot fail; return its output."""
    done = run(*command)
    if done.returncode:
        message = f"{' '.join(command)}: {done.returncode}: {done.stderr.strip()}"
        raise RuntimeError(message)
    return done.stdout


def show(name: str) -> str:
    """Return one property of the service."""
    return must("systemctl", "show", "--value", "-p", name, UNIT).strip()


def journal(since: str = "") -> str:
    """Return what the service and systemd logged of it in this boot, after a cursor.

    Not by `-u`: with a cursor, its output lacked lines of the journal.
    """
    after = [f"--after-cursor={since}"] if since else []
    lines = must("journalctl", "-b", "-q", "-o", "short-monotonic", *after)
    return "\n".join(line for line in lines.splitlines() if "scopewatch" in line)


def cursor() -> str:
    """Return where the journal ends now."""
    must("journalctl", "--sync")
    lines = must("journalctl", "-q", "-n", "1", "--show-cursor").splitlines()
    return lines[-1].removeprefix("-- cursor: ")


def until(true: Callable[[], bool], within_s: float, what: str) -> float:
    """Wait until a condition holds; return the seconds it took.

    The checks get rarer, since each costs an emulated processor a tenth of a second.
    """
    began_s = time.monotonic()
    pause_s = 0.05
    while not true():
        if time.monotonic() - began_s > within_s:
            message = f"not within {within_s:g} s: {what}"
            raise TimeoutError(message)
        time.sleep(pause_s)
        pause_s = min(1.2 * pause_s, 1.0)
    return time.monotonic() - began_s


def active() -> bool:
    """Whether the daemon has reported that it is ready, and is not reloading."""
    return show("ActiveState") == "active"


def start() -> None:
    """Start the service, as after a repair."""
    run("systemctl", "reset-failed", UNIT)
    must("systemctl", "start", UNIT)


def drop_in(name: str, text: str) -> None:
    """Write a drop-in and let systemd read it."""
    DROPINS.mkdir(parents=True, exist_ok=True)
    (DROPINS / name).write_text(text, encoding="utf-8")
    must("systemctl", "daemon-reload")


def drop_out(name: str) -> None:
    """Remove a drop-in."""
    (DROPINS / name).unlink(missing_ok=True)
    must("systemctl", "daemon-reload")


def status_of(address: str, token: str | None = None) -> int:
    """Ask the dashboard; return the status of its answer."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        with urllib.request.urlopen(urllib.request.Request(address, headers=headers)) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code


def ask(statement: str) -> list[tuple[object, ...]]:
    """Query the database, as another program that reads it."""
    database = STATE / "scopewatch.db"
    if not database.exists():
        return []
    uri = f"file:{database}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True, timeout=30)) as connection:
        return connection.execute(statement).fetchall()


def attempts() -> dict[str, int]:
    """Return the attempts of each scored frame, by the name of its file."""
    rows = ask("SELECT locator, attempts FROM frames WHERE state = 'done'")
    return {Path(str(locator)).name: int(str(count)) for locator, count in rows}
