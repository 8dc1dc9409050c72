"""What one frame changes, in one transaction: recorded, loaded, advanced, saved, announced.

    frames.score -> save estimate -> save outlooks -> plates.load -> advance -> plates.save
                                                                        '-> alerts, outbox

Frames that come late, a day 0 that moved and the passing of time go through the same steps, as far
as one transaction has time; what is left stays due and is done by the next call.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from scopewatch.app.recording.announcing import Composer, announce
from scopewatch.app.recording.outlooks import update_due_outlooks, update_outlooks
from scopewatch.app.recording.stepping import Alerting, Stepped, step_well
from scopewatch.app.recording.time_passing import DuePlate, catch_up
from scopewatch.core.alerts.observation import Observation
from scopewatch.core.alerts.rules import AlertRule
from scopewatch.core.alerts.state_machine import Change, Transition
from scopewatch.core.imaging.fluorescence import FluorescenceReading
from scopewatch.core.imaging.frame import Frame
from scopewatch.core.imaging.moment import Moment
from scopewatch.core.imaging.overlay import OverlayFiles
from scopewatch.core.imaging.result import FrameResult
from scopewatch.core.tickets import FrameTicket
from scopewatch.event_log import get_logger
from scopewatch.messages.message import Message
from scopewatch.monitoring.budget import Budget
from scopewatch.monitoring.estimates import pool_sites
from scopewatch.monitoring.policy import RunPolicy
from scopewatch.store.read.judging import Judging
from scopewatch.store.read.pictures_due import picture_names
from scopewatch.store.schema.tables import FrameRow, Run, Well
from scopewatch.store.unit_of_work import UnitOfWork
from scopewatch.store.write.claims import Claims
from scopewatch.store.write.former_keys import Left
from scopewatch.store.write.measuring import Measuring
from scopewatch.store.write.picture_queue import queue_pictures, replace_pictures
from scopewatch.store.write.proposing import review_run
from scopewatch.store.write.vanished import RemovedStates

log = get_logger(__name__)

_UNKNOWN = Judging()


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameRecorder:
    """Records what became of frames. Each method works within the caller's transaction.

    Parameters
    ----------
    policy
        Days, sites per well, the scored channel, and what the model's card promises.
    rules
        Of wells and plates.
    measuring
        How fluorescence of the final day is measured; None where it is not.
    judging
        What frames are judged under now.
    max_attempts
        Claims of a frame after which it is quarantined instead of tried again.
    budget
        Begins the time that one transaction has for outlooks and rules.
    copies
        Whether pictures are copied elsewhere.
    """

    policy: RunPolicy
    composer: Composer
    budget: Callable[[], Budget]
    max_attempts: int = 2
    rules: Sequence[AlertRule] = ()
    measuring: Measuring | None = None
    judging: Judging = _UNKNOWN
    copies: bool = False

    @property
    def alerting(self) -> Alerting:
        """What the steps of rules need."""
        return Alerting(
            rules=self.rules,
            composer=self.composer,
            policy=self.policy,
            judged_under=self.judging.current,
        )

    @property
    def claims(self) -> Claims:
        """What claims need."""
        return Claims(policy=self.policy, judging=self.judging, max_attempts=self.max_attempts)

    def claim(self, work: UnitOfWork, ticket: FrameTicket, now: datetime) -> FrameRow | None:
        """Begin an attempt at a frame; None when there is nothing to do.

        Where its file was read under another key before, that key is left.
        """
        attempt = work.frames.claim(self.claims, ticket, now)
        if attempt.left:
            self._leave(work, attempt.left, now)
        return attempt.row

    def score(
        self,
        work: UnitOfWork,
        row: FrameRow,
        ticket: FrameTicket,
        frame: Frame,
        result: FrameResult,
        files: OverlayFiles,
        day: float,
        now: datetime,
    ) -> tuple[Message, ...]:
        """Record a judged frame; return the messages of what it changed."""
        run = row.well.run
        former = picture_names(work.session, row.id) if self.copies else frozenset[str]()
        moved = work.frames.score(row, ticket, frame, result, files, day, self.policy, now)
        if self.copies:
            replace_pictures(work.session, former, files)
        if not self.judging.judges_alike(row.source, row.judged_under):
            row.judged_under = self.judging.under(row.source)
            work.frames.step_back(row)
        budget = self.budget()
        if moved:
            self._follow_day_0(work, run, now, budget)
        return self._conclude(work, row, now, budget)

    def measure(
        self,
        work: UnitOfWork,
        row: FrameRow,
        ticket: FrameTicket,
        frame: Frame,
        reading: FluorescenceReading,
        day: float,
        now: datetime,
    ) -> None:
        """Record a fluorescence frame, and measure its run as far as it is known."""
        if self.measuring is None:
            raise ValueError("the recorder was given nothing to measure with")
        run, moment = row.well.run, frame.moment.over(ticket.moment)
        moved = work.frames.measure(row, reading, moment, day, self.policy, now)
        row.judged_under = self.judging.under(row.source)
        if moved:
            self._follow_day_0(work, run, now, self.budget())
        else:
            work.frames.measure_run(run, self.measuring, now)

    def quarantine(
        self, work: UnitOfWork, row: FrameRow, fault: str, reason: str, now: datetime
    ) -> tuple[Message, ...]:
        """Record why a frame cannot be judged; return the messages of what that changed."""
        if self.copies:
            former = picture_names(work.session, row.id)
            queue_pictures(work.session, former, removal=True)
        work.frames.quarantine(row, fault, reason, now)
        row.judged_under = self.judging.under(row.source)
        return self._conclude(work, row, now, self.budget())

    def skip(self, work: UnitOfWork, row: FrameRow, reason: str, now: datetime) -> None:
        """Record that a frame is not to be scored."""
        work.frames.skip(row, reason, now)
        row.judged_under = self.judging.under(row.source)

    def redate(
        self, work: UnitOfWork, row: FrameRow, moment: Moment, now: datetime
    ) -> float | None:
        """Take up when a settled frame was taken; return its new day, None where nothing changed.

        Rules are not stepped: those time points are past, and the next one is stepped over the
        days as they are now.
        """
        changed = work.frames.redate(row, moment, self.policy)
        if changed is None:
            return None
        budget = self.budget()
        if changed.scored:
            update_outlooks(work, row.well, self.policy, budget, since=row.time_point)
        elif self.measuring is not None:
            work.frames.measure_run(row.well.run, self.measuring, now)
        if changed.moved:
            self._follow_day_0(work, row.well.run, now, budget)
        return changed.day

    def catch_up(self, work: UnitOfWork, plates: Sequence[DuePlate], now: datetime) -> Stepped:
        """Make outlooks that are due, and step these plates, as far as one transaction goes."""
        budget = self.budget()
        messages: tuple[Message, ...] = ()
        due = work.plates.outlooks_due()
        more = not update_due_outlooks(work, due, self.policy, budget)
        for number, plate in enumerate(plates):
            if more or (number and budget.spent):
                return Stepped(messages=messages, more=True)
            stepped = catch_up(work, plate, self.alerting, now, budget)
            messages += stepped.messages
            more = stepped.more
        return Stepped(messages=messages, more=more)

    def review(self, work: UnitOfWork, run: str, now: datetime) -> None:
        """Compare a run with the model's card; propose recalibration where it departs from it."""
        if self.measuring is None:
            return
        report = review_run(work.session, run, self.measuring, now)
        if report.departs:
            log.warning(
                "run departs from the model card", run=run, wells=report.wells, why=report.departs
            )

    def _conclude(
        self, work: UnitOfWork, row: FrameRow, now: datetime, budget: Budget
    ) -> tuple[Message, ...]:
        """Bring the well's estimate, its outlooks and its rules up to date.

        Steps that the budget leaves out are taken by `catch_up`.
        """
        work.flush()
        if row.channel != self.policy.phase_channel:
            return ()
        ready = self._estimate(work, row.well, row.time_point, budget)
        due = work.plates.outlooks_due(row.well.run)
        # A plate is stepped only over outlooks that are up to date.
        if not (ready and update_due_outlooks(work, due, self.policy, budget)):
            row.well.behind = True
            return ()
        return step_well(work, row.well, self.alerting, now, budget).messages

    def _estimate(self, work: UnitOfWork, well: Well, time_point: int, budget: Budget) -> bool:
        """Save what follows for a well from one of its time points; False where some stays due."""
        sites = work.plates.sites(well, time_point, self.policy.phase_channel)
        work.plates.save_estimate(well, time_point, pool_sites(sites, self.policy.rates))
        work.plates.forget_memory(well, time_point)
        return update_outlooks(work, well, self.policy, budget, since=time_point)

    def _follow_day_0(self, work: UnitOfWork, run: Run, now: datetime, budget: Budget) -> None:
        """Bring up to date what follows from the days of a run, once its day 0 moved.

        Outlooks that the budget leaves out stay due.
        """
        work.plates.make_outlooks_due(run)
        update_due_outlooks(work, work.plates.outlooks_due(run), self.policy, budget)
        if self.measuring is not None:
            work.frames.measure_run(run, self.measuring, now)

    def _leave(self, work: UnitOfWork, left: Sequence[Left], now: datetime) -> None:
        """Bring wells up to date that lost a row; those that lost their last one are removed."""
        budget = self.budget()
        for each in left:
            well = work.frames.well(each.well_id)
            if well is None:
                continue
            if not work.frames.has_frames(well):
                for removed in work.frames.remove_well(well):
                    self._resolve(work, removed, now)
            elif each.channel == self.policy.phase_channel:
                self._estimate(work, well, each.time_point, budget)

    def _resolve(self, work: UnitOfWork, removed: RemovedStates, now: datetime) -> None:
        """Resolve the alerts of a subject that is removed, and announce it where they were."""
        rules = {rule.name: rule for rule in self.rules}
        for name, state in removed.states.items():
            rule = rules.get(name)
            if rule is None or state.notified is None:
                continue
            over = Transition(
                rule=rule,
                change=Change.RESOLVED,
                severity=state.notified,
                observation=state.last or Observation(at=now, score=None),
                at=now,
            )
            announce(work, removed.subject, over, None, self.composer, now)
        # Of rules that are no longer configured.
        work.alerts.end(removed.subject, now)
