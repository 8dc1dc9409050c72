"""Refusals, quarantines and skips belong to the settings and the model of their time."""

import logging
import sqlite3
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from scopewatch.store.read.judging import Judging
from tests.unit.store.ledger.judgements import (
    BEFORE,
    FRAMES,
    MODEL,
    NAMES,
    READING,
    REFUSALS,
    Restarts,
    is_open,
    refuse,
    scored,
)
from tests.unit.store.scene import START, key, ticket

# The settings that each kind of verdict depends on.


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
    restarts: Restarts, now: Judging, open_ones: str
) -> None:
    with restarts.under(BEFORE) as scene:
        scored(scene, key("A1"), locator="scored")
        scene.spoil(key("A2"), locator="quarantined")
        scene.store.skip(ticket(key("A3", channel="gfp"), locator="skipped"), "not scored")
        refuse(scene, "refused")
        for locator in ("scored", "quarantined", "skipped", "refused"):
            assert not is_open(scene, locator)
    with restarts.under(now) as scene:
        everything = ("quarantined", "refused", "scored", "skipped")
        assert " ".join(each for each in everything if is_open(scene, each)) == open_ones
        named = is_open(scene, "scored", named=True)
        assert named == scene.store.names_changed("folder") == (now is NAMES)
        assert not scene.store.names_changed("another source")


def test_what_older_versions_refused_is_tried_again(restarts: Restarts) -> None:
    with restarts.under(BEFORE) as scene:
        scene.spoil(key("A1"), locator="quarantined")
        scored(scene, key("A2"), locator="scored")
        refuse(scene, "refused")
        database = scene.folder / "scopewatch.db"
    forget_judgements(database)
    with restarts.under(BEFORE) as scene:
        assert is_open(scene, "quarantined")
        assert is_open(scene, "refused")
        assert not is_open(scene, "scored")
        assert is_open(scene, "scored", named=True)
        assert scored(scene, key("A1"), locator="quarantined")
        assert not scored(scene, key("A2"), locator="scored")
        assert not is_open(scene, "scored", named=True)


def forget_judgements(database: Path) -> None:
    """Change the database to that of an earlier version."""
    connection = sqlite3.connect(database, isolation_level=None)
    connection.execute("UPDATE frames SET judged_under = ''")
    connection.execute("UPDATE refusals SET judged_under = ''")
    connection.close()


def test_a_refused_file_becomes_a_frame_of_when_it_was_first_seen(restarts: Restarts) -> None:
    with restarts.under(BEFORE) as scene:
        refuse(scene, "a.tif")
    with restarts.under(NAMES) as scene:
        offered = replace(ticket(key(), locator="a.tif"), seen_at=START + timedelta(days=5))
        assert scene.store.claim(offered)
        scene.commit(offered, 0.7, dated=False)
        assert scene.rows(REFUSALS) == []
        ((seen_at,),) = scene.rows("SELECT seen_at FROM frames")
        assert seen_at.startswith(f"{START:%Y-%m-%d %H:%M}")


def test_a_file_that_is_refused_again_is_asked_for_once(restarts: Restarts) -> None:
    with restarts.under(BEFORE) as scene:
        refuse(scene, "a.tif")
    with restarts.under(READING) as scene:
        assert is_open(scene, "a.tif")
        refuse(scene, "a.tif")
        assert not is_open(scene, "a.tif")
        assert len(scene.rows(REFUSALS)) == 1


def test_a_quarantined_frame_is_scored_once_and_has_all_its_attempts(
    restarts: Restarts, caplog: pytest.LogCaptureFixture
) -> None:
    with restarts.under(BEFORE) as scene:
        scene.store.claim(ticket(key()))
        scene.spoil(key())
    with restarts.under(MODEL) as scene, caplog.at_level(logging.INFO):
        assert scored(scene, key())
        assert not scored(scene, key())
        assert scene.rows("SELECT state, attempts, fault, reason FROM frames") == [
            ("done", 1, None, None)
        ]
    assert caplog.text.count("frame is tried again: settings or model changed") == 1


def test_a_frame_that_may_have_ended_the_process_is_tried_once(restarts: Restarts) -> None:
    with restarts.under(BEFORE, max_attempts=2) as scene:
        assert [scene.store.claim(ticket(key())) for _ in range(3)] == [True, True, False]
    with restarts.under(MODEL, max_attempts=2) as scene:
        assert [scene.store.claim(ticket(key())) for _ in range(3)] == [True, False, False]


def test_a_skipped_frame_whose_channel_is_scored_now_has_one_attempt_behind_it(
    restarts: Restarts,
) -> None:
    with restarts.under(BEFORE, phase_channel="bf", max_attempts=1) as scene:
        scene.store.skip(ticket(key()), "not scored: channel phase")
    with restarts.under(NAMES, max_attempts=1) as scene:
        assert scored(scene, key())


# Files that have another key now.


def test_a_file_leaves_nothing_where_it_was_quarantined_before(
    restarts: Restarts, caplog: pytest.LogCaptureFixture
) -> None:
    right = {f"{index}.tif": key("ABCD"[index] + "1", index) for index in range(4)}
    with restarts.under(BEFORE) as scene:
        # The wrong pattern distinguished only the time points.
        for index, locator in enumerate(right):
            wrong = replace(key("A1", index), plate="plate")
            scene.spoil(wrong, locator=locator)
        assert scene.rows("SELECT well, rule, resolved_at FROM alerts") == [("A1", "unfit", None)]
        assert len(scene.store.due(restarts.clock.now(), 9)) == 1
    with restarts.under(NAMES) as scene:
        for locator, frame in right.items():
            assert scored(scene, frame, locator=locator)
        assert scene.rows(FRAMES) == [
            ("p1", frame.well, frame.time_point, "done") for frame in right.values()
        ]
        assert scene.rows("SELECT name FROM wells WHERE plate = 'plate'") == []
        assert scene.rows("SELECT rule FROM rule_states WHERE plate = 'plate'") == []
        assert scene.rows("SELECT count(*) FROM alerts WHERE resolved_at IS NULL") == [(0,)]
        titles = [item.message.title for item in scene.store.due(restarts.clock.now(), 9)]
        assert titles == ["A1: its frames cannot be judged", "A1: its frames can be judged again"]
        assert scene.rows(REFUSALS) == []
        assert scene.rows("PRAGMA foreign_key_check") == []
    assert caplog.text.count("file is read under another name now") == 4
    assert caplog.text.count("well without frames removed") == 1


def test_a_well_that_keeps_frames_stays(restarts: Restarts) -> None:
    with restarts.under(BEFORE) as scene:
        scored(scene, key("A1", 0), locator="0.tif")
        scene.spoil(key("A1", 1), locator="1.tif")
    with restarts.under(NAMES) as scene:
        assert scored(scene, key("B2", 1), locator="1.tif")
        assert scene.rows(FRAMES) == [("p1", "A1", 0, "done"), ("p1", "B2", 1, "done")]
        outlooks = "SELECT w.name, time_point FROM well_outlooks JOIN wells w ON w.id = well_id"
        assert sorted(scene.rows(outlooks)) == [("A1", 0), ("B2", 1)]


def test_files_whose_keys_were_mixed_up_are_all_scored_in_any_order(restarts: Restarts) -> None:
    """The right key of each file was the wrong key of another one."""
    wells = ("A1", "A2", "A3")
    with restarts.under(BEFORE) as scene:
        for index, well in enumerate(wells):
            scene.spoil(key(well), locator=f"{index}.tif")
    with restarts.under(NAMES) as scene:
        for index in (1, 0, 2):
            right = key(wells[(index + 1) % 3])
            assert is_open(scene, f"{index}.tif")
            assert scored(scene, right, locator=f"{index}.tif")
        assert [row[1:] for row in scene.rows(FRAMES)] == [(well, 0, "done") for well in wells]
        assert scene.rows(REFUSALS) == []
        ((files,),) = scene.rows("SELECT group_concat(locator) FROM frames")
        assert sorted(files.split(",")) == ["0.tif", "1.tif", "2.tif"]


def test_a_claim_that_never_ended_is_no_ghost_either(restarts: Restarts) -> None:
    with restarts.under(BEFORE) as scene:
        scene.store.claim(ticket(key("A1"), locator="a.tif"))
    with restarts.under(NAMES) as scene:
        assert scored(scene, replace(key("B2"), run="run 8"), locator="a.tif")
        assert scene.rows(FRAMES) == [("p1", "B2", 0, "done")]
        assert scene.rows("SELECT name FROM runs") == [("run 8",)]


def test_a_skipped_file_that_is_of_the_scored_channel_after_all_leaves_its_row(
    restarts: Restarts,
) -> None:
    with restarts.under(BEFORE) as scene:
        scene.store.skip(ticket(key(channel="ch6"), locator="a.tif"), "not scored")
        scene.spoil(key("B2"), locator="b.tif")
    with restarts.under(NAMES) as scene:
        assert scored(scene, key(), locator="a.tif")
        scene.store.skip(ticket(key("B2", channel="gfp"), locator="b.tif"), "not scored")
        assert scene.rows("SELECT channel, state FROM frames ORDER BY id") == [
            ("phase", "done"),
            ("gfp", "skipped"),
        ]


def test_a_result_under_another_name_stays_and_is_reported_once(
    restarts: Restarts, caplog: pytest.LogCaptureFixture
) -> None:
    with restarts.under(BEFORE) as scene:
        scored(scene, key("A1"), locator="a.tif")
    with restarts.under(NAMES) as scene:
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
    with restarts.under(BEFORE) as scene:
        assert is_open(scene, "a.tif", named=True), "the settings are as they were"
        assert not scored(scene, key("A1"), locator="a.tif")
        assert scene.rows(REFUSALS) == []
        assert not is_open(scene, "a.tif", named=True)


def test_other_names_of_run_and_source_score_it_under_the_right_one(
    restarts: Restarts,
) -> None:
    """Do what the reason of a contradiction advises."""
    with restarts.under(BEFORE) as scene:
        scored(scene, key("A1"), locator="a.tif")
        scored(scene, key("A2"), locator="b.tif")
    with restarts.under(NAMES) as scene:
        swapped = {"a.tif": key("A2"), "b.tif": key("A1")}
        for locator, frame in swapped.items():
            right = replace(frame, run="run 7, corrected")
            assert scored(scene, right, locator=locator, source="folder again")
        runs = "SELECT r.name, count(*) FROM frames JOIN wells w ON w.id = well_id"
        runs += " JOIN runs r ON r.id = run_id WHERE state = 'done' GROUP BY r.name ORDER BY 1"
        assert scene.rows(runs) == [("run 7", 2), ("run 7, corrected", 2)]


@pytest.mark.parametrize("what", ["scored", "quarantined", "skipped"])
def test_a_file_stays_with_the_run_it_came_in(restarts: Restarts, what: str) -> None:
    """The folder of a finished run is still watched, and the next run has another name."""
    frame = key(channel="gfp") if what == "skipped" else key()
    with restarts.under(BEFORE) as scene:
        if what == "scored":
            scored(scene, frame, locator="a.tif")
        elif what == "quarantined":
            scene.spoil(frame, locator="a.tif")
        else:
            scene.store.skip(ticket(frame, locator="a.tif"), "not scored")
        before = scene.rows(FRAMES)
    with restarts.under(NAMES) as scene:
        next_run = replace(frame, run="run 8")
        assert not scene.store.claim(ticket(next_run, locator="a.tif"))
        assert scene.rows(FRAMES) == before
        assert scene.rows("SELECT name FROM runs") == [("run 7",)]
        assert not is_open(scene, "a.tif", named=True)
        assert scene.rows(REFUSALS) == []


# The facts that rules get.
