"""Images beyond the plan: once, after the planned ones, in time, and never at another's cost."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from scopewatch.config import ActsConfig, FlaggedFluorescenceConfig, FocusConfig
from scopewatch.core.acquisition.orders import Act, Order, Report, Target
from scopewatch.core.errors import ConfigError
from scopewatch.sources.micromanager.acts.slack import act_s, longest_act_s
from tests.conftest import FakeClock
from tests.unit.sources.micromanager.focus_scene import DriftingCore
from tests.unit.sources.time_lapse_scene import CHANNELS, Scene, missed, pass_time, settings

T0 = datetime(2026, 3, 1, 9, tzinfo=UTC)
MCHERRY = FlaggedFluorescenceConfig(group="Channel", preset="mCherry", exposure_ms=200)
ACTS = ActsConfig(skip_dead=True, reimage_unfit=True, fluorescence_of_flagged=MCHERRY)
IMAGE = Target(plate="plate", well="A1", site=0, time_point=0, channel="BF")
WELL = Target(plate="plate", well="A2")


def make(path: Path, clock: FakeClock, **changes: Any) -> Scene:
    return Scene(path, clock, **{"time_points": 4, "acts": ACTS, **changes}).start()


@pytest.fixture
def scene(tmp_path: Path, clock: FakeClock) -> Iterator[Scene]:
    clock.wall = T0
    made = make(tmp_path, clock)
    made.at(0)
    yield made
    made.source.stop()


def ask(scene: Scene, act: Act, target: Target, number: int = 1) -> None:
    order = Order(number=number, act=act, by="scopewatch", at=scene.clock.now(), target=target)
    scene.source.order(order)


def outcomes(scene: Scene) -> list[Report]:
    return [each for each in scene.source.reports() if each.act is not Act.NOTE]


def done(scene: Scene, act: Act, target: Target, number: int = 1) -> Report:
    ask(scene, act, target, number)
    scene.source.acquire_due()
    (report,) = outcomes(scene)
    return report


def taken(scene: Scene) -> list[tuple[int, str, str]]:
    events = [event["axes"] for events in scene.microscope.asked for event in events]
    return [(each["time"], each["position"], each["channel"]) for each in events]


def test_an_image_is_taken_again_after_its_time_point_and_once_only(scene: Scene) -> None:
    report = done(scene, Act.REIMAGE, IMAGE)
    assert (report.done, report.outcome) == (True, "taken again at time point 0")
    assert taken(scene).count((0, "A1", "BF")) == 2
    assert done(scene, Act.REIMAGE, IMAGE, 2).outcome == "it is there already: time point 0"
    assert taken(scene).count((0, "A1", "BF")) == 2
    scene.source.scan()
    keys = [str(ticket.key) for ticket in scene.inbox.tickets]
    assert keys.count("HES 7/plate/A1/s0/t0000/BF") == 2, "the ledger decides between them"


def test_after_a_kill_what_is_on_disk_is_not_taken_again(
    scene: Scene, tmp_path: Path, clock: FakeClock
) -> None:
    ask(scene, Act.REIMAGE, IMAGE)
    ask(scene, Act.FLUORESCENCE, WELL, 2)
    scene.source.acquire_due()
    scene.source.acquire_due()
    scene.microscope.close()
    # Nothing was reported: the daemon was killed, and the orders are passed on once more.
    again = make(tmp_path, clock)
    again.at(0.1)
    ask(again, Act.REIMAGE, IMAGE)
    ask(again, Act.FLUORESCENCE, WELL, 2)
    again.source.acquire_due()
    again.source.acquire_due()
    assert [each.outcome for each in outcomes(again)] == ["it is there already: time point 0"] * 2
    assert taken(again) == []
    again.source.stop()


def test_a_flagged_well_is_taken_in_fluorescence_at_its_first_site(scene: Scene) -> None:
    report = done(scene, Act.FLUORESCENCE, WELL)
    assert report.outcome == "taken at time point 0"
    assert report.target == Target(plate="plate", well="A2", time_point=0, channel="mCherry")
    *_, last = scene.microscope.asked
    (event,) = last
    assert event["config_group"] == ["Channel", "mCherry"]
    assert (event["x"], event["z"], event["exposure"]) == (9000, 50, 200)
    for hours in (1, 2, 3):
        scene.at(hours)
    assert missed(scene) == []
    assert [each for each in taken(scene) if each[2] == "mCherry"] == [(0, "A2", "mCherry")]


def test_planned_images_come_first(tmp_path: Path, clock: FakeClock) -> None:
    clock.wall = T0
    scene = make(tmp_path, clock)
    scene.microscope.fail_images = 4
    scene.at(0)
    ask(scene, Act.REIMAGE, IMAGE)
    scene.source.acquire_due()
    assert outcomes(scene) == [], "images of its time point are still missing"
    pass_time(scene, 0.01, until=0.05)
    assert [each.outcome for each in outcomes(scene)] == ["taken again at time point 0"]
    assert taken(scene)[-1] == (0, "A1", "BF")
    scene.source.stop()


def test_it_does_not_begin_where_the_next_time_point_would_be_late(scene: Scene) -> None:
    needed_s = act_s(settings(Path("x")), 10, refocus=True)
    assert 0 < needed_s < 30
    scene.at((3600 - needed_s + 1) / 3600)
    assert done(scene, Act.REIMAGE, IMAGE).outcome == (
        "refused: 4 s are left before the next time point, and 5 s are needed"
    )
    ask(scene, Act.FLUORESCENCE, WELL, 2)
    scene.source.acquire_due()
    assert outcomes(scene) == [], "it waits for the next time point"
    scene.at(1)
    scene.source.acquire_due()
    assert [each.outcome for each in outcomes(scene)] == ["taken at time point 1"]


def test_an_image_of_a_time_point_that_is_over_is_left(scene: Scene) -> None:
    scene.at(1)
    assert done(scene, Act.REIMAGE, IMAGE).outcome == "refused: time point 0 is over"


def test_while_it_is_paused_nothing_is_taken(scene: Scene) -> None:
    by = "anna"
    scene.source.order(Order(number=1, act=Act.PAUSE, by=by, at=scene.clock.now()))
    ask(scene, Act.REIMAGE, IMAGE, 2)
    scene.source.acquire_due()
    scene.source.acquire_due()
    assert [each.act for each in outcomes(scene)] == [Act.PAUSE]
    assert taken(scene).count((0, "A1", "BF")) == 1
    scene.source.order(Order(number=3, act=Act.RESUME, by=by, at=scene.clock.now()))
    scene.source.acquire_due()
    scene.source.acquire_due()
    assert [each.outcome for each in outcomes(scene)] == [
        "goes on",
        "taken again at time point 0",
    ]


def test_a_dead_well_is_left(scene: Scene) -> None:
    scene.source.order(Order(number=1, act=Act.DEAD, by="anna", at=scene.clock.now(), target=WELL))
    scene.at(1)
    scene.source.reports()
    assert done(scene, Act.FLUORESCENCE, WELL, 2).outcome == "refused: the well is marked dead"


def test_a_microscope_that_fails_is_connected_again_and_the_act_is_reported(scene: Scene) -> None:
    scene.microscope.fail_first = 1
    report = done(scene, Act.REIMAGE, IMAGE)
    assert (report.done, report.outcome) == (False, "failed: no image came")
    assert not scene.source.health().alive
    scene.source.stop()
    scene.start()
    scene.at(1)
    assert missed(scene) == []


@pytest.mark.parametrize(("finds", "images"), [(True, 2), (False, 1)])
def test_the_focus_is_found_before_and_without_it_there_is_no_second_image(
    tmp_path: Path,
    clock: FakeClock,
    caplog: pytest.LogCaptureFixture,
    *,
    finds: bool,
    images: int,
) -> None:
    clock.wall = T0
    scene = make(tmp_path, clock, focus=FocusConfig(method="autofocus"))
    scene.at(0)
    scene.microscope.core = DriftingCore(lambda _x, _y: 7.0 if finds else 700.0)
    report = done(scene, Act.REIMAGE, IMAGE)
    assert report.done is finds
    assert taken(scene).count((0, "A1", "BF")) == images
    if finds:
        assert scene.microscope.asked[-1][0]["z"] == 7.0
    else:
        assert report.outcome.startswith("failed: 1 images were left out: focus failed: ")
        assert scene.source.health().alive, "the devices work"
        (failed,) = (each for each in caplog.records if each.message == "focus failed")
        assert vars(failed)["event"]["images"] == "left out"
    scene.source.stop()


@pytest.mark.parametrize(
    ("preset", "group", "got"),
    [
        ("BF", "Channel", "'BF', which is the phase_channel"),
        ("GFP", "Channel", "'GFP', which is a channel of the plan at every time point"),
        ("GFP", "Other", "'GFP', which is a channel of the plan in another group"),
    ],
)
def test_a_channel_of_flagged_wells_that_is_taken_in_any_case_is_refused(
    tmp_path: Path, clock: FakeClock, preset: str, group: str, got: str
) -> None:
    wanted = FlaggedFluorescenceConfig(group=group, preset=preset, exposure_ms=200)
    with pytest.raises(ConfigError, match="flagged wells would be taken") as caught:
        make(tmp_path, clock, acts=ActsConfig(fluorescence_of_flagged=wanted))
    assert got in str(caught.value)


def test_fluorescence_that_is_planned_for_the_last_time_point_alone_may_be_named(
    tmp_path: Path, clock: FakeClock
) -> None:
    final = CHANNELS[1].model_copy(update={"every": "final"})
    wanted = FlaggedFluorescenceConfig(group="Channel", preset="GFP", exposure_ms=500)
    scene = make(
        tmp_path,
        clock,
        channels=(CHANNELS[0], final),
        acts=ActsConfig(fluorescence_of_flagged=wanted),
    )
    scene.at(0)
    assert done(scene, Act.FLUORESCENCE, WELL).outcome == "taken at time point 0"
    scene.source.stop()


def test_the_longest_act_is_that_of_what_is_switched_on(tmp_path: Path) -> None:
    assert longest_act_s(settings(tmp_path)) == 0
    short = longest_act_s(settings(tmp_path, acts=ActsConfig(reimage_unfit=True)))
    focused = settings(
        tmp_path, acts=ActsConfig(reimage_unfit=True), focus=FocusConfig(method="lock")
    )
    assert longest_act_s(focused) == pytest.approx(short + 2 * focused.focus.wait_s)
