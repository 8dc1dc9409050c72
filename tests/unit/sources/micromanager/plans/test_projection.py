"""What an acquisition takes is projected from its positions, channels and times."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scopewatch.config import MicroManagerSourceConfig
from scopewatch.sources.micromanager.plans.on_disk import seen_frame
from scopewatch.sources.micromanager.plans.projection import (
    FrameSize,
    Projection,
    project,
    too_large,
    too_long,
)
from tests.unit.sources.ndtiffs import writing

SEEN = FrameSize(width_px=1000, height_px=500, bytes_per_px=1, said_by="as the images of run_1")


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
    return project(MicroManagerSourceConfig.model_validate({**given, **source}), seen)


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


def test_disk_is_by_the_setting_else_by_the_images_there_are_else_assumed() -> None:
    assumed = projected()
    assert assumed.frame.assumed
    assert assumed.disk_bytes == 60 * (2048 * 2048 * 2 + 4096)
    seen = projected(SEEN)
    assert (seen.frame, seen.disk_bytes) == (SEEN, 60 * (500_000 + 4096))
    told = projected(SEEN, projection={"frame_px": [100, 100], "bytes_per_px": 1})
    assert not told.frame.assumed
    assert told.disk_of(2) == 12 * (10_000 + 4096)


def test_light_on_each_site_is_the_sum_of_exposures_of_each_channel() -> None:
    found = projected()
    assert [(each.channel, each.total_s) for each in found.doses] == [
        ("Phase", pytest.approx(0.2)),
        ("GFP", pytest.approx(4.8)),
    ]
    assert projected(channels=[]).doses == ()
    assert projected(channels=[]).images == 3


def test_what_does_not_fit_into_the_interval_is_told_with_its_parts() -> None:
    assert too_long(projected(), "source 'scope'") is None
    slow = projected(interval_s=3, projection={"stage_um_per_s": 1000})
    assert too_long(slow, "source 'scope'") == (
        "a time point takes longer than the interval, so that every other one is missed: source"
        " 'scope' (expected less than 3 s, got 25 s (6 images: travel 23 s, exposures 2 s, presets,"
        " readout and disk 1 s)); set a longer interval_s or fewer positions; the speeds are those"
        " of `projection`"
    )
    once = projected(interval_s=3, time_points=1, projection={"stage_um_per_s": 1000})
    assert too_long(once, "source 'scope'") is None


def test_what_does_not_fit_onto_the_disk_is_told() -> None:
    found = projected(SEEN)
    assert too_large(found, 10, found.disk_bytes, "images") is None
    assert too_large(found, 10, 1_000_000, "images") == (
        "the images of the run do not fit onto the disk: images (expected 30.2 MB for 10 time"
        " points of 6 images of 1000 x 500 px (as the images of run_1), got 1.0 MB free); free"
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
    assert found.said_by == "as the images of run_8_1"
