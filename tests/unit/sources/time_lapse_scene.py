"""A time-lapse with a simulated microscope: it writes real data sets, and fails on request."""

import contextlib
import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

from numpy.typing import NDArray

from scopewatch.config import (
    ChannelConfig,
    MicroManagerSourceConfig,
    PositionConfig,
    RunConfig,
)
from scopewatch.core.errors import SourceError
from scopewatch.sources.micromanager.events import Axes, Event, ImagesMissingError, never
from scopewatch.sources.micromanager.focus.drive import FocusDrive
from scopewatch.sources.micromanager.source import MicroManagerSource
from tests.conftest import FakeClock
from tests.unit.sources.fakes import FakeArrivals, FakeInbox, FakeLedger
from tests.unit.sources.micromanager.focus_scene import DriftingCore
from tests.unit.sources.ndtiffs import Writer

RUN = RunConfig(name="HES 7", phase_channel="BF")
POSITIONS = (
    PositionConfig(label="A1", x_um=0, y_um=0, z_um=20),
    PositionConfig(label="A2", x_um=9000, y_um=0, z_um=50),
)
CHANNELS = (
    ChannelConfig(group="Channel", preset="BF", exposure_ms=10),
    ChannelConfig(group="Channel", preset="GFP", exposure_ms=500),
)


def settings(path: Path, **changes: Any) -> MicroManagerSourceConfig:
    given: dict[str, Any] = {
        "mode": "acquire",
        "positions": POSITIONS,
        "channels": CHANNELS,
        "interval_s": 3600,
        "time_points": 3,
        "poll_s": 3600,
    }
    # None leaves a setting of the time-lapse out.
    wanted = {name: value for name, value in {**given, **changes}.items() if value is not None}
    return MicroManagerSourceConfig(kind="micromanager", path=path, **wanted)


class FakeMicroscope:
    """Writes real data sets; fails as often as requested."""

    def __init__(self, config: MicroManagerSourceConfig, data_set: str) -> None:
        self.config, self.data_set = config, data_set
        self.opened = self.closed = 0
        self.fail_open = self.fail_images = self.fail_first = 0
        self.takes_s = 0.0
        self.cause = ""
        self.clock: FakeClock | None = None
        self.asked: list[list[Event]] = []
        self.writer: Writer | None = None
        self.picture: Callable[[Event], NDArray[Any]] | None = None
        self.core = DriftingCore(lambda _x, _y: 0.0)

    def open(self) -> None:
        if self.fail_open:
            self.fail_open -= 1
            raise SourceError("no camera")
        self.opened += 1

    def acquire(
        self,
        events: Sequence[Event],
        saved: Callable[[Axes], None],
        hold: Callable[[], bool] = never,
    ) -> bool:
        self.asked.append(list(events))
        if self.clock is not None:
            self.clock.advance(self.takes_s)
        if self.fail_first:
            self.fail_first -= 1
            raise SourceError("no image came")
        if self.writer is None:
            self.writer = Writer(self.config.path, self.data_set)
        for event in events:
            if hold():
                return False
            if self.fail_images and event["axes"]["position"] == "A2":
                self.fail_images -= 1
                if self.cause:
                    raise ImagesMissingError("stage out of reach", [(event["axes"], self.cause)])
                raise SourceError("stage out of reach")
            axes = dict(event["axes"])
            tags = {"ZPosition_um_Intended": event["z"]} if "z" in event else {}
            pixels = None if self.picture is None else self.picture(event)
            self.writer.add(axes.pop("time"), axes.pop("position"), pixels, tags, **axes)
            saved(event["axes"])
        return True

    def focus_drive(self) -> FocusDrive:
        looks = itertools.count()
        return FocusDrive(
            self.core, lambda: False, sleep=lambda _: None, monotonic_s=lambda: next(looks)
        )

    def interrupt(self) -> None:
        pass

    def close(self) -> None:
        self.closed += 1
        if self.writer is not None:
            self.writer.finish()
            self.writer = None


class Scene:
    """A source that acquires, its microscope, and a clock that the test sets."""

    def __init__(self, path: Path, clock: FakeClock, **changes: Any) -> None:
        self.clock = clock
        self.inbox, self.ledger = FakeInbox(), FakeLedger()
        self.microscopes: list[FakeMicroscope] = []

        def make(config: MicroManagerSourceConfig, data_set: str) -> FakeMicroscope:
            self.microscopes.append(FakeMicroscope(config, data_set))
            return self.microscopes[-1]

        self.arrivals = FakeArrivals()
        self.source = MicroManagerSource(
            settings(path, **changes), RUN, clock, make, arrivals=self.arrivals
        )
        (self.microscope,) = self.microscopes
        self.microscope.clock = clock

    def start(self) -> Self:
        self.source.start(self.inbox, self.ledger)
        return self

    def at(self, hours: float) -> None:
        self.clock.advance(max(0.0, hours * 3600 - self.clock.seconds))
        self.source.acquire_due()
        self.source.scan()
        self.ledger.settle(*self.inbox.tickets, *self.inbox.refusals)

    @property
    def acquired(self) -> list[int]:
        return [events[0]["axes"]["time"] for events in self.microscope.asked]


def pass_time(scene: Scene, hours: float, *, until: float, step_s: float = 10) -> None:
    """Let time pass as the daemon does: a dead source is started again."""
    while hours <= until:
        if not scene.source.health().alive:
            scene.source.stop()
            with contextlib.suppress(SourceError):
                scene.start()
        scene.at(hours)
        hours += step_s / 3600


def missed(scene: Scene) -> list[str]:
    """Return key and reason of the images that were reported missing."""
    return [f"{each.missed}: {each.reason}" for each in scene.inbox.refusals if each.missed]
