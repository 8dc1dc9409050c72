"""The result database, as the worker and the delivery use it.

Each public method is one transaction. Writers take turns within the process by a lock and
between processes by SQLite's own, so that none fails for the sake of another.
"""

import logging
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Self

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from scopewatch.config import ExperimentConfig
from scopewatch.core.alert import AlertRule, Observation
from scopewatch.core.card import ForecastDay
from scopewatch.core.efficiency import ErrorRates
from scopewatch.core.fluorescence import FluorescenceReading
from scopewatch.core.frame import Frame, FrameKey, FrameTicket, Refusal
from scopewatch.core.message import Message, Style
from scopewatch.core.ports import Clock, OutboxItem, OverlayFiles, Settled
from scopewatch.core.result import FrameResult
from scopewatch.core.route import Route
from scopewatch.store.alerting import Alarm, let_time_pass, step_monitor, step_wells
from scopewatch.store.announcing import Announcing, acknowledge_alert, snooze_alert
from scopewatch.store.days import day_of, note_frame, set_start
from scopewatch.store.engine import open_reader, open_writer, transaction
from scopewatch.store.estimates import drop_result, estimate_well, write_result
from scopewatch.store.ledger import (
    find_frame,
    find_run,
    held_frame,
    number_acquisition,
    record_gap,
    record_refusal,
    settled,
    take_frame,
)
from scopewatch.store.measuring import (
    Measuring,
    drop_reading,
    measure_run,
    phase_shape,
    write_reading,
)
from scopewatch.store.outbox import (
    due_items,
    mark_abandoned,
    mark_delivered,
    mark_postponed,
    queue_once,
)
from scopewatch.store.outlooks import Foresight, look_ahead, look_ahead_again
from scopewatch.store.proposing import review_run
from scopewatch.store.signs import LastFrame, Sign, last_frame, read_signs, write_sign
from scopewatch.store.tables import SETTLED, FrameRow, FrameState

log = logging.getLogger(__name__)

FAILED = "failed"
_NO_CHANNELS: Mapping[str, Route] = MappingProxyType({})
_PLAIN = Style()


class Store:
    """Implements `core.ports.ResultStore` and `core.ports.Outbox`; safe to share by threads.

    Parameters
    ----------
    experiment
        Days, sites per well, the scored channel, and whether all of it is simulated.
    rates
        Error rates of the model's card, None where it has none.
    forecast
        The forecast table of the model's card.
    channels
        Name of each alert channel and what it carries.
    style
        How messages are written; whether they say simulated is the experiment's affair.
    max_attempts
        Claims of a frame after which it is quarantined instead of tried again.
    measuring
        How fluorescence of the final day is measured; None where it is not.
    """

    def __init__(
        self,
        writer: Engine,
        reader: Engine,
        *,
        experiment: ExperimentConfig,
        rates: ErrorRates | None,
        forecast: Sequence[ForecastDay],
        clock: Clock,
        channels: Mapping[str, Route],
        style: Style,
        max_attempts: int,
        measuring: Measuring | None = None,
    ) -> None:
        self._writer = writer
        self._reader = reader
        self._experiment = experiment
        self._rates = rates
        self._clock = clock
        self._foresight = Foresight(
            table=tuple(forecast),
            final_day=experiment.final_day,
            interval_h=experiment.interval_h,
        )
        self._announcing = Announcing(
            routes=dict(channels),
            style=replace(style, simulated=experiment.simulated, final_day=experiment.final_day),
        )
        self._max_attempts = max_attempts
        self._measuring = measuring
        self._turn = threading.Lock()

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        experiment: ExperimentConfig,
        rates: ErrorRates | None,
        clock: Clock,
        forecast: Sequence[ForecastDay] = (),
        channels: Mapping[str, Route] = _NO_CHANNELS,
        style: Style = _PLAIN,
        max_attempts: int = 2,
        measuring: Measuring | None = None,
    ) -> Self:
        """Open `folder`/scopewatch.db; make and migrate it where needed. Raises StoreError."""
        return cls(
            open_writer(folder),
            open_reader(folder),
            experiment=experiment,
            rates=rates,
            forecast=forecast,
            clock=clock,
            channels=channels,
            style=style,
            max_attempts=max_attempts,
            measuring=measuring,
        )

    def close(self) -> None:
        """Close every connection; idempotent."""
        self._reader.dispose()
        self._writer.dispose()

    def settled(self, source: str, found: Sequence[tuple[str, str]]) -> set[str]:
        """Of (locator, fingerprint) pairs, return the locators that need no more work."""
        with transaction(self._reader) as session:
            return settled(session, source, found, self._experiment.channels)

    def acquisition(self, source: str, label: str, identity: str) -> int:
        """Return the number, from 1, of an acquisition among those at the same place."""
        with self._writing() as session:
            return number_acquisition(session, source, label, identity, self._clock.now())

    def claim(self, ticket: FrameTicket, rules: Sequence[AlertRule]) -> bool:
        """Count an attempt at a frame; False when there is nothing left to do for it."""
        now = self._clock.now()
        with self._writing() as session:
            row = take_frame(session, ticket, self._experiment, now)
            if row is None:
                return False
            if row.attempts <= self._max_attempts:
                return True
            reason = f"failed {self._max_attempts} times: it took the daemon down, or never ended"
            self._quarantine(session, row, FAILED, reason, rules, now)
        log.error(
            "frame given up",
            extra={"event": {"key": str(ticket.key), "locator": ticket.locator, "reason": reason}},
        )
        return False

    def day_of(self, key: FrameKey, acquired_at: datetime | None, seen_at: datetime) -> float:
        """Day of the differentiation run (fractional) on which a frame was taken."""
        with transaction(self._reader) as session:
            run = find_run(session, key.experiment)
            first = run.first_frame_at if run is not None else None
        return day_of(key, acquired_at or seen_at, self._experiment, first)

    def commit(
        self,
        ticket: FrameTicket,
        frame: Frame,
        result: FrameResult,
        files: OverlayFiles,
        day: float,
        rules: Sequence[AlertRule],
    ) -> Settled:
        """Record a judged frame, step its well's rules, fill the outbox: one transaction.

        The frame must have been claimed by this ticket. Committing it again changes nothing.
        """
        if not ticket.key == frame.key == result.key:
            raise ValueError(f"{frame.key} and {result.key} do not belong to {ticket.key}")
        now = self._clock.now()
        with self._writing() as session:
            row = held_frame(session, ticket)
            messages: tuple[Message, ...] = ()
            if row.state not in SETTLED:
                run, taken_at = row.well.run, frame.acquired_at or ticket.seen_at
                moved = set_start(session, run, self._experiment)
                moved |= note_frame(session, run, taken_at, self._experiment)
                write_result(session, row, frame, result, files, day)
                row.state = FrameState.DONE
                row.settled_at = now
                if moved:
                    phase = self._experiment.phase_channel
                    look_ahead_again(session, run.id, phase, self._foresight)
                messages = self._conclude(session, row, rules, now)
            reason = row.reason
        # Also where it was settled before: the proposal may be what the disk had no room for.
        self._review(ticket.key.experiment, day)
        return Settled(key=ticket.key, quarantined=reason, alerts=messages)

    def phase_shape(self, key: FrameKey) -> tuple[int, int] | None:
        """Return (H, W) of a site's newest phase frame as it was scored, for its fluorescence."""
        with transaction(self._reader) as session:
            return phase_shape(session, key.experiment, key.plate, key.well, key.site)

    def measure(
        self, ticket: FrameTicket, frame: Frame, reading: FluorescenceReading, day: float
    ) -> Settled:
        """Record a fluorescence frame and measure its run anew, as far as it is known.

        The frame must have been claimed by this ticket. Doing it again changes nothing.
        """
        now = self._clock.now()
        if self._measuring is None:
            raise ValueError("the store was not told how to measure")
        with self._writing() as session:
            row = held_frame(session, ticket)
            if row.state not in SETTLED:
                write_reading(session, row, reading, day, frame.acquired_at)
                row.state = FrameState.MEASURED
                row.settled_at = now
                measure_run(session, row.well.run, self._measuring, now)
            reason = row.reason
        self._review(ticket.key.experiment, day)
        return Settled(key=ticket.key, quarantined=reason, alerts=())

    def quarantine(
        self, ticket: FrameTicket, fault: str, reason: str, rules: Sequence[AlertRule]
    ) -> Settled:
        """Record that a frame cannot be judged, and why; an earlier result of it is removed."""
        now = self._clock.now()
        with self._writing() as session:
            if find_frame(session, ticket.key) is None:
                take_frame(session, ticket, self._experiment, now)
            row = held_frame(session, ticket)
            if row.state in SETTLED:
                return Settled(key=ticket.key, quarantined=row.reason, alerts=())
            messages = self._quarantine(session, row, fault, reason, rules, now)
        return Settled(key=ticket.key, quarantined=reason, alerts=messages)

    def skip(self, ticket: FrameTicket, reason: str) -> None:
        """Record that a frame is not to be scored, so that it is not offered again."""
        now = self._clock.now()
        with self._writing() as session:
            row = take_frame(session, ticket, self._experiment, now)
            if row is not None:
                row.state = FrameState.SKIPPED
                row.reason = reason
                row.settled_at = now

    def refuse(self, refusal: Refusal) -> None:
        """Record something that cannot become a frame, or a frame that was missed, and why."""
        now = self._clock.now()
        with self._writing() as session:
            if refusal.missed is not None:
                record_gap(session, refusal, refusal.missed, self._experiment, now)
            else:
                record_refusal(session, refusal, now)

    def let_time_pass(self, rules: Sequence[AlertRule]) -> tuple[Message, ...]:
        """Tell what the clock alone changes of wells and plates; return the messages."""
        now = self._clock.now()
        with self._writing() as session:
            return let_time_pass(session, self._alarm(rules), now)

    def watch(self, observed: Sequence[tuple[AlertRule, Observation]]) -> tuple[Message, ...]:
        """Step rules of the monitor itself over what was seen; return the messages."""
        now = self._clock.now()
        with self._writing() as session:
            return step_monitor(session, self._experiment.name, observed, self._announcing, now)

    def last_frame(self) -> LastFrame:
        """Say when the newest frame was settled, whatever became of it, and the day it showed."""
        with transaction(self._reader) as session:
            return last_frame(session)

    def sign(self, name: str, at: datetime, detail: str = "") -> None:
        """Record that something of the daemon happened, in place of when it last did."""
        with self._writing() as session:
            write_sign(session, name, at, detail)

    def signs(self) -> dict[str, Sign]:
        """Return when each thing recorded by `sign` last happened."""
        with transaction(self._reader) as session:
            return read_signs(session)

    def acknowledge(self, alert: int, now: datetime) -> None:
        """Record that somebody has seen an alert; the first time counts."""
        with self._writing() as session:
            acknowledge_alert(session, alert, now)

    def snooze(self, alert: int, until: datetime) -> None:
        """Send nothing of this alert's rule for its subject until then; it is still recorded."""
        with self._writing() as session:
            snooze_alert(session, alert, until, self._clock.now())

    def announce(self, message: Message, channels: Iterable[str]) -> int:
        """Queue a message that belongs to no alert, once per channel, whatever comes of it.

        Returns
        -------
        To how many channels it goes now; those that ever had it are left out.
        """
        now = self._clock.now()
        with self._writing() as session:
            return sum(queue_once(session, channel, message, now=now) for channel in channels)

    def due(self, now: datetime, limit: int) -> list[OutboxItem]:
        """Return the messages to try now, oldest first and in order within each channel."""
        with transaction(self._reader) as session:
            return due_items(session, now, limit)

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

    def _quarantine(
        self,
        session: Session,
        row: FrameRow,
        fault: str,
        reason: str,
        rules: Sequence[AlertRule],
        now: datetime,
    ) -> tuple[Message, ...]:
        drop_result(session, row)
        drop_reading(session, row)
        row.state = FrameState.QUARANTINED
        row.fault = fault
        row.reason = reason
        row.settled_at = now
        return self._conclude(session, row, rules, now)

    def _conclude(
        self, session: Session, row: FrameRow, rules: Sequence[AlertRule], now: datetime
    ) -> tuple[Message, ...]:
        """Bring the well's estimate and its rules up to date after a frame was settled."""
        session.flush()
        if row.channel != self._experiment.phase_channel:
            return ()
        estimate_well(session, row.well_id, row.time_point, row.channel, self._rates)
        look_ahead(session, row.well_id, row.channel, self._foresight, since=row.time_point)
        return step_wells(session, row.well, self._alarm(rules), now)

    def _review(self, run: str, day: float) -> None:
        """Set a run against its card once it ends; propose recalibration where it departs."""
        if self._measuring is None or not self._measuring.final(day):
            return
        with transaction(self._reader) as session:
            report = review_run(session, run, self._measuring, self._clock.now())
        if report.departs:
            log.warning(
                "run departs from the model card",
                extra={"event": {"run": run, "wells": report.wells, "why": report.departs}},
            )

    def _alarm(self, rules: Sequence[AlertRule]) -> Alarm:
        return Alarm(
            rules=rules,
            announcing=self._announcing,
            phase_channel=self._experiment.phase_channel,
            sites_per_well=self._experiment.sites_per_well,
            interval_h=self._experiment.interval_h,
        )

    @contextmanager
    def _writing(self) -> Iterator[Session]:
        with self._turn, transaction(self._writer) as session:
            yield session
