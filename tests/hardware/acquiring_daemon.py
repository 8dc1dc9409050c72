"""A real daemon process that acquires with the demo devices of a real core."""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml
from ndstorage.ndtiff_dataset import NDTiffDataset

from tests.hardware.demo_core import adapters
from tests.integration.conftest import SHIPPED
from tests.integration.daemon import Daemon

Wanted = dict[str, Any]


def position(label: str, x_um: float = 0, z_um: float | None = None) -> Wanted:
    placed = {"label": label, "x_um": x_um, "y_um": 0.0}
    return placed if z_um is None else {**placed, "z_um": z_um}


def channel(preset: str = "FITC", group: str = "Channel") -> Wanted:
    return {"group": group, "preset": preset, "exposure_ms": 5}


def acquiring(**changes: Any) -> Wanted:
    """Return a source that acquires two wells of one channel."""
    return {
        "kind": "micromanager",
        "name": "scope",
        "mode": "acquire",
        "path": "data",
        "mm_app_path": adapters.device_adapter_path(),
        "positions": [position("A1"), position("A2", 9000)],
        "channels": [channel()],
        "interval_s": 3600,
        "time_points": 3,
        "poll_s": 0.2,
        **changes,
    }


def acquiring_daemon(folder: Path, eventually: Callable[..., None], *sources: Wanted) -> Daemon:
    """Return a daemon that is not started yet."""
    daemon = Daemon(folder, SHIPPED, eventually)
    daemon.settings["experiment"] = {"name": "HES 7", "phase_channel": "fitc"}
    daemon.settings["sources"] = list(sources) or [acquiring()]
    return daemon


def write(daemon: Daemon) -> None:
    """Write the configuration of `daemon.settings`, as before a reload."""
    daemon.config.write_text(yaml.safe_dump(daemon.settings), encoding="utf-8")


def on_disk(folder: Path) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield axes and metadata of each image in all data sets, which must be closed."""
    for path in sorted(folder.iterdir()):
        data_set = NDTiffDataset(str(path))
        for key in data_set.index:
            axes = dict(key)
            yield axes, data_set.read_metadata(**axes)
        data_set.close()


def images(folder: Path) -> Counter[tuple[int, str]]:
    """Count the images by time point and position."""
    return Counter((axes["time"], axes["position"]) for axes, _ in on_disk(folder))


def stop(daemon: Daemon) -> None:
    """Stop a daemon that may still run, whatever the outcome of the test."""
    if daemon.process is not None and daemon.process.poll() is None:
        daemon.process.kill()
        daemon.process.wait(10)
