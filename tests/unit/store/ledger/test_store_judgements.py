"""What was refused, quarantined or skipped belongs to the settings and the model it was under."""

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from scopewatch.core.alert import AlertRule, RuleKind
from scopewatch.core.frame import FrameKey, Mark, Refusal
from scopewatch.store.judging import Judging, SourceSettings
from tests.conftest import FakeClock
from tests.unit.store.scene import RULES, START, Scene, key, open_store, ticket

UNFIT = AlertRule(name="unfit", kind=RuleKind.UNFIT_FRAMES, consecutive=2)
FRAMES = (
    "SELECT w.plate, w.name, time_point, state FROM frames"
    " JOIN wells w ON w.id = well_id ORDER BY w.name, time_point"
)
REFUSALS = "SELECT locator, fault, reason FROM refusals ORDER BY locator"


def judging(names: str = "n", reading: str = "r", model: str = "m") -> Judging:
    return Judging(sources={"folder": SourceSettings(names=names, reading=reading)}, model=model)


BEFORE = judging()
NAMES, READING, MODEL = judging("n2", "r2"), judging(reading="r2"), judging(model="m2")


@dataclass
class Lives:
    """A store that is opened under one thing after another."""

    folder: Path
    clock: FakeClock

    @contextmanager
    def under(self, what: Judging, **settings: Any) -> Iterator[Scene]:
        store = open_store(self.folder, self.clock, judging=what, **settings)
        try:
            yield Scene(store=store, folder=self.folder, rules=(*RULES, UNFIT))
        finally:
            store.close()


@pytest.fixture
def lives(tmp_path: Path, clock: FakeClock) -> Lives:
    return Lives(folder=tmp_path, clock=clock)


def refuse(scene: Scene, locator: str, reason: str = "its name does not fit") -> None:
    refusal = Refusal(
        source="folder", locator=locator, fingerprint="1", reason=reason, seen_at=START
    )
    scene.store.refuse(refusal)


def is_open(scene: Scene, locator: str, *, named: bool = False) -> bool:
    return locator not in scene.store.settled("folder", [Mark(locator, "1", named=named)])


def scored(scene: Scene, frame: FrameKey, fraction: float = 0.7, **where: Any) -> bool:
    """Carry a frame to its end as the worker does; False where there was nothing to do."""
    offered = ticket(frame, **where)
    if not scene.store.claim(offered, scene.rules):
        return False
    scene.commit(offered, fraction)
    return True


# What counts for what.


@pytest.mark.parametrize(
    ("now", "open_ones"),
    [
        (BEFORE, ""),
        (MODEL, "quarantined"),
        (READING, "quarantined refused skipped"),
        (NAMES, "quarantined refused skipped"),
    ],
)
def test_a_verdict_is_tried_again_once_what_it_was_made_under_changed(
    lives: Lives, now: Judging, open_ones: str
) -> None:
    with lives.under(BEFORE) as scene:
        scored(scene, key("A1"), locator="scored")
        scene.spoil(key("A2"), locator="quarantined")
        scene.store.skip(ticket(key("A3", channel="gfp"), locator="skipped"), "not scored", ())
        refuse(scene, "refused")
        for locator in ("scored", "quarantined", "skipped", "refused"):
            assert not is_open(scene, locator)
    with lives.under(now) as scene:
        everything = ("quarantined", "refused", "scored", "skipped")
        assert " ".join(each for each in everything if is_open(scene, each)) == open_ones
        named = is_open(scene, "scored", named=True)
        assert named == scene.store.names_changed("folder") == (now is NAMES)
        assert not scene.store.names_changed("another source")


def test_what_older_versions_refused_is_tried_again(lives: Lives) -> None:
    with lives.under(BEFORE) as scene:
        scene.spoil(key("A1"), locator="quarantined")
        scored(scene, key("A2"), locator="scored")
        refuse(scene, "refused")
        database = scene.folder / "scopewatch.db"
    forget_judgements(database)
    with lives.under(BEFORE) as scene:
        assert is_open(scene, "quarantined")
        assert is_open(scene, "refused")
        assert not is_open(scene, "scored")
        assert is_open(scene, "scored", named=True)
        assert scored(scene, key("A1"), locator="quarantined")
        assert not scored(scene, key("A2"), locator="scored")
        assert not is_open(scene, "scored", named=True)


def forget_judgements(database: Path) -> None:
    """Make the database that of a version before this one."""
    connection = sqlite3.connect(database, isolation_level=None)
    connection.execute("UPDATE frames SET judged_under = ''")
    connection.execute("UPDATE refusals SET judged_under = ''")
    connection.close()


def test_a_refused_file_becomes_a_frame_of_when_it_was_first_seen(lives: Lives) -> None:
    with lives.under(BEFORE) as scene:
        refuse(scene, "a.tif")
    with lives.under(NAMES) as scene:
        offered = replace(ticket(key(), locator="a.tif"), seen_at=START + timedelta(days=5))
        assert scene.store.claim(offered, RULES)
        scene.commit(offered, 0.7, dated=False)
        assert scene.rows(REFUSALS) == []
        ((seen_at,),) = scene.rows("SELECT seen_at FROM frames")
        assert seen_at.startswith(f"{START:%Y-%m-%d %H:%M}")


def test_a_file_that_is_refused_again_is_asked_for_once(lives: Lives) -> None:
    with lives.under(BEFORE) as scene:
        refuse(scene, "a.tif")
    with lives.under(READING) as scene:
        assert is_open(scene, "a.tif")
        refuse(scene, "a.tif")
        assert not is_open(scene, "a.tif")
        assert len(scene.rows(REFUSALS)) == 1


def test_a_quarantined_frame_is_scored_once_and_has_all_its_attempts(
    lives: Lives, caplog: pytest.LogCaptureFixture
) -> None:
    with lives.under(BEFORE) as scene:
        scene.store.claim(ticket(key()), ())
        scene.spoil(key())
    with lives.under(MODEL) as scene, caplog.at_level(logging.INFO):
        assert scored(scene, key())
        assert not scored(scene, key())
        assert scene.rows("SELECT state, attempts, fault, reason FROM frames") == [
            ("done", 1, None, None)
        ]
    assert caplog.text.count("frame is tried again: settings or model changed") == 1


def test_a_frame_that_may_have_ended_the_process_is_tried_once(lives: Lives) -> None:
    with lives.under(BEFORE, max_attempts=2) as scene:
        assert [scene.store.claim(ticket(key()), ()) for _ in range(3)] == [True, True, False]
    with lives.under(MODEL, max_attempts=2) as scene:
        assert [scene.store.claim(ticket(key()), ()) for _ in range(3)] == [True, False, False]


def test_a_skipped_frame_whose_channel_is_scored_now_has_one_attempt_behind_it(
    lives: Lives,
) -> None:
    with lives.under(BEFORE, phase_channel="bf", max_attempts=1) as scene:
        scene.store.skip(ticket(key()), "not scored: channel phase", ())
    with lives.under(NAMES, max_attempts=1) as scene:
        assert scored(scene, key())


# Files that are read under another key now.


def test_a_file_leaves_nothing_where_it_was_quarantined_before(
    lives: Lives, caplog: pytest.LogCaptureFixture
) -> None:
    right = {f"{index}.tif": key("ABCD"[index] + "1", index) for index in range(4)}
    with lives.under(BEFORE) as scene:
        # All that the wrong pattern told apart was the time point.
        for index, locator in enumerate(right):
            wrong = replace(key("A1", index), plate="plate")
            scene.spoil(wrong, locator=locator)
        assert scene.rows("SELECT well, rule, resolved_at FROM alerts") == [("A1", "unfit", None)]
        assert len(scene.store.due(lives.clock.now(), 9)) == 1
    with lives.under(NAMES) as scene:
        for locator, frame in right.items():
            assert scored(scene, frame, locator=locator)
        assert scene.rows(FRAMES) == [
            ("p1", frame.well, frame.time_point, "done") for frame in right.values()
        ]
        assert scene.rows("SELECT name FROM wells WHERE plate = 'plate'") == []
        assert scene.rows("SELECT rule FROM rule_states WHERE plate = 'plate'") == []
        assert scene.rows("SELECT count(*) FROM alerts WHERE resolved_at IS NULL") == [(0,)]
        titles = [item.message.title for item in scene.store.due(lives.clock.now(), 9)]
        assert titles == ["A1: its frames cannot be judged", "A1: its frames can be judged again"]
        assert scene.rows(REFUSALS) == []
        assert scene.rows("PRAGMA foreign_key_check") == []
    assert caplog.text.count("file is read under another name now") == 4
    assert caplog.text.count("well without frames removed") == 1


def test_a_well_that_keeps_frames_stays(lives: Lives) -> None:
    with lives.under(BEFORE) as scene:
        scored(scene, key("A1", 0), locator="0.tif")
        scene.spoil(key("A1", 1), locator="1.tif")
    with lives.under(NAMES) as scene:
        assert scored(scene, key("B2", 1), locator="1.tif")
        assert scene.rows(FRAMES) == [("p1", "A1", 0, "done"), ("p1", "B2", 1, "done")]
        outlooks = "SELECT w.name, time_point FROM well_outlooks JOIN wells w ON w.id = well_id"
        assert sorted(scene.rows(outlooks)) == [("A1", 0), ("B2", 1)]


def test_files_whose_keys_were_mixed_up_are_all_scored_in_any_order(lives: Lives) -> None:
    """Each one's right key was held by another one's wrong key."""
    wells = ("A1", "A2", "A3")
    with lives.under(BEFORE) as scene:
        for index, well in enumerate(wells):
            scene.spoil(key(well), locator=f"{index}.tif")
    with lives.under(NAMES) as scene:
        for index in (1, 0, 2):
            right = key(wells[(index + 1) % 3])
            assert is_open(scene, f"{index}.tif")
            assert scored(scene, right, locator=f"{index}.tif")
        assert [row[1:] for row in scene.rows(FRAMES)] == [(well, 0, "done") for well in wells]
        assert scene.rows(REFUSALS) == []
        ((files,),) = scene.rows("SELECT group_concat(locator) FROM frames")
        assert sorted(files.split(",")) == ["0.tif", "1.tif", "2.tif"]


def test_a_claim_that_never_ended_is_no_ghost_either(lives: Lives) -> None:
    with lives.under(BEFORE) as scene:
        scene.store.claim(ticket(key("A1"), locator="a.tif"), ())
    with lives.under(NAMES) as scene:
        assert scored(scene, replace(key("B2"), experiment="run 8"), locator="a.tif")
        assert scene.rows(FRAMES) == [("p1", "B2", 0, "done")]
        assert scene.rows("SELECT name FROM runs") == [("run 8",)]


def test_a_skipped_file_that_is_of_the_scored_channel_after_all_leaves_its_row(
    lives: Lives,
) -> None:
    with lives.under(BEFORE) as scene:
        scene.store.skip(ticket(key(channel="ch6"), locator="a.tif"), "not scored", ())
        scene.spoil(key("B2"), locator="b.tif")
    with lives.under(NAMES) as scene:
        assert scored(scene, key(), locator="a.tif")
        scene.store.skip(ticket(key("B2", channel="gfp"), locator="b.tif"), "not scored", ())
        assert scene.rows("SELECT channel, state FROM frames ORDER BY id") == [
            ("phase", "done"),
            ("gfp", "skipped"),
        ]


def test_a_result_under_another_name_stays_and_is_told_once(
    lives: Lives, caplog: pytest.LogCaptureFixture
) -> None:
    with lives.under(BEFORE) as scene:
        scored(scene, key("A1"), locator="a.tif")
    with lives.under(NAMES) as scene:
        assert is_open(scene, "a.tif", named=True)
        assert not scored(scene, key("B2"), locator="a.tif")
        assert not scored(scene, key("B2"), locator="a.tif")
        assert not is_open(scene, "a.tif", named=True)
        assert scene.rows(FRAMES) == [("p1", "A1", 0, "done")]
        ((locator, fault, reason),) = scene.rows(REFUSALS)
        assert (locator, fault) == ("a.tif", "contradiction")
        assert reason.startswith(
            "scored as run 7/p1/A1/s0/t0000/phase, and now read as run 7/p1/B2/s0/t0000/phase"
        )
    assert caplog.text.count("frame was scored under another name") == 1
    with lives.under(BEFORE) as scene:
        assert is_open(scene, "a.tif", named=True), "the settings are as they were"
        assert not scored(scene, key("A1"), locator="a.tif")
        assert scene.rows(REFUSALS) == []
        assert not is_open(scene, "a.tif", named=True)


def test_other_names_of_experiment_and_source_score_it_under_the_right_one(lives: Lives) -> None:
    """What the reason of a contradiction says to do."""
    with lives.under(BEFORE) as scene:
        scored(scene, key("A1"), locator="a.tif")
        scored(scene, key("A2"), locator="b.tif")
    with lives.under(NAMES) as scene:
        swapped = {"a.tif": key("A2"), "b.tif": key("A1")}
        for locator, frame in swapped.items():
            right = replace(frame, experiment="run 7, corrected")
            assert scored(scene, right, locator=locator, source="folder again")
        runs = "SELECT r.name, count(*) FROM frames JOIN wells w ON w.id = well_id"
        runs += " JOIN runs r ON r.id = run_id WHERE state = 'done' GROUP BY r.name ORDER BY 1"
        assert scene.rows(runs) == [("run 7", 2), ("run 7, corrected", 2)]


@pytest.mark.parametrize("what", ["scored", "quarantined", "skipped"])
def test_a_file_stays_with_the_run_it_came_in(lives: Lives, what: str) -> None:
    """The folder of a run that is over is watched on, and the next run has another name."""
    frame = key(channel="gfp") if what == "skipped" else key()
    with lives.under(BEFORE) as scene:
        if what == "scored":
            scored(scene, frame, locator="a.tif")
        elif what == "quarantined":
            scene.spoil(frame, locator="a.tif")
        else:
            scene.store.skip(ticket(frame, locator="a.tif"), "not scored", ())
        before = scene.rows(FRAMES)
    with lives.under(NAMES) as scene:
        next_run = replace(frame, experiment="run 8")
        assert not scene.store.claim(ticket(next_run, locator="a.tif"), RULES)
        assert scene.rows(FRAMES) == before
        assert scene.rows("SELECT name FROM runs") == [("run 7",)]
        assert not is_open(scene, "a.tif", named=True)
        assert scene.rows(REFUSALS) == []


# What rules see of it.


def unfit_run(scene: Scene, time_points: int) -> None:
    for time_point in range(time_points):
        scene.spoil(key("A1", time_point))


def test_rules_see_the_frames_that_can_be_judged_now(lives: Lives) -> None:
    with lives.under(BEFORE) as scene:
        unfit_run(scene, 5)
        alerts = "SELECT rule, raised_time_point, resolved_time_point FROM alerts ORDER BY id"
        assert scene.rows(alerts) == [("unfit", 1, None)]
    with lives.under(MODEL) as scene:
        for time_point in range(5):
            assert scored(scene, key("A1", time_point), 0.1)
        assert scene.rows(alerts) == [("unfit", 1, 1), ("weak", 1, None)]
        assert scene.rows("SELECT DISTINCT last_time_point FROM rule_states") == [(4,)]
        titles = [item.message.title for item in scene.store.due(lives.clock.now(), 9)]
        assert titles[0] == "A1: its frames cannot be judged"
        assert titles[1].startswith("A1: weak now")
        assert titles[2] == "A1: its frames can be judged again"


def test_frames_that_still_cannot_be_judged_raise_it_again(lives: Lives) -> None:
    with lives.under(BEFORE) as scene:
        unfit_run(scene, 2)
    with lives.under(MODEL) as scene:
        assert scored(scene, key("A1", 0))
        scene.spoil(key("A1", 1))
        for time_point in (2, 3):
            scored(scene, key("A1", time_point))
        for time_point in (4, 5):
            scene.spoil(key("A1", time_point))
        raised = scene.rows(
            "SELECT raised_time_point, resolved_time_point FROM alerts WHERE rule = 'unfit'"
            " ORDER BY id"
        )
        assert raised == [(1, 3), (5, None)]


def test_an_alert_that_comes_again_at_its_time_point_is_told_again(lives: Lives) -> None:
    once = replace(UNFIT, consecutive=1)
    with lives.under(BEFORE) as scene:
        scene.rules = (once,)
        unfit_run(scene, 2)
    with lives.under(MODEL) as scene:
        scene.rules = (once,)
        assert scored(scene, key("A1", 0))
        assert scene.spoil(key("A1", 1)).alerts != ()
    with lives.under(BEFORE) as scene:
        scene.rules = (once,)
        assert scored(scene, key("A1", 1))
        raised = scene.rows("SELECT raised_time_point, resolved_time_point FROM alerts ORDER BY id")
        assert raised == [(0, 0), (1, 1)]


def test_time_points_after_which_something_was_judged_are_not_stepped_again(lives: Lives) -> None:
    with lives.under(BEFORE) as scene:
        scene.spoil(key("A1", 0))
        scored(scene, key("A1", 1), 0.1)
        states = scene.rows("SELECT rule, last_time_point, state FROM rule_states ORDER BY rule")
    with lives.under(MODEL) as scene:
        assert scored(scene, key("A1", 0), 0.1)
        after = scene.rows("SELECT rule, last_time_point, state FROM rule_states ORDER BY rule")
        assert after == states
        assert scene.rows("SELECT count(*) FROM alerts") == [(0,)]


def test_a_site_that_can_be_judged_now_steps_nothing_again(lives: Lives) -> None:
    with lives.under(BEFORE, sites_per_well=2) as scene:
        scored(scene, key("A1", 0, 0), 0.1)
        scene.spoil(key("A1", 0, 1))
        states = scene.rows("SELECT rule, last_time_point, state FROM rule_states")
    with lives.under(MODEL, sites_per_well=2) as scene:
        assert scored(scene, key("A1", 0, 1), 0.1)
        assert scene.rows("SELECT rule, last_time_point, state FROM rule_states") == states
        assert scene.rows("SELECT n_sites FROM well_estimates") == [(2,)]


def test_a_plate_is_looked_at_as_a_whole_once_all_its_wells_were_tried_again(
    lives: Lives,
) -> None:
    wells = ("A1", "A2", "A3", "A4", "A5", "A6")
    collapse = AlertRule(name="plate", kind=RuleKind.PLATE_COLLAPSE, limit=0.5)
    rules = (replace(RULES[0], consecutive=1), collapse)
    with lives.under(BEFORE) as scene:
        scene.rules = rules
        for time_point in range(3):
            for well in wells:
                scene.spoil(key(well, time_point))
    with lives.under(MODEL) as scene:
        scene.rules = rules
        for time_point in range(3):
            for well in wells:
                assert scored(scene, key(well, time_point), 0.1)
        alerts = "SELECT well, rule, raised_time_point, json_array_length(evidence, '$.wells')"
        assert scene.rows(f"{alerts} FROM alerts") == [("", "plate", 0, 6)]


def test_a_plate_whose_file_is_gone_waits_for_it_only_while_frames_come(lives: Lives) -> None:
    wells = ("A1", "A2", "A3", "A4", "A5", "A6", "A7")
    collapse = AlertRule(name="plate", kind=RuleKind.PLATE_COLLAPSE, limit=0.5)
    rules = (replace(RULES[0], consecutive=1), collapse)
    with lives.under(BEFORE) as scene:
        scene.rules = rules
        for time_point in range(2):
            for well in wells:
                scene.spoil(key(well, time_point))
    with lives.under(MODEL) as scene:
        scene.rules = rules
        for time_point in range(2):
            for well in wells[:-1]:
                assert scored(scene, key(well, time_point), 0.1)
        assert scene.rows("SELECT rule FROM alerts") == []
        lives.clock.advance(3601)
        scene.store.let_time_pass(rules)
        assert scene.rows("SELECT rule, raised_time_point FROM alerts") == [("plate", 0)]


def test_a_file_of_another_channel_that_is_read_anew_leaves_the_well_its_estimate(
    lives: Lives,
) -> None:
    beside = {"locator": "/raw/gfp.tif", "content": "c"}
    with lives.under(BEFORE) as scene:
        scene.score(key("A1"), 0.4)
        scene.store.skip(ticket(key("A1", channel="gfp"), **beside), "not scored", scene.rules)
    with lives.under(NAMES) as scene:
        scene.store.skip(ticket(key("A2", channel="gfp"), **beside), "not scored", scene.rules)
        assert [row[1] for row in scene.rows(FRAMES)] == ["A1", "A2"]
        assert scene.rows("SELECT count(*) FROM well_estimates") == [(1,)]
        assert scene.rows("SELECT count(*) FROM well_outlooks") == [(1,)]
