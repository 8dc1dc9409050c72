"""A time-lapse takes small z-stacks: each complete or a gap with its cause, no plane twice."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from scopewatch.config import ActsConfig, FocusConfig, PositionConfig, ZStackConfig
from scopewatch.core.acquisition.orders import Act, Order, Target
from scopewatch.core.errors import SourceError
from scopewatch.sources.micromanager.events import Axes, Event, ImagesMissingError, never
from tests.conftest import FakeClock
from tests.unit.sources.time_lapse_scene import Scene, missed

STACK = ZStackConfig(range_um=8, step_um=2)
Shot = tuple[int, str, str | None, int | None]


class Stacks(Scene):
    """A time-lapse of z-stacks whose microscope fails at some of their planes."""

    def __init__(self, path: Path, clock: FakeClock, **changes: Any) -> None:
        super().__init__(path, clock, **{"z_stack": STACK, **changes})
        # Images that are not taken: each time that they are asked for, or all from then on.
        self.refused: set[Shot] = set()
        self.dies_at: Shot | None = None
        self.cause = "z out of reach"
        self.saved: list[Shot] = []
        self._acquire = self.microscope.acquire
        self.microscope.acquire = self.acquire  # type: ignore[method-assign]

    def acquire(
        self,
        events: Sequence[Event],
        saved: Callable[[Axes], None],
        hold: Callable[[], bool] = never,
    ) -> bool:
        causes: list[tuple[Axes, str]] = []
        for event in events:
            if shot(event) == self.dies_at:
                raise SourceError("the daemon is killed")
            if shot(event) in self.refused:
                causes.append((event["axes"], self.cause))
                continue
            self._acquire([event], saved, hold)
            self.saved.append(shot(event))
        if causes:
            raise ImagesMissingError(self.cause, causes)
        return True

    def heights(self, time_point: int) -> list[tuple[str, str | None, float | None]]:
        return [
            (event["axes"]["position"], event["axes"].get("channel"), event.get("z"))
            for events in self.microscope.asked
            for event in events
            if event["axes"]["time"] == time_point
        ]


def shot(event: Event) -> Shot:
    axes = event["axes"]
    return axes["time"], axes["position"], axes.get("channel"), axes.get("z")


def test_planes_lie_around_each_position_and_fluorescence_is_taken_once(
    tmp_path: Path, clock: FakeClock
) -> None:
    scene = Stacks(tmp_path, clock).start()
    scene.at(0)
    expected = [("A1", "BF", 20 + away) for away in (-4, -2, 0, 2, 4)] + [("A1", "GFP", 20)]
    expected += [("A2", "BF", 50 + away) for away in (-4, -2, 0, 2, 4)] + [("A2", "GFP", 50)]
    assert scene.heights(0) == expected
    assert [each[3] for each in scene.saved[:6]] == [0, 1, 2, 3, 4, None]
    assert scene.source.plan().next_time_point == 1


def test_positions_without_a_height_have_their_planes_around_where_the_focus_began(
    tmp_path: Path, clock: FakeClock
) -> None:
    positions = [PositionConfig(label="A1", x_um=0, y_um=0)]
    channels = [
        {"group": "Channel", "preset": "BF", "exposure_ms": 9},
        {"group": "Channel", "preset": "GFP", "exposure_ms": 9, "z_offset_um": 1.5},
    ]
    scene = Stacks(tmp_path, clock, positions=positions, channels=channels).start()
    scene.microscope.core.z_um = 12.0
    scene.at(0)
    scene.microscope.core.z_um = 16.0
    scene.at(1)
    for time_point in (0, 1):
        heights = [z for *_, z in scene.heights(time_point)]
        assert heights == [8, 10, 12, 14, 16, 13.5]


@pytest.mark.parametrize("method", ["autofocus", "lock"])
def test_planes_lie_around_what_the_device_found(
    tmp_path: Path, clock: FakeClock, method: str
) -> None:
    focus = FocusConfig.model_validate({"method": method, "every": "position"})
    scene = Stacks(tmp_path, clock, focus=focus, channels=None).start()
    scene.microscope.core.plane_um = lambda x_um, _y: 21.0 if x_um < 100 else 53.0
    scene.at(0)
    assert [z for *_, z in scene.heights(0)] == [17, 19, 21, 23, 25, 49, 51, 53, 55, 57]
    assert scene.source.focus.drift_um == 2
    # A lock would hold one plane.
    assert not scene.microscope.core.enabled


def test_without_a_setting_the_focus_stays_where_it_is_planned(
    tmp_path: Path, clock: FakeClock
) -> None:
    scene = Stacks(tmp_path, clock).start()
    scene.at(0)
    scene.source._acquiring.following.saw(0, "A1", 24.0)
    scene.at(1)
    assert scene.heights(1) == scene.heights(0)
    assert scene.source.focus.passes == ()


def test_after_a_kill_within_a_stack_only_its_missing_planes_are_taken(
    tmp_path: Path, clock: FakeClock
) -> None:
    first = Stacks(tmp_path, clock, time_points=2).start()
    first.dies_at = (0, "A2", "BF", 3)
    first.at(0)
    first.source.stop()
    again = Stacks(tmp_path, clock, time_points=2)
    again.ledger = first.ledger
    again.start()
    again.at(0.1)
    assert again.saved == [(0, "A2", "BF", 3), (0, "A2", "BF", 4), (0, "A2", "GFP", None)]
    again.at(1)
    again.source.stop()
    taken = Counter(first.saved + again.saved)
    assert len(taken) == 2 * 2 * 6
    assert set(taken.values()) == {1}
    assert not missed(first) + missed(again)


def test_a_stack_that_lacks_planes_at_its_end_is_one_gap_with_its_cause(
    tmp_path: Path, clock: FakeClock
) -> None:
    scene = Stacks(tmp_path, clock, time_points=2).start()
    scene.refused = {(0, "A2", "BF", 0), (0, "A2", "BF", 4)}
    scene.at(0)
    assert "z out of reach" in scene.source.health().failing
    scene.at(1)
    assert missed(scene) == [
        "HES 7/plate/A2/s0/t0000/BF: never acquired: 2 of 5 planes of its z-stack never came:"
        " z out of reach"
    ]
    assert max(Counter(scene.saved).values()) == 1
    again = Stacks(tmp_path, clock, time_points=2)
    again.start()
    assert missed(again)[0].startswith("HES 7/plate/A2/s0/t0000/BF: never acquired: 2 of 5 planes")
    assert len(missed(again)) == 1


def test_a_stack_that_was_added_or_changed_later_counts_from_then_on(
    tmp_path: Path, clock: FakeClock
) -> None:
    stacks = [None, STACK, ZStackConfig(offsets_um=(0, 3)), None]
    saved: list[Shot] = []
    for time_point, stack in enumerate(stacks):
        scene = Stacks(tmp_path, clock, z_stack=stack, time_points=5).start()
        scene.at(time_point)
        scene.source.stop()
        assert missed(scene) == []
        assert scene.source.plan().next_time_point == time_point + 1
        saved += scene.saved
    planes = Counter((index, label) for index, label, channel, _ in saved if channel == "BF")
    assert planes == {
        (index, label): count for index, count in enumerate((1, 5, 2, 1)) for label in ("A1", "A2")
    }


def test_what_a_reload_interrupts_is_finished_as_it_was_planned(
    tmp_path: Path, clock: FakeClock
) -> None:
    first = Stacks(tmp_path, clock).start()
    first.dies_at = (0, "A1", "BF", 2)
    first.at(0)
    first.source.stop()
    changed = Stacks(tmp_path, clock, z_stack=ZStackConfig(offsets_um=(0, 3))).start()
    changed.at(0.1)
    assert [z for label, channel, z in changed.heights(0) if (label, channel) == ("A1", "BF")] == [
        20,
        22,
        24,
    ]
    changed.at(1)
    assert [z for label, channel, z in changed.heights(1) if (label, channel) == ("A1", "BF")] == [
        20,
        23,
    ]


def test_a_time_point_in_between_has_the_planes_too(tmp_path: Path, clock: FakeClock) -> None:
    scene = Stacks(tmp_path, clock).start()
    scene.at(0)
    scene.source.order(Order(number=1, act=Act.NOW, by="a test", at=clock.now()))
    scene.at(0.5)
    assert [each[3] for each in scene.saved if each[:3] == (1, "A1", "BF")] == [0, 1, 2, 3, 4]


def test_a_further_site_is_a_stack_and_fluorescence_of_a_flagged_well_is_not(
    tmp_path: Path, clock: FakeClock
) -> None:
    acts = ActsConfig.model_validate(
        {
            "more_sites": {"offsets_um": [[600, 0]]},
            "fluorescence_of_flagged": {"group": "Channel", "preset": "GFP", "exposure_ms": 9},
        }
    )
    channels = [{"group": "Channel", "preset": "BF", "exposure_ms": 9, "z_offset_um": 1}]
    scene = Stacks(tmp_path, clock, acts=acts, channels=channels).start()
    scene.at(0)
    for number, act in enumerate((Act.MORE_SITES, Act.FLUORESCENCE), 1):
        target = Target(well="A1", plate="plate")
        scene.source.order(
            Order(number=number, act=act, by="a test", at=clock.now(), target=target)
        )
    scene.at(0.1)
    assert scene.heights(0)[-1] == ("A1", "GFP", 20)
    scene.at(1)
    scene.at(1.1)
    further = [each for each in scene.heights(1) if each[0] not in ("A1", "A2")]
    assert [z for *_, z in further] == [17, 19, 21, 23, 25]
