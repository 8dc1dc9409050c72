"""The digest is gathered from the database and queued once a day."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from scopewatch.app.digest import DigestDesk
from scopewatch.core.alert import AlertRule
from scopewatch.core.message import Style
from scopewatch.core.route import Route
from scopewatch.store.database import Store
from scopewatch.store.queries import Reader
from tests.conftest import FakeClock
from tests.unit.store.scene import Scene, key, open_store, read_rows

ROUTES = {
    "mail": Route(),
    "phone": Route(digest=False),
    "other lab": Route(experiments=("run 9",)),
}


class Office:
    """A database with a weak and a strong well, and desks over it."""

    def __init__(self, folder: Path, clock: FakeClock) -> None:
        self.folder, self.clock = folder, clock
        self.store: Store = open_store(folder, clock, channels={})
        scene = Scene(
            store=self.store,
            folder=folder,
            rules=(AlertRule(name="weak", target=0.5, consecutive=2),),
        )
        for time_point in range(3):
            scene.score(key("A1", time_point), 0.1)
            scene.score(key("A2", time_point), 0.7)
        self.reader = Reader.open(folder)

    def desk(self, *, hour: int = 8, zone: str | None = "UTC") -> DigestDesk:
        return DigestDesk(
            self.reader,
            announce=self.store.announce,
            complaints=lambda: ("share is away",),
            routes=ROUTES,
            style=Style(final_day=10),
            clock=self.clock,
            hour=hour,
            zone=zone,
            interval_h=12,
            target=0.5,
        )

    def queued(self) -> list[tuple[str, str]]:
        rows = read_rows(self.folder, "SELECT channel, message FROM outbox ORDER BY id")
        return [(channel, json.loads(message)["title"]) for channel, message in rows]


@pytest.fixture
def office(tmp_path: Path, clock: FakeClock) -> Iterator[Office]:
    office = Office(tmp_path, clock)
    yield office
    office.reader.close()
    office.store.close()


def test_the_digest_goes_once_a_day_to_those_who_want_it(office: Office) -> None:
    desk = office.desk()
    assert desk.post() == 1
    assert desk.post() == 0
    assert office.queued() == [("mail", "run 7, 2026-03-01: wells that need a look: 1")]
    office.clock.advance(24 * 3600)
    assert desk.post() == 1
    assert len(office.queued()) == 2


def test_a_restart_sends_none_twice(office: Office) -> None:
    assert office.desk().post() == 1
    office.store.close()
    office.store = open_store(office.folder, office.clock, channels={})
    assert office.desk().post() == 0
    assert len(office.queued()) == 1


@pytest.mark.parametrize(("zone", "due"), [("UTC", False), ("Asia/Tokyo", True)])
def test_it_waits_for_its_hour_of_the_local_day(office: Office, zone: str, due: bool) -> None:
    # The clock stands at 9:00 UTC, which is 18:00 in Tokyo.
    assert office.desk(hour=10, zone=zone).post() == int(due)


def test_it_says_what_is_known_of_wells_and_monitor(office: Office) -> None:
    office.desk().post()
    ((message,),) = read_rows(office.folder, "SELECT message FROM outbox")
    packed = json.loads(message)
    assert "Frames: 6 scored, 0 in quarantine" in packed["body"]
    assert "p1 / A1: weak now (warning); now" in packed["body"]
    assert "scopewatch is not well: share is away" in packed["body"]
    ((figure,),) = [packed["figures"]]
    assert [well["well"] for well in figure["wells"]] == ["A1", "A2"]
    assert [well.get("flagged", False) for well in figure["wells"]] == [True, False]


def test_a_run_that_is_over_has_no_digest(office: Office) -> None:
    office.clock.advance(5 * 24 * 3600)
    assert office.desk().post() == 0
    assert office.queued() == []
