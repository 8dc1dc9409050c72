"""Each order reaches its source once, and its outcome is recorded, late if need be."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from scopewatch.app.steering import Helm, standings_of
from scopewatch.core.acquisition import AcquisitionStanding, Act, JournalEntry, Order, Report
from scopewatch.core.errors import StoreError
from tests.unit.runtime.fakes import FakeSource

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
