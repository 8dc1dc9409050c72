"""A frame is one grey plane with a full name, or it is refused."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from scopewatch.core.errors import FrameError
from scopewatch.core.imaging.frame import MOST_NAME, Frame, FrameKey
from tests.unit.core.samples import KEY


def test_a_key_reads_as_a_path() -> None:
    assert str(KEY) == "run7/P1/B3/s2/t0015/phase"


def test_keys_sort_by_well_then_site_then_time() -> None:
    fields = {"run": "e", "plate": "p", "channel": "phase"}
    keys = [
        FrameKey(well="A2", site=0, time_point=0, **fields),
        FrameKey(well="A1", site=1, time_point=0, **fields),
        FrameKey(well="A1", site=0, time_point=9, **fields),
    ]
    assert sorted(keys) == keys[::-1]


@pytest.mark.parametrize("name", ["run", "plate", "well", "channel"])
def test_a_key_without_a_name_is_refused(name: str) -> None:
    fields: dict[str, Any] = {
        "run": "e",
        "plate": "p",
        "well": "A1",
        "site": 0,
        "time_point": 0,
        "channel": "phase",
    }
    with pytest.raises(FrameError, match=f"frame key has no {name}: .*metadata give the {name}"):
        FrameKey(**(fields | {name: "  "}))


@pytest.mark.parametrize("name", ["run", "plate", "well", "channel"])
def test_a_name_that_is_too_long_for_a_key_is_refused(name: str) -> None:
    longest: dict[str, Any] = {name: "n" * MOST_NAME}
    assert getattr(replace(KEY, **longest), name) == longest[name]
    line = f"too long a name of the {name}: nnn.*expected up to 160 characters, got 161.*shorter"
    with pytest.raises(FrameError, match=line):
        replace(KEY, **{name: longest[name] + "n"})


@pytest.mark.parametrize("name", ["site", "time_point"])
def test_a_negative_index_is_refused(name: str) -> None:
    fields: dict[str, Any] = {
        "run": "e",
        "plate": "p",
        "well": "A1",
        "site": 0,
        "time_point": 0,
        "channel": "phase",
    }
    with pytest.raises(FrameError, match=f"negative {name}: A1 .expected >= 0, got -1.;"):
        FrameKey(**(fields | {name: -1}))


def make(pixels: Any, size: float | None = 1.0, at: datetime | None = None) -> Frame:
    return Frame(key=KEY, pixels=pixels, pixel_size_um=size, acquired_at=at)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_grey_frames_of_8_and_16_bits_are_taken_and_made_read_only(kind: type) -> None:
    frame = make(np.ones((1, 1), dtype=kind), at=datetime(2026, 3, 1, tzinfo=UTC))
    with pytest.raises(ValueError, match="read-only"):
        frame.pixels[0, 0] = 0


@pytest.mark.parametrize("shape", [(4,), (4, 4, 3), (0, 4), (4, 0)])
def test_anything_but_one_grey_plane_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(FrameError, match=r"frame is not one grey plane: run7/.*expected shape"):
        make(np.zeros(shape, dtype=np.uint8))


@pytest.mark.parametrize("kind", [np.float32, np.int16, np.uint32, bool])
def test_other_pixel_types_are_refused(kind: type) -> None:
    with pytest.raises(FrameError, match=r"unsupported pixel type: .*expected 8- or 16-bit"):
        make(np.zeros((4, 4), dtype=kind))


@pytest.mark.parametrize("size", [0.0, -1.0, 1000.0, float("nan")])
def test_an_impossible_pixel_size_is_refused(size: float) -> None:
    with pytest.raises(FrameError, match=r"impossible pixel size: .*0 to 1000 um"):
        make(np.zeros((4, 4), dtype=np.uint8), size)


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(FrameError, match=r"frame time has no time zone: .*give times with"):
        make(np.zeros((4, 4), dtype=np.uint8), at=datetime.fromisoformat("2026-03-01T09:00"))
