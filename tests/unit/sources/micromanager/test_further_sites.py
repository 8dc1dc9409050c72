"""Further sites of a well: named so that they are read as such, taken last, and never missed."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from scopewatch.config import ActsConfig, FocusConfig, MoreSitesConfig, PositionConfig
from scopewatch.core.acquisition.orders import Act, Order, Report, Target
from scopewatch.core.errors import ConfigError
from scopewatch.sources.base.reading import reading_settings
from scopewatch.sources.micromanager.acts.sites import further_sites
from scopewatch.sources.micromanager.images import PlannedFrames
from tests.conftest import FakeClock
from tests.unit.sources.micromanager.focus_scene import DriftingCore
from tests.unit.sources.time_lapse_scene import RUN, Scene, missed, settings

ACTS = ActsConfig(
    skip_dead=True, more_sites=MoreSitesConfig(offsets_um=((600.0, 0.0), (0.0, -600.0)))
)


@pytest.fixture
def scene(tmp_path: Path, clock: FakeClock) -> Iterator[Scene]:
    clock.wall = datetime(2026, 3, 1, 9, tzinfo=UTC)
    made = Scene(tmp_path, clock, time_points=5, acts=ACTS).start()
    made.at(0)
    yield made
    made.source.stop()


def ask(scene: Scene, act: Act, well: str = "A1", number: int = 1) -> Report:
    order = Order(number=number, act=act, by="anna", at=scene.clock.now(), target=Target(well=well))
    scene.source.order(order)
    scene.source.acquire_due()
    (report,) = [each for each in scene.source.reports() if each.act is act]
    return report


def let_work(scene: Scene, looks: int = 4) -> None:
    for _ in range(looks):
        scene.source.acquire_due()


def taken(scene: Scene) -> list[tuple[int, str, str]]:
    axes = [event["axes"] for events in scene.microscope.asked for event in events]
    return [(each["time"], each["position"], each["channel"]) for each in axes]


def sites(scene: Scene) -> list[tuple[int, str, str]]:
    return [each for each in taken(scene) if each[1] not in ("A1", "A2")]


def test_they_are_taken_after_the_plan_from_the_next_time_point_on_until_they_are_dropped(
    scene: Scene,
) -> None:
    report = ask(scene, Act.MORE_SITES)
    assert report.outcome == "2 further sites, where there is time, from time point 1 on"
    let_work(scene)
    assert sites(scene) == []
    scene.at(1)
    assert sites(scene) == []
    let_work(scene)
    assert sites(scene) == [(1, "A1_s1", "BF"), (1, "A1_s2", "BF")]
    assert taken(scene)[-3:-2] == [(1, "A2", "GFP")]
    (event,) = scene.microscope.asked[-1]
    assert (event["x"], event["y"], event["z"]) == (0, -600, 20)
    assert ask(scene, Act.PLANNED_SITES).outcome == "only the planned sites from time point 2 on"
    scene.at(2)
    let_work(scene)
    assert len(sites(scene)) == 2
    assert missed(scene) == []
    scene.source.scan()
    assert {"HES 7/plate/A1/s1/t0001/BF", "HES 7/plate/A1/s2/t0001/BF"} <= set(scene.inbox.keys)


def test_where_there_is_no_time_they_are_left_without_a_gap(scene: Scene) -> None:
    ask(scene, Act.MORE_SITES)
    scene.at(1)
    scene.at(1.9999)
    let_work(scene)
    assert sites(scene) == []
    scene.at(2)
    scene.at(3)
    assert missed(scene) == []


def test_they_hold_over_a_restart_and_what_is_on_disk_is_not_taken_again(
    scene: Scene, tmp_path: Path, clock: FakeClock
) -> None:
    ask(scene, Act.MORE_SITES)
    scene.at(1)
    scene.source.acquire_due()
    assert sites(scene) == [(1, "A1_s1", "BF")]
    scene.source.stop()
    again = Scene(tmp_path, clock, time_points=5, acts=ACTS).start()
    let_work(again)
    assert sites(again) == [(1, "A1_s2", "BF")]
    again.source.stop()


def test_a_dead_well_has_none(scene: Scene) -> None:
    ask(scene, Act.MORE_SITES)
    ask(scene, Act.DEAD, number=2)
    assert ask(scene, Act.MORE_SITES, number=3).outcome == "refused: the well is marked dead"
    scene.at(1)
    let_work(scene)
    assert sites(scene) == []


@pytest.mark.parametrize(
    ("act", "before", "why"),
    [
        (Act.PLANNED_SITES, None, "it has no further sites"),
        (Act.MORE_SITES, Act.MORE_SITES, "it has further sites already"),
    ],
)
def test_what_changes_nothing_is_refused(
    scene: Scene, act: Act, before: Act | None, why: str
) -> None:
    if before is not None:
        ask(scene, before)
    assert ask(scene, act, number=2).outcome == f"refused: {why}"


def test_they_are_off_unless_switched_on(tmp_path: Path, clock: FakeClock) -> None:
    scene = Scene(tmp_path, clock).start()
    scene.at(0)
    assert ask(scene, Act.MORE_SITES).outcome == "refused: acts.more_sites of the source is off"
    scene.source.stop()


def test_a_failure_is_reported_once_and_the_next_time_point_goes_on(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    ask(scene, Act.MORE_SITES)
    scene.at(1)
    scene.microscope.fail_first = 1
    let_work(scene, 1)
    assert "further site was not taken" in caplog.text
    scene.source.stop()
    scene.start()
    scene.at(2)
    let_work(scene)
    assert [each for each in sites(scene) if each[0] == 2] == [
        (2, "A1_s1", "BF"),
        (2, "A1_s2", "BF"),
    ]


def test_they_have_the_focus_of_the_first_site(tmp_path: Path, clock: FakeClock) -> None:
    focus = FocusConfig(method="autofocus", every="well")
    scene = Scene(tmp_path, clock, time_points=5, acts=ACTS, focus=focus).start()
    scene.microscope.core = DriftingCore(lambda _x, _y: 27.0)
    scene.at(0)
    ask(scene, Act.MORE_SITES)
    scene.at(1)
    let_work(scene)
    assert scene.microscope.asked[-1][0]["z"] == 27.0
    scene.source.stop()


@pytest.mark.parametrize(
    ("labels", "named"),
    [
        (["A1"], ["A1_s1", "A1_s2"]),
        (["A1-Site_0", "A1-Site_1"], ["A1-Site_2", "A1-Site_3"]),
        (["A1_0000", "A1_0001"], ["A1_0002", "A1_0003"]),
        (["B03_fov2"], ["B03_fov1", "B03_fov3"]),
    ],
)
def test_labels_go_on_where_the_plan_ends(
    tmp_path: Path, labels: list[str], named: list[str]
) -> None:
    positions = [
        PositionConfig(label=label, x_um=each * 500, y_um=0, z_um=0)
        for each, label in enumerate(labels)
    ]
    config = settings(tmp_path, positions=positions, acts=ACTS)
    reading = reading_settings(config, RUN)
    (made,) = further_sites(config, reading, PlannedFrames.of(config, reading).labels).values()
    assert [each.label for each in made] == named
    assert [each.x_um for each in made] == [600, 0]


def test_labels_that_name_no_further_site_are_refused(tmp_path: Path, clock: FakeClock) -> None:
    wanted: dict[str, Any] = {"position": r"(?P<well>[A-H]\d)$", "acts": ACTS}
    with pytest.raises(ConfigError, match="further sites of a well cannot be named"):
        Scene(tmp_path, clock, **wanted)
