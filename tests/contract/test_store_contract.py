"""The contracts of a result store and an outbox, the same for every database."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from scopewatch.app.recording.store import Store
from scopewatch.core.errors import StoreError
from scopewatch.core.source import KnownFolder
from scopewatch.core.tickets import FrameTicket, Mark, Refusal
from scopewatch.messages.message import Message
from scopewatch.messages.settled import Settled
from scopewatch.notify.outbox import Outbox
from scopewatch.runtime.pipeline.recording import ResultStore
from scopewatch.store.schema.place import Place, Server
from tests.conftest import FakeClock
from tests.unit.store.scene import START, files_of, frame_of, judged, key, open_store, ticket


def commit(store: ResultStore, offered: FrameTicket, fraction: float) -> Settled:
    frame = frame_of(offered.key)
    result = judged(offered.key, fraction)
    return store.commit(offered, frame, result, files_of(offered.key))


def found(offered: FrameTicket) -> list[Mark]:
    return [Mark(offered.locator, offered.fingerprint)]


class ResultStoreContract(ABC):
    """Tests that every `runtime.pipeline.recording.ResultStore` passes."""

    @pytest.fixture
    @abstractmethod
    def store(self, *_: Any) -> Iterator[ResultStore]:
        """Return an empty store, one site per well."""

    def test_a_new_frame_is_claimed_and_not_yet_settled(self, store: ResultStore) -> None:
        assert store.claim(ticket(key()))
        assert store.settled("folder", found(ticket(key()))) == set()

    def test_a_committed_frame_is_settled_and_not_claimed_again(self, store: ResultStore) -> None:
        offered = ticket(key())
        store.claim(offered)
        settled = commit(store, offered, 0.7)
        assert (settled.key, settled.quarantined, settled.alerts) == (key(), None, ())
        assert store.settled("folder", found(offered)) == {offered.locator}
        assert not store.claim(offered)

    def test_a_quarantined_frame_is_settled_and_not_claimed_again(self, store: ResultStore) -> None:
        offered = ticket(key())
        store.claim(offered)
        assert store.quarantine(offered, "blank", "it is blank").quarantined == "it is blank"
        assert store.settled("folder", found(offered)) == {offered.locator}
        assert not store.claim(offered)

    def test_a_folder_is_known_once_a_frame_of_its_source_is(self, store: ResultStore) -> None:
        share, plain = KnownFolder(mounted=True), KnownFolder(mounted=False)
        assert store.known_folder("folder", "/raw") is None
        store.record_folder("folder", "/raw", plain)
        assert store.known_folder("folder", "/raw") is None, "nothing was there that could be gone"
        store.skip(ticket(key()), "not scored")
        assert store.known_folder("folder", "/raw") == plain
        store.record_folder("folder", "/raw", share)
        assert store.known_folder("folder", "/raw") == share
        assert store.known_folder("folder", "/elsewhere") is None
        assert store.known_folder("other", "/raw") is None

    def test_a_skipped_frame_is_settled(self, store: ResultStore) -> None:
        offered = ticket(key(channel="gfp"))
        store.skip(offered, "not scored: channel gfp")
        assert store.settled("folder", found(offered)) == {offered.locator}

    def test_a_refused_file_is_settled(self, store: ResultStore) -> None:
        refusal = Refusal(
            source="folder", locator="/x", fingerprint="1", reason="no well", seen_at=START
        )
        store.refuse(refusal)
        assert store.settled("folder", [Mark("/x", "1")]) == {"/x"}

    def test_a_frame_that_was_missed_is_settled_and_can_still_come(
        self, store: ResultStore
    ) -> None:
        gap = Refusal(
            source="scope",
            locator="time point 0",
            fingerprint="missed",
            reason="no camera",
            seen_at=START,
            missed=key(),
        )
        store.refuse(gap)
        assert store.settled("scope", [Mark("time point 0", "missed")]) == {"time point 0"}
        assert store.claim(ticket(key()))

    def test_a_changed_frame_is_claimed_again(self, store: ResultStore) -> None:
        store.claim(ticket(key()))
        commit(store, ticket(key()), 0.7)
        assert store.claim(ticket(key(), fingerprint="2"))

    def test_a_frame_is_not_claimed_for_ever(self, store: ResultStore) -> None:
        claims = [store.claim(ticket(key())) for _ in range(50)]
        assert claims[0]
        assert not claims[-1]

    def test_alerts_are_announced_once_whatever_is_repeated(self, store: ResultStore) -> None:
        announced: list[Message] = []
        for time_point in (0, 1, 1, 0, 2, 2):
            offered = ticket(key(time_point=time_point))
            store.claim(offered)
            announced += commit(store, offered, 0.1).alerts
        assert [message.title.startswith("A1: weak now") for message in announced] == [True]

    def test_nothing_asked_is_nothing_settled(self, store: ResultStore) -> None:
        assert store.settled("folder", []) == set()

    def test_a_commit_needs_a_claim(self, store: ResultStore) -> None:
        with pytest.raises(StoreError, match="is not claimed"):
            commit(store, ticket(key()), 0.7)


class OutboxContract(ABC):
    """Tests that every `notify.outbox.Outbox` passes."""

    @pytest.fixture
    @abstractmethod
    def outbox(self, *_: Any) -> Iterator[Outbox]:
        """Return an outbox with two messages for the channel `mail`, none of them tried."""

    def test_messages_come_oldest_first(self, outbox: Outbox, clock: FakeClock) -> None:
        titles = [item.message.title[:2] for item in outbox.due(clock.now(), 10)]
        assert titles == ["A1", "B2"]
        assert len(outbox.due(clock.now(), 1)) == 1

    def test_a_delivered_message_does_not_come_again(
        self, outbox: Outbox, clock: FakeClock
    ) -> None:
        first, second = outbox.due(clock.now(), 10)
        outbox.delivered(first.row, clock.now())
        assert outbox.due(clock.now(), 10) == [second]

    def test_a_postponed_message_comes_again_in_its_place(
        self, outbox: Outbox, clock: FakeClock
    ) -> None:
        first, second = outbox.due(clock.now(), 10)
        outbox.postponed(first.row, clock.now() + timedelta(seconds=30), "refused")
        assert outbox.due(clock.now(), 10) == []
        clock.advance(30)
        again = outbox.due(clock.now(), 10)
        assert [item.row for item in again] == [first.row, second.row]
        assert [item.attempts for item in again] == [1, 0]
        assert again[0].message == first.message

    def test_an_abandoned_message_does_not_block_the_next(
        self, outbox: Outbox, clock: FakeClock
    ) -> None:
        first, second = outbox.due(clock.now(), 10)
        outbox.abandoned(first.row, "no such channel")
        assert outbox.due(clock.now(), 10) == [second]


def opened(place: Place, clock: FakeClock) -> Iterator[Store]:
    """An empty store."""
    with closing(open_store(place, clock)) as store:
        yield store


def with_messages(place: Place, clock: FakeClock) -> Iterator[Store]:
    """A store in which two wells are weak."""
    with closing(open_store(place, clock)) as store:
        for well in ("A1", "B2"):
            for time_point in range(2):
                offered = ticket(key(well, time_point))
                store.claim(offered)
                commit(store, offered, 0.1)
        yield store


class TestSqliteResultStore(ResultStoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path, clock: FakeClock) -> Iterator[ResultStore]:
        yield from opened(tmp_path, clock)


class TestPostgresResultStore(ResultStoreContract):
    @pytest.fixture
    def store(self, server_place: Server, clock: FakeClock) -> Iterator[ResultStore]:
        yield from opened(server_place, clock)


class TestSqliteOutbox(OutboxContract):
    @pytest.fixture
    def outbox(self, tmp_path: Path, clock: FakeClock) -> Iterator[Outbox]:
        yield from with_messages(tmp_path, clock)


class TestPostgresOutbox(OutboxContract):
    @pytest.fixture
    def outbox(self, server_place: Server, clock: FakeClock) -> Iterator[Outbox]:
        yield from with_messages(server_place, clock)
