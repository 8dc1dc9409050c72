"""A real daemon with a real core takes flagged wells once in fluorescence, over a kill."""

import json
import signal
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from scopewatch.core.acquisition.orders import Act
from scopewatch.store.read.reader import Reader
from tests.hardware.images_on_disk import planes_on_disk
from tests.hardware.ten_days import RUN, WELLS, Step, configuration, run_part

pytestmark = [pytest.mark.hardware, pytest.mark.timeout(300)]

RULE = {"name": "weak", "kind": "weak-now", "target": 0.99, "from_day": 0, "consecutive": 1}
DAPI = {"group": "Channel", "preset": "DAPI", "exposure_ms": 5}


def test_each_flagged_well_is_taken_once_in_fluorescence_on_the_day_of_its_flag(
    tmp_path: Path,
) -> None:
    (tmp_path / "data").mkdir()
    wanted = configuration(12)
    wanted["sources"][0]["acts"] = {"fluorescence_of_flagged": DAPI}
    wanted["alerts"] = {"rules": [RULE]}
    (tmp_path / "config.yaml").write_text(json.dumps(wanted), encoding="utf-8")
    parts: tuple[tuple[list[Step], int], ...] = (
        ([(0, "take"), (0, "flagged", len(WELLS)), (12, "take"), (24, "kill", 2)], -signal.SIGKILL),
        ([(26, "take", 24), (36, "take")], 0),
    )
    for steps, status in parts:
        assert run_part(tmp_path, steps) == status, (tmp_path / "daemon.log").read_text()[-3000:]
    taken = planes_on_disk(tmp_path / "data")
    assert {place[0] for place in taken if place[2] == "DAPI"} == {0}
    phase = [(index, well, "FITC", None) for index in range(4) for well in WELLS]
    assert taken == Counter([*phase, *((0, well, "DAPI", None) for well in WELLS)])
    with closing(Reader.open(tmp_path / "state")) as reader:
        acts = [each for each in reader.journal(RUN, 100) if each.act is Act.FLUORESCENCE]
        gaps = [each for each in reader.frames() if each.state == "missed"]
    assert sorted(each.target.well for each in acts if each.target) == list(WELLS)
    assert {(each.by, each.reason, each.outcome) for each in acts} == {
        ("scopewatch", "flagged by the rule weak", "taken at time point 0")
    }
    assert gaps == []
