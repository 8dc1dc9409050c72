"""What the systemd unit promises, read from the unit: it cannot be run under systemd here."""

import re
from pathlib import Path

from scopewatch.config import RuntimeConfig

UNIT = (Path(__file__).parents[3] / "systemd/scopewatch.service").read_text(encoding="utf-8")
STALL_S = RuntimeConfig().stall_s


def setting(name: str) -> str:
    """Return the one value of a setting."""
    (value,) = re.findall(rf"^{name}=(.*)$", UNIT, re.MULTILINE)
    return str(value)


def seconds(name: str) -> float:
    """Return a span of time in seconds."""
    match = re.fullmatch(r"(\d+)(s|min)?", setting(name))
    assert match is not None
    return float(match[1]) * (60 if match[2] == "min" else 1)


def test_a_start_that_is_refused_is_not_repeated() -> None:
    assert setting("RestartPreventExitStatus").split() == ["2"]
    assert setting("Restart") == "on-failure"


def test_a_hanging_stage_is_seen_within_the_time_of_the_watchdog() -> None:
    assert seconds("WatchdogSec") > STALL_S


def test_a_crash_at_every_start_ends_in_a_stop_but_a_stall_at_every_start_does_not() -> None:
    burst = int(setting("StartLimitBurst"))
    within_s = seconds("StartLimitIntervalSec")
    # A share that hangs for a weekend must not end the monitoring.
    assert burst * (STALL_S + seconds("RestartSec")) >= within_s
    assert burst * (seconds("RestartSec") + 30) < within_s


def test_a_reload_is_the_signal_that_the_daemon_reloads_at() -> None:
    # Not /bin/kill, which a minimal Debian does not have.
    assert setting("ExecReload") == "/bin/sh -c 'kill -HUP $$MAINPID'"
    # notify-reload would be an unknown type to systemd before 253.
    assert setting("Type") == "notify"
