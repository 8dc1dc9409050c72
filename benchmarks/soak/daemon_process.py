"""The real daemon as a process for the soaks: its usual settings and its start."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

PROJECT = Path(__file__).resolve().parents[2]
BUNDLE = PROJECT / "models" / "simulated-cardiomyocyte"


def configure(
    root: Path, source: dict[str, Any], model: Path = BUNDLE, threads: int = 1, **sections: Any
) -> Path:
    """Write `root`/config.yaml for one source; `sections` are further ones. Returns its path."""
    settings = {
        "experiment": {"name": "soak", "day_from": "time_point", "simulated": True},
        "model": {"bundle": str(model), "threads": threads},
        "sources": [source],
        "state": {"folder": "state"},
        # Frames come all at once in a soak, and are to be scored immediately.
        "runtime": {"burst_wait_s": 0},
        **sections,
    }
    path = root / "config.yaml"
    path.write_text(yaml.safe_dump(settings), encoding="utf-8")
    return path


def log_of(config: Path) -> Path:
    """Return the path of the daemon's log."""
    return config.parent / "daemon.log"


def unit_environment() -> dict[str, str]:
    """Return the variables that the systemd unit sets; none of them may hold a blank."""
    unit = (PROJECT / "systemd" / "scopewatch.service").read_text(encoding="utf-8")
    given = [
        line.partition("=")[2] for line in unit.splitlines() if line.startswith("Environment=")
    ]
    return dict(pair.split("=", 1) for line in given for pair in line.split())


def start(
    config: Path, through: tuple[str, ...] = (), environ: Mapping[str, str] | None = None
) -> "subprocess.Popen[bytes]":
    """Start the daemon, through a command such as `nice`; its log is appended to the same file.

    Parameters
    ----------
    environ
        Variables beside those of this process.
    """
    with log_of(config).open("ab") as log:
        return subprocess.Popen(
            [*through, sys.executable, "-m", "scopewatch", "run", "-c", str(config)],
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environ or {})},
        )
