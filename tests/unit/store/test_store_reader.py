from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from scopewatch.core.alerts.observation import Observation
from scopewatch.core.alerts.rules import AlertRule, RuleKind, Severity
from scopewatch.core.estimation.forecast import WellForecast
from scopewatch.core.imaging.efficiency import Efficiency
from scopewatch.core.tickets import Refusal
from scopewatch.core.well_name import WellName
from scopewatch.store.read.liveness import PICTURES_REMOVED
from scopewatch.store.read.reader import Reader
from scopewatch.store.read.records.frames import Counts
from scopewatch.store.read.records.quarantine import RefusedRow
from scopewatch.store.read.records.runs_and_wells import CoursePoint, Flag, WellRow
from tests.conftest import FakeClock
from tests.unit.store.scene import START, Scene, judged, key, open_store, ticket

A1 = WellName(run="run 7", plate="p1", well="A1")


@pytest.fixture
def filled(tmp_path: Path, clock: FakeClock) -> Iterator[Scene]:
    """A1 goes weak and alarms at its third frame; A2 and A10 have one each; one is spoilt."""
    store = open_store(tmp_path, clock, channels={"mail": Severity.INFO, "chat": Severity.INFO})
    scene = Scene(store=store, folder=tmp_path)
    for time_point, fraction in enumerate((0.8, 0.1, 0.1)):
        scene.score(key("A1", time_point), fraction)
    clock.advance(60)
    scene.score(key("A10"), 0.8)
    scene.score(key("A2"), 0.8)
    clock.advance(60)
    scene.spoil(key("A2", 1), "it is blank")
    yield scene
    store.close()


@pytest.fixture
def reader(filled: Scene) -> Iterator[Reader]:
    opened = Reader.open(filled.folder)
    yield opened
    opened.close()


def test_the_ledger_is_counted(filled: Scene, reader: Reader, clock: FakeClock) -> None:
    filled.store.claim(ticket(key("B1")))
    filled.store.skip(ticket(key("B1", channel="gfp")), "not scored")
    filled.store.refuse(
        Refusal(source="folder", locator="/x", fingerprint="", reason="no well", seen_at=START)
    )
    assert reader.counts() == Counts(
        scored=5,
        quarantined=1,
        waiting=1,
        skipped=1,
        refused=1,
        last_frame_at=clock.now(),
        newest_day=0.0,
        scale_stated=True,
    )


def test_the_newest_scored_frame_says_whether_the_scale_is_known(
    filled: Scene, reader: Reader, clock: FakeClock
) -> None:
    clock.advance(60)
    filled.score(key("A2", 2), 0.8, taken={"pixel_size_um": None})
    clock.advance(60)
    # Neither another state nor another well that is older changes it.
    filled.spoil(key("A1", 3), "it is blank")
    assert reader.counts().scale_stated is False
    assert [shot.pixel_size_um for shot in reader.shots(replace(A1, well="A2"), 2)] == [None, 1.3]
    clock.advance(60)
    filled.score(key("A2", 3), 0.8)
    assert reader.counts().scale_stated is True


def test_an_empty_database_has_nothing_to_tell(tmp_path: Path, clock: FakeClock) -> None:
    open_store(tmp_path, clock).close()
    reader = Reader.open(tmp_path)
    assert reader.counts() == Counts(
        scored=0,
        quarantined=0,
        waiting=0,
        skipped=0,
        refused=0,
        last_frame_at=None,
        newest_day=None,
    )
    assert [reader.wells(), reader.runs(), reader.channels()] == [[], [], []]
    assert reader.well(A1) is None
    assert [reader.alerts(None, 10), reader.quarantined(None, 10)] == [[], []]
    assert reader.newest_frames(10) == list(reader.frames()) == []
    reader.close()


def test_wells_stand_in_their_natural_order_each_as_it_is_now(
    reader: Reader, clock: FakeClock
) -> None:
    wells = reader.wells()
    assert [row.name.well for row in wells] == ["A1", "A2", "A10"]
    first, second, _ = wells
    assert (first.time_point, first.day, first.scored, first.quarantined) == (2, 1.0, 3, 0)
    assert first.efficiency == judged(key(), 0.1).efficiency
    assert first.flags == (
        Flag(
            alert=1,
            rule="weak",
            kind=RuleKind.WEAK_NOW,
            severity=Severity.WARNING,
            target=0.5,
            acknowledged_at=None,
            snoozed_until=None,
        ),
    )
    assert (second.time_point, second.scored, second.quarantined, second.flags) == (0, 1, 1, ())
    assert second.last_frame_at == clock.now()
    assert reader.well(A1) == first
    assert reader.well(WellName(run="run 7", plate="p1", well="H12")) is None


def test_a_well_of_which_nothing_could_be_judged_has_no_efficiency(
    filled: Scene, reader: Reader
) -> None:
    filled.spoil(key("C3"))
    row = reader.well(WellName(run="run 7", plate="p1", well="C3"))
    assert row is not None
    assert (row.efficiency, row.day, row.quarantined) == (None, None, 1)


def test_the_newest_run_comes_first(filled: Scene, reader: Reader) -> None:
    later = key("A1")
    newer = ticket(
        type(later)(run="run 8", plate="p1", well="A1", site=0, time_point=9, channel="phase")
    )
    filled.store.claim(newer)
    filled.commit(newer, 0.8)
    assert [row.name.run for row in reader.wells()][:2] == ["run 8", "run 7"]
    assert [run.name for run in reader.runs()] == ["run 8", "run 7"]


def test_the_course_of_a_well_holds_its_newest_points_oldest_first(reader: Reader) -> None:
    assert [point.time_point for point in reader.course(A1, 2)] == [1, 2]
    first = reader.course(A1, 100)[0]
    assert first == CoursePoint(
        time_point=0,
        day=0.0,
        efficiency=Efficiency(value=1.0, low=0.94, high=1.0, corrected=True),
        sites=1,
    )


def test_pictures_come_newest_first_and_only_they_are_known(reader: Reader) -> None:
    shots = reader.shots(A1, 2)
    assert [shot.overlay for shot in shots] == [
        "run 7/A1/p1_t0002_s0.jpg",
        "run 7/A1/p1_t0001_s0.jpg",
    ]
    assert shots[0].stain == "run 7/A1/p1_t0002_s0_stain.ome.tif"
    assert reader.has_overlay(shots[0].overlay)
    assert not reader.has_overlay("../scopewatch.db")


def test_what_was_refused_comes_newest_first_with_its_reason(
    filled: Scene, reader: Reader, clock: FakeClock
) -> None:
    clock.advance(60)
    filled.store.refuse(
        Refusal(source="folder", locator="/x", fingerprint="", reason="no well", seen_at=START)
    )
    rows = reader.quarantined(None, 10)
    assert [(row.what, row.fault, row.reason) for row in rows] == [
        ("/x", "refused", "no well"),
        ("run 7/p1/A2/s0/t0001/phase", "blank", "it is blank"),
    ]
    assert reader.quarantined(None, 1, offset=1) == rows[1:]
    assert rows[1] == RefusedRow(
        what="run 7/p1/A2/s0/t0001/phase",
        well=WellName(run="run 7", plate="p1", well="A2"),
        source="folder",
        locator="/raw/run 7/p1/A2/s0/t0001/phase.tif",
        fault="blank",
        reason="it is blank",
        attempts=1,
        at=clock.now() - timedelta(seconds=60),
    )
    assert reader.quarantined(A1, 10) == []


def test_an_open_alert_shows_what_its_rule_saw_last(filled: Scene, reader: Reader) -> None:
    filled.score(key("A1", 3), 0.06)
    (alert,) = reader.alerts(A1, 10)
    assert alert.newest is not None
    assert alert.newest.points[-1].efficiency < alert.evidence.points[-1].efficiency
    for time_point in (4, 5):
        filled.score(key("A1", time_point), 0.8)
    (alert,) = reader.alerts(A1, 10)
    assert alert.resolved_at is not None
    assert alert.newest is None


def test_pages_get_alerts_with_the_newest_point_of_a_course_alone(reader: Reader) -> None:
    (whole,) = reader.alerts(A1, 10)
    (short,) = reader.alerts(A1, 10, courses=False)
    assert len(whole.evidence.points) > 1
    assert short.evidence.points == whole.evidence.points[-1:]
    assert replace(short, evidence=whole.evidence) == whole


def test_wider_alerts_are_those_of_plates_and_of_the_monitor(
    filled: Scene, reader: Reader, clock: FakeClock
) -> None:
    assert reader.wider_alerts(10, runs=["run 7"]) == []
    rule = AlertRule(name="no-frames", kind=RuleKind.NO_FRAMES, limit=1)
    filled.store.watch([(rule, Observation(at=clock.now(), score=3.0))])
    (wide,) = reader.wider_alerts(10, runs=["run 7"])
    assert (wide.rule, wide.well) == ("no-frames", None)
    assert [row.rule for row in reader.alerts(None, 10)] == ["no-frames", "weak"]
    assert reader.wider_alerts(10, runs=["run 8"]) == []


def test_an_overview_is_the_wells_and_the_counts_of_a_run(filled: Scene, reader: Reader) -> None:
    filled.store.skip(ticket(key("B1", channel="gfp")), "not scored")
    seen = reader.overview("run 7")
    assert seen.counts == reader.counts("run 7")
    assert (seen.counts.scored, seen.counts.quarantined, seen.counts.skipped) == (5, 1, 1)
    assert [row.name for row in seen.wells] == [row.name for row in reader.wells("run 7")]
    whole = {row.name: row for row in reader.wells()}
    for row in seen.wells:
        if row.flags:
            assert row == whole[row.name]
    a10 = WellName(run="run 7", plate="p1", well="A10")
    flagged = reader.flagged("run 7", also=a10)
    assert flagged.counts == seen.counts
    assert flagged.wells == (whole[A1], whole[a10])
    assert reader.overview("run 8").wells == ()


def test_forecasts_are_read_with_their_errors_only_where_they_are_needed(
    tmp_path: Path, clock: FakeClock
) -> None:
    store = open_store(tmp_path, clock, final_day=10)
    scene = Scene(store=store, folder=tmp_path)
    for time_point in range(12):
        scene.score(key("A1", time_point), 0.1)
        scene.score(key("A2", time_point), 0.7)
    store.close()
    reader = Reader.open(tmp_path)

    def errors(rows: Sequence[WellRow]) -> list[int]:
        forecasts = [row.outlook.forecast for row in rows if row.outlook is not None]
        return [len(each.errors) for each in forecasts if isinstance(each, WellForecast)]

    a2 = WellName(run="run 7", plate="p1", well="A2")
    assert errors(reader.wells("run 7")) == [5, 5]
    assert errors(reader.overview("run 7").wells) == [5, 0]
    assert errors(reader.flagged("run 7", also=a2).wells) == [5, 5]
    short, whole = (reader.outlooks(a2, 1, errors=errors)[0].forecast for errors in (False, True))
    assert isinstance(short, WellForecast)
    assert isinstance(whole, WellForecast)
    assert (short.value, short.errors, len(whole.errors)) == (whole.value, (), 5)
    reader.close()


def test_of_a_long_course_every_nth_time_point_is_drawn_and_the_newest_always(
    filled: Scene, reader: Reader
) -> None:
    for time_point in range(3, 8):
        filled.score(key("A1", time_point), 0.5)
    whole = reader.course(A1, 99)
    assert [point.time_point for point in whole] == list(range(8))
    assert reader.whole_course(A1, 8) == whole
    assert [point.time_point for point in reader.whole_course(A1, 4)] == [1, 3, 5, 7]
    assert [point.time_point for point in reader.whole_course(A1, 3)] == [1, 4, 7]
    nobody = WellName(run="run 7", plate="p1", well="Z9")
    assert reader.whole_course(nobody, 4) == []


def test_it_is_known_up_to_when_pictures_were_removed(
    filled: Scene, reader: Reader, clock: FakeClock
) -> None:
    assert reader.pictures_removed_until() is None
    filled.store.record_liveness(PICTURES_REMOVED, clock.now())
    assert reader.pictures_removed_until() == clock.now()
    assert all(shot.drawn_at is not None for shot in reader.shots(A1, 10))


def test_alerts_come_raised_ones_first_with_their_way_to_each_channel(
    filled: Scene, reader: Reader, clock: FakeClock
) -> None:
    mail, chat = filled.store.due(clock.now(), 10)
    filled.store.delivered(mail.row, clock.now())
    filled.store.postponed(chat.row, clock.now(), "refused")
    filled.store.acknowledge(1, clock.now())
    (alert,) = reader.alerts(A1, 10)
    assert (alert.alert, alert.well, alert.rule, alert.evidence.target) == (1, A1, "weak", 0.5)
    assert (alert.day, alert.resolved_at, alert.acknowledged_at) == (1.0, None, clock.now())
    assert [(post.channel, post.state, post.attempts, post.why) for post in alert.postings] == [
        ("mail", "delivered", 1, ""),
        ("chat", "waiting", 1, "refused"),
    ]
    for time_point in (3, 4):
        filled.score(key("A1", time_point), 0.8)
    for time_point in (2, 3):
        filled.score(key("A2", time_point), 0.1)
    assert [row.subject.well for row in reader.alerts(None, 10)] == ["A2", "A1"]
    assert [row.subject.well for row in reader.alerts(None, 10, open_only=True)] == ["A2"]


def test_channels_tell_how_they_fare(filled: Scene, reader: Reader, clock: FakeClock) -> None:
    mail, chat = filled.store.due(clock.now(), 10)
    filled.store.abandoned(mail.row, "no such channel")
    filled.store.postponed(chat.row, clock.now(), "refused")
    assert [
        (row.channel, row.waiting, row.given_up, row.last_error) for row in reader.channels()
    ] == [("chat", 1, 0, "refused"), ("mail", 0, 1, "no such channel")]
    assert [row.delivered for row in reader.channels()] == [None, None]
    assert [row.delivered for row in reader.channels(delivered=True)] == [0, 0]
    assert reader.channels()[0].oldest_waiting_at == clock.now() - timedelta(seconds=120)
    assert reader.channels()[1].oldest_waiting_at is None


def test_the_newest_frames_come_with_all_that_is_known(reader: Reader) -> None:
    spoilt, scored = reader.newest_frames(2)
    assert (spoilt.key, spoilt.state, spoilt.fault, spoilt.efficiency) == (
        key("A2", 1),
        "quarantined",
        "blank",
        None,
    )
    assert scored.key == key("A2")
    assert scored.efficiency == judged(key(), 0.8).efficiency
    assert (scored.day, scored.pixel_size_um, scored.model_id) == (0.0, 1.3, "0123456789ab")
    assert scored.acquired_at == START


def test_tile_scores_come_back(reader: Reader) -> None:
    scores = reader.tile_scores(key("A1"))
    expected = judged(key("A1"), 0.8).scores
    assert scores is not None
    assert expected is not None
    assert scores.grid == expected.grid
    np.testing.assert_allclose(scores.probability, expected.probability, atol=0.0005)
    np.testing.assert_array_equal(scores.valid, expected.valid)
    assert reader.tile_scores(key("A2", 1)) is None


def test_a_reader_sees_what_is_committed_while_it_is_open(filled: Scene, reader: Reader) -> None:
    before = reader.counts().scored
    filled.score(key("D4"), 0.8)
    assert reader.counts().scored == before + 1
