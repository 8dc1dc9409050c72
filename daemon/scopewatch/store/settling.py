"""What follows once it is known what became of a frame, all within the caller's transaction."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from scopewatch.config import ExperimentConfig
from scopewatch.core.alert import AlertRule
from scopewatch.core.efficiency import ErrorRates
from scopewatch.core.fluorescence import FluorescenceReading
from scopewatch.core.frame import Frame, FrameTicket
from scopewatch.core.message import Message
from scopewatch.core.ports import OverlayFiles
from scopewatch.core.result import FrameResult
from scopewatch.store.alerting import Alarm, step_wells
from scopewatch.store.announcing import Announcing
from scopewatch.store.claims import Left
from scopewatch.store.columns import FrameState
from scopewatch.store.days import Taken, note_frame, set_start
from scopewatch.store.estimates import drop_result, estimate_well, write_result
from scopewatch.store.judging import Judging
from scopewatch.store.measuring import Measuring, drop_reading, measure_run, write_reading
from scopewatch.store.outlooks import Foresight, look_ahead, look_ahead_again
from scopewatch.store.proposing import review_run
from scopewatch.store.tables import FrameRow, Run, Well
from scopewatch.store.vanished import remove_well, step_back

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settling:
    """Settles frames that were claimed: results, estimates, outlooks, rules and messages.

    Parameters
    ----------
    experiment
        Days, sites per well, the scored channel.
    rates
        Error rates of the model's card, None where it has none.
    measuring
        How fluorescence of the final day is measured; None where it is not.
    judging
        What frames are judged under now.
    """

    experiment: ExperimentConfig
    rates: ErrorRates | None
    foresight: Foresight
    announcing: Announcing
    measuring: Measuring | None
    judging: Judging

    def score(
        self,
        session: Session,
        row: FrameRow,
        ticket: FrameTicket,
        frame: Frame,
        result: FrameResult,
        files: OverlayFiles,
        day: float,
        rules: Sequence[AlertRule],
        now: datetime,
    ) -> tuple[Message, ...]:
        """Write what was judged; return the messages of what it changed."""
        run, moment = row.well.run, frame.moment.over(ticket.moment)
        taken = Taken(key=ticket.key, moment=moment, seen_at=row.seen_at)
        moved = set_start(session, run, self.experiment)
        moved |= note_frame(session, run, taken, self.experiment)
        write_result(session, row, frame, result, files, day, moment)
        again = not self.judging.judges_alike(row.source, row.judged_under)
        self._settle(row, FrameState.DONE, now)
        if again:
            step_back(session, row)
        if moved:
            self.reckon_again(session, run, now)
        return self._conclude(session, row, rules, now)

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
        moved = set_start(session, run, self.experiment)
        write_reading(session, row, reading, day, frame.moment.over(ticket.moment))
        self._settle(row, FrameState.MEASURED, now)
        if moved:
            self.reckon_again(session, run, now)
        else:
            measure_run(session, run, self.measuring, now)

    def quarantine(
        self,
        session: Session,
        row: FrameRow,
        fault: str,
        reason: str,
        rules: Sequence[AlertRule],
        now: datetime,
    ) -> tuple[Message, ...]:
        """Write why it cannot be judged, without what was said of it before; as `score`."""
        drop_result(session, row)
        drop_reading(session, row)
        self._settle(row, FrameState.QUARANTINED, now)
        row.fault = fault
        row.reason = reason
        return self._conclude(session, row, rules, now)

    def skip(self, row: FrameRow, reason: str, now: datetime) -> None:
        """Write that a frame is not to be scored."""
        self._settle(row, FrameState.SKIPPED, now)
        row.reason = reason

    def forget(
        self, session: Session, left: Sequence[Left], rules: Sequence[AlertRule], now: datetime
    ) -> None:
        """Bring wells up to date that lost a row; those that lost their last one go."""
        for each in left:
            well = session.get(Well, each.well_id)
            if well is None:
                continue
            if session.scalar(select(FrameRow.id).where(FrameRow.well_id == well.id).limit(1)):
                estimate_well(session, well.id, each.time_point, each.channel, self.rates)
                look_ahead(session, well.id, each.channel, self.foresight, since=each.time_point)
            else:
                remove_well(session, well, rules, self.announcing, now)

    def _settle(self, row: FrameRow, state: FrameState, now: datetime) -> None:
        row.state = state
        row.settled_at = now
        row.judged_under = self.judging.under(row.source)

    def reckon_again(self, session: Session, run: Run, now: datetime) -> None:
        """Bring up to date what follows from the days of a run, once its day 0 moved."""
        look_ahead_again(session, run.id, self.experiment.phase_channel, self.foresight)
        if self.measuring is not None:
            measure_run(session, run, self.measuring, now)

    def alarm(self, rules: Sequence[AlertRule]) -> Alarm:
        """Return what alerting needs to know, with these rules."""
        return Alarm(
            rules=rules,
            announcing=self.announcing,
            phase_channel=self.experiment.phase_channel,
            sites_per_well=self.experiment.sites_per_well,
            interval_h=self.experiment.interval_h,
            judged_under=self.judging.current,
        )

    def review(self, session: Session, run: str, now: datetime) -> None:
        """Set a run against its card; propose recalibration where it departs."""
        if self.measuring is None:
            return
        report = review_run(session, run, self.measuring, now)
        if report.departs:
            log.warning(
                "run departs from the model card",
                extra={"event": {"run": run, "wells": report.wells, "why": report.departs}},
            )

    def _conclude(
        self, session: Session, row: FrameRow, rules: Sequence[AlertRule], now: datetime
    ) -> tuple[Message, ...]:
        """Bring the well's estimate and its rules up to date."""
        session.flush()
        if row.channel != self.experiment.phase_channel:
            return ()
        estimate_well(session, row.well_id, row.time_point, row.channel, self.rates)
        look_ahead(session, row.well_id, row.channel, self.foresight, since=row.time_point)
        return step_wells(session, row.well, self.alarm(rules), now)
