"""The environment of the service: arriving frames, the configuration, findings."""

import itertools
import json
import os
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path

from service import attempts, must, until

LUGGAGE = Path("/luggage")
CONFIG = Path("/etc/scopewatch/config.yaml")
RUN = Path("/srv/microscope/run8")
# Frames that were written and must each be scored once, over a power cut too.
WRITTEN = LUGGAGE / "out" / "written.txt"
SCORED_S = 300.0


@dataclass
class Lab:
    """State that the trials share: the number of frames so far, and the report."""

    counter: "itertools.count[int]" = field(default_factory=lambda: itertools.count(_written()))

    def report(self, promise: str, *, kept: bool, seen: str) -> None:
        """Report a finding to the host."""
        line = {"promise": promise, "kept": bool(kept), "seen": " ".join(seen.split())[:1500]}
        print(json.dumps(line), flush=True)

    def frames(self, count: int, folder: Path = RUN) -> list[str]:
        """Write frames as a microscope does; return the names of their files."""
        return [self._frame(next(self.counter), folder) for _ in range(count)]

    def scored(self, names: list[str], within_s: float = SCORED_S) -> float:
        """Wait until these frames are scored; return the seconds."""
        return until(lambda: set(names) <= attempts().keys(), within_s, f"{names} are scored")

    def _frame(self, index: int, folder: Path) -> str:
        name = f"P1_{'ABCDEFGH'[index % 8]}1_s0_t{index // 8:04d}_phase.tif"
        part = folder / f"{name}.part"
        shutil.copyfile(LUGGAGE / "frames" / f"{index % 4}.tif", part)
        _sync(part)
        part.rename(folder / name)
        # A written frame must survive a power cut, its name too.
        _sync(folder)
        with WRITTEN.open("a", encoding="utf-8") as ledger:
            ledger.write(f"{name}\n")
            ledger.flush()
            os.fsync(ledger.fileno())
        return name


def written() -> list[str]:
    """Return the names of all frames written so far, those before a power cut included."""
    return WRITTEN.read_text(encoding="utf-8").splitlines() if WRITTEN.exists() else []


def _sync(path: Path) -> None:
    """Sync a file or a folder to the disk."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _written() -> int:
    return len(written())


def configure(*changes: tuple[str, str]) -> None:
    """Replace texts of the configuration, each of which must occur."""
    text = CONFIG.read_text(encoding="utf-8")
    for old, new in changes:
        if old not in text:
            message = f"{CONFIG} does not hold {old!r}"
            raise LookupError(message)
        text = text.replace(old, new)
    CONFIG.write_text(text, encoding="utf-8")


def edit() -> None:
    """Edit the configuration as an operator does the first time."""
    configure(
        ("path: incoming ", f"path: {RUN} "),
        ("  folder: state ", "  folder: /var/lib/scopewatch "),
        ("day_from: acquired_at", "day_from: time_point"),
        ("  simulated: false", "  simulated: true"),
        ("settle_s: 2 ", "settle_s: 0.2 "),
        # This machine has a small disk.
        ("free_gb: 5, critical_free_gb: 1}", "free_gb: 0.5, critical_free_gb: 0.1}"),
    )
    must("chgrp", "scopewatch", str(CONFIG))


if __name__ == "__main__":
    CONFIG = Path(sys.argv[1])
    edit()
