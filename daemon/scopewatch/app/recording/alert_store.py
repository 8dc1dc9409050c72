"""Alerts and messages in the store: what time alone changes, and what is due to be sent.

Each method is one transaction or a few. The decisions are those of `app.record_frame` and
`app.recording.time_passing`; here transactions begin and end.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Self, Unpack

from sqlalchemy import Engine

from scopewatch.app.record_frame import FrameRecorder
from scopewatch.app.recording.settings import StoreSettings
from scopewatch.app.recording.time_passing import (
    due_plates,
    let_time_pass,
    step_monitor,
    still_due,
)
from scopewatch.core.alerts.observation import Observation
from scopewatch.core.alerts.rules import AlertRule
from scopewatch.core.clock import Clock
from scopewatch.messages.message import Message, OutboxItem
from scopewatch.messages.stored_message import pack_message, unpack_message
from scopewatch.monitoring.budget import Budget
from scopewatch.store.database import Database
from scopewatch.store.schema.engine import open_reader, open_writer
from scopewatch.store.schema.place import Place


class AlertStore(Database):
    """Implements `notify.outbox.Outbox`; thread-safe.

    Parameters
    ----------
    settings
        See `StoreSettings`.
    """

    def __init__(
        self, writer: Engine, reader: Engine, *, clock: Clock, **settings: Unpack[StoreSettings]
    ) -> None:
        super().__init__(writer, reader, clock=clock)
        rules = tuple(rule for rule in settings.get("rules", ()) if not rule.kind.of_the_monitor)
        own: StoreSettings = {**settings, "rules": rules}
        self._recorder = FrameRecorder(**own, budget=partial(Budget, clock.monotonic))
        self._behind = False

    @classmethod
    def open(
        cls, place: Place, *, alone: bool = False, clock: Clock, **settings: Unpack[StoreSettings]
    ) -> Self:
        """Open the results of a place; make and migrate them where needed.

        Parameters
        ----------
        alone
            True for the daemon, which on a server holds its name until the store is closed.

        Raises
        ------
        StoreError
            Where the place cannot be used, or another daemon of that name is at work.
        """
        writer = open_writer(place, alone=alone)
        try:
            reader = open_reader(place)
        except BaseException:
            writer.dispose()
            raise
        return cls(writer, reader, clock=clock, **settings)

    def let_time_pass(self, clock_right_for: timedelta | None = None) -> tuple[Message, ...]:
        """Announce what the clock alone changes of wells and plates; return the messages.

        Time points that could be stepped by now are stepped before, for as long as one transaction
        may take: see `behind`. What the clock alone changes takes a few short transactions.

        Parameters
        ----------
        clock_right_for
            Since when the clock was not set; None where it never was.
        """
        now, alerting = self._clock.now(), self._recorder.alerting
        patient = clock_right_for is not None and clock_right_for < alerting.patience
        with self.read_unit() as work:
            plates = due_plates(work, alerting, now, patient=patient)
            due = bool(plates or work.plates.outlooks_due())
        messages: tuple[Message, ...] = ()
        self._behind = False
        # Nobody is to wait for a transaction that changes nothing.
        if due:
            with self.write_unit() as work:
                # A frame may have come while this waited for its turn: that plate is not quiet.
                now = self._clock.now()
                plates = still_due(work, plates, alerting, now)
                stepped = self._recorder.catch_up(work, plates, now)
            messages, self._behind = stepped.messages, stepped.more
        return messages if self._behind else (*messages, *self._tick(now))

    @property
    def behind(self) -> bool:
        """Whether `let_time_pass` has left something to do for its next call."""
        return self._behind

    def watch(self, observed: Sequence[tuple[AlertRule, Observation]]) -> tuple[Message, ...]:
        """Step rules of the monitor itself over what was seen; return the messages."""
        now, recorder = self._clock.now(), self._recorder
        with self.write_unit() as work:
            return step_monitor(work, recorder.policy.run, observed, recorder.composer, now)

    def announce(self, message: Message, channels: Iterable[str]) -> int:
        """Queue a message that belongs to no alert, once per channel, whatever comes of it.

        Returns
        -------
        To how many channels it goes now; those that ever had it are left out.
        """
        now, key = self._clock.now(), message.idempotency_key
        content = pack_message(message)
        with self.write_unit() as work:
            return sum(
                work.outbox.queue_once(channel, key, content, now=now) for channel in channels
            )

    def due(
        self, now: datetime, limit: int, *, longest: timedelta | None = None
    ) -> list[OutboxItem]:
        """Return the messages to try now, oldest first and in order within each channel.

        Parameters
        ----------
        longest
            No message is put off for longer: one that is was put off before the clock was set back,
            and is due.
        """
        with self.read_unit() as work:
            queued = work.outbox.due(now, limit, longest)
        return [
            OutboxItem(
                row=each.row,
                channel=each.channel,
                message=unpack_message(each.content, each.key),
                attempts=each.attempts,
            )
            for each in queued
        ]

    def _tick(self, now: datetime) -> list[Message]:
        """Let time pass for the plates of which the clock may change something."""
        alerting = self._recorder.alerting
        messages: list[Message] = []
        with self.read_unit() as work:
            plates = work.plates.open(alerting.names, now - alerting.settles_within)
        while plates:
            with self.write_unit() as work:
                budget = self._recorder.budget()
                while plates:
                    messages += let_time_pass(work, *plates.pop(0), alerting, now)
                    if budget.spent:
                        break
        return messages
