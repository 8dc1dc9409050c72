"""The process is killed after each statement of a commit that raises an alert."""

import subprocess
import sys
from pathlib import Path

import pytest

from scopewatch.store.schema.place import Place
from tests.conftest import FakeClock
from tests.postgres import OnServer, Places
from tests.unit.store.scene import Scene, key, open_store, read_rows, tables, ticket

ALERTS = "SELECT id FROM alerts"
MESSAGES = "SELECT alert_id FROM outbox"


def prepare(place: Place) -> None:
    """A well that is weak for the first time, and the frame claimed that makes it an alert."""
    scene = Scene(store=open_store(place, FakeClock()), place=place)
    scene.score(key(time_point=0), 0.1)
    assert scene.store.claim(ticket(key(time_point=1)))
    scene.store.close()


def test_an_alert_and_its_message_are_both_there_or_neither_wherever_the_process_is_killed(
    tmp_path: Path, places: Places, request: pytest.FixtureRequest
) -> None:
    prepare(places.of(tmp_path / "prepared"))
    call = [sys.executable, "-m", "tests.integration.killed_commits", str(tmp_path)]
    if isinstance(places, OnServer):
        call.append(str(request.getfixturevalue("postgres").port))
    ended = subprocess.run(call, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    statements = int(ended.stdout)
    assert statements > 15
    for number in range(1, statements + 2):
        if isinstance(places, OnServer):
            places.known(tmp_path / str(number))
    whole = tables(places.of(tmp_path / str(statements + 1)))
    assert (len(whole["alerts"]), len(whole["outbox"])) == (1, 1)
    for statement in range(1, statements + 1):
        place = places.of(tmp_path / str(statement))
        there = (read_rows(place, ALERTS), read_rows(place, MESSAGES))
        assert there == ([], []), f"killed after statement {statement}"
        # The next start offers the frame again.
        scene = Scene(store=open_store(place, FakeClock()), place=place)
        scene.commit(ticket(key(time_point=1)), 0.1)
        scene.commit(ticket(key(time_point=1)), 0.1)
        scene.store.close()
        assert tables(place) == whole, f"killed after statement {statement}"
