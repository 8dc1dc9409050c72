"""A part of ten days in compressed time: a process acquires with a real core until it is killed.

Called with a JSON document that holds start and end, the orders of people meanwhile, and faults. It
writes the outcome of each image into the folder, line by line.
"""

import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from scopewatch.app.steering import Helm
from scopewatch.config import FocusConfig, MediumConfig, PositionConfig
from scopewatch.core.acquisition import Act
from scopewatch.core.errors import SourceError
from scopewatch.sources.micromanager.source import MicroManagerSource
from tests.conftest import FakeClock
from tests.hardware.demo_core import CHANNELS, RUN, settings
from tests.hardware.focusing_core import Specimen
from tests.unit.sources.fakes import FakeInbox, FakeLedger
from tests.unit.store.scene import open_store

TIME_POINTS = 33
POSITIONS = tuple(
    PositionConfig(label=label, x_um=900.0 * each, y_um=0, z_um=0)
    for each, label in enumerate(("A1", "A2", "B1", "B2"))
)
MEDIUM_HOURS = (50, 170)
PHASE = CHANNELS[:1]


class Recorded(Specimen):
    """A specimen that writes a line per image; after a kill the last images are on disk only."""

    def __init__(self, folder: Path, kill_after: int | None) -> None:
        super().__init__()
        self._file = (folder / "imaged.jsonl").open("a", encoding="utf-8")
        self._left = kill_after

    def image(self, pixels: Any, metadata: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        made = super().image(pixels, metadata)
        axes = metadata["Axes"]
        place = axes["time"], axes["position"]
        print(json.dumps([*place, self.taken[place]]), file=self._file, flush=True)
        if self._left is not None:
            self._left -= 1
            if not self._left:
                os._exit(9)
        return made


def drift_um(hour: float) -> float:
    """Return the height of the focus in um: it drifts, and each medium change moves the plate."""
    return 0.4 * hour + 5.0 * sum(hour > each for each in MEDIUM_HOURS)


def live(folder: Path, part: dict[str, Any]) -> None:
    """Run through the hours of a part."""
    clock = FakeClock()
    clock.advance(3600 * part["from_h"])
    store = open_store(folder / "state", clock)
    specimen = Recorded(folder, None)
    missed = (folder / "missed.jsonl").open("a", encoding="utf-8")
    inbox, ledger = FakeInbox(), FakeLedger()

    def begin(interval_h: float) -> tuple[MicroManagerSource, Helm]:
        made = MicroManagerSource(
            settings(
                folder / "data",
                positions=POSITIONS,
                channels=PHASE,
                interval_s=3600 * interval_h,
                time_points=TIME_POINTS,
                focus=FocusConfig(method="autofocus", every="position", max_drift_um=200),
                medium=MediumConfig(lift_to_um=-250),
                poll_s=3600,
            ),
            RUN,
            clock,
            specimen.microscope,
        )
        helm = Helm(store, [made], RUN.name)
        helm.restore()
        restart_if_dead(made)
        return made, helm

    def restart_if_dead(made: MicroManagerSource) -> None:
        """Start a source again that is not alive, as its supervisor does."""
        if not made.health().alive:
            with suppress(SourceError):
                made.stop()
                made.start(inbox, ledger)

    source, helm = begin(part["interval_h"])
    ballast = folder / "data" / "ballast"
    hour = part["from_h"]
    while hour < part["to_h"]:
        specimen.plane_um = drift_um(hour)
        for act in part.get("orders", {}).get(f"{hour:g}", []):
            store.order(source.name, RUN.name, Act(act), "anna, command line")
        if hour == part.get("fill_h"):
            _fill(ballast)
        if hour == part.get("relieve_h"):
            ballast.unlink()
        if hour == part.get("reload_h"):
            source.stop()
            source, helm = begin(part["reload_interval_h"])
        if hour == part.get("kill_h"):
            specimen._left = part["kill_after"]
        helm.look()
        source.acquire_due()
        restart_if_dead(source)
        source.scan()
        helm.look()
        ledger.settle(*inbox.tickets, *inbox.refusals)
        while inbox.refusals:
            refusal = inbox.refusals.pop(0)
            key = refusal.missed
            if key is not None:
                line = [key.time_point, key.well, refusal.reason]
                print(json.dumps(line), file=missed, flush=True)
        hour += 1
        clock.advance(3600)
    source.stop()
    store.close()


def _fill(ballast: Path) -> None:
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        for size in (1 << 16, 1 << 10, 1):
            with suppress(OSError):
                while True:
                    file.write(b"\0" * size)


if __name__ == "__main__":
    live(Path(sys.argv[1]), json.loads(sys.argv[2]))
