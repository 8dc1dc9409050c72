"""Acquires a time-lapse: of its plan, what is due, what passed by, and what people ask of it.

How often a time point is tried is the business of `time_lapse`, how its images are taken that of
`image_taking`.
"""

from pathlib import Path

from scopewatch.config import MicroManagerSourceConfig, RunConfig
from scopewatch.core.acquisition.orders import Act, Target
from scopewatch.core.acquisition.standing import AcquisitionStanding
from scopewatch.core.clock import Clock
from scopewatch.core.errors import SourceError, StoreError
from scopewatch.core.source import Arrivals, Ledger
from scopewatch.event_log import get_logger
from scopewatch.sources.base.away import Presence
from scopewatch.sources.base.reading import reading_settings
from scopewatch.sources.micromanager.account import Account
from scopewatch.sources.micromanager.acquired import make_folder, survey_again
from scopewatch.sources.micromanager.acts.extra import ExtraImages
from scopewatch.sources.micromanager.acts.refusal import OrderRefusedError
from scopewatch.sources.micromanager.acts.sites import firsts_of, further_events, further_sites
from scopewatch.sources.micromanager.acts.skipping import Skipping
from scopewatch.sources.micromanager.devices.microscope import Microscope
from scopewatch.sources.micromanager.focus.drive import Drive
from scopewatch.sources.micromanager.focus.focusing import Focusing
from scopewatch.sources.micromanager.focus.kept import FocusKept, standing_of
from scopewatch.sources.micromanager.image_taking import ImageTaking
from scopewatch.sources.micromanager.images import PlannedFrames, steps_of
from scopewatch.sources.micromanager.left_running import RestedMicroscope, expect_rest
from scopewatch.sources.micromanager.schedule.plan_kept import AcquisitionPlan, KeptPlan
from scopewatch.sources.micromanager.schedule.time_lapse import HeldTime, TimeLapse
from scopewatch.sources.micromanager.steering import Steering

log = get_logger(__name__)

_NOT_RUNNING = "scopewatch was not acquiring then"


class Acquiring:
    """The time-lapse of one source, and the microscope that takes it.

    Attributes
    ----------
    is_prepared
        Whether the plan is taken up.
    labels
        The position label of each plate, well and site of the plan.
    account
        What was taken, and what is missing.
    extra
        Images beyond the plan.
    steering
        What people ask of it, and what holds it.
    images
        Takes them, and connects to the microscope.
    planes, following
        Gives the planes of an image; receives the heights of the sharpest ones.
    """

    def __init__(
        self,
        config: MicroManagerSourceConfig,
        run: RunConfig,
        clock: Clock,
        microscope: Microscope,
        arrivals: Arrivals,
    ) -> None:
        self._config = config
        self._name = config.name
        self._run = run
        self._clock = clock
        self._time = HeldTime(clock)
        self._presence = Presence(config.path)
        self._end_reported = False
        self._plan = KeptPlan(config, run.name)
        settings = reading_settings(config, run)
        frames = PlannedFrames.of(config, settings)
        self.labels = frames.labels
        further = further_sites(config, settings, self.labels)
        like = firsts_of(self.labels, further)
        self.planes = self._plan.planes
        self._focusing = Focusing(
            config, frames.wells, microscope.focus_drive, like, planes=self.planes
        )
        self.following = self._focusing.following
        self._lapse = TimeLapse(
            interval_s=config.timing[0].interval_s,
            time_points=config.planned_time_points,
            then=steps_of(config),
        )
        self.account = Account(config, self._plan, self._lapse)
        self._skipping = Skipping(
            config, self.labels, further, self._plan, self._lapse, self.account, self.due_by_now
        )
        self.steering = Steering(config, self, self._time.now)
        self.images = ImageTaking(
            config,
            RestedMicroscope(config, microscope, self._look_again, clock.now),
            arrivals,
            account=self.account,
            focusing=self._focusing,
            steering=self.steering,
            now=self._time.now,
        )
        self.extra = ExtraImages(
            config,
            frames.spots,
            further_events(config, run.phase_channel, settings, further),
            self._plan,
            self._lapse,
            self.account,
            due=self.due_by_now,
            now=self._time.now,
            take=self.images.take_extra,
            report=self.steering.report,
        )
        self.is_prepared = False

    @property
    def focus(self) -> FocusKept:
        """What is known of the focus."""
        return self._focusing.kept

    @property
    def over(self) -> int:
        """The last time point that is not acquired any more; -1 before the first is over."""
        return self._lapse.over

    def prepare(self, ledger: Ledger) -> None:
        """Look at what earlier acquisitions wrote. Raises SourceError."""
        self.images.start()
        try:
            self._presence.recall(self._name, ledger)
        except StoreError as error:
            raise SourceError(str(error)) from error
        make_folder(self._config, self._presence)
        found = survey_again(self._config, self._run)
        if not self.is_prepared:
            expect_rest(self._config, found.growing, self._clock.now())
        if self._lapse.grid is None:
            self._lapse.grid = self._plan.take_up(found, self._time.now())
            self._lapse.time_points = self._plan.time_points
            if self._plan.change:
                self.steering.note(self._plan.change)
            self._focusing.kept = self._plan.focus
        self.account.found(found.planes)
        self._pass_by()
        self._keep_plan(fresh=True)
        self.is_prepared = True
        if self.account.is_over:
            log.info("time-lapse is over", source=self._name, time_points=self._plan.time_points)

    def connect(self) -> None:
        """Connect to the microscope, unless nothing is left to acquire. Raises SourceError."""
        if not self.account.is_over:
            self.images.connect()

    def plan(self) -> AcquisitionPlan:
        """Return the time-lapse and how far it is."""
        return AcquisitionPlan(
            interval_s=self._config.timing[0].interval_s,
            time_points=self._plan.time_points,
            next_time_point=self.account.next_incomplete,
            began_at=self._plan.began_at or self._lapse.began_at,
        )

    def standing(self) -> AcquisitionStanding:
        """Return the state of the time-lapse. Any thread."""
        due, grid = self.due_by_now(), self._lapse.grid
        following = 0 if due is None else due + (due <= self._lapse.over)
        has_next = following < self._plan.time_points
        return AcquisitionStanding(
            source=self._name,
            time_points=self._plan.time_points,
            next_time_point=following if has_next else None,
            next_at=grid.time_of(following) if has_next and grid is not None else None,
            held=self.steering.hold,
            focus=standing_of(self.focus, self._config.focus),
            due=due,
            skips_dead=self._config.acts.skip_dead,
        )

    def acquire_due(self) -> None:
        """Acquire the time point that is due, if one is. Never raises.

        Called by the scheduler, every few seconds and never twice at a time. It asks neither ledger
        nor inbox anything: a disk or a database that hangs must not hold up the time-lapse.
        """
        lapse = self._lapse
        self._pass_by()
        with self.images.lock:
            self.steering.work()
            if self._focusing.follow(lapse.over, self._time.now, self.steering.note):
                self._keep_plan(fresh=False)  # a kill within a stack must not move the rest of it
        goes_on = self.images.connected and not self.steering.why
        index = lapse.due(self._time.now(), self._clock.monotonic()) if goes_on else None
        if index is not None:
            if self.account.missing(index):
                self._time.hold()
            if self.images.take_time_point(index):
                lapse.done(index)
            elif not self.steering.wanted():
                partly = self.account.has_some(index)
                why = self.images.failing or _NOT_RUNNING
                lapse.failed(index, why, self._clock.monotonic(), partly=partly)
            busy = f"time point {index} was still being acquired: interval_s is too short"
            # What failed meanwhile is to blame, not the interval.
            lapse.pass_by(self._time.now(), self.images.failing or busy)
        elif goes_on:
            with self.images.lock:
                self.extra.work()
        self._keep_plan(fresh=index is not None)
        self._tell_end()

    def drive(self) -> Drive:
        """Return the focus drive. Raises SourceError where the microscope is away."""
        return self.images.drive()

    def due_by_now(self) -> int | None:
        """Return the last time point that was due; None before the first."""
        if self._lapse.grid is None:
            return None
        index = min(self._lapse.grid.at(self._time.now()), self._plan.time_points - 1)
        return index if index >= 0 else None

    def put_between(self) -> int:
        """Put a time point in between, due now; return it. Raises OrderRefusedError."""
        grid, due = self._lapse.grid, self.due_by_now()
        if self._run.day_from == "time_point":
            raise OrderRefusedError("day_from: time_point counts days by time points")
        if grid is None or due is None:
            raise OrderRefusedError("the time-lapse has not begun")
        if due > self._lapse.over:
            raise OrderRefusedError(f"time point {due} is not complete yet, and is being taken")
        if due + 1 >= self._plan.time_points:
            raise OrderRefusedError("no time point is left; raise time_points of the source")
        self._lapse.grid = self._plan.put_between(grid, self._time.now())
        self._lapse.time_points = self._plan.time_points
        self._keep_plan(fresh=False)
        return due + 1

    def skip(self, act: Act, target: Target) -> tuple[str, Target]:
        """Do what is wanted of a well; see `Skipping.carry_out`."""
        done = self._skipping.carry_out(act, target)
        self._keep_plan(fresh=False)
        return done

    def stop(self) -> None:
        """Leave off acquiring, and let go of the microscope; idempotent."""
        self.images.stop()

    def _pass_by(self) -> None:
        why = self.steering.why or self.images.trouble or _NOT_RUNNING
        self._lapse.pass_by(self._time.now(), why)

    def _tell_end(self) -> None:
        if self._end_reported or not self.account.shortfall:
            return
        self._end_reported = True
        self.steering.note(f"time-lapse is over: {self.account.shortfall}")
        log.warning(
            "time-lapse is over, images are missing",
            source=self._name,
            reason=self.account.shortfall,
        )

    def _keep_plan(self, *, fresh: bool) -> None:
        if self._lapse.grid is not None and not self.account.is_empty:
            self._plan.keep(self._lapse.grid, self._lapse.over, self.focus, fresh=fresh)

    def _look_again(self) -> Path | None:
        found = survey_again(self._config, self._run)
        self.account.found(found.planes)
        return found.growing
