"""A plate that a microscope images: its files, the clock that goes with them, a configuration."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
import yaml

from benchmarks.history.fast_daemon import move
from benchmarks.history.long_run import RULES
from benchmarks.history.made_up import well_names
from benchmarks.soak.daemon_process import BUNDLE
from benchmarks.soak.small_frames import FIELD_PX, write_corner
from scopewatch_simulator.plan import FINAL_TIME_POINT, day_of
from scopewatch_simulator.simulation import Simulation

# Of the simulation's time points: corners of earlier fields hold hardly any cell.
FIRST_SHOWN: Final = 8


class Plate:
    """Simulated frames of 128 px of the wells of a plate, written time point by time point.

    Each is a corner of a field of view at the day of its time point.

    Parameters
    ----------
    root
        An empty folder.
    run
        Name of the run.
    began_at
        When its first frame is taken, aware UTC and not in the past; None: now.
    """

    def __init__(
        self,
        root: Path,
        *,
        wells: int,
        interval_h: float,
        run: str = "history",
        began_at: datetime | None = None,
    ) -> None:
        self.root = root
        self.run = run
        self.wells = wells
        self.interval_h = interval_h
        self.names = well_names(wells)
        self.incoming = root / "incoming"
        self.incoming.mkdir()
        self.database = root / "state" / "scopewatch.db"
        self.clock = root / "clock"
        self.began_at = began_at or datetime.now(UTC).replace(microsecond=0)
        move(self.clock, 0.0)
        self._simulation = Simulation(seed=3, size_px=FIELD_PX, cached_fields=1)
        self._day: tuple[int, np.ndarray] | None = None
        self._settled = 0, 0

    def taken_at(self, time_point: int) -> datetime:
        """Return when the frames of a time point are taken."""
        return self.began_at + timedelta(hours=time_point * self.interval_h)

    def locator(self, well: str, time_point: int) -> str:
        """Return the file name of a frame."""
        return f"P1_{well}_s0_t{time_point:04d}_phase.tif"

    def take(self, time_point: int) -> None:
        """Move the clock to a time point, and write its frames."""
        taken_at = self.taken_at(time_point)
        ahead_s = (taken_at - datetime.now(UTC)).total_seconds()
        move(self.clock, max(ahead_s, 0.0))
        field = self._field(time_point)
        folder = self.incoming / f"t{time_point:04d}"
        folder.mkdir()
        for number, well in enumerate(self.names):
            path = folder / self.locator(well, time_point)
            write_corner(path, field, number + 37 * time_point)

    def settled(self) -> int:
        """Return how many frames are settled; 0 before there is a database."""
        if not self.database.exists():
            return 0
        # Rows are counted once: those up to the first that is not settled yet.
        until, count = self._settled
        question = "SELECT id, settled_at IS NOT NULL FROM frames WHERE id > ? ORDER BY id"
        try:
            with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as connection:
                rows = connection.execute(question, (until,)).fetchall()
        except sqlite3.OperationalError:
            return 0  # the database is being created
        for number, settled in rows:
            if not settled:
                break
            until, count = number, count + 1
        self._settled = until, count
        return count + sum(bool(settled) for number, settled in rows if number > until)

    def _field(self, time_point: int) -> np.ndarray:
        """Return the field of view on the day of a time point."""
        day = time_point * self.interval_h / 24
        shown = max(FIRST_SHOWN, *(at for at in range(FINAL_TIME_POINT + 1) if day_of(at) <= day))
        if self._day is None or self._day[0] != shown:
            self._day = shown, self._simulation.frame(0, 0, 0, shown)
        return self._day[1]


def configure(plate: Plate, webhook: str) -> Path:
    """Write the configuration of a daemon that watches a plate; return its path."""
    settings: dict[str, Any] = {
        "experiment": {
            "name": plate.run,
            "day_from": "time_point",
            "interval_h": plate.interval_h,
            "final_day": 10,
            "started_at": plate.began_at.isoformat(),
            "simulated": True,
        },
        "model": {"bundle": str(BUNDLE), "threads": 1},
        "sources": [{"kind": "folder", "name": "folder", "path": "incoming", "settle_s": 0.2}],
        "state": {"folder": "state"},
        "alerts": {
            "rules": RULES,
            "channels": [{"name": "webhook", "url": webhook}],
            "digest": {"hour": 8, "zone": "UTC"},
        },
        # Frames come all at once, and are to be scored at once.
        "runtime": {"burst_wait_s": 0},
        "web": {"port": 0},
    }
    path = plate.root / "config.yaml"
    path.write_text(yaml.safe_dump(settings), encoding="utf-8")
    return path
