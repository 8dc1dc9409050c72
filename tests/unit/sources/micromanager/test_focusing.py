"""With a drifting focus images are taken in focus, or left out or marked with the reason."""

import json
from pathlib import Path
from typing import Any

import pytest

from scopewatch.config import FocusConfig, PositionConfig
from scopewatch.core.errors import ConfigError
from scopewatch.sources.micromanager.schedule.plan_file import PLAN_FILE
from tests.conftest import FakeClock
from tests.unit.sources.time_lapse_scene import Scene, missed

# Two sites in A1, one in A2; the plate is tilted by 1 um for each mm.
POSITIONS = (
    PositionConfig(label="A1_s0", x_um=0, y_um=0, z_um=20),
    PositionConfig(label="A1_s1", x_um=1000, y_um=0, z_um=21),
    PositionConfig(label="A2_s0", x_um=9000, y_um=0, z_um=29),
)


def focus(**given: Any) -> FocusConfig:
    return FocusConfig(**{"method": "autofocus", **given})


def scene(path: Path, clock: FakeClock, drift_um: float = 0.0, **changes: Any) -> Scene:
    """A source whose focus drifts by `drift_um` for each hour."""
    made = Scene(
        path, clock, **{"positions": POSITIONS, "channels": (), "focus": focus(), **changes}
    )
    made.microscope.core.plane_um = lambda x, _y: 20 + x / 1000 + drift_um * clock.seconds / 3600
    return made.start()


def imaged(scene: Scene) -> list[list[tuple[str, float | None]]]:
    """Return label and height of the images of each call to the microscope."""
    return [
        [(event["axes"]["position"], event.get("z")) for event in events]
        for events in scene.microscope.asked
    ]


def test_without_a_focus_the_microscope_is_asked_as_ever(tmp_path: Path, clock: FakeClock) -> None:
    made = scene(tmp_path, clock, focus=FocusConfig())
    made.at(0)
    assert imaged(made) == [[("A1_s0", 20), ("A1_s1", 21), ("A2_s0", 29)]]
    assert made.microscope.core.moves == []


def test_one_search_a_time_point_carries_all_positions_along(
    tmp_path: Path, clock: FakeClock
) -> None:
    made = scene(tmp_path, clock, drift_um=2)
    made.at(0)
    made.at(1)
    made.at(2)
    assert imaged(made) == [
        [("A1_s0", 20), ("A1_s1", 21), ("A2_s0", 29)],
        [("A1_s0", 22), ("A1_s1", 23), ("A2_s0", 31)],
        [("A1_s0", 24), ("A1_s1", 25), ("A2_s0", 33)],
    ]
    # Each search begins at the last good focus.
    assert made.microscope.core.searched == [(0, 0, 20), (0, 0, 20), (0, 0, 22)]


def test_each_well_has_its_own_search(tmp_path: Path, clock: FakeClock) -> None:
    made = scene(tmp_path, clock, focus=focus(every="well"))
    made.microscope.core.plane_um = lambda x, _y: 25.0 if x < 5000 else 28.0
    made.at(0)
    assert imaged(made) == [[("A1_s0", 25), ("A1_s1", 26)], [("A2_s0", 28)]]


def test_each_position_has_its_own_search_and_offset(tmp_path: Path, clock: FakeClock) -> None:
    lifted = [each.model_copy(update={"focus_offset_um": 1.5}) for each in POSITIONS]
    made = scene(tmp_path, clock, focus=focus(every="position"), positions=tuple(lifted))
    made.at(0)
    assert imaged(made) == [[("A1_s0", 21.5)], [("A1_s1", 22.5)], [("A2_s0", 30.5)]]
    # The focus lies the offset below the plane that is imaged.
    assert made.microscope.core.searched[0] == (0, 0, 18.5)


def test_reference_positions_give_their_median(tmp_path: Path, clock: FakeClock) -> None:
    planes = {0: 21.0, 1000: 24.0, 9000: 39.0}
    made = scene(tmp_path, clock, focus=focus(references=("A1_s0", "A1_s1", "A2_s0")))
    made.microscope.core.plane_um = lambda x, _y: planes[int(x)]
    made.at(0)
    assert imaged(made) == [[("A1_s0", 23), ("A1_s1", 24), ("A2_s0", 32)]]


def test_a_reference_that_fails_leaves_the_others(tmp_path: Path, clock: FakeClock) -> None:
    made = scene(tmp_path, clock, focus=focus(references=("A1_s0", "A2_s0")), drift_um=0)
    made.microscope.core.plane_um = lambda x, _y: 22 + x / 1000
    made.microscope.core.fails = {(0, 0)}
    made.at(0)
    assert imaged(made) == [[("A1_s0", 22), ("A1_s1", 23), ("A2_s0", 31)]]
    (done,) = made.source.focus.passes
    assert dict(done.failed) == {"A1_s0": "focus failed: no contrast"}
    assert not made.source.focus.marks


def test_positions_without_a_height_start_where_the_focus_was(
    tmp_path: Path, clock: FakeClock
) -> None:
    free = tuple(each.model_copy(update={"z_um": None}) for each in POSITIONS)
    made = Scene(tmp_path, clock, positions=free, channels=(), focus=focus(every="position"))
    made.microscope.core.plane_um = lambda x, _y: 20 + x / 1000
    made.microscope.core.z_um = 19.0
    made.start().at(0)
    assert made.microscope.core.searched[0] == (0, 0, 19)
    assert imaged(made) == [[("A1_s0", 20)], [("A1_s1", 21)], [("A2_s0", 29)]]


def test_a_failed_focus_is_imaged_at_the_last_good_height_and_marked(
    tmp_path: Path, clock: FakeClock
) -> None:
    made = scene(tmp_path, clock, drift_um=2, focus=focus(every="well"))
    made.at(0)
    made.at(1)
    made.microscope.core.fails = {(9000, 0)}
    made.at(2)
    assert imaged(made)[-2:] == [[("A1_s0", 24), ("A1_s1", 25)], [("A2_s0", 31)]]
    assert dict(made.source.focus.marks) == {(2, "A2_s0"): "focus failed: no contrast"}
    assert made.source.plan().next_time_point == 3
    assert made.source.health().failing == ""


def test_the_next_time_point_starts_from_the_last_good_height(
    tmp_path: Path, clock: FakeClock
) -> None:
    made = scene(tmp_path, clock, drift_um=2, time_points=4)
    made.at(0)
    made.at(1)
    made.microscope.core.fails = {(0, 0)}
    made.at(2)
    made.microscope.core.fails = set()
    made.at(3)
    assert made.microscope.core.searched[-1] == (0, 0, 22)
    assert imaged(made)[-1][0] == ("A1_s0", 26)


def test_a_focus_that_moves_too_far_is_a_failure(tmp_path: Path, clock: FakeClock) -> None:
    made = scene(tmp_path, clock, drift_um=6, focus=focus(max_step_um=5))
    made.at(0)
    made.at(1)
    assert imaged(made)[-1] == [("A1_s0", 20), ("A1_s1", 21), ("A2_s0", 29)]
    (why,) = set(made.source.focus.marks.values())
    assert why == (
        "focus failed: focus went from 20 to 26 um, beyond what it may (15 to 25 um):"
        " max_step_um, max_drift_um"
    )


def test_small_steps_do_not_add_up_beyond_the_limit_of_the_drift(
    tmp_path: Path, clock: FakeClock
) -> None:
    limits = focus(max_step_um=5, max_drift_um=9)
    made = scene(tmp_path, clock, drift_um=4, focus=limits, time_points=5)
    for hour in range(5):
        made.at(hour)
    heights = [images[0][1] for images in imaged(made)]
    assert heights == [20, 24, 28, 28, 28]


def test_images_that_are_left_out_are_tried_again_with_their_time_point(
    tmp_path: Path, clock: FakeClock
) -> None:
    made = scene(tmp_path, clock, focus=focus(every="well", on_failure="skip"))
    made.microscope.core.fails = {(9000, 0)}
    made.at(0)
    assert imaged(made) == [[("A1_s0", 20), ("A1_s1", 21)]]
    assert made.source.health().failing == (
        "time point 0: 1 images were left out: focus failed: no contrast (position A2_s0)"
    )
    # The devices work: none is loaded again.
    assert (made.microscope.opened, made.microscope.closed) == (1, 0)
    made.microscope.core.fails = set()
    made.at(11 / 3600)
    assert imaged(made)[1:] == [[("A2_s0", 29)]]
    assert made.source.health().failing == ""
    (done,) = made.source.focus.passes
    assert (done.focused, dict(done.failed)) == (3, {})


def test_images_left_out_to_the_end_are_gaps_with_the_reason(
    tmp_path: Path, clock: FakeClock
) -> None:
    made = scene(tmp_path, clock, focus=focus(every="well", on_failure="skip"))
    made.microscope.core.fails = {(9000, 0)}
    made.at(0)
    made.microscope.core.fails = set()
    made.at(1)
    assert missed(made) == ["HES 7/plate/A2/s0/t0000/BF: never acquired: focus failed: no contrast"]


def test_under_a_lock_no_height_is_asked_for(tmp_path: Path, clock: FakeClock) -> None:
    made = scene(tmp_path, clock, drift_um=2, focus=focus(method="lock", every="well"))
    made.at(0)
    made.at(1)
    assert imaged(made)[2:] == [[("A1_s0", None), ("A1_s1", None)], [("A2_s0", None)]]
    assert made.source.focus.drift_um == 2
    # Never left on unattended.
    assert not made.microscope.core.enabled


def test_a_lock_that_fails_is_imaged_at_the_last_good_height(
    tmp_path: Path, clock: FakeClock
) -> None:
    made = scene(tmp_path, clock, drift_um=2, focus=focus(method="lock", every="well"))
    made.at(0)
    made.microscope.core.fails = {(0, 0)}
    made.at(1)
    assert imaged(made)[2:] == [[("A1_s0", 20), ("A1_s1", 21)], [("A2_s0", None)]]
    assert set(made.source.focus.marks) == {(1, "A1_s0"), (1, "A1_s1")}


def test_a_lock_that_is_lost_while_images_are_taken_marks_them(
    tmp_path: Path, clock: FakeClock
) -> None:
    made = scene(tmp_path, clock, focus=focus(method="lock"))
    acquire = made.microscope.acquire

    def loses(*given: Any) -> None:
        acquire(*given)
        made.microscope.core.lost = True

    made.microscope.acquire = loses  # type: ignore[assignment, method-assign]
    made.at(0)
    assert set(made.source.focus.marks.values()) == {"focus lock was lost while images were taken"}


def test_a_lock_has_the_offset_of_each_position(tmp_path: Path, clock: FakeClock) -> None:
    lifted = (POSITIONS[0].model_copy(update={"focus_offset_um": 3}), *POSITIONS[1:])
    made = scene(tmp_path, clock, positions=lifted, focus=focus(method="lock", every="position"))
    offsets: list[float] = []
    made.microscope.core.set_auto_focus_offset = offsets.append  # type: ignore[assignment, method-assign]
    made.at(0)
    assert offsets == [3, 0, 0]


def test_the_state_of_the_focus_survives_a_restart(tmp_path: Path, clock: FakeClock) -> None:
    first = scene(tmp_path, clock, drift_um=2, focus=focus(every="well"))
    first.at(0)
    first.at(1)
    first.source.stop()
    again = scene(tmp_path, clock, drift_um=2, focus=focus(every="well"))
    assert again.source.focus == first.source.focus
    again.at(2)
    assert again.microscope.core.searched == [(0, 0, 22), (9000, 0, 31)]
    assert [each.drift_um for each in again.source.focus.passes] == [0, 2, 4]
    standing = again.source.standing()
    assert standing is not None
    assert standing.focus is not None
    assert [(each.time_point, each.drift_um) for each in standing.focus.course] == [
        (0, 0),
        (1, 2),
        (2, 4),
    ]
    assert (standing.focus.drift_um, standing.focus.focused, standing.focus.failed) == (4, 3, 0)


def test_a_newly_planned_height_makes_the_old_correction_void(
    tmp_path: Path, clock: FakeClock
) -> None:
    first = scene(tmp_path, clock, drift_um=2, focus=focus(every="position"))
    first.at(0)
    first.at(1)
    first.source.stop()
    moved = (POSITIONS[0].model_copy(update={"z_um": 23}), *POSITIONS[1:])
    again = scene(tmp_path, clock, drift_um=2, focus=focus(every="position"), positions=moved)
    again.at(2)
    assert [z for *_, z in again.microscope.core.searched] == [23, 23, 31]


def test_a_plan_that_was_kept_before_there_was_a_focus_is_read(
    tmp_path: Path, clock: FakeClock
) -> None:
    first = scene(tmp_path, clock, focus=FocusConfig())
    first.at(0)
    first.source.stop()
    (file,) = tmp_path.glob(f"*/{PLAN_FILE}")
    kept = json.loads(file.read_text(encoding="utf-8"))
    del kept["focus"]
    file.write_text(json.dumps(kept), encoding="utf-8")
    again = scene(tmp_path, clock, drift_um=2)
    again.at(1)
    assert imaged(again)[-1][0] == ("A1_s0", 22)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"focus": focus(references=("B7",))}, "references of the focus are no positions: .*'B7'"),
        (
            {
                "focus": FocusConfig(),
                "positions": (PositionConfig(label="A1", x_um=0, y_um=0, focus_offset_um=1),),
            },
            "no focus is found that it counts from",
        ),
        (
            {
                "focus": focus(method="lock", every="well"),
                "positions": (PositionConfig(label="A1", x_um=0, y_um=0, focus_offset_um=1),),
            },
            "the lock is not set at each of them",
        ),
    ],
)
def test_a_focus_that_cannot_be_as_it_is_set_is_refused(
    tmp_path: Path, clock: FakeClock, changes: dict[str, Any], line: str
) -> None:
    with pytest.raises(ConfigError, match=line):
        Scene(tmp_path, clock, **changes)


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"method": "lock", "references": ("A1",)}, "references are for method autofocus"),
        ({"references": ("A1",), "every": "well"}, "references are for method autofocus"),
        ({"max_step_um": 50, "max_drift_um": 20}, "max_drift_um is below max_step_um"),
    ],
)
def test_settings_of_the_focus_that_contradict_each_other_are_refused(
    given: dict[str, Any], line: str
) -> None:
    with pytest.raises(ValueError, match=line):
        focus(**given)


def test_device_failures_of_several_wells_are_reported_together(
    tmp_path: Path, clock: FakeClock
) -> None:
    made = scene(
        tmp_path,
        clock,
        focus=focus(every="position"),
        positions=(
            PositionConfig(label="A2", x_um=0, y_um=0, z_um=20),
            PositionConfig(label="A1", x_um=1000, y_um=0, z_um=21),
        ),
    )
    made.microscope.fail_images, made.microscope.cause = 1, "stage out of reach"
    made.at(0)
    # The next well was taken; the missing one came after the devices were loaded again.
    assert imaged(made) == [[("A2", 20)], [("A1", 21)], [("A2", 20)]]
    assert made.source.plan().next_time_point == 1
