"""A Micro-Manager that outlives the daemon: its last images are waited for."""

import os
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from scopewatch.core.errors import SourceError
from scopewatch.sources.micromanager.acquired import survey_again
from scopewatch.sources.micromanager.events import Axes, Event, never
from scopewatch.sources.micromanager.left_running import expect_rest
from tests.conftest import FakeClock
from tests.unit.sources.ndtiffs import write_data_set, writing
from tests.unit.sources.time_lapse_scene import RUN, FakeMicroscope, Scene, missed, settings

WRITTEN_AT = datetime(2026, 3, 1, 9, tzinfo=UTC)


def expect(folder: Path, after_s: float, **changes: Any) -> None:
    config = settings(folder, **{"backend": "java", **changes})
    growing = survey_again(config, RUN).growing
    for each in (folder / "HES_7_1").iterdir():
        os.utime(each, (WRITTEN_AT.timestamp(), WRITTEN_AT.timestamp()))
    expect_rest(config, growing, WRITTEN_AT + timedelta(seconds=after_s))


def test_a_data_set_that_was_just_written_to_is_waited_for(tmp_path: Path) -> None:
    with writing(tmp_path, name="HES_7") as writer:
        writer.add(0)
        with pytest.raises(SourceError, match=r"may still take images .* that rests for"):
            expect(tmp_path, 5)
        expect(tmp_path, 60)


def test_a_data_set_that_was_closed_is_not_waited_for(tmp_path: Path) -> None:
    write_data_set(tmp_path, name="HES_7")
    expect(tmp_path, 5)


def test_a_core_of_this_process_ends_with_it(tmp_path: Path) -> None:
    with writing(tmp_path, name="HES_7") as writer:
        writer.add(0)
        expect(tmp_path, 5, backend="python")


def test_of_several_data_sets_only_the_newest_is_waited_for(tmp_path: Path) -> None:
    with writing(tmp_path, name="HES_7") as killed:
        killed.add(0)
        write_data_set(tmp_path, name="HES_7")
        expect(tmp_path, 5)


class Hanging:
    """A Micro-Manager that hangs, and takes what was asked for once it answers again."""

    def __init__(self, microscope: FakeMicroscope) -> None:
        self._microscope = microscope
        self._open, self._acquire = microscope.open, microscope.acquire
        self.hangs = True
        self.queue: list[Event] = []
        self.taken: list[tuple[int, str, str]] = []
        microscope.open = self.open  # type: ignore[method-assign]
        microscope.acquire = self.acquire  # type: ignore[method-assign]
        microscope.close = self.close  # type: ignore[method-assign]

    def open(self) -> None:
        if self.hangs and self.queue:
            raise SourceError("no Micro-Manager answers")
        self._open()

    def acquire(
        self,
        events: Sequence[Event],
        saved: Callable[[Axes], None],
        hold: Callable[[], bool] = never,
    ) -> bool:
        if self.hangs:
            self._take(events[0], saved)
            self.queue = list(events[1:])
            raise SourceError("no answer within 30 s")
        for event in events:
            self._take(event, saved)
        return True

    def go_on(self) -> None:
        """Take the next image that was given up."""
        self.hangs = False
        self._take(self.queue.pop(0), lambda _: None)

    def close(self) -> None:
        """Leave the data set open: nobody answered."""

    def end(self) -> None:
        if self._microscope.writer is not None:
            self._microscope.writer.finish()

    def _take(self, event: Event, saved: Callable[[Axes], None]) -> None:
        self._acquire([event], saved, never)
        axes = event["axes"]
        self.taken.append((axes["time"], axes["position"], axes["channel"]))


def test_what_a_bridge_that_hung_still_takes_is_not_taken_twice(
    tmp_path: Path, clock: FakeClock
) -> None:
    clock.wall = datetime.now(UTC)
    scene = Scene(tmp_path, clock, backend="java", time_points=1).start()
    program = Hanging(scene.microscope)
    scene.at(0)
    assert scene.source.health().detail.endswith("no Micro-Manager answers")
    for seconds in (12, 24):
        program.go_on()
        clock.advance(seconds)
        for each in (tmp_path / "HES_7_1").iterdir():
            os.utime(each, (clock.now().timestamp(), clock.now().timestamp()))
        # As the daemon does with a source that is dead.
        scene.source.stop()
        with pytest.raises(SourceError, match="Micro-Manager may still take images"):
            scene.start()
    clock.advance(60)
    scene.source.stop()
    scene.start().source.acquire_due()
    assert scene.source.health().failing == ""
    program.end()
    assert len(program.taken) == 4
    assert set(Counter(program.taken).values()) == {1}
    assert missed(scene) == []
    scene.source.stop()
