"""The command line pauses, resumes, triggers and lifts a real daemon with a real core."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from scopewatch.core.acquisition.journal import JournalEntry
from scopewatch.core.acquisition.orders import Act
from scopewatch.store.read.reader import Reader
from tests.hardware.acquiring_daemon import acquiring, acquiring_daemon, position, stop
from tests.integration.daemon import Daemon

pytestmark = [pytest.mark.hardware, pytest.mark.timeout(240)]


@pytest.fixture
def daemon(tmp_path: Path, eventually: Callable[..., None]) -> Iterator[Daemon]:
    source = acquiring(
        interval_s=30,
        time_points=3,
        positions=[position("A1", 0, 5.0), position("A2", 900, 6.0)],
        medium={"lift_to_um": -200},
    )
    made = acquiring_daemon(tmp_path, eventually, source)
    yield made
    stop(made)


def journal(daemon: Daemon) -> list[JournalEntry]:
    with closing(Reader.open(daemon.state)) as reader:
        return reader.journal("HES 7", 100)


def test_the_journal_holds_the_story_over_a_kill(daemon: Daemon) -> None:
    daemon.start_ready()
    daemon.eventually(lambda: daemon.count("time point acquired") == 1, 60)
    asked = daemon.ask("acquisition", "now")
    assert (asked.returncode, asked.stdout) == (0, "scope: time point 1\n"), asked.stderr
    daemon.eventually(lambda: daemon.count("time point acquired") == 2, 30)
    asked = daemon.ask("acquisition", "medium")
    assert asked.stdout == "scope: objective moved from 6 to -200 um\n", asked.stderr
    assert daemon.process is not None
    daemon.process.kill()
    daemon.process.wait(10)

    daemon.start_ready()
    asked = daemon.ask("acquisition", "now")
    assert asked.returncode == 1
    assert "refused: medium change by " in asked.stderr
    asked = daemon.ask("acquisition", "resume")
    assert asked.stdout == "scope: objective back at 6 um, goes on\n", asked.stderr
    asked = daemon.ask("acquisition", "pause")
    assert asked.stdout == "scope: paused\n", asked.stderr
    asked = daemon.ask("acquisition", "resume")
    assert asked.stdout == "scope: goes on\n", asked.stderr
    asked_for = [each for each in journal(daemon) if each.act is not Act.NOTE]
    assert [(each.act, each.done) for each in asked_for] == [
        (Act.NOW, True),
        (Act.MEDIUM, True),
        (Act.NOW, False),
        (Act.RESUME, True),
        (Act.PAUSE, True),
        (Act.RESUME, True),
    ]
    assert all(each.by.endswith(", command line") for each in asked_for)
    (noted,) = [each for each in journal(daemon) if each.act is Act.NOTE]
    assert noted.outcome.startswith("scopewatch starts again: it was killed, or lost its power,")
    listed = daemon.ask("acquisition", "journal").stdout.splitlines()
    assert len(listed) == 7
    assert listed[0].endswith("command line: time point 1")
    assert daemon.end(within_s=20) == 0
    frames = [(frame.key.time_point, frame.key.well) for frame in daemon.frames()]
    assert len(frames) == len(set(frames))
    assert {(index, well) for index in (0, 1) for well in ("A1", "A2")} <= set(frames)
    assert not [frame for frame in daemon.frames() if frame.fault == "gap"]


def test_a_pause_that_was_asked_for_while_nothing_ran_holds_from_the_start(daemon: Daemon) -> None:
    daemon.start_ready()
    daemon.eventually(lambda: daemon.count("time point acquired") == 1, 60)
    assert daemon.end(within_s=20) == 0
    asked = daemon.ask("acquisition", "now")
    assert (asked.returncode, "no daemon runs" in asked.stderr) == (2, True)
    asked = daemon.ask("acquisition", "pause")
    assert asked.stdout == "pause: as soon as the daemon is started\n"
    daemon.start_ready()
    daemon.eventually(lambda: all(each.done for each in journal(daemon)), 20)
    assert daemon.end(within_s=20) == 0
    pause, noted = journal(daemon)
    assert pause.outcome == "paused"
    assert noted.outcome.startswith("scopewatch starts again: it was stopped after ")
