from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from scopewatch.core.alerts.rules import Severity
from scopewatch.messages.message import OutboxItem
from scopewatch.store.read.reader import Reader
from tests.conftest import FakeClock
from tests.postgres import Places
from tests.unit.store.scene import Scene, key, open_store


@pytest.fixture
def queued(tmp_path: Path, clock: FakeClock) -> Scene:
    """Two alerts, of A1 and then of B2, for two channels each."""
    channels = {"mail": Severity.INFO, "chat": Severity.INFO}
    scene = Scene(store=open_store(tmp_path, clock, channels=channels), folder=tmp_path)
    for well in ("A1", "B2"):
        for time_point in range(2):
            scene.score(key(well, time_point), 0.1)
    return scene


def names(items: list[OutboxItem]) -> list[str]:
    return [f"{item.channel} {item.message.title[:2]}" for item in items]


def test_what_is_due_comes_oldest_first_and_no_more_than_asked_for(
    queued: Scene, clock: FakeClock
) -> None:
    assert names(queued.store.due(clock.now(), 3)) == ["mail A1", "chat A1", "mail B2"]
    assert len(queued.store.due(clock.now(), 10)) == 4


def test_a_delivered_message_is_gone(queued: Scene, clock: FakeClock) -> None:
    first = queued.store.due(clock.now(), 1)[0]
    queued.store.delivered(first.row, clock.now())
    assert names(queued.store.due(clock.now(), 10)) == ["chat A1", "mail B2", "chat B2"]


def test_a_postponed_message_holds_up_its_channel_and_no_other(
    queued: Scene, clock: FakeClock
) -> None:
    first = queued.store.due(clock.now(), 1)[0]
    queued.store.postponed(first.row, clock.now() + timedelta(seconds=60), "refused")
    assert names(queued.store.due(clock.now(), 10)) == ["chat A1", "chat B2"]
    clock.advance(60)
    again = queued.store.due(clock.now(), 10)
    assert names(again) == ["mail A1", "chat A1", "mail B2", "chat B2"]
    assert [item.attempts for item in again] == [1, 0, 0, 0]


def test_a_message_put_off_for_longer_than_any_is_due_since_the_clock_was_set_back(
    queued: Scene, clock: FakeClock
) -> None:
    longest = timedelta(minutes=15)
    first, second, *_ = queued.store.due(clock.now(), 9)
    queued.store.postponed(first.row, clock.now() + longest, "refused")
    queued.store.postponed(second.row, clock.now() + timedelta(minutes=1), "refused")
    assert queued.store.due(clock.now(), 9, longest=longest) == []
    # Within the longest delay, which may be right.
    clock.set_by(-60)
    assert names(queued.store.due(clock.now(), 9, longest=longest)) == ["mail A1", "mail B2"]
    clock.set_by(-7200)
    due = queued.store.due(clock.now(), 9, longest=longest)
    assert names(due) == ["mail A1", "chat A1", "mail B2", "chat B2"]


def test_an_abandoned_message_makes_way_for_the_next(queued: Scene, clock: FakeClock) -> None:
    first = queued.store.due(clock.now(), 1)[0]
    queued.store.abandoned(first.row, "no such channel")
    assert names(queued.store.due(clock.now(), 10)) == ["chat A1", "mail B2", "chat B2"]
    assert queued.rows("SELECT attempts, last_error FROM outbox WHERE abandoned_at NOT NULL") == [
        (1, "no such channel")
    ]


def test_the_outbox_survives_the_process(queued: Scene, clock: FakeClock) -> None:
    before = queued.store.due(clock.now(), 10)
    queued.store.close()
    again = open_store(queued.folder, clock)
    assert again.due(clock.now(), 10) == before
    again.close()


def test_channels_are_counted_by_what_became_of_their_messages(
    places: Places, tmp_path: Path, clock: FakeClock
) -> None:
    place = places.of(tmp_path)
    channels = {"mail": Severity.INFO, "chat": Severity.INFO}
    with closing(open_store(place, clock, channels=channels)) as store:
        scene = Scene(store=store, folder=tmp_path)
        for well in ("A1", "B2", "C3"):
            for time_point in range(2):
                scene.score(key(well, time_point), 0.1)
        mails = [item for item in store.due(clock.now(), 10) if item.channel == "mail"]
        store.delivered(mails[0].row, clock.now())
        store.abandoned(mails[1].row, "no such address")
        store.postponed(mails[2].row, clock.now(), "the server is busy")
        with closing(Reader.open(place)) as reader:
            rows = {row.channel: row for row in reader.channels(delivered=True)}
    assert list(rows) == ["chat", "mail"]
    assert (rows["mail"].waiting, rows["mail"].given_up, rows["mail"].delivered) == (1, 1, 1)
    assert rows["mail"].last_error == "the server is busy"
    assert (rows["chat"].waiting, rows["chat"].given_up, rows["chat"].last_error) == (3, 0, None)
