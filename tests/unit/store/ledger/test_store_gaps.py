"""Frames that were due and never came are shown to people, and change no estimate or rule."""

import csv
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from scopewatch.core.alerts.rules import AlertRule, RuleKind
from scopewatch.core.imaging.frame import FrameKey
from scopewatch.core.tickets import Mark, Refusal
from scopewatch.core.well_name import WellName
from scopewatch.store.export.tables import export_csv, export_json
from scopewatch.store.read.reader import Reader
from tests.conftest import FakeClock
from tests.unit.store.scene import RULES, START, Scene, key, open_store, tables, ticket

WHY = "never acquired: no camera"
A1 = WellName(run="run 7", plate="p1", well="A1")
STRICT = (
    *RULES,
    AlertRule(name="unfit", kind=RuleKind.UNFIT_FRAMES, consecutive=2),
    AlertRule(name="collapse", kind=RuleKind.PLATE_COLLAPSE),
)


def gap(frame: FrameKey) -> Refusal:
    return Refusal(
        source="scope",
        locator=f"run 7: time point {frame.time_point}, position {frame.well}",
        fingerprint="missed",
        reason=WHY,
        seen_at=START + timedelta(hours=12 * frame.time_point),
        missed=frame,
    )


@pytest.fixture
def scene(tmp_path: Path, clock: FakeClock) -> Iterator[Scene]:
    store = open_store(tmp_path / "state", clock)
    yield Scene(store=store, folder=tmp_path / "state")
    store.close()


@pytest.fixture
def reader(scene: Scene) -> Iterator[Reader]:
    opened = Reader.open(scene.folder)
    yield opened
    opened.close()


def test_a_gap_is_listed_with_its_well_and_time_point_and_counted_apart(
    scene: Scene, reader: Reader
) -> None:
    scene.score(key(), 0.4)
    for well in ("A1", "B2"):
        scene.store.refuse(gap(key(well, 3)))
        scene.store.refuse(gap(key(well, 3)))
    listed = [
        (row.what, row.fault, row.reason, row.attempts) for row in reader.quarantined(None, 9)
    ]
    assert listed == [
        ("run 7/p1/A1/s0/t0003/phase", "gap", WHY, 0),
        ("run 7/p1/B2/s0/t0003/phase", "gap", WHY, 0),
    ]
    assert [row.what for row in reader.quarantined(A1, 9)] == ["run 7/p1/A1/s0/t0003/phase"]
    counts = reader.counts()
    assert (counts.missed, counts.scored, counts.quarantined, counts.refused) == (2, 1, 0, 0)
    assert [(row.scored, row.quarantined) for row in reader.wells()] == [(1, 0), (0, 0)]


def test_a_gap_is_known_and_nothing_to_try_again(scene: Scene) -> None:
    missed = gap(key())
    scene.store.refuse(missed)
    assert scene.store.settled("scope", [Mark(missed.locator, "missed")]) == {missed.locator}
    assert scene.rows("SELECT state, attempts, settled_at FROM frames") == [("missed", 0, None)]


def test_a_gap_is_no_sign_of_a_frame(scene: Scene, clock: FakeClock) -> None:
    scene.score(key(), 0.4)
    last = scene.store.last_frame()
    clock.advance(3600)
    scene.store.refuse(gap(key(time_point=1)))
    assert scene.store.last_frame() == last, "the silence goes on"


def test_a_frame_that_comes_after_all_fills_its_gap(scene: Scene, reader: Reader) -> None:
    missed = gap(key(time_point=1))
    scene.store.refuse(missed)
    scene.score(key(time_point=1), 0.4)
    assert scene.rows("SELECT state, fault, reason, attempts FROM frames") == [
        ("done", None, None, 1)
    ]
    assert (reader.counts().missed, reader.quarantined(None, 9)) == (0, [])
    scene.store.refuse(missed)
    assert reader.counts().missed == 0, "existing frames are not missing"


def test_a_gap_changes_nothing_that_is_judged(tmp_path: Path, clock: FakeClock) -> None:
    began = clock.wall
    stored = []
    for name, gaps in (("with", True), ("without", False)):
        clock.wall = began
        store = open_store(tmp_path / name, clock)
        scene = Scene(store=store, folder=tmp_path / name, rules=STRICT)
        for time_point in (0, 1, 2, 6, 7):
            for number in range(1, 9):
                scene.score(key(f"A{number}", time_point), 0.1 if number < 3 else 0.7)
            clock.advance(12 * 3600)
            store.let_time_pass()
            if gaps and time_point == 2:
                for missed in (3, 4, 5):
                    for number in range(1, 10):
                        store.refuse(gap(key(f"A{number}", missed)))
                    clock.advance(12 * 3600)
                    store.let_time_pass()
            elif time_point == 2:
                clock.advance(36 * 3600)
                store.let_time_pass()
        store.close()
        stored.append(
            {key: rows for key, rows in tables(tmp_path / name).items() if key != "frames"}
        )
    assert stored[0]["alerts"], "the weak wells have alerts"
    assert stored[0] == stored[1]


def test_a_missed_site_does_not_hold_up_its_well(tmp_path: Path, clock: FakeClock) -> None:
    store = open_store(tmp_path, clock, sites_per_well=2)
    scene = Scene(store=store, folder=tmp_path)
    for time_point in range(3):
        scene.score(key(time_point=time_point), 0.1)
        store.refuse(gap(key(time_point=time_point, site=1)))
    ((steps,),) = scene.rows("SELECT last_time_point FROM rule_states")
    assert steps == 1, "complete once a later one has begun, as without the gap"
    store.close()


def test_exports_have_a_line_for_each_gap(scene: Scene, reader: Reader, tmp_path: Path) -> None:
    scene.score(key(), 0.4)
    scene.store.refuse(gap(key(time_point=1)))
    assert export_csv(reader, tmp_path / "out.csv") == 1
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        line = list(csv.DictReader(file))[1]
    assert (line["well"], line["time_point"], line["state"]) == ("A1", "1", "missed")
    assert (line["fault"], line["reason"], line["efficiency"]) == ("gap", WHY, "")
    assert export_json(reader, tmp_path / "out.json") == 1
    (well,) = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))["wells"]
    assert [frame["state"] for frame in well["frames"]] == ["done", "missed"]


def test_a_gap_that_was_claimed_meanwhile_is_left_alone(scene: Scene) -> None:
    assert scene.store.claim(ticket(key()))
    scene.store.refuse(gap(key()))
    assert scene.rows("SELECT state, fault FROM frames") == [("claimed", None)]
