"""Each order reaches its source once, and its outcome is recorded, late if need be."""

from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from scopewatch.app.steering import Helm, report_start, standings_of
from scopewatch.core.acquisition.journal import JournalEntry
from scopewatch.core.acquisition.orders import Act, Order, Report
from scopewatch.core.acquisition.standing import AcquisitionStanding
from scopewatch.core.errors import StoreError
from scopewatch.runtime.process.restart_history import RestartHistory
from tests.conftest import FakeClock
from tests.unit.runtime.fakes import FakeSource
from tests.unit.store.scene import open_store

T0 = datetime(2026, 3, 1, 9, tzinfo=UTC)


class SteeredSource(FakeSource):
    """A source that acquires and keeps its orders."""

    acquires = True

    def __init__(self) -> None:
        super().__init__()
        self.story: list[str] = []
        self.done: list[Report] = []

    def order(self, order: Order) -> None:
        self.story.append(f"order {order.number}")

    def reports(self) -> list[Report]:
        reports, self.done = self.done, []
        return reports

    def restore(self, held: JournalEntry | None) -> None:
        self.story.append("free" if held is None else f"held by {held.by}")

    def standing(self) -> AcquisitionStanding | None:
        return AcquisitionStanding(source=self.name, time_points=3, next_time_point=1, next_at=T0)


class FakeJournal:
    """A journal in memory that fails when the test says so."""

    def __init__(self) -> None:
        self.open: list[Order] = []
        self.held: JournalEntry | None = None
        self.written: list[str] = []
        self.away = False
        self.begun: list[int] = []
        self.closed = 0

    def orders(self, source: str) -> list[Order]:
        del source
        return list(self.open)

    def begin_order(self, number: int) -> None:
        self.begun.append(number)

    def close_lost_orders(self, source: str) -> int:
        del source
        self.closed += 1
        return 0

    def held_by(self, source: str) -> JournalEntry | None:
        del source
        return self.held

    def report(self, source: str, run: str, reports: Sequence[Report]) -> None:
        if self.away:
            raise StoreError("database is locked")
        self.written += [f"{source} {run}: {each.outcome}" for each in reports]
        self.open = [each for each in self.open if each.number not in {r.number for r in reports}]


def order(number: int) -> Order:
    return Order(number=number, act=Act.PAUSE, by="anna", at=T0)


def made(number: int | None, outcome: str) -> Report:
    return Report(number=number, act=Act.PAUSE, at=T0, done=True, outcome=outcome)


def test_before_anything_is_acquired_it_is_paused_and_gets_the_waiting_orders() -> None:
    source, journal = SteeredSource(), FakeJournal()
    journal.held = JournalEntry(
        number=1, source="folder", run="HES 7", act=Act.PAUSE, by="anna", at=T0
    )
    journal.open = [order(2)]
    Helm(journal, [source, FakeSource()], "HES 7").restore()
    assert source.story == ["held by anna", "order 2"]
    assert journal.closed == 1


def test_an_order_is_passed_on_once_while_it_waits_for_its_outcome() -> None:
    source, journal = SteeredSource(), FakeJournal()
    helm = Helm(journal, [source], "HES 7")
    journal.open = [order(1)]
    helm.look()
    helm.look()
    journal.open.append(order(2))
    helm.look()
    assert source.story == ["order 1", "order 2"]
    assert journal.begun == [1, 2]
    source.done = [made(1, "paused"), made(2, "refused")]
    helm.look()
    assert journal.written == [f"{source.name} HES 7: paused", f"{source.name} HES 7: refused"]
    assert journal.open == []


def test_what_cannot_be_written_down_is_written_later() -> None:
    source, journal = SteeredSource(), FakeJournal()
    helm = Helm(journal, [source], "HES 7")
    source.done, journal.away = [made(None, "first")], True
    with pytest.raises(StoreError):
        helm.look()
    source.done, journal.away = [made(None, "second")], False
    helm.look()
    assert [line.split(": ")[1] for line in journal.written] == ["first", "second"]


@pytest.mark.parametrize(("stopped", "how"), [(True, "stopped"), (False, "killed, or lost its")])
def test_a_start_is_written_down_with_how_the_daemon_before_it_ended(
    tmp_path: Path, stopped: bool, how: str
) -> None:
    with closing(open_store(tmp_path, FakeClock())) as store:
        assert report_start(store, T0) is None, "the first start"
        history = RestartHistory(store)
        history.show(T0)
        if stopped:
            history.end(T0 + timedelta(minutes=1))
        started = report_start(store, T0 + timedelta(hours=14))
    source, journal = SteeredSource(), FakeJournal()
    helm = Helm(journal, [source], "HES 7")
    source.done = [made(None, "first")]
    helm.restore(started)
    assert journal.written == ["folder HES 7: first"], "a start writes nothing of itself"
    helm.look()
    assert journal.written[1].startswith(f"folder HES 7: scopewatch starts again: it was {how}")
    assert journal.written[1].endswith(" after 2026-03-01 09:00 UTC")


def test_only_sources_that_acquire_are_steered() -> None:
    follows = SteeredSource()
    follows.acquires = False
    helm = Helm(FakeJournal(), [follows, FakeSource()], "HES 7")
    helm.restore()
    assert follows.story == []
    assert standings_of([follows, FakeSource()]) == []
    assert [each.source for each in standings_of([SteeredSource()])] == ["folder"]


def test_the_last_reports_are_written_as_the_daemon_ends(caplog: pytest.LogCaptureFixture) -> None:
    source, journal = SteeredSource(), FakeJournal()
    helm = Helm(journal, [source], "HES 7")
    source.done, journal.away = [made(None, "last")], True
    helm.end()
    assert "journal of the time-lapse lacks its end" in caplog.text
    assert journal.written == []
    journal.away = False
    helm.end()
    assert journal.written == ["folder HES 7: last"]
