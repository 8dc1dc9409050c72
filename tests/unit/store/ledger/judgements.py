"""A store that is opened under one set of settings after the other."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scopewatch.core.alerts.rules import AlertRule, RuleKind
from scopewatch.core.imaging.frame import FrameKey
from scopewatch.core.tickets import Mark, Refusal
from scopewatch.store.read.judging import Judging, SourceSettings
from tests.conftest import FakeClock
from tests.unit.store.scene import RULES, START, Scene, open_store, ticket

UNFIT = AlertRule(name="unfit", kind=RuleKind.UNFIT_FRAMES, consecutive=2)


FRAMES = (
    "SELECT w.plate, w.name, time_point, state FROM frames"
    " JOIN wells w ON w.id = well_id ORDER BY w.name, time_point"
)


REFUSALS = "SELECT locator, fault, reason FROM refusals ORDER BY locator"


def judging(names: str = "n", reading: str = "r", model: str = "m") -> Judging:
    return Judging(sources={"folder": SourceSettings(names=names, reading=reading)}, model=model)


BEFORE = judging()


NAMES, READING, MODEL = judging("n2", "r2"), judging(reading="r2"), judging(model="m2")


@dataclass
class Restarts:
    """A store that is opened again under other settings."""

    folder: Path
    clock: FakeClock

    @contextmanager
    def under(self, what: Judging, **settings: Any) -> Iterator[Scene]:
        store = open_store(self.folder, self.clock, judging=what, **settings)
        try:
            yield Scene(store=store, folder=self.folder, rules=(*RULES, UNFIT))
        finally:
            store.close()


def refuse(scene: Scene, locator: str, reason: str = "its name does not fit") -> None:
    refusal = Refusal(
        source="folder", locator=locator, fingerprint="1", reason=reason, seen_at=START
    )
    scene.store.refuse(refusal)


def is_open(scene: Scene, locator: str, *, named: bool = False) -> bool:
    return locator not in scene.store.settled("folder", [Mark(locator, "1", named=named)])


def scored(scene: Scene, frame: FrameKey, fraction: float = 0.7, **where: Any) -> bool:
    """Process a frame as the worker does; return False where there was nothing to do."""
    offered = ticket(frame, **where)
    if not scene.store.claim(offered):
        return False
    scene.commit(offered, fraction)
    return True
