"""Queries about one run, for its state and its pages."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event

from scopewatch.core.alerts.observation import Observation
from scopewatch.core.alerts.rules import AlertRule, RuleKind
from scopewatch.core.faults import Fault
from scopewatch.core.imaging.frame import FrameKey
from scopewatch.core.tickets import Refusal
from scopewatch.monitoring.run_facts import RunSeen, WellSeen
from scopewatch.store.read.reader import Reader
from tests.conftest import FakeClock
from tests.unit.store.scene import START, Scene, judged, key, open_store, ticket

RECENT = timedelta(hours=18)


@pytest.fixture
def reader(scene: Scene, clock: FakeClock) -> Iterator[Reader]:
    clock.wall = START
    opened = Reader.open(scene.folder)
    yield opened
    opened.close()


def of_run(run: str, frame: FrameKey) -> FrameKey:
    return replace(frame, run=run)


def see(reader: Reader, clock: FakeClock, run: str = "run 7") -> RunSeen:
    return reader.run_seen(run, recent=RECENT, now=clock.now())


def refuse(scene: Scene, locator: str, reason: str = "name does not match") -> None:
    scene.store.refuse(
        Refusal(source="in", locator=locator, fingerprint="", reason=reason, seen_at=START)
    )


def test_each_well_is_seen_by_the_newest_of_what_became_of_its_frames(
    scene: Scene, reader: Reader, clock: FakeClock
) -> None:
    scene.score(key("A1", 0), 0.2)
    scene.score(key("A1", 1), 0.3)
    clock.advance(60)
    scene.spoil(key("A2"))
    clock.advance(60)
    scene.store.skip(ticket(key("A2", channel="gfp")), "not scored")
    clock.advance(60)
    scene.store.claim(ticket(key("A3")))
    first, second, third = see(reader, clock).wells
    efficiency = judged(key("A1", 1), 0.3).efficiency
    assert efficiency is not None
    assert first == WellSeen(
        plate="p1",
        well="A1",
        judged_at=START,
        time_point=1,
        day=0.5,
        efficiency=efficiency.value,
    )
    assert (second.judged_at, second.unfit_at, second.other_at) == (
        None,
        START + timedelta(seconds=60),
        START + timedelta(seconds=120),
    )
    assert third.worked_on_since == START + timedelta(seconds=180)


def test_frames_are_counted_by_what_became_of_them(
    scene: Scene, reader: Reader, clock: FakeClock
) -> None:
    scene.score(key("A1"), 0.2)
    scene.spoil(key("A2"), "frame is blank: card (got 1); check the lamp")
    scene.spoil(key("A3"), "frame is blank: card (got 2); check the lamp")
    scene.spoil(key("A4"), "frame holds nothing but noise: card (got 3); check the lamp")
    for well in ("A1", "A2"):
        scene.store.skip(ticket(key(well, channel="gfp")), "not scored")
    frames = see(reader, clock).frames
    assert frames.scored == 1
    assert frames.unfit == {Fault.BLANK: 3}
    assert frames.other_channels == {"gfp": 2}
    (examples,) = frames.examples.values()
    assert len(examples) == 2, "one of each kind"


def test_old_frames_are_not_counted_once_newer_ones_were_judged(
    scene: Scene, reader: Reader, clock: FakeClock
) -> None:
    scene.spoil(key("A1", 0))
    clock.advance(24 * 3600)
    assert see(reader, clock).frames.n_unfit == 1, "nothing was ever judged"
    scene.score(key("A1", 2), 0.2)
    assert (see(reader, clock).frames.scored, see(reader, clock).frames.n_unfit) == (1, 0)
    clock.advance(24 * 3600)
    assert see(reader, clock).frames.scored == 1, "back to the newest judged frame"


def test_refused_files_are_counted_since_the_newest_judged_frame(
    scene: Scene, reader: Reader, clock: FakeClock
) -> None:
    refuse(scene, "/x/1", "thumbnail")
    scene.score(key("A1"), 0.2)
    clock.advance(3600)
    refuse(scene, "/x/2", "first")
    clock.advance(3600)
    refuse(scene, "/x/3", "newest")
    assert see(reader, clock).refused.count == 0, "frames are judged"
    clock.advance(24 * 3600)
    refused = see(reader, clock).refused
    assert (refused.count, refused.reason) == (2, "newest")


def test_a_run_without_a_frame_has_no_wells_and_the_files_refused_meanwhile(
    scene: Scene, reader: Reader, clock: FakeClock
) -> None:
    refuse(scene, "/x/1")
    assert see(reader, clock, "run 9").refused.count == 1
    assert see(reader, clock, "run 9").wells == ()
    clock.advance(60)
    scene.score(key("A1"), 0.2)
    assert see(reader, clock, "run 9").refused.count == 0


def test_counts_wells_quarantine_and_alerts_are_of_one_run(
    scene: Scene, reader: Reader, clock: FakeClock
) -> None:
    scene.score(key("A1"), 0.1)
    scene.score(key("A1", 1), 0.1)
    scene.spoil(key("A2"))
    refuse(scene, "/x/1")
    clock.advance(10 * 24 * 3600)
    for time_point in range(19, 22):
        scene.score(of_run("run 8", key("B1", time_point)), 0.7, source="new")
    refuse(scene, "/x/2")
    refuse(scene, "/x/3")
    old, new = reader.counts("run 7"), reader.counts("run 8")
    assert (old.scored, old.quarantined, old.refused, old.newest_day) == (2, 1, 1, 0.5)
    assert (new.scored, new.quarantined, new.refused) == (3, 0, 2)
    assert old.last_frame_at == START
    assert new.last_frame_at == clock.now()
    assert reader.counts().scored == 5
    assert [row.name.well for row in reader.wells("run 8")] == ["B1"]
    assert len(reader.wells()) == 3
    assert [row.locator for row in reader.quarantined(None, 9, run="run 8")] == ["/x/2", "/x/3"]
    assert {row.fault for row in reader.quarantined(None, 9, run="run 7")} == {"blank", "refused"}
    assert len(reader.quarantined(None, 9)) == 4
    assert [row.subject.well for row in reader.alerts(None, 9, runs=["run 7"])] == ["A1"]
    assert reader.alerts(None, 9, runs=["run 8"]) == []
    assert reader.counts("run 9").scored == 0


def test_the_monitors_alerts_are_of_the_run_that_it_watches(
    scene: Scene, reader: Reader, clock: FakeClock
) -> None:
    rule = AlertRule(name="no-frames", kind=RuleKind.NO_FRAMES, limit=1)
    scene.store.watch([(rule, Observation(at=clock.now(), score=5.0))])
    assert len(reader.alerts(None, 9, runs=["run 7"])) == 1
    assert reader.alerts(None, 9, runs=["run 8"]) == []


def test_the_state_of_a_run_reads_as_few_rows_after_a_long_history_as_after_a_short_one(
    tmp_path: Path, clock: FakeClock
) -> None:
    """No query may scan: the plan seeks each newest frame in an index."""
    store = open_store(tmp_path, clock)
    reader = Reader.open(tmp_path)
    plans: list[str] = []

    def explain(connection: object, cursor: object, statement: str, parameters: object,
                *_more: object) -> None:  # fmt: skip
        if statement.startswith("SELECT"):
            raw = cursor.connection.cursor()  # type: ignore[attr-defined]
            rows = raw.execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()
            plans.extend(row[3] for row in rows)

    scene = Scene(store=store, folder=tmp_path, rules=())
    scene.score(key("A1"), 0.2)
    event.listen(reader._engine, "before_cursor_execute", explain)
    see(reader, clock)
    assert plans
    scanned = [plan for plan in plans if plan.startswith("SCAN")]
    # The run, its wells, and stored counts: none grows with the time points.
    assert all("frames" not in plan and "estimates" not in plan for plan in scanned), scanned
    reader.close()
    store.close()
