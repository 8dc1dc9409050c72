"""The digest is built from the database and queued once a day."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from scopewatch.app.messaging.digest import DailyDigest
from scopewatch.app.recording.store import Store
from scopewatch.app.run_policy import policy_of
from scopewatch.app.run_states import RunStates
from scopewatch.config import RunConfig
from scopewatch.core.alerts.routing import Route
from scopewatch.core.alerts.rules import AlertRule
from scopewatch.core.tickets import Refusal
from scopewatch.messages.message import Style
from scopewatch.monitoring.expectation import Standard
from scopewatch.store.read.reader import Reader
from tests.conftest import FakeClock
from tests.unit.store.scene import Scene, key, open_store, read_rows

RUN = RunConfig(name="run 7")
ROUTES = {
    "mail": Route(),
    "phone": Route(digest=False),
    "other lab": Route(runs=("run 9",)),
}

# A target applies from day 8 on; on day 1 there is no estimate against it.
STANDARD = Standard(rules=(AlertRule(name="weak", target=0.5, from_day=8),), final_day=10)


class Office:
    """A database with a weak and a strong well, and its readers."""

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

    def digest(self, *, hour: int = 8, zone: str | None = "UTC") -> DailyDigest:
        return DailyDigest(
            self.reader,
            announce=self.store.announce,
            complaints=lambda: ("share is away",),
            routes=ROUTES,
            style=Style(final_day=10),
            clock=self.clock,
            hour=hour,
            zone=zone,
            states=RunStates(self.reader, RUN, clock=self.clock),
            policy=policy_of(RUN),
            standard=STANDARD,
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


def test_the_digest_is_sent_once_a_day_to_its_channels(office: Office) -> None:
    written = office.digest()
    assert written.post() == 1
    assert written.post() == 0
    assert office.queued() == [("mail", "run 7, 2026-03-01: wells that need a look: 1")]
    office.clock.advance(24 * 3600)
    assert written.post() == 1
    assert len(office.queued()) == 2


def test_a_restart_sends_none_twice(office: Office) -> None:
    assert office.digest().post() == 1
    office.store.close()
    office.store = open_store(office.folder, office.clock, channels={})
    assert office.digest().post() == 0
    assert len(office.queued()) == 1


@pytest.mark.parametrize(("zone", "due"), [("UTC", False), ("Asia/Tokyo", True)])
def test_it_waits_for_its_hour_of_the_local_day(office: Office, zone: str, due: bool) -> None:
    # The clock shows 9:00 UTC, which is 18:00 in Tokyo.
    assert office.digest(hour=10, zone=zone).post() == int(due)


def test_it_says_what_is_known_of_wells_and_monitor(office: Office) -> None:
    office.digest().post()
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
    assert office.digest().post() == 0
    assert office.queued() == []


def test_it_says_what_state_the_run_is_in_and_what_to_do(office: Office) -> None:
    office.digest().post()
    ((message,),) = read_rows(office.folder, "SELECT message FROM outbox")
    assert "State: All wells (2) were judged within the last 1 min." in json.loads(message)["body"]
    office.clock.advance(24 * 3600)
    office.digest().post()
    *_, (message,) = read_rows(office.folder, "SELECT message FROM outbox ORDER BY id")
    packed = json.loads(message)
    assert packed["title"] == "run 7, 2026-03-02: No frame for 24 h: is the acquisition running?"
    assert "whether the disk or the network share is there" in packed["body"]
    assert "Wells without new frames: 2" in packed["body"]


def test_a_run_of_which_every_file_is_refused_has_a_digest_as_well(
    tmp_path: Path, clock: FakeClock
) -> None:
    store = open_store(tmp_path, clock, channels={})
    refusal = Refusal(
        source="in", locator="/x.tif", fingerprint="", reason="no well", seen_at=clock.now()
    )
    store.refuse(refusal)
    reader = Reader.open(tmp_path)
    written = DailyDigest(
        reader,
        announce=store.announce,
        complaints=tuple,
        routes=ROUTES,
        style=Style(final_day=10),
        clock=clock,
        hour=8,
        zone="UTC",
        states=RunStates(reader, RUN, clock=clock),
        policy=policy_of(RUN),
        standard=Standard(final_day=10),
    )
    assert written.post() == 1
    ((message,),) = read_rows(tmp_path, "SELECT message FROM outbox")
    assert "No file became a frame (1 refused): nothing is scored." in json.loads(message)["title"]
    reader.close()
    store.close()


def test_wells_without_an_estimate_yet_have_no_colour_in_the_picture(
    office: Office,
) -> None:
    assert office.digest().post() == 1
    rows = read_rows(office.folder, "SELECT message FROM outbox")
    ((figure,),) = ([*json.loads(message)["figures"]] for (message,) in rows)
    assert [(well["well"], well["neutral"]) for well in figure["wells"]] == [
        ("A1", True),
        ("A2", True),
    ]


def test_a_finished_run_has_no_wells_without_new_frames(office: Office) -> None:
    scene = Scene(store=office.store, folder=office.folder, rules=())
    for well in ("A1", "A2"):
        scene.score(key(well, 20), 0.7)
    office.clock.advance(2 * 24 * 3600)
    office.digest().post()
    ((message,),) = read_rows(office.folder, "SELECT message FROM outbox")
    body = json.loads(message)["body"]
    assert "State: The run is finished: day 10.0, 2 of 2 wells judged." in body
    assert "Wells without new frames" not in body
