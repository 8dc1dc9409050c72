"""The result database: its connections, and what takes one statement or two.

Each public method is one transaction. Writers take turns within the process by a lock and between
processes by the database's own, so that none fails for the sake of another.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import Engine

from scopewatch.core.acquisition.journal import JournalEntry
from scopewatch.core.acquisition.orders import Act, Order, Report, Target
from scopewatch.core.clock import Clock
from scopewatch.core.tickets import RetryRequest
from scopewatch.store.read.liveness import LastFrame, LivenessRecord, last_frame, read_liveness
from scopewatch.store.read.records.quarantine import RetryAnswer, RetrySelection
from scopewatch.store.unit_of_work import UnitOfWork, unit_of_work
from scopewatch.store.write import journal, retries
from scopewatch.store.write.ledger import number_acquisition
from scopewatch.store.write.liveness import write_liveness
from scopewatch.store.write.turns import Turns


class Database:
    """The result database; safe to share by threads.

    Parameters
    ----------
    writer, reader
        Engines of the same database; `reader` may be limited to reading.
    """

    def __init__(self, writer: Engine, reader: Engine, *, clock: Clock) -> None:
        self._writer = writer
        self._reader = reader
        self._clock = clock
        self._turns = Turns()

    def close(self) -> None:
        """Close every connection; idempotent."""
        self._reader.dispose()
        self._writer.dispose()

    @contextmanager
    def write_unit(self) -> Iterator[UnitOfWork]:
        """One transaction that writes. Writers take turns; none fails for the sake of another."""
        with self._turns, unit_of_work(self._writer) as work:
            yield work

    @contextmanager
    def read_unit(self) -> Iterator[UnitOfWork]:
        """One transaction that reads: it waits for no writer."""
        with unit_of_work(self._reader) as work:
            yield work

    def last_frame(self) -> LastFrame:
        """Return when the newest frame was settled, whatever became of it, and its day."""
        with self.read_unit() as work:
            return last_frame(work.session)

    def record_liveness(self, name: str, at: datetime, detail: str = "") -> None:
        """Record that something of the daemon happened, in place of when it last did."""
        with self.write_unit() as work:
            write_liveness(work.session, name, at, detail)

    def liveness(self) -> dict[str, LivenessRecord]:
        """Return when each thing recorded by `record_liveness` last happened."""
        with self.read_unit() as work:
            return read_liveness(work.session)

    def acquisition(self, source: str, label: str, identity: str) -> int:
        """Return the number, from 1, of an acquisition among those at the same place."""
        with self.write_unit() as work:
            return number_acquisition(work.session, source, label, identity, self._clock.now())

    def acknowledge(self, alert: int, now: datetime) -> None:
        """Record that somebody has seen an alert; the first time counts."""
        with self.write_unit() as work:
            work.alerts.acknowledge(alert, now)

    def snooze(self, alert: int, until: datetime) -> None:
        """Send nothing of this alert's rule for its subject until then; it is still recorded."""
        with self.write_unit() as work:
            work.alerts.snooze(alert, until, self._clock.now())

    def take_back(self, alert: int) -> None:
        """Forget the answer to an alert, as if nobody had seen it."""
        with self.write_unit() as work:
            work.alerts.take_back(alert)

    def delivered(self, row: int, now: datetime) -> None:
        """Mark a message as taken."""
        with self.write_unit() as work:
            work.outbox.delivered(row, now)

    def postponed(self, row: int, until: datetime, why: str) -> None:
        """Count a failed attempt and try again later."""
        with self.write_unit() as work:
            work.outbox.postponed(row, until, why)

    def abandoned(self, row: int, why: str) -> None:
        """Give a message up for good: its channel refused it permanently."""
        with self.write_unit() as work:
            work.outbox.abandoned(row, self._clock.now(), why)

    def ask_again(
        self, wanted: RetrySelection, sources: Collection[str], asked_by: str
    ) -> RetryAnswer:
        """Have what is selected in quarantine tried again, as far as its source is configured."""
        with self.write_unit() as work:
            return retries.ask_again(work.session, wanted, sources, asked_by, self._clock.now())

    def has_retry_requests(self) -> bool:
        """Return whether anything was asked for."""
        with self.read_unit() as work:
            return retries.has_retry_requests(work.session)

    def retry_requests(self, source: str, after: int, at_most: int) -> list[RetryRequest]:
        """Return what of a source was asked for and has no outcome yet, by number, after one."""
        with self.read_unit() as work:
            return retries.retry_requests(work.session, source, after, at_most)

    def close_retry_requests(self) -> int:
        """Forget what has its outcome; return how many."""
        with self.read_unit() as work:
            # Mostly nothing was asked for, and nobody waits for a writer then.
            if not retries.with_outcome(work.session):
                return 0
        with self.write_unit() as work:
            return retries.close_retry_requests(work.session)

    def order(
        self,
        source: str,
        run: str,
        act: Act,
        by: str,
        target: Target | None = None,
        reason: str = "",
    ) -> int:
        """Write down what somebody wants of a time-lapse; return its number."""
        now = self._clock.now()
        with self.write_unit() as work:
            return journal.write_order(work.session, source, run, act, by, now, target, reason)

    def orders(self, source: str) -> list[Order]:
        """Return what was asked of a source and has no outcome yet, oldest first."""
        with self.read_unit() as work:
            return journal.open_orders(work.session, source)

    def held_by(self, source: str) -> JournalEntry | None:
        """Return what holds the time-lapse of a source; None where it goes on."""
        with self.read_unit() as work:
            return journal.held_by(work.session, source)

    def begin_order(self, number: int) -> None:
        """Note that an order is handed to its source: it is not to be carried out twice."""
        with self.write_unit() as work:
            journal.begin_order(work.session, number)

    def close_lost_orders(self, source: str) -> int:
        """Close orders that an earlier daemon began, and never reported; return how many."""
        with self.write_unit() as work:
            return journal.close_lost_orders(work.session, source, self._clock.now())

    def report(self, source: str, run: str, reports: Sequence[Report]) -> None:
        """Write down what came of orders, and what a time-lapse did otherwise."""
        with self.write_unit() as work:
            journal.write_reports(work.session, source, run, reports)
