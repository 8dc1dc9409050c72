"""Frames: claimed, settled, and dated again where more gets known of when they were taken."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from scopewatch.core.imaging.fluorescence import FluorescenceReading
from scopewatch.core.imaging.frame import Frame, FrameKey
from scopewatch.core.imaging.moment import Moment
from scopewatch.core.imaging.overlay import OverlayFiles
from scopewatch.core.imaging.result import FrameResult
from scopewatch.core.tickets import FrameTicket, Refusal
from scopewatch.event_log import get_logger
from scopewatch.monitoring.policy import RunPolicy
from scopewatch.store.read.ledger import find_frame, find_run, key_of
from scopewatch.store.schema.columns import FrameState
from scopewatch.store.schema.tables import FrameRow, Result, Run, Well
from scopewatch.store.schema.well_tables import FluorescenceRow
from scopewatch.store.write.claims import Attempt, Claims
from scopewatch.store.write.days import (
    Taken,
    date_estimates,
    day_of,
    find_first,
    first_with,
    note_frame,
    set_start,
    warn_if_early,
)
from scopewatch.store.write.estimates import drop_result, write_result
from scopewatch.store.write.ledger import held_frame, record_gap
from scopewatch.store.write.measuring import Measuring, drop_reading, measure_run, write_reading
from scopewatch.store.write.refusals import record_refusal
from scopewatch.store.write.vanished import RemovedStates, remove_well, step_back

log = get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Redated:
    """What changed where more got known of when a frame was taken.

    Parameters
    ----------
    day
        Its day of the run now.
    moved
        Whether day 0 of the run moved.
    scored
        Whether it has a result of the scored channel, so that its well's outlooks follow from it.
    """

    day: float
    moved: bool
    scored: bool


class Frames:
    """The frames of the database, within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def claim(self, claims: Claims, ticket: FrameTicket, now: datetime) -> Attempt:
        """Begin an attempt at a frame; see `Claims.take`."""
        return claims.take(self._session, ticket, now)

    def second_try(
        self, claims: Claims, sources: Collection[str], now: datetime
    ) -> FrameTicket | None:
        """Begin one more attempt at a frame that was given up; None while none is due."""
        return claims.second_try(self._session, sources, now)

    def find(self, key: FrameKey) -> FrameRow | None:
        """Return the row of a key, whatever file it came from."""
        return find_frame(self._session, key)

    def held(self, ticket: FrameTicket) -> FrameRow:
        """Return the row that this very ticket claimed. Raises StoreError where none does."""
        return held_frame(self._session, ticket)

    def well(self, number: int) -> Well | None:
        """Return a well by its number; None where it is gone."""
        return self._session.get(Well, number)

    def has_frames(self, well: Well) -> bool:
        """Whether any frame of a well is known."""
        one = select(FrameRow.id).where(FrameRow.well_id == well.id).limit(1)
        return self._session.scalar(one) is not None

    def remove_well(self, well: Well) -> tuple[RemovedStates, ...]:
        """Remove a well without frames, and its plate and run where they have no other."""
        return remove_well(self._session, well)

    def day_of(
        self, ticket: FrameTicket, moment: Moment, policy: RunPolicy, row: FrameRow | None = None
    ) -> float:
        """Return the day of the run (fractional) on which a frame was taken.

        By `acquired_at`, else by `elapsed_s`; where neither is known, by when the ledger first saw
        the frame.

        Parameters
        ----------
        row
            Of the frame, where it was read already.
        """
        if row is None and not moment.known:
            row = self.find(ticket.key)
        run = find_run(self._session, ticket.key.run) if row is None else row.well.run
        seen_at = ticket.seen_at if row is None or moment.known else row.seen_at
        taken = Taken(key=ticket.key, moment=moment, seen_at=seen_at)
        first = None if run is None else first_with(self._session, run, taken, policy)
        return day_of(taken, policy, first)

    def score(
        self,
        row: FrameRow,
        ticket: FrameTicket,
        frame: Frame,
        result: FrameResult,
        files: OverlayFiles,
        day: float,
        policy: RunPolicy,
        now: datetime,
    ) -> bool:
        """Write the result of a judged frame; return whether day 0 of its run moved."""
        run, moment = row.well.run, frame.moment.over(ticket.moment)
        taken = Taken(key=ticket.key, moment=moment, seen_at=row.seen_at)
        moved = set_start(self._session, run, policy)
        moved |= note_frame(self._session, run, taken, policy)
        write_result(self._session, row, frame, result, files, day, moment)
        row.state, row.settled_at = FrameState.SCORED, now
        return moved

    def measure(
        self,
        row: FrameRow,
        reading: FluorescenceReading,
        moment: Moment,
        day: float,
        policy: RunPolicy,
        now: datetime,
    ) -> bool:
        """Write the reading of a fluorescence frame; return whether day 0 of its run moved."""
        moved = set_start(self._session, row.well.run, policy)
        write_reading(self._session, row, reading, day, moment)
        row.state, row.settled_at = FrameState.MEASURED, now
        return moved

    def quarantine(self, row: FrameRow, fault: str, reason: str, now: datetime) -> None:
        """Write why a frame cannot be judged, without the result that it may have."""
        drop_result(self._session, row)
        drop_reading(self._session, row)
        row.state, row.settled_at = FrameState.QUARANTINED, now
        row.fault = fault
        row.reason = reason

    def skip(self, row: FrameRow, reason: str, now: datetime) -> None:
        """Write that a frame is not to be scored."""
        row.state, row.settled_at = FrameState.SKIPPED, now
        row.reason = reason

    def refuse(self, refusal: Refusal, judged_under: str, now: datetime) -> None:
        """Write why something cannot become a frame."""
        record_refusal(self._session, refusal, judged_under, now)

    def miss(self, refusal: Refusal, key: FrameKey, policy: RunPolicy, now: datetime) -> None:
        """Write that a frame was due and never came."""
        record_gap(self._session, refusal, key, policy, now)

    def step_back(self, row: FrameRow) -> None:
        """Let rules step again from a frame's time point on, of which they saw nothing judged."""
        step_back(self._session, row)

    def measure_run(self, run: Run, measuring: Measuring, now: datetime) -> None:
        """Binarise the final day of a run as far as it is known, and measure its wells."""
        measure_run(self._session, run, measuring, now)

    def redate(self, row: FrameRow, moment: Moment, policy: RunPolicy) -> Redated | None:
        """Take up when a settled frame was taken, where that is better known than what is recorded.

        Its day moves, and with it the estimate of its well; day 0 where it is the run's first
        frame, and then every day counted from it.

        Returns
        -------
        What changed; None where nothing did.
        """
        session = self._session
        dated = _dated(session, row)
        if dated is None or not moment.updates(was := _recorded_moment(dated)):
            return None
        run = row.well.run
        key = key_of(row)
        known = moment.over(was)
        taken = Taken(key=key, moment=known, seen_at=row.seen_at)
        dated.acquired_at, dated.elapsed_s = known.acquired_at, known.elapsed_s
        session.flush()
        moved = set_start(session, run, policy)
        if isinstance(dated, Result) and known.acquired_at is not None:
            if run.first_frame_at == replace(taken, moment=was).at:
                moved |= find_first(session, run, policy)
            else:
                moved |= note_frame(session, run, taken, policy)
        before = dated.day
        dated.day = day_of(taken, policy, run.first_frame_at)
        warn_if_early(key, known, dated.day)
        session.flush()
        scored = isinstance(dated, Result) and row.channel == policy.phase_channel
        if scored:
            date_estimates(session, select(Well.id).where(Well.id == row.well_id), row.channel)
        log.info(
            "frame's time became known",
            key=str(key),
            acquired_at=known.acquired_at,
            day=round(dated.day, 3),
            was=round(before, 3),
        )
        return Redated(day=dated.day, moved=moved, scored=scored)


def _recorded_moment(dated: Result | FluorescenceRow) -> Moment:
    return Moment(acquired_at=dated.acquired_at, elapsed_s=dated.elapsed_s)


def _dated(session: Session, row: FrameRow) -> Result | FluorescenceRow | None:
    if row.state is FrameState.SCORED:
        return session.get(Result, row.id)
    return session.get(FluorescenceRow, row.id) if row.state is FrameState.MEASURED else None
