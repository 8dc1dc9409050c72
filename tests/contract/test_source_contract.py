"""The contract of every source, whatever it watches: `core.source.FrameSource`."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from scopewatch.config import (
    FolderSourceConfig,
    MicroManagerSourceConfig,
    NDTiffSourceConfig,
    OmeZarrSourceConfig,
)
from scopewatch.core.errors import FrameError, SourceError
from scopewatch.core.source import FrameSource
from scopewatch.core.tickets import RetryRequest
from scopewatch.sources.base.retry_queue import RETRIES_HELD
from scopewatch.sources.folder.source import FolderSource
from scopewatch.sources.micromanager.source import MicroManagerSource
from scopewatch.sources.ndtiff.source import NDTiffSource
from scopewatch.sources.omezarr.source import OmeZarrSource
from tests.conftest import FakeClock
from tests.unit.sources.fakes import FakeInbox, FakeLedger, asked
from tests.unit.sources.images import RUN, pixels, write
from tests.unit.sources.ndtiffs import Writer
from tests.unit.sources.zarrs import chunk_files, write_times


def write_files(folder: Path, first: int, count: int) -> None:
    for time in range(first, first + count):
        write(folder / f"plate_A1_s0_t{time:04d}_phase.tif", pixels(seed=time))


def write_images(folder: Path, first: int, count: int) -> None:
    # Each call is a separate acquisition; the second one is another run.
    writer = Writer(folder)
    for time in range(first, first + count):
        writer.add(time)
    writer.finish()


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of source: how to make one, and how to write frames for it."""

    make: Callable[[Path, FakeClock], FrameSource]
    produce: Callable[[Path, int, int], None]
    spoil: Callable[[Path], None]


def spoil_all(folder: Path) -> None:
    for path in folder.rglob("*.tif"):
        path.write_bytes(b"spoilt")


def spoil_chunks(folder: Path) -> None:
    for path in chunk_files(folder):
        path.write_bytes(b"spoilt")


KINDS = {
    "folder": Kind(
        make=lambda path, clock: FolderSource(
            FolderSourceConfig(kind="folder", name="it", path=path, settle_s=0), RUN, clock
        ),
        produce=write_files,
        spoil=spoil_all,
    ),
    "folder polling": Kind(
        make=lambda path, clock: FolderSource(
            FolderSourceConfig(kind="folder", name="it", path=path, settle_s=0, observer="polling"),
            RUN,
            clock,
        ),
        produce=write_files,
        spoil=spoil_all,
    ),
    "ndtiff": Kind(
        make=lambda path, clock: NDTiffSource(
            NDTiffSourceConfig(kind="ndtiff", name="it", path=path), RUN, clock
        ),
        produce=write_images,
        spoil=spoil_all,
    ),
    "ome-zarr": Kind(
        make=lambda path, clock: OmeZarrSource(
            OmeZarrSourceConfig(kind="ome-zarr", name="it", path=path), RUN, clock
        ),
        produce=write_times,
        spoil=spoil_chunks,
    ),
    "micromanager following": Kind(
        make=lambda path, clock: MicroManagerSource(
            MicroManagerSourceConfig(kind="micromanager", name="it", mode="follow", path=path),
            RUN,
            clock,
        ),
        produce=write_images,
        spoil=spoil_all,
    ),
}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
class TestSource:
    """One test for each sentence of the contract."""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        folder = tmp_path / "watched"
        folder.mkdir()
        return folder

    @pytest.fixture
    def inbox(self) -> FakeInbox:
        return FakeInbox()

    @pytest.fixture
    def ledger(self) -> FakeLedger:
        return FakeLedger()

    @pytest.fixture
    def source(self, kind: Kind, folder: Path, clock: FakeClock) -> Iterator[FrameSource]:
        source = kind.make(folder, clock)
        yield source
        source.stop()

    def test_it_has_the_name_from_the_configuration(self, source: FrameSource) -> None:
        assert source.name == source.health().name == "it"

    def test_it_offers_what_is_there_at_the_start(
        self,
        kind: Kind,
        source: FrameSource,
        folder: Path,
        inbox: FakeInbox,
        ledger: FakeLedger,
        clock: FakeClock,
    ) -> None:
        kind.produce(folder, 0, 3)
        source.start(inbox, ledger)
        assert inbox.keys == [f"HES7/plate/A1/s0/t{time:04d}/phase" for time in range(3)]
        for ticket in inbox.tickets:
            assert ticket.source == "it"
            assert ticket.seen_at == clock.now()
            assert ticket.fingerprint

    def test_what_it_offers_loads_read_only_and_to_the_last_bit(
        self, kind: Kind, source: FrameSource, folder: Path, inbox: FakeInbox, ledger: FakeLedger
    ) -> None:
        kind.produce(folder, 0, 2)
        source.start(inbox, ledger)
        for time, ticket in enumerate(inbox.tickets):
            frame = source.load(ticket)
            assert frame.key == ticket.key
            assert np.array_equal(frame.pixels, pixels(seed=time))
            assert not frame.pixels.flags.writeable

    def test_a_scan_finds_what_came_later_and_offers_nothing_twice(
        self,
        kind: Kind,
        source: FrameSource,
        folder: Path,
        inbox: FakeInbox,
        ledger: FakeLedger,
        clock: FakeClock,
    ) -> None:
        source.start(inbox, ledger)
        assert inbox.tickets == []
        kind.produce(folder, 0, 2)
        for _ in range(5):
            clock.advance(1)
            source.scan()
        assert len(inbox.tickets) == 2
        assert (source.health().found, source.health().waiting) == (2, 0)

    def test_what_is_settled_is_not_offered_to_the_next_process(
        self,
        kind: Kind,
        source: FrameSource,
        folder: Path,
        inbox: FakeInbox,
        ledger: FakeLedger,
        clock: FakeClock,
    ) -> None:
        kind.produce(folder, 0, 3)
        source.start(inbox, ledger)
        ledger.settle(*inbox.tickets[:2])
        source.stop()
        reborn, second = kind.make(folder, clock), FakeInbox()
        reborn.start(second, ledger)
        reborn.stop()
        assert second.tickets == inbox.tickets[2:]

    def test_what_a_full_inbox_turns_down_is_offered_again(
        self,
        kind: Kind,
        source: FrameSource,
        folder: Path,
        inbox: FakeInbox,
        ledger: FakeLedger,
        clock: FakeClock,
    ) -> None:
        kind.produce(folder, 0, 4)
        inbox.room = 1
        source.start(inbox, ledger)
        assert (len(inbox.tickets), source.health().waiting) == (1, 3)
        inbox.room = 10
        clock.advance(1)
        source.scan()
        assert [ticket.key.time_point for ticket in inbox.tickets] == [0, 1, 2, 3]

    def test_a_scan_never_raises_when_inbox_or_ledger_fail(
        self,
        kind: Kind,
        source: FrameSource,
        folder: Path,
        inbox: FakeInbox,
        ledger: FakeLedger,
        clock: FakeClock,
    ) -> None:
        source.start(inbox, ledger)
        kind.produce(folder, 0, 1)
        inbox.broken = True
        source.scan()
        assert source.health().alive
        inbox.broken, ledger.broken = False, True
        clock.advance(1)
        source.scan()
        assert source.health().alive
        ledger.broken = False
        clock.advance(1)
        source.scan()
        assert len(inbox.tickets) == 1

    def test_a_frame_that_was_spoilt_meanwhile_is_refused_with_one_line(
        self, kind: Kind, source: FrameSource, folder: Path, inbox: FakeInbox, ledger: FakeLedger
    ) -> None:
        kind.produce(folder, 0, 1)
        source.start(inbox, ledger)
        kind.spoil(folder)
        with pytest.raises(FrameError) as caught:
            source.load(inbox.tickets[0])
        assert "\n" not in str(caught.value)
        assert "; " in str(caught.value)

    def test_a_frame_that_a_person_wants_tried_again_is_offered_once_more(
        self,
        kind: Kind,
        source: FrameSource,
        folder: Path,
        inbox: FakeInbox,
        ledger: FakeLedger,
        clock: FakeClock,
    ) -> None:
        kind.produce(folder, 0, 3)
        source.start(inbox, ledger)
        ledger.settle(*inbox.tickets)
        wanted = inbox.tickets[1]
        ledger.done.discard((wanted.source, wanted.locator, wanted.fingerprint))
        inbox.tickets.clear()
        for _ in range(3):
            clock.advance(700)
            source.scan()
        settled_long_ago = [ticket.locator for ticket in inbox.tickets]
        inbox.tickets.clear()
        assert source.retry([asked(wanted)]) == 1
        for _ in range(3):
            clock.advance(1)
            source.scan()
        assert [ticket.key for ticket in inbox.tickets] == [wanted.key]
        assert source.load(inbox.tickets[0]).key == wanted.key
        assert set(settled_long_ago) <= {wanted.locator}

    def test_a_frame_to_be_tried_again_that_is_gone_is_offered_and_says_so_when_it_is_read(
        self,
        kind: Kind,
        source: FrameSource,
        folder: Path,
        inbox: FakeInbox,
        ledger: FakeLedger,
        clock: FakeClock,
    ) -> None:
        kind.produce(folder, 0, 1)
        source.start(inbox, ledger)
        (wanted,) = inbox.tickets
        inbox.tickets.clear()
        for path in sorted(folder.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        assert source.retry([asked(wanted)]) == 1
        clock.advance(1)
        source.scan()
        assert inbox.tickets == [wanted]
        with pytest.raises(FrameError, match=r"[Nn]o such file|gone|cannot be read"):
            source.load(wanted)

    def test_what_was_refused_and_is_gone_is_refused_as_gone(
        self,
        kind: Kind,
        source: FrameSource,
        inbox: FakeInbox,
        ledger: FakeLedger,
        clock: FakeClock,
    ) -> None:
        source.start(inbox, ledger)
        refused = RetryRequest(
            number=1,
            source="it",
            locator="odd.tif",
            fingerprint="1:2",
            seen_at=clock.now(),
            asked_by="mei",
            ticket=None,
        )
        clock.advance(1)
        inbox.room = 0
        assert source.retry([refused]) == 1
        source.scan()
        assert inbox.refusals == []
        inbox.room = 10
        for _ in range(2):
            clock.advance(1)
            source.scan()
        (refusal,) = inbox.refusals
        assert (refusal.locator, refusal.fingerprint, refusal.seen_at) == (
            "odd.tif",
            "1:2",
            refused.seen_at,
        )
        assert "frame or file to be tried again is gone" in refusal.reason

    def test_it_holds_a_bounded_number_of_retry_requests(
        self, kind: Kind, source: FrameSource, clock: FakeClock
    ) -> None:
        request = RetryRequest(
            number=1,
            source="it",
            locator="odd.tif",
            fingerprint="1",
            seen_at=clock.now(),
            asked_by="mei",
            ticket=None,
        )
        assert source.retry([request] * (RETRIES_HELD + 5)) == RETRIES_HELD
        assert source.retry([request]) == 0

    def test_there_must_be_something_to_watch(
        self, kind: Kind, source: FrameSource, tmp_path: Path, clock: FakeClock
    ) -> None:
        nowhere = kind.make(tmp_path / "not" / "there", clock)
        with pytest.raises(SourceError) as caught:
            nowhere.start(FakeInbox(), FakeLedger())
        assert str(tmp_path / "not" / "there") in str(caught.value)
        assert not nowhere.health().alive

    def test_it_is_alive_from_start_to_stop_and_can_be_started_again(
        self, kind: Kind, source: FrameSource, folder: Path, inbox: FakeInbox, ledger: FakeLedger
    ) -> None:
        assert not source.health().alive
        source.stop()
        source.start(inbox, ledger)
        assert source.health().alive
        assert "\n" not in source.health().detail
        source.stop()
        source.stop()
        assert not source.health().alive
        kind.produce(folder, 0, 1)
        source.scan()
        assert inbox.tickets == []
        source.start(inbox, ledger)
        assert len(inbox.tickets) == 1
