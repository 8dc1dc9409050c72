"""Time, light and disk space of an acquisition are projected from positions, channels and times."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scopewatch.config import MicroManagerSourceConfig
from scopewatch.sources.micromanager.plans.limits import too_large, too_long
from scopewatch.sources.micromanager.plans.on_disk import seen_frame
from scopewatch.sources.micromanager.plans.projection import FrameSize, Projection, project
from tests.unit.sources.ndtiffs import writing

SEEN = FrameSize(width_px=1000, height_px=500, bytes_per_px=1, origin="as the images of run_1")


def projected(seen: FrameSize | None = None, **source: Any) -> Projection:
    given = {
        "kind": "micromanager",
        "mode": "acquire",
        "path": Path("images"),
        "positions": [
            {"label": "A1", "x_um": 0, "y_um": 0},
            {"label": "A2", "x_um": 9000, "y_um": 0},
            {"label": "B2", "x_um": 9000, "y_um": -4000},
        ],
        "channels": [
            {"group": "Channel", "preset": "Phase", "exposure_ms": 20},
            {"group": "Channel", "preset": "GFP", "exposure_ms": 480},
        ],
        "interval_s": 60,
        "time_points": 10,
    }
    chosen = {key: value for key, value in {**given, **source}.items() if value is not None}
    config = MicroManagerSourceConfig.model_validate(chosen)
    return project(config, {"A1": "A1", "A2": "A2", "B2": "A2"}, seen)


def test_travel_is_the_longer_way_of_each_move_and_the_way_back() -> None:
    found = projected(projection={"stage_um_per_s": 1000, "settle_s": 0.5})
    assert found.moves == 3
    assert found.travel_um == 9000 + 4000 + 9000
    assert found.travel_s == pytest.approx(22 + 3 * 0.5)


def test_a_single_position_needs_no_travel() -> None:
    found = projected(positions=[{"label": "A1", "x_um": 5, "y_um": 5}])
    assert (found.moves, found.travel_s) == (0, 0)


def test_a_time_point_is_travel_exposures_and_what_each_image_takes_besides() -> None:
    found = projected(projection={"stage_um_per_s": 10_000, "settle_s": 0.2, "image_s": 0.1})
    assert found.images == 6
    assert found.exposure_s == pytest.approx(3 * 0.5)
    assert found.other_s == pytest.approx(0.6)
    assert found.time_point_s == pytest.approx(2.2 + 0.6 + 1.5 + 0.6)
    assert found.run_s == pytest.approx(9 * 60 + found.time_point_s)


@pytest.mark.parametrize(
    ("focus", "searches"),
    [
        ({}, 0),
        ({"method": "lock"}, 1),
        ({"method": "autofocus", "references": ["A1", "B2"]}, 2),
        ({"method": "lock", "every": "well"}, 2),
        ({"method": "lock", "every": "position"}, 3),
    ],
)
def test_finding_the_focus_takes_its_time_as_often_as_it_is_found(
    focus: dict[str, Any], searches: int
) -> None:
    found = projected(focus=focus, projection={"focus_s": 4})
    assert found.focus_s == 4 * searches
    assert found.time_point_s == pytest.approx(projected().time_point_s + 4 * searches)


def test_disk_is_by_the_setting_else_by_the_images_there_are_else_assumed() -> None:
    assumed = projected()
    assert assumed.frame.assumed
    assert assumed.disk_bytes == 60 * (2048 * 2048 * 2 + 4096)
    seen = projected(SEEN)
    assert (seen.frame, seen.disk_bytes) == (SEEN, 60 * (500_000 + 4096))
    given = projected(SEEN, projection={"frame_px": [100, 100], "bytes_per_px": 1})
    assert not given.frame.assumed
    assert given.disk_from(8) == 12 * (10_000 + 4096)


def test_light_on_each_site_is_the_sum_of_exposures_of_each_channel() -> None:
    found = projected()
    assert [each.channel for each in found.doses] == ["Phase", "GFP"]
    assert [each.total_s for each in found.doses] == pytest.approx([0.2, 4.8])
    assert projected(channels=[]).doses == ()
    assert projected(channels=[]).images == 3


def test_a_channel_that_is_taken_seldom_costs_as_little_disk_and_light() -> None:
    channels = [
        {"group": "Channel", "preset": "Phase", "exposure_ms": 20},
        {"group": "Channel", "preset": "GFP", "exposure_ms": 400, "every": 4},
        {"group": "Channel", "preset": "DAPI", "exposure_ms": 100, "every": "final"},
    ]
    found = projected(SEEN, channels=channels)
    assert [each.images for each in found.doses] == [10, 3, 1]
    assert [each.total_s for each in found.doses] == pytest.approx([0.2, 1.2, 0.1])
    assert found.disk_bytes == 3 * (10 + 3 + 1) * SEEN.image_bytes
    # Time points 0 to 4 are over, of which 0 and 4 had GFP.
    assert found.disk_from(5) == 3 * (5 + 1 + 1) * SEEN.image_bytes
    assert found.disk_from(10) == 0
    # The longest time point has them all.
    assert found.images == 9
    assert found.exposure_s == pytest.approx(3 * 0.52)


def test_a_position_with_its_own_exposures_is_the_one_that_is_reported() -> None:
    positions = [
        {"label": "A1", "x_um": 0, "y_um": 0},
        {"label": "A2", "x_um": 0, "y_um": 0, "exposures_ms": {"Phase": 60}},
    ]
    found = projected(positions=positions)
    assert found.exposure_s == pytest.approx(0.02 + 0.06 + 2 * 0.48)
    assert found.doses[0].exposure_ms == 60


def test_phases_count_each_with_its_interval_and_the_shortest_must_suffice() -> None:
    phases = [{"interval_s": 60, "time_points": 3}, {"interval_s": 5, "time_points": 4}]
    found = projected(phases=phases, interval_s=None, time_points=None)
    assert (found.time_points, found.interval_s) == (7, 5)
    # 0, 60, 120, 180, 185, 190, 195.
    assert found.lasts_s == 195
    assert too_long(found, "source") is not None


def test_what_does_not_fit_into_the_interval_is_reported_with_its_parts() -> None:
    assert too_long(projected(), "source 'scope'") is None
    slow = projected(interval_s=3, projection={"stage_um_per_s": 1000})
    assert str(too_long(slow, "source 'scope'")) == (
        "a time point takes longer than the interval, so that every other one is missed: source"
        " 'scope' (expected less than 3 s, got 25 s (6 images: travel 23 s, focus 0 s, exposures"
        " 2 s, presets, readout and disk 1 s)); set a longer interval_s or fewer positions; the"
        " speeds are those of `projection`"
    )
    once = projected(interval_s=3, time_points=1, projection={"stage_um_per_s": 1000})
    assert too_long(once, "source 'scope'") is None


def test_what_does_not_fit_onto_the_disk_is_reported() -> None:
    found = projected(SEEN)
    assert too_large(found, 0, found.disk_bytes, "images") is None
    assert str(too_large(found, 0, 1_000_000, "images")) == (
        "the images of the run do not fit onto the disk: images (expected 30.2 MB for 10 time"
        " points, images of 1000 x 500 px (as the images of run_1), got 1.0 MB free); free"
        " space there, or set another path"
    )


def test_images_on_disk_say_how_large_those_to_come_are(tmp_path: Path) -> None:
    assert seen_frame(tmp_path / "nothing", "run 8") is None
    assert seen_frame(tmp_path, "run 8") is None
    with writing(tmp_path, "run_8") as writer:
        (tmp_path / "run_8_2").mkdir()
        assert seen_frame(tmp_path, "run 8") is None
        writer.add(time=0, position="A1", image=np.zeros((30, 50), np.uint16))
        found = seen_frame(tmp_path, "run 8")
    assert found is not None
    assert (found.width_px, found.height_px, found.bytes_per_px) == (50, 30, 2)
    assert not found.assumed
    assert found.origin == "as the images of run_8_1"
