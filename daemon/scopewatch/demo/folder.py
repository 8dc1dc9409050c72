"""The demo's folder, and the configuration of its daemon."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import yaml

from scopewatch.core.errors import ConfigError, complaint
from scopewatch_simulator.plan import FINAL_TIME_POINT

MARKER = "SIMULATED.txt"

NOTICE = """Everything in this folder comes from simulated images.
It shows how scopewatch works. It is no result about any cell, line or microscope.
"""

# The run, and so the data set that the microscope writes.
RUN = "simulated-differentiation"

# A well is weak below it.
TARGET = 0.5
INTERVAL_H = 12.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoFolder:
    """The places within the demo's folder."""

    root: Path

    @property
    def config(self) -> Path:
        """The daemon's configuration."""
        return self.root / "config.yaml"

    @property
    def data_sets(self) -> Path:
        """Where the acquisition writes its NDTiff data set."""
        return self.root / "microscope"

    @property
    def state(self) -> Path:
        """The daemon's database and overlays."""
        return self.root / "state"

    @property
    def truth(self) -> Path:
        """The simulator's truth, which the daemon never sees."""
        return self.root / "truth.csv"

    @property
    def summary(self) -> Path:
        """The demo's result."""
        return self.root / "summary.json"

    @property
    def messages(self) -> Path:
        """The messages that the alerts would have sent."""
        return self.root / "messages"

    @property
    def daemon_log(self) -> Path:
        """Log of the daemon."""
        return self.root / "daemon.log"

    @property
    def microscope_log(self) -> Path:
        """Log of Micro-Manager and the acquisition."""
        return self.root / "microscope.log"


def prepare_folder(root: Path) -> DemoFolder:
    """Make an empty demo folder, in place of an earlier demo's.

    Raises
    ------
    ConfigError
        When something that no demo made lies there: it is not ours to delete.
    """
    if root.exists() and any(root.iterdir()):
        if not (root / MARKER).is_file():
            raise ConfigError(
                complaint(
                    "demo folder holds something else",
                    where=root,
                    expected="an empty folder or an earlier demo",
                    do="name another with --out",
                )
            )
        shutil.rmtree(root)
    folder = DemoFolder(root=root.resolve())
    folder.data_sets.mkdir(parents=True)
    (root / MARKER).write_text(NOTICE, encoding="utf-8")
    return folder


def write_config(folder: DemoFolder, *, bundle: Path, margin: float, port: int) -> None:
    """Write the configuration of the demo's daemon: an ordinary one.

    Parameters
    ----------
    margin
        Half width of the model's interval, as a fraction. A well is flagged while the interval
        still reaches below the target: a second look costs less than a culture lost.
    """
    settings = {
        "experiment": {
            "name": RUN,
            "simulated": True,
            "day_from": "time_point",
            "interval_h": INTERVAL_H,
            "final_day": FINAL_TIME_POINT * INTERVAL_H / 24,
        },
        "model": {"bundle": str(bundle), "threads": 1},
        "sources": [
            {
                "kind": "micromanager",
                "mode": "follow",
                "path": str(folder.data_sets),
                "poll_s": 0.2,
            }
        ],
        "state": {"folder": str(folder.state)},
        "alerts": {
            # Ten days pass in a minute here: a cooldown in hours would outlast the demo.
            "rules": [
                {
                    "name": "will end weak",
                    "kind": "weak-forecast",
                    "target": TARGET,
                    "cooldown_h": 0,
                },
                {
                    "name": "weak differentiation",
                    "kind": "weak-now",
                    "target": round(TARGET + margin, 3),
                    "from_day": 8,
                    "consecutive": 3,
                    "hysteresis": 0.02,
                    "severity": "warning",
                    "cooldown_h": 0,
                },
                {"name": "plate collapse", "kind": "plate-collapse", "cooldown_h": 0},
                {"name": "sudden change", "kind": "sudden-change", "cooldown_h": 0},
                {"name": "no frame fit to judge", "kind": "unfit-frames", "cooldown_h": 0},
                {"name": "disk nearly full", "kind": "disk-low", "free_gb": 1},
                {"name": "restarted", "kind": "restarted"},
            ]
        },
        "web": {"port": port},
        # Ten days pass in a minute here: the images of all of them would be one burst.
        "runtime": {"rescan_s": 2, "burst_wait_s": 0},
    }
    folder.config.write_text(
        "# The demo's daemon: simulated frames, an ordinary configuration otherwise.\n"
        + yaml.safe_dump(settings, sort_keys=False),
        encoding="utf-8",
    )
