"""Ten days in compressed time in the real daemon, with a real core and the shipped network."""

import json
import signal
from contextlib import closing
from pathlib import Path

import pytest

from scopewatch.core.acquisition.orders import Act
from scopewatch.store.read.reader import Reader
from tests.hardware.images_on_disk import images_on_disk
from tests.hardware.ten_days import BY, HOURS, RUN, WELLS, Step, configuration, run_part
from tests.integration.full_disk import small_file_system

pytestmark = [pytest.mark.hardware, pytest.mark.timeout(600)]


def taking(since_h: float, before_h: float) -> list[Step]:
    return [(hour, "take") for hour in HOURS if since_h <= hour < before_h]


# Two kills, each within a time point; the second one is noticed two time points later.
PARTS: tuple[tuple[list[Step], int], ...] = (
    ([*taking(0, 36), (36, "kill", 2)], -signal.SIGKILL),
    (
        [
            *((38, "take", 36), *taking(48, 50), (50, "medium"), (51, "resume")),
            *(*taking(60, 97), (97, "reload", 8), *taking(98, 113)),
            *((119, "fill"), (120, "fails"), (128, "fails"), (136, "fails")),
            *((141, "relieve", 136), *taking(144, 170), (170, "medium"), (171, "resume")),
            *(*taking(176, 200), (200, "kill", 3)),
        ],
        -signal.SIGKILL,
    ),
    ([(217, "take", 216), *taking(224, 241)], 0),
)


def test_the_daemon_accounts_for_every_image_of_ten_days(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (tmp_path / "config.yaml").write_text(json.dumps(configuration(12)), encoding="utf-8")
    with small_file_system(data, 40):
        for steps, status in PARTS:
            assert run_part(tmp_path, steps) == status, (tmp_path / "daemon.log").read_text()[
                -3000:
            ]
        taken = images_on_disk(data)
    with closing(Reader.open(tmp_path / "state")) as reader:
        frames = {(each.key.time_point, each.key.well): each for each in reader.frames()}
        journal = reader.journal(RUN, 1000)
    planned = {(index, well) for index in range(len(HOURS)) for well in WELLS}
    assert set(frames) == planned
    assert set(taken.values()) == {1}, "no image twice"
    gaps = {place: each.reason for place, each in frames.items() if each.state == "missed"}
    assert set(taken) == planned - set(gaps)

    full = {place for place, why in gaps.items() if why and "No space left on device" in why}
    down = {place for place, why in gaps.items() if why and "was not acquiring then" in why}
    assert {HOURS[index] for index, _ in full} == {120, 128}
    assert {HOURS[index] for index, _ in down} == {200, 208}
    assert full | down == set(gaps), gaps
    killed_in = {(HOURS.index(200), well) for well in WELLS}
    assert killed_in & set(taken), "what was taken before the kill is no gap"
    assert killed_in & set(gaps)

    lines = (tmp_path / "imaged.jsonl").read_text(encoding="utf-8").splitlines()
    away_um = {(index, well): um for index, well, um in map(json.loads, lines)}
    in_focus = [place for place in taken if away_um[place] <= 1.0]
    assert len(in_focus) >= 0.95 * len(taken)
    judged = [place for place in taken if frames[place].state == "done"]
    assert len(judged) >= 0.95 * len(taken), "the daemon itself judged and scored them"

    story = [(each.act, each.by, each.done) for each in journal if each.act is not Act.NOTE]
    assert story == [(act, BY, True) for act in (Act.MEDIUM, Act.RESUME) * 2]
    notes = [each.outcome for each in journal if each.act is Act.NOTE]
    assert any(each.startswith("goes on by a changed plan: time point 9 at") for each in notes)
    assert sum(each.startswith("scopewatch starts again: it was killed") for each in notes) == 2
    named_gaps = [each for each in notes if "never acquired" in each]
    for gone, why in ((full, "No space left on device"), (down, "was not acquiring then")):
        named = " ".join(each.partition(" never ")[0] for each in named_gaps if why in each)
        assert all(str(index) in named.split() for index, _ in gone), named_gaps
