"""What happens in a recorded run, and the configuration of a daemon that watches it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import yaml

from benchmarks.history.long_run import RULES
from benchmarks.history.made_up import well_names
from scopewatch.config import Config, load_config

MARKER: Final = "GFP"
SOURCE: Final = "folder"
# A run lasts so many days.
DAYS: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """What happens in a run.

    Parameters
    ----------
    run
        Its name.
    began_at
        Time of the first frame: a whole second.
    interval_s
        Whole seconds between two time points.
    """

    run: str
    began_at: datetime
    wells: int = 96
    time_points: int = 500
    interval_s: int = 1728
    seed: int = 1

    @property
    def names(self) -> list[str]:
        """Names of the wells."""
        return well_names(self.wells)

    @property
    def days(self) -> float:
        """How long it lasts."""
        return self.time_points * self.interval_s / 86_400

    def taken_at(self, time_point: int) -> datetime:
        """Return when the first frame of a time point is taken."""
        return self.began_at + timedelta(seconds=time_point * self.interval_s)


def configure(folder: Path, script: Script, bundle: Path) -> Config:
    """Write the configuration of a daemon that watches a run; return it."""
    (folder / "incoming").mkdir(parents=True, exist_ok=True)
    settings: dict[str, Any] = {
        "experiment": {
            "name": script.run,
            "interval_h": script.interval_s / 3600,
            "final_day": DAYS,
            "fluorescence_channel": MARKER,
            "simulated": True,
        },
        "model": {"bundle": str(bundle), "threads": 1},
        "sources": [{"kind": "folder", "name": SOURCE, "path": "incoming"}],
        "state": {"folder": "state"},
        "alerts": {"rules": RULES, "channels": [{"name": "lab", "url": "json://127.0.0.1:9/"}]},
    }
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(settings), encoding="utf-8")
    return load_config(path)
