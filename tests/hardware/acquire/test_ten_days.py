"""Ten days in compressed time with a real core: drift, medium changes, a full disk, kills."""

import json
import subprocess
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from scopewatch.core.acquisition import Act
from scopewatch.sources.ndtiff.dataset import DataSet
from scopewatch.sources.readers.planes import DEFAULT_LIMITS
from scopewatch.store.read.queries import Reader
from tests.hardware import ten_days
from tests.integration.full_disk import small_file_system

pytestmark = [pytest.mark.hardware, pytest.mark.timeout(600)]

# Every 12 h to hour 96, then every 6 h to hour 240.
PARTS: tuple[tuple[dict[str, Any], int], ...] = (
    ({"from_h": 0, "to_h": 48, "interval_h": 12, "kill_h": 36, "kill_after": 2}, 9),
    (
        {
            **{"from_h": 38, "to_h": 219, "interval_h": 12},
            "orders": {"50": ["medium"], "51": ["resume"], "170": ["medium"], "171": ["resume"]},
            **{"reload_h": 97, "reload_interval_h": 6},
            **{"fill_h": 119, "relieve_h": 141, "kill_h": 204, "kill_after": 3},
        },
        9,
    ),
    ({"from_h": 217, "to_h": 245, "interval_h": 6}, 0),
)
HOURS = [12 * index for index in range(9)] + [102 + 6 * index for index in range(24)]


def lines(path: Path) -> list[list[Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def on_disk(folder: Path) -> Counter[tuple[int, str]]:
    """Count the images in all data sets, those left open by a kill included."""
    found: Counter[tuple[int, str]] = Counter()
    for path in sorted(folder.iterdir()):
        if not path.is_dir():
            continue
        data_set = DataSet(path, DEFAULT_LIMITS, patience_s=0)
        while sightings := data_set.look(0.0):
            found.update(
                (each.axes["time"], each.axes["position"])
                for each in sightings
                if each.image is not None
            )
    return found


def test_every_image_of_ten_days_is_taken_or_a_gap_with_its_cause(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    with small_file_system(data, 24):
        for part, status in PARTS:
            done = subprocess.run(
                [sys.executable, "-m", "tests.hardware.ten_days", str(tmp_path), json.dumps(part)],
                capture_output=True,
                text=True,
                timeout=300,
                check=False,
                cwd=Path(__file__).parents[3],
            )
            assert done.returncode == status, done.stderr[-2000:]
        taken = on_disk(data)
    reasons: dict[tuple[int, str], str] = {}
    for index, well, reason in lines(tmp_path / "missed.jsonl"):
        reasons.setdefault((index, well), reason)
    wells = [each.label for each in ten_days.POSITIONS]
    planned = {(index, well) for index in range(ten_days.TIME_POINTS) for well in wells}
    assert len(HOURS) == ten_days.TIME_POINTS
    assert set(taken.values()) == {1}, "no image twice"
    assert set(taken) | set(reasons) == planned
    assert set(taken).isdisjoint(reasons)

    due = {index: HOURS[index] for index, _ in reasons}
    full = {index for (index, _), why in reasons.items() if "No space left on device" in why}
    down = {index for (index, _), why in reasons.items() if "was not acquiring then" in why}
    assert {due[index] for index in full} == {120, 126, 132}
    assert {due[index] for index in down} == {204, 210}
    assert full | down == set(due), reasons

    away = {(index, well): um for index, well, um in lines(tmp_path / "imaged.jsonl")}
    in_focus = [away[place] <= 1.0 for place in taken]
    assert sum(in_focus) / len(in_focus) >= 0.95

    with closing(Reader.open(tmp_path / "state")) as reader:
        journal = reader.journal(None, 1000)
    story = [(each.act, each.by, each.done) for each in journal if each.act is not Act.NOTE]
    anna = "anna, command line"
    assert story == [(act, anna, True) for act in (Act.MEDIUM, Act.RESUME) * 2]
    notes = [each.outcome for each in journal if each.act is Act.NOTE]
    assert any(each.startswith("goes on by a changed plan: time point 9 at") for each in notes)
