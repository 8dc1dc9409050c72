"""The part of the result database that monitor, delivery and dashboard write to."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from scopewatch.core.acquisition import Act, JournalEntry, Order, Report
from scopewatch.core.alerts.state_machine import AlertRule, Observation
from scopewatch.core.clock import Clock
from scopewatch.core.imaging.frame import RetryRequest
from scopewatch.messages.alert_message import Message, OutboxItem
from scopewatch.store.read.records import RetryAnswer, RetrySelection
from scopewatch.store.schema.engine import transaction
from scopewatch.store.write import journal, retries
from scopewatch.store.write.frame_recorder import Settling
from scopewatch.store.write.liveness import (
    LastFrame,
    LivenessRecord,
    last_frame,
    read_liveness,
    write_liveness,
)
from scopewatch.store.write.outbox import (
    due_items,
    mark_abandoned,
    mark_delivered,
    mark_postponed,
    queue_once,
)
from scopewatch.store.write.rules.alerting import due_plates, let_time_pass, step_monitor, still_due
from scopewatch.store.write.rules.announcing import (
    acknowledge_alert,
    snooze_alert,
    take_back_answer,
)
from scopewatch.store.write.rules.outlooks import due_wells
from scopewatch.store.write.rules.rule_states import open_plates
from scopewatch.store.write.rules.stepping import Alarm
from scopewatch.store.write.turns import Turns


class AlertStore:
    """Implements `notify.outbox.Outbox` and `Wishes`; safe to share by threads.

    Each method is one transaction; `let_time_pass` is a few short ones.
    """

    def __init__(self, writer: Engine, reader: Engine, *, settling: Settling, clock: Clock) -> None:
        self._writer = writer
        self._reader = reader
        self._settling = settling
        self._clock = clock
        self._turns = Turns()
        self._behind = False

    def close(self) -> None:
        """Close every connection; idempotent."""
        self._reader.dispose()
        self._writer.dispose()

    def let_time_pass(self, clock_right_for: timedelta | None = None) -> tuple[Message, ...]:
        """Tell what the clock alone changes of wells and plates; return the messages.

        Time points that could be stepped by now are stepped before, for as long as one transaction
        may take: see `behind`.

        Parameters
        ----------
        clock_right_for
            Since when the clock was not set; None where it never was.
        """
        now, alarm = self._clock.now(), self._settling.alarm
        patient = clock_right_for is not None and clock_right_for < alarm.patience
        with transaction(self._reader) as session:
            plates = due_plates(session, alarm, now, patient=patient)
            due = bool(plates or due_wells(session))
        messages: tuple[Message, ...] = ()
        self._behind = False
        # Nobody is to wait for a transaction that changes nothing.
        if due:
            with self._writing() as session:
                # A frame may have come while this waited for its turn: that plate is not quiet.
                now = self._clock.now()
                plates = still_due(session, plates, alarm, now)
                told = self._settling.catch_up(session, plates, alarm, now)
            messages, self._behind = told.messages, told.more
        return messages if self._behind else (*messages, *self._tick(alarm, now))

    @property
    def behind(self) -> bool:
        """Whether `let_time_pass` has left something to do for its next call."""
        return self._behind

    def watch(self, observed: Sequence[tuple[AlertRule, Observation]]) -> tuple[Message, ...]:
        """Step rules of the monitor itself over what was seen; return the messages."""
        now, settling = self._clock.now(), self._settling
        with self._writing() as session:
            return step_monitor(session, settling.policy.run, observed, settling.composer, now)

    def last_frame(self) -> LastFrame:
        """Say when the newest frame was settled, whatever became of it, and the day it showed."""
        with transaction(self._reader) as session:
            return last_frame(session)

    def record_liveness(self, name: str, at: datetime, detail: str = "") -> None:
        """Record that something of the daemon happened, in place of when it last did."""
        with self._writing() as session:
            write_liveness(session, name, at, detail)

    def liveness(self) -> dict[str, LivenessRecord]:
        """Return when each thing recorded by `sign` last happened."""
        with transaction(self._reader) as session:
            return read_liveness(session)

    def acknowledge(self, alert: int, now: datetime) -> None:
        """Record that somebody has seen an alert; the first time counts."""
        with self._writing() as session:
            acknowledge_alert(session, alert, now)

    def snooze(self, alert: int, until: datetime) -> None:
        """Send nothing of this alert's rule for its subject until then; it is still recorded."""
        with self._writing() as session:
            snooze_alert(session, alert, until, self._clock.now())

    def take_back(self, alert: int) -> None:
        """Forget the answer to an alert: it stands as if nobody had seen it."""
        with self._writing() as session:
            take_back_answer(session, alert)

    def announce(self, message: Message, channels: Iterable[str]) -> int:
        """Queue a message that belongs to no alert, once per channel, whatever comes of it.

        Returns
        -------
        To how many channels it goes now; those that ever had it are left out.
        """
        now = self._clock.now()
        with self._writing() as session:
            return sum(queue_once(session, channel, message, now=now) for channel in channels)

    def due(
        self, now: datetime, limit: int, *, longest: timedelta | None = None
    ) -> list[OutboxItem]:
        """Return the messages to try now, oldest first and in order within each channel.

        Parameters
        ----------
        longest
            No message is put off for longer: one that is has been before the clock was set back,
            and is due.
        """
        with transaction(self._reader) as session:
            return due_items(session, now, limit, longest)

    def delivered(self, row: int, now: datetime) -> None:
        """Mark a message as taken."""
        with self._writing() as session:
            mark_delivered(session, row, now)

    def postponed(self, row: int, until: datetime, why: str) -> None:
        """Count a failed attempt and try again later."""
        with self._writing() as session:
            mark_postponed(session, row, until, why)

    def abandoned(self, row: int, why: str) -> None:
        """Give a message up for good: its channel refused it permanently."""
        with self._writing() as session:
            mark_abandoned(session, row, self._clock.now(), why)

    def ask_again(
        self, wanted: RetrySelection, sources: Collection[str], asked_by: str
    ) -> RetryAnswer:
        """Have what is selected in quarantine tried again, as far as its source is configured."""
        with self._writing() as session:
            return retries.ask_again(session, wanted, sources, asked_by, self._clock.now())

    def retry_requests(self, source: str, after: int, at_most: int) -> list[RetryRequest]:
        """Return what of a source was asked for and has no outcome yet, by number, after one."""
        with transaction(self._reader) as session:
            return retries.retry_requests(session, source, after, at_most)

    def close_retry_requests(self) -> int:
        """Forget what has its outcome; return how many."""
        with transaction(self._reader) as session:
            # Mostly nothing was asked for, and nobody waits for a writer then.
            if not retries.with_outcome(session):
                return 0
        with self._writing() as session:
            return retries.close_retry_requests(session)

    def order(self, source: str, run: str, act: Act, by: str) -> int:
        """Write down what somebody wants of a time-lapse; return its number."""
        with self._writing() as session:
            return journal.write_order(session, source, run, act, by, self._clock.now())

    def orders(self, source: str) -> list[Order]:
        """Return what was asked of a source and has no outcome yet, oldest first."""
        with transaction(self._reader) as session:
            return journal.open_orders(session, source)

    def begin_order(self, number: int) -> None:
        """Note that an order is handed to its source: it is not to be carried out twice."""
        with self._writing() as session:
            journal.begin_order(session, number)

    def close_lost_orders(self, source: str) -> int:
        """Close orders that an earlier daemon began, and never reported; return how many."""
        with self._writing() as session:
            return journal.close_lost_orders(session, source, self._clock.now())

    def held_by(self, source: str) -> JournalEntry | None:
        """Return what holds the time-lapse of a source; None where it goes on."""
        with transaction(self._reader) as session:
            return journal.held_by(session, source)

    def report(self, source: str, run: str, reports: Sequence[Report]) -> None:
        """Write down what came of orders, and what a time-lapse did otherwise."""
        with self._writing() as session:
            journal.write_reports(session, source, run, reports)

    def _tick(self, alarm: Alarm, now: datetime) -> list[Message]:
        """Let time pass for the plates of which something may change by it."""
        messages: list[Message] = []
        with transaction(self._reader) as session:
            plates = open_plates(session, alarm.names)
        while plates:
            with self._writing() as session:
                budget = self._settling.budget()
                while plates:
                    messages += let_time_pass(session, *plates.pop(0), alarm, now)
                    if budget.spent:
                        break
        return messages

    @contextmanager
    def _writing(self) -> Iterator[Session]:
        with self._turns, transaction(self._writer) as session:
            yield session
