"""The focus follows the sharpest planes of z-stacks, by their median and within its bounds."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from scopewatch.config import FocusConfig, PositionConfig, ZStackConfig
from scopewatch.core.errors import SourceError
from scopewatch.sources.micromanager.focus.following import Following
from scopewatch.sources.micromanager.focus.kept import FocusKept, standing_of
from scopewatch.sources.micromanager.schedule.plan_file import read_kept
from tests.conftest import FakeClock
from tests.unit.sources.time_lapse_scene import Scene, settings

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
FOCUS = FocusConfig(method="z-stack", max_step_um=6, max_drift_um=10)
STACK = ZStackConfig(range_um=8, step_um=2)
# A1 is planned at 20 um, A2 at 50, A3 at 0.
POSITIONS = (
    PositionConfig(label="A1", x_um=0, y_um=0, z_um=20),
    PositionConfig(label="A2", x_um=9000, y_um=0, z_um=50),
    PositionConfig(label="A3", x_um=18000, y_um=0, z_um=0),
)


class Course:
    """What is known of the focus after some time points."""

    def __init__(self, **changes: object) -> None:
        self.config = settings(
            Path("data"), **{"positions": POSITIONS, "z_stack": STACK, "focus": FOCUS, **changes}
        )
        self.following = Following(self.config)
        self.kept = FocusKept()
        self.noted: list[str] = []

    def see(self, time_point: int, **heights_um: float) -> "Course":
        for label, height_um in heights_um.items():
            self.following.saw(time_point, label, height_um)
        return self

    def at(self, over: int) -> "Course":
        self.kept = self.following.follow(self.kept, over, lambda: NOW, self.noted.append)
        return self

    def image_um(self, index: int) -> float:
        return self.kept.image_um(self.config.positions[index])


def test_all_positions_move_by_the_median_so_that_one_empty_well_moves_nothing() -> None:
    course = Course().see(0, A1=22, A2=52, A3=-4).at(0)
    assert [course.image_um(index) for index in range(3)] == [22, 52, 2]
    standing = standing_of(course.kept, FOCUS)
    assert standing is not None
    assert (standing.method, standing.time_point) == ("z-stack", 0)
    assert (standing.drift_um, standing.focused, standing.failed) == (2, 3, 0)


def test_a_time_point_that_is_being_taken_is_not_moved() -> None:
    course = Course().see(0, A1=22, A2=52, A3=2).at(-1)
    assert course.kept == FocusKept()
    assert course.at(0).image_um(0) == 22


def test_frames_that_are_looked_at_later_count_with_those_of_their_time_point() -> None:
    course = Course().see(0, A1=26).at(0).see(0, A2=52, A3=2).at(0)
    assert course.image_um(0) == 22
    assert [each.focused for each in course.kept.passes] == [3]


def test_frames_of_earlier_time_points_move_nothing() -> None:
    course = Course().see(3, A1=22).at(3)
    kept = course.kept
    assert course.see(2, A1=25).at(4).kept is kept


@pytest.mark.parametrize(
    ("first", "then", "why"),
    [
        (0, 6.5, "sharpest planes lie +6.50 um from the plan, +6.50 um from the last ones"),
        (5, 10.5, "sharpest planes lie +10.50 um from the plan, +5.50 um from the last ones"),
    ],
)
def test_a_step_or_a_drift_beyond_its_bound_is_a_failure_and_moves_nothing(
    first: float, then: float, why: str
) -> None:
    course = Course().see(0, A1=20 + first).at(0).see(1, A1=20 + then).at(1)
    assert course.image_um(0) == 20 + first
    standing = standing_of(course.kept, FOCUS)
    assert standing is not None
    assert (standing.time_point, standing.drift_um, standing.failed) == (1, first, 1)
    assert standing.reason.startswith(f"A1: {why}")
    assert len(course.noted) == 1
    assert course.noted[0].startswith(f"focus does not follow time point 1: {why}")
    # The next one counts from the last good one.
    assert course.see(2, A1=20 + first + 1).at(2).image_um(0) == 21 + first


def test_the_offset_of_the_channel_is_no_drift() -> None:
    channels = [
        {
            "group": "Channel",
            "preset": "BF",
            "exposure_ms": 9,
            "z_offset_um": 3,
            "in_z_stack": True,
        }
    ]
    assert Course(channels=channels).see(0, A1=25).at(0).image_um(0) == 22


def test_a_setting_that_does_not_follow_keeps_nothing() -> None:
    course = Course(focus=FocusConfig()).see(0, A1=25).at(0)
    assert course.kept == FocusKept()


def test_planes_of_positions_that_are_not_planned_do_not_count() -> None:
    course = Course().see(0, A1=22, A1_s1=90).at(0)
    assert course.image_um(0) == 22


def test_the_next_time_point_is_taken_around_the_sharpest_planes_also_after_a_restart(
    tmp_path: Path, clock: FakeClock
) -> None:
    first = Scene(tmp_path, clock, z_stack=STACK, focus=FOCUS, channels=None).start()
    first.at(0)
    for ticket in first.inbox.tickets:
        planned_um = {"A1": 20, "A2": 50}[ticket.key.well]
        first.source._acquiring.following.saw(0, ticket.key.well, planned_um + 4)
    first.at(0.1)
    first.source.stop()
    again = Scene(tmp_path, clock, z_stack=STACK, focus=FOCUS, channels=None).start()
    again.at(1)
    heights = [event["z"] for events in again.microscope.asked for event in events]
    assert heights == [20, 22, 24, 26, 28, 50, 52, 54, 56, 58]
    assert again.source.focus.drift_um == 4


def test_what_is_followed_is_kept_before_anything_is_taken_by_it(
    tmp_path: Path, clock: FakeClock
) -> None:
    scene = Scene(tmp_path, clock, z_stack=STACK, focus=FOCUS, channels=None).start()
    scene.at(0)
    scene.source._acquiring.following.saw(0, "A1", 24)

    def dies(*_: object) -> bool:
        kept = read_kept(tmp_path, "HES 7")
        drifts.append(None if kept is None else kept.focus.drift_um)
        raise SourceError("the daemon is killed")

    drifts: list[float | None] = []
    scene.microscope.acquire = dies  # type: ignore[method-assign, assignment]
    scene.at(1)
    assert drifts[0] == 4
