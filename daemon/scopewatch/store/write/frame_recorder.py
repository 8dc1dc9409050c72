"""What follows once it is known what became of a frame, all within the caller's transaction."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from scopewatch.core.alerts.state_machine import AlertRule
from scopewatch.core.imaging.fluorescence import FluorescenceReading
from scopewatch.core.imaging.frame import Frame, FrameTicket
from scopewatch.core.imaging.overlay import OverlayFiles
from scopewatch.core.imaging.result import FrameResult
from scopewatch.event_log import get_logger
from scopewatch.messages.alert_message import Message
from scopewatch.monitoring.policy import RunPolicy
from scopewatch.store.read.judging import Judging
from scopewatch.store.schema.columns import FrameState
from scopewatch.store.schema.tables import FrameRow, Run, Well
from scopewatch.store.write.budget import Budget
from scopewatch.store.write.claims import Left
from scopewatch.store.write.days import (
    Taken,
    day_of,
    first_with,
    note_frame,
    set_start,
    warn_if_early,
)
from scopewatch.store.write.estimates import drop_result, estimate_well, write_result
from scopewatch.store.write.ledger import find_run
from scopewatch.store.write.measuring import Measuring, drop_reading, measure_run, write_reading
from scopewatch.store.write.proposing import review_run
from scopewatch.store.write.rules.alerting import DuePlate, catch_up, step_wells
from scopewatch.store.write.rules.announcing import Composer
from scopewatch.store.write.rules.outlooks import due_wells, look_ahead, look_ahead_again
from scopewatch.store.write.rules.rule_states import forget_pasts
from scopewatch.store.write.rules.stepping import Alarm, Told
from scopewatch.store.write.vanished import remove_well, step_back

log = get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settling:
    """Settles frames that were claimed: results, estimates, outlooks, rules and messages.

    Parameters
    ----------
    policy
        Days, sites per well, the scored channel, and what the model's card says.
    rules
        Of wells and plates.
    measuring
        How fluorescence of the final day is measured; None where it is not.
    judging
        What frames are judged under now.
    budget
        Begins the time that one transaction has for outlooks and rules.
    """

    policy: RunPolicy
    rules: Sequence[AlertRule]
    composer: Composer
    measuring: Measuring | None
    judging: Judging
    budget: Callable[[], Budget]

    def day_of(
        self,
        session: Session,
        ticket: FrameTicket,
        frame: Frame,
        seen_at: datetime,
        *,
        warn: bool = False,
    ) -> float:
        """Return the day of the run (fractional) on which a frame was taken.

        By `acquired_at`, else by `elapsed_s`, of the frame or else of the ticket; where neither is
        known, by when the ledger first saw it.
        """
        moment = frame.moment.over(ticket.moment)
        taken = Taken(
            key=ticket.key, moment=moment, seen_at=ticket.seen_at if moment.known else seen_at
        )
        run = find_run(session, ticket.key.experiment)
        first = None if run is None else first_with(session, run, taken, self.policy)
        day = day_of(taken, self.policy, first)
        if warn:
            warn_if_early(taken, day)
        return day

    def score(
        self,
        session: Session,
        row: FrameRow,
        ticket: FrameTicket,
        frame: Frame,
        result: FrameResult,
        files: OverlayFiles,
        day: float,
        now: datetime,
    ) -> tuple[Message, ...]:
        """Write what was judged; return the messages of what it changed."""
        run, moment = row.well.run, frame.moment.over(ticket.moment)
        taken = Taken(key=ticket.key, moment=moment, seen_at=row.seen_at)
        moved = set_start(session, run, self.policy)
        moved |= note_frame(session, run, taken, self.policy)
        write_result(session, row, frame, result, files, day, moment)
        again = not self.judging.judges_alike(row.source, row.judged_under)
        self._settle(row, FrameState.SCORED, now)
        if again:
            step_back(session, row)
        budget = self.budget()
        if moved:
            self.reckon_again(session, run, now, budget)
        return self._conclude(session, row, now, budget)

    def measure(
        self,
        session: Session,
        row: FrameRow,
        ticket: FrameTicket,
        frame: Frame,
        reading: FluorescenceReading,
        day: float,
        now: datetime,
    ) -> None:
        """Write what fluorescence showed, and measure the run anew as far as it is known."""
        if self.measuring is None:
            raise ValueError("the store was not told how to measure")
        run = row.well.run
        moved = set_start(session, run, self.policy)
        write_reading(session, row, reading, day, frame.moment.over(ticket.moment))
        self._settle(row, FrameState.MEASURED, now)
        if moved:
            self.reckon_again(session, run, now, self.budget())
        else:
            measure_run(session, run, self.measuring, now)

    def quarantine(
        self,
        session: Session,
        row: FrameRow,
        fault: str,
        reason: str,
        now: datetime,
    ) -> tuple[Message, ...]:
        """Write why it cannot be judged, without what was said of it before; as `score`."""
        drop_result(session, row)
        drop_reading(session, row)
        self._settle(row, FrameState.QUARANTINED, now)
        row.fault = fault
        row.reason = reason
        return self._conclude(session, row, now, self.budget())

    def skip(self, row: FrameRow, reason: str, now: datetime) -> None:
        """Write that a frame is not to be scored."""
        self._settle(row, FrameState.SKIPPED, now)
        row.reason = reason

    def forget(self, session: Session, left: Sequence[Left], now: datetime) -> None:
        """Bring wells up to date that lost a row; those that lost their last one go."""
        budget = self.budget()
        for each in left:
            well = session.get(Well, each.well_id)
            if well is None:
                continue
            if session.scalar(select(FrameRow.id).where(FrameRow.well_id == well.id).limit(1)):
                if each.channel == self.policy.phase_channel:
                    self._estimate(session, well, each.time_point, budget)
            else:
                remove_well(session, well, self.rules, self.composer, now)

    def _settle(self, row: FrameRow, state: FrameState, now: datetime) -> None:
        row.state = state
        row.settled_at = now
        row.judged_under = self.judging.under(row.source)

    def reckon_again(self, session: Session, run: Run, now: datetime, budget: Budget) -> None:
        """Bring up to date what follows from the days of a run, once its day 0 moved.

        Outlooks that the budget leaves out stay due.
        """
        session.execute(update(Well).where(Well.run_id == run.id).values(outlooks_due=0))
        self._look_ahead_again(session, due_wells(session, run.id), budget)
        if self.measuring is not None:
            measure_run(session, run, self.measuring, now)

    def look_ahead(self, session: Session, well: Well, since: int, budget: Budget) -> bool:
        """Write the outlooks of a well anew from a time point on; False where some stay due."""
        channel = self.policy.phase_channel
        return look_ahead(session, well, channel, self.policy, budget, since=since)

    def catch_up(
        self, session: Session, plates: Sequence[DuePlate], alarm: Alarm, now: datetime
    ) -> Told:
        """Make outlooks that are due, and step these plates, as far as one transaction goes."""
        budget = self.budget()
        messages: tuple[Message, ...] = ()
        more = not self._look_ahead_again(session, due_wells(session), budget)
        for number, plate in enumerate(plates):
            if more or (number and budget.spent):
                return Told(messages=messages, more=True)
            told = catch_up(session, plate, alarm, now, budget)
            messages += told.messages
            more = told.more
        return Told(messages=messages, more=more)

    @property
    def alarm(self) -> Alarm:
        """What alerting needs to know."""
        return Alarm(
            rules=self.rules,
            composer=self.composer,
            policy=self.policy,
            judged_under=self.judging.current,
        )

    def review(self, session: Session, run: str, now: datetime) -> None:
        """Set a run against its card; propose recalibration where it departs."""
        if self.measuring is None:
            return
        report = review_run(session, run, self.measuring, now)
        if report.departs:
            log.warning(
                "run departs from the model card", run=run, wells=report.wells, why=report.departs
            )

    def _conclude(
        self,
        session: Session,
        row: FrameRow,
        now: datetime,
        budget: Budget,
    ) -> tuple[Message, ...]:
        """Bring the well's estimate and its rules up to date.

        Steps that the budget leaves out are taken by `let_time_pass`.
        """
        session.flush()
        if row.channel != self.policy.phase_channel:
            return ()
        ready = self._estimate(session, row.well, row.time_point, budget)
        due = due_wells(session, row.well.run_id)
        # A plate is stepped only over outlooks that are as they should be.
        if not (ready and self._look_ahead_again(session, due, budget)):
            row.well.behind = True
            return ()
        return step_wells(session, row.well, self.alarm, now, budget).messages

    def _estimate(self, session: Session, well: Well, time_point: int, budget: Budget) -> bool:
        """Write what follows for a well from one of its time points; False where some stays due."""
        estimate_well(session, well.id, time_point, self.policy.phase_channel, self.policy.rates)
        forget_pasts(session, well, time_point)
        return self.look_ahead(session, well, time_point, budget)

    def _look_ahead_again(self, session: Session, wells: Sequence[Well], budget: Budget) -> bool:
        channel = self.policy.phase_channel
        return look_ahead_again(session, wells, channel, self.policy, budget)
