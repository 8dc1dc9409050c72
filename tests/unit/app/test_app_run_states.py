"""The states of the runs of a database, and their log entries."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from scopewatch.app.run_states import RunStates, StateLog
from scopewatch.config import RunConfig
from scopewatch.core.errors import StoreError
from scopewatch.core.tickets import Refusal
from scopewatch.monitoring.run_facts import DaemonSeen
from scopewatch.monitoring.state import Cause, Level
from scopewatch.runtime.supervision.stages import Condition
from scopewatch.store.read.reader import Reader
from tests.conftest import FakeClock
from tests.unit.store.scene import START, Scene, key, open_store, ticket


class Room:
    """A database and the assessment of its runs."""

    def __init__(self, folder: Path, clock: FakeClock) -> None:
        clock.wall = START
        self.clock = clock
        self.store = open_store(folder, clock, channels={})
        self.scene = Scene(store=self.store, folder=folder, rules=())
        self.reader = Reader.open(folder)
        self.daemon = DaemonSeen()

    def states(self, **run: object) -> RunStates:
        settings = RunConfig.model_validate({"name": "run 7", **run})
        return RunStates(self.reader, settings, clock=self.clock, daemon=lambda: self.daemon)

    def score(self, *wells: str, time_point: int = 0, run: str = "run 7") -> None:
        for well in wells:
            frame = replace(key(well, time_point), run=run)
            # A run is as old as its first frame.
            self.scene.score(frame, 0.5, source=run)

    def skip(self, *wells: str, channel: str = "PH") -> None:
        for well in wells:
            self.store.skip(ticket(key(well, channel=channel)), "not scored")

    def current(self, **run: object) -> list[tuple[str, Cause]]:
        found = self.states(**run).current()
        return [(each.run, each.state.cause) for each in found]


@pytest.fixture
def room(tmp_path: Path, clock: FakeClock) -> Iterator[Room]:
    room = Room(tmp_path, clock)
    yield room
    room.reader.close()
    room.store.close()


def logged(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    return [(record.levelname, record.message) for record in caplog.records]


def test_frames_of_another_channel_are_reported_from_the_database(room: Room) -> None:
    room.skip("A1", "A2", "A3")
    state = room.states().of("run 7")
    assert state.cause is Cause.OTHER_CHANNEL
    assert str(state.sentence).startswith("3 frames are of channel PH, but phase_channel is")


def test_an_empty_database_waits_for_the_configured_run(room: Room) -> None:
    assert room.current() == [("run 7", Cause.NO_FRAME_YET)]
    room.daemon = DaemonSeen(started_at=START)
    room.clock.advance(19 * 3600)
    assert room.current() == [("run 7", Cause.NO_FRAMES)]


def test_refused_files_are_reported_for_the_configured_run_before_it_has_a_frame(
    room: Room,
) -> None:
    room.store.refuse(
        Refusal(source="in", locator="/x", fingerprint="", reason="no well", seen_at=START)
    )
    assert room.current() == [("run 7", Cause.REFUSED)]


def test_runs_with_frames_are_watched_each_by_itself(room: Room) -> None:
    room.score("A1", "A2")
    room.clock.advance(3600)
    room.score("B1", run="run 8", time_point=1)
    assert room.current() == [("run 8", Cause.JUDGED), ("run 7", Cause.JUDGED)]
    room.clock.advance(2 * 24 * 3600)
    room.score("B1", run="run 8", time_point=2)
    assert room.current() == [("run 8", Cause.JUDGED), ("run 7", Cause.NO_FRAMES)]
    room.clock.advance(24 * 3600)
    room.score("B1", run="run 8", time_point=3)
    assert room.current() == [("run 8", Cause.JUDGED)], "run 7 is given up after three days"


def test_the_newest_run_is_watched_however_long_it_has_been_silent(room: Room) -> None:
    room.score("A1")
    room.clock.advance(5 * 24 * 3600)
    assert room.current() == [("run 7", Cause.NO_FRAMES)]


def test_the_next_run_is_awaited_without_an_alert_once_the_last_is_finished(
    room: Room,
) -> None:
    room.score("A1")
    room.score("A1", time_point=20)
    room.daemon = DaemonSeen(started_at=START)
    room.clock.advance(20 * 24 * 3600)
    assert room.current(name="run 8") == [
        ("run 7", Cause.FINISHED),
        ("run 8", Cause.NO_FRAME_YET),
    ]
    assert room.current(name="run 7") == [("run 7", Cause.FINISHED)]
    assert room.states().over()
    assert not room.states(name="run 8").over()


def test_files_that_name_their_own_run_leave_the_configured_name_out_of_it(room: Room) -> None:
    room.score("A1")
    assert room.current(name="default") == [("run 7", Cause.JUDGED)]


def test_wells_that_groups_name_one_by_one_are_expected_of_the_configured_run(room: Room) -> None:
    room.score("A1")
    groups = {"controls": ("A01", "B02", "C*", "D1:E2")}
    state = room.states(well_groups=groups).of("run 7")
    assert str(state.sentence).endswith("well_groups names: B2")
    assert room.states(name="other", well_groups=groups).of("run 7").all_clear


def test_an_unavailable_database_is_a_state_and_no_error_for_the_health_check(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise StoreError("database is locked")

    monkeypatch.setattr(room.reader, "runs", fail)
    (only,) = room.states().current()
    assert (only.run, only.state.cause) == ("run 7", Cause.DATABASE)


def test_the_heartbeat_reports_runs_without_judged_frames(room: Room) -> None:
    daemon = Condition(ready=True, complaints=("mail rests",))
    room.daemon = DaemonSeen(complaints=daemon.complaints)
    room.score("A1")
    assert room.states().condition(daemon) == daemon
    room.clock.advance(20 * 3600)
    assert room.states().condition(daemon).complaints == (
        "mail rests",
        "run 7: No frame for 20 h: is the acquisition running?",
    )


def test_trouble_is_logged_once_and_that_it_is_over(
    room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    log = StateLog(room.states(), room.clock)
    room.skip("A1", "A2")
    log.look()
    assert logged(caplog) == [], "it may be over between two frames"
    log.look()
    log.look()
    room.skip("A3")
    log.look()
    assert logged(caplog) == [("WARNING", "no all-clear for the run")]
    event = vars(caplog.records[0])["event"]
    assert event["state"].startswith("2 frames are of channel PH")
    assert event["advice"].startswith("Set experiment.phase_channel")
    assert (event["run"], event["level"], event["cause"]) == ("run 7", "failing", "other-channel")
    room.score("A1", "A2", "A3")
    log.look()
    log.look()
    assert logged(caplog)[1:] == [("INFO", "every well is judged again")]


def test_another_trouble_is_logged_again_but_a_passing_one_is_not(
    room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    log = StateLog(room.states(), room.clock)
    room.score("A1", "A2")
    log.look()
    room.clock.advance(20 * 3600)
    for _ in range(2):
        log.look()
    room.daemon = DaemonSeen(waiting=1, complaints=("mail rests",))
    log.look()
    room.daemon = DaemonSeen()
    for _ in range(2):
        log.look()
    assert [vars(record)["event"]["cause"] for record in caplog.records] == ["no-frames"]
    room.score("A1", time_point=2)
    for _ in range(2):
        log.look()
    causes = [vars(record)["event"]["cause"] for record in caplog.records]
    assert causes == ["no-frames", "wells-missing"]


def test_the_end_of_a_run_is_logged_with_its_outcome(
    room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    log = StateLog(room.states(), room.clock)
    room.score("A1")
    room.score("A1", time_point=20)
    for _ in range(2):
        log.look()
    assert logged(caplog) == [("INFO", "run is finished")]


def test_the_states_are_read_quickly_while_many_frames_wait(room: Room) -> None:
    room.daemon = DaemonSeen(waiting=500)
    room.score("A1")
    assert room.states().of("run 7").level is Level.WAITING
    room.clock.advance(timedelta(hours=1).total_seconds())
    assert room.states().of("run 7").level is Level.WAITING


@pytest.mark.parametrize(("by_h", "late_h"), [(-8, 8), (8, 0), (100_000, 0)])
def test_a_clock_that_is_set_makes_no_run_silent_and_hides_silence_no_longer_than_it_was_set_back(
    room: Room, by_h: int, late_h: int
) -> None:
    room.score("A1", "A2")
    states = room.states()
    log = StateLog(states, room.clock)
    room.clock.advance(3600)
    room.clock.set_by(by_h * 3600)
    log.look()
    state = states.of("run 7")
    assert str(state.sentence) == "All wells (2) were judged within the last 60 min."
    room.clock.advance((18 + late_h) * 3600)
    assert states.of("run 7").cause is Cause.NO_FRAMES
    room.score("A1", "A2", time_point=1)
    assert states.of("run 7").all_clear
