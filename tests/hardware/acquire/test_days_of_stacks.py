"""Days of z-stacks in compressed time: the daemon follows the focus without a focus device."""

import json
import signal
from contextlib import closing
from pathlib import Path

import pytest

from scopewatch.core.acquisition.orders import Act
from scopewatch.store.read.reader import Reader
from tests.hardware.images_on_disk import planes_on_disk
from tests.hardware.ten_days import HOURS, RUN, WELLS, Step, configuration, drift_um, run_part

pytestmark = [pytest.mark.hardware, pytest.mark.timeout(400)]

PLANES = 11
# The kill comes within the stack of the second well.
PARTS: tuple[tuple[list[Step], int], ...] = (
    ([*((hour, "take") for hour in (0, 12, 24, 36)), (48, "kill", PLANES + 3)], -signal.SIGKILL),
    ([(50, "take", 48), (60, "take"), (72, "take"), (84, "take")], 0),
)
TIME_POINTS = HOURS.index(84) + 1


def test_a_drifting_focus_is_followed_and_each_plane_taken_once_over_a_kill(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    wanted = configuration(12)
    # 4.8 um of drift between two time points, and 5 um more once, as the plate is moved.
    wanted["sources"][0] |= {
        "z_stack": {"range_um": 20, "step_um": 2},
        "focus": {"method": "z-stack", "max_drift_um": 200},
        "time_points": TIME_POINTS,
    }
    (tmp_path / "config.yaml").write_text(json.dumps(wanted), encoding="utf-8")
    for steps, status in PARTS:
        assert run_part(tmp_path, steps) == status, (tmp_path / "daemon.log").read_text()[-3000:]
    places = [(index, well) for index in range(TIME_POINTS) for well in WELLS]
    planned = {(*place, "FITC", plane) for place in places for plane in range(PLANES)}
    taken = planes_on_disk(tmp_path / "data")
    assert (set(taken), set(taken.values())) == (planned, {1})

    with closing(Reader.open(tmp_path / "state")) as reader:
        frames = {(each.key.time_point, each.key.well): each for each in reader.frames()}
        journal = reader.journal(RUN, 100)
        not_judged = reader.quarantined(None, 100)
    assert not_judged == [], "neither frames nor planes"
    assert sorted(frames) == places
    assert {each.state for each in frames.values()} == {"done"}, "each was in focus, and scored"
    chosen = [
        {key.removeprefix("event."): value for key, value in entry.items()}
        for line in (tmp_path / "daemon.log").read_text(encoding="utf-8").splitlines()
        if line.startswith("{") and (entry := json.loads(line))
        if entry["message"] == "sharpest plane chosen"
    ]
    away_um = {
        each["key"]: abs(each["height_um"] - drift_um(HOURS[_time_point(each["key"])]))
        for each in chosen
    }
    assert len(away_um) == len(places)
    # Half a step, and what the focus drifted while the daemon was down. The planned heights are
    # 38.6 um away by then.
    down_um = drift_um(50) - drift_um(48)
    assert max(away_um.values()) <= 1.0 + down_um + 1e-6
    notes = [each.outcome for each in journal if each.act is Act.NOTE]
    assert [each for each in notes if "focus" in each] == []


def _time_point(key: str) -> int:
    return int(key.split("/t")[1].split("/", maxsplit=1)[0])
