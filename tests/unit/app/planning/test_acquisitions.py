"""`check` and `status` report the progress of an acquisition, and the time, disk and light left."""

import shutil
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from scopewatch.app.checking.microscope import check_microscopes
from scopewatch.app.planning.acquisitions import check_projections, list_acquisitions
from scopewatch.config import Config
from scopewatch.sources.micromanager.schedule import plan_file
from scopewatch.sources.micromanager.schedule.grid import Grid
from scopewatch.sources.micromanager.schedule.plan_file import write_plan
from scopewatch.sources.micromanager.schedule.planned import Planned
from tests.unit.sources.ndtiffs import writing

BEGAN = datetime(2026, 11, 20, 9, tzinfo=UTC)
POSITIONS = [{"label": "A1", "x_um": 0, "y_um": 0}, {"label": "A2", "x_um": 9000, "y_um": 0}]
CHANNELS = [
    {"group": "Channel", "preset": "Phase", "exposure_ms": 20},
    {"group": "Channel", "preset": "GFP", "exposure_ms": 500, "every": 5},
]


def config(path: Path, **source: Any) -> Config:
    made = {
        "kind": "micromanager",
        "name": "scope",
        "mode": "acquire",
        "path": path,
        "backend": "java",
        "positions": POSITIONS,
        "channels": CHANNELS,
        **source,
    }
    return Config.model_validate(
        {"experiment": {"name": "run 8"}, "model": {"bundle": "m"}, "sources": [made]}
    )


@pytest.fixture
def begun(tmp_path: Path) -> Path:
    """A run whose time points 0 to 5 are over, one of them inserted."""
    with writing(tmp_path, "run_8") as writer:
        writer.add(image=np.zeros((100, 200), np.uint8))
    planned = Planned(
        grid=Grid(first=0, first_at=BEGAN, interval_s=43_200),
        began_at=BEGAN,
        time_points=21,
        over=5,
        since=MappingProxyType({}),
        extra=(3,),
    )
    write_plan(tmp_path / "run_8_1", planned)
    return tmp_path


def free(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=count))


def test_a_run_that_has_not_begun_is_projected_as_a_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free(monkeypatch, 10**12)
    (found,) = list_acquisitions(config(tmp_path))
    assert found.lines == (
        "0 of 20 time points are over; each takes 3.8 s of 12 h for 2 positions (2.2 s of travel)",
        "disk for the 20 to come: 402.8 MB, 1.0 TB are free (images of 2048 x 2048 px, 16 bit:"
        " assumed; set projection.frame_px)",
        "light on each site: Phase 20 ms x 20 = 0.4 s; GFP 500 ms x 4 = 2 s",
    )


def test_a_current_run_shows_its_progress_and_what_is_left(
    begun: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free(monkeypatch, 10**9)
    (found,) = list_acquisitions(config(begun))
    assert (found.over, found.time_points) == (6, 21)
    # 15 of Phase, and GFP at 10, 15 and 20.
    assert found.disk_bytes == 2 * (15 + 3) * (200 * 100 + 4096)
    assert found.image == "200 x 100 px, 8 bit: as the images of run_8_1"
    assert [(each.so_far_s, each.total_s) for each in found.light] == [(0.12, 0.42), (1.0, 2.5)]
    assert "6 of 21 time points are over; each takes" in found.lines[0]
    assert found.lines[2].endswith("GFP 500 ms x 5 = 2.5 s (at most 1 s so far)")


def test_the_plan_that_is_kept_with_the_images_is_read_once(
    begun: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Path] = []
    load = plan_file._load

    def loading(path: Path) -> Any:
        read.append(path)
        return load(path)

    monkeypatch.setattr(plan_file, "_load", loading)
    list_acquisitions(config(begun))
    assert read == [begun / "run_8_1" / plan_file.PLAN_FILE]


def test_an_acquisition_whose_plan_cannot_be_read_says_so(tmp_path: Path) -> None:
    (found,) = list_acquisitions(config(tmp_path, positions=[], plan=tmp_path / "gone.pos"))
    assert found.problem.startswith("plan cannot be read: ")
    assert found.lines == (found.problem,)


def test_a_position_pattern_that_is_wrong_is_the_problem_and_no_crash(tmp_path: Path) -> None:
    wrong = config(tmp_path, position="(")
    (found,) = list_acquisitions(wrong)
    assert found.problem.startswith("position pattern is not a regular expression")
    # The check of the source itself reports it.
    assert list(check_projections(wrong)) == []
    assert list(check_microscopes(wrong, connect=False)) == []


def test_a_source_that_follows_is_no_acquisition(tmp_path: Path) -> None:
    assert list_acquisitions(config(tmp_path, mode="follow")) == ()


@pytest.mark.parametrize(
    ("seen", "free_bytes", "marks"),
    [
        (True, 10**9, ["ok", "ok", "ok"]),
        (True, 10**5, ["ok", "ok", "ok", "FAIL"]),
        (False, 10**5, ["ok", "ok", "ok", "note"]),
    ],
)
def test_a_disk_that_is_too_small_fails_once_the_size_of_images_is_known(
    begun: Path, monkeypatch: pytest.MonkeyPatch, seen: bool, free_bytes: int, marks: list[str]
) -> None:
    if not seen:
        shutil.rmtree(begun / "run_8_1")
    free(monkeypatch, free_bytes)
    found = list(check_projections(config(begun)))
    assert ["FAIL" if each.failed else "note" if each.advice else "ok" for each in found] == marks
    if len(marks) > 3:
        assert found[-1].text.startswith("the images of the run do not fit onto the disk: ")
