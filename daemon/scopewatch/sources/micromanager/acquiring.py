"""Acquires a time-lapse: what is due of it is taken with a microscope, what is missing once more.

    connected --time point due--> acquiring --> connected
        ^                             | images missing: reconnected, tried again
        '--- connected again <--------' still missing: says why

How often a time point is tried is the business of `time_lapse`.
"""

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from scopewatch.config import ExperimentConfig, MicroManagerSourceConfig
from scopewatch.core.clock import Clock
from scopewatch.core.errors import SourceError, complaint
from scopewatch.core.source import Arrivals
from scopewatch.sources.base.away import Presence
from scopewatch.sources.base.reading import reading_settings
from scopewatch.sources.micromanager.acquired import (
    Acquired,
    Place,
    events_of,
    place_of,
    steps_of,
    survey,
    wells_of,
)
from scopewatch.sources.micromanager.focus import FocusKept
from scopewatch.sources.micromanager.focusing import Focusing, UnfocusedError
from scopewatch.sources.micromanager.microscope import Axes, Event, ImagesMissingError, Microscope
from scopewatch.sources.micromanager.plan_kept import KeptPlan
from scopewatch.sources.micromanager.time_lapse import TimeLapse
from scopewatch.sources.readers.planes import DEFAULT_LIMITS

log = logging.getLogger(__name__)

_ATTEMPTS = 2
_NOT_RUNNING = "scopewatch was not acquiring then"


@dataclass(frozen=True, slots=True, kw_only=True)
class AcquisitionPlan:
    """The time-lapse.

    Parameters
    ----------
    next_time_point
        The first that is not complete on disk, `time_points` when all are.
    began_at
        When time point 0 was; None before it.
    """

    interval_s: float
    time_points: int
    next_time_point: int
    began_at: datetime | None


class Acquiring:
    """The time-lapse of one source, and the microscope that takes it.

    Attributes
    ----------
    connected
        Whether the microscope is.
    trying
        Whether a time point is being acquired, connected anew where that failed.
    failing
        Why images of the last time point that was tried are missing; '' when none are.
    """

    def __init__(
        self,
        config: MicroManagerSourceConfig,
        experiment: ExperimentConfig,
        clock: Clock,
        microscope: Microscope,
        arrivals: Arrivals,
    ) -> None:
        self._config = config
        self._name = config.name
        self._experiment = experiment
        self._clock = clock
        self._microscope = microscope
        self._arrivals = arrivals
        self._lock = threading.Lock()
        self._stopping = False
        self._presence = Presence(config.path)
        self._done: set[Place] = set()
        self._causes: dict[Place, str] = {}
        self._shortfall: tuple[int, str] | None = None
        self._end_told = False
        self._plan = KeptPlan(config, experiment.name)
        wells = wells_of(config, reading_settings(config, experiment))
        self._focusing = Focusing(config, wells, microscope.focus_drive)
        self._lapse = TimeLapse(
            interval_s=config.timing[0].interval_s,
            time_points=config.planned_time_points,
            then=steps_of(config),
        )
        self._away = ""
        # Time of day and steady seconds when this process began to acquire its first time point.
        self._anchor: tuple[datetime, float] | None = None
        self.connected = False
        self.trying = False
        self.failing = ""

    @property
    def trouble(self) -> str:
        """Why the microscope is away, or gives no images; '' when all is well."""
        return self._away or self.failing

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to acquire, missed or not: no microscope is needed then."""
        left = range(self._lapse.over + 1, self._plan.time_points)
        return not any(self.missing(index) for index in left)

    @property
    def focus(self) -> FocusKept:
        """What is known of the focus."""
        return self._focusing.kept

    @property
    def over(self) -> int:
        """The last time point that is not acquired any more; -1 before the first is over."""
        return self._lapse.over

    def prepare(self) -> None:
        """Look at what earlier acquisitions wrote. Raises SourceError."""
        self._stopping = False
        path = self._config.path
        if self._presence.is_gone():
            # Made anew, it might be below the mount point of a share that is away.
            raise SourceError(
                complaint(
                    "folder for the data sets was there, and is gone",
                    where=path,
                    do="mount its share or disk, or make it again where it was",
                )
            )
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SourceError(
                complaint(
                    "folder for the data sets cannot be made",
                    where=path,
                    got=error.strerror,
                    do=f"correct `path` of the source {self._name!r}",
                )
            ) from error
        self._presence.is_there()
        found = self._survey()
        self._done |= found.places
        if self._lapse.grid is None:
            self._lapse.grid = self._plan.take_up(found, self._now())
            self._lapse.time_points = self._plan.time_points
            self._focusing.kept = self._plan.focus(found)
        self._lapse.pass_by(self._now(), self.trouble or _NOT_RUNNING)
        self._keep_plan(anew=True)
        if self.is_over:
            log.info(
                "time-lapse is over",
                extra={"event": {"source": self._name, "time_points": self._plan.time_points}},
            )

    def connect(self) -> None:
        """Connect to the microscope, unless nothing is left to acquire. Raises SourceError."""
        if self.is_over:
            return
        with self._lock:
            try:
                self._connect()
            except SourceError as error:
                self._away = str(error)
                raise

    @property
    def shortfall(self) -> str:
        """How many images are missing, and why, of a time-lapse that failed to its end; else ''."""
        last = self._plan.time_points - 1
        if not self.is_over or not self.missing(last):
            return ""
        if self._shortfall is None or self._shortfall[0] != len(self._done):
            counted = [len(self.missing(index)) for index in range(last + 1)]
            planned = sum(counted) + len(self._done)
            why = self.why(self.missing(last)[-1])
            told = f"plan over, {sum(counted)} of {planned} images are missing; the last: {why}"
            self._shortfall = len(self._done), told
        return self._shortfall[1]

    def plan(self) -> AcquisitionPlan:
        """Return the time-lapse and how far it is."""
        time_points = self._plan.time_points
        incomplete = (index for index in range(time_points) if self.missing(index))
        return AcquisitionPlan(
            interval_s=self._config.timing[0].interval_s,
            time_points=time_points,
            next_time_point=next(incomplete, time_points),
            began_at=self._plan.began_at or self._lapse.began_at,
        )

    def missing(self, index: int) -> list[Place]:
        """Return the images of a time point that are not there, in order of acquisition.

        Those of positions and channels that were added later, or are not taken at each time point,
        are not missing.
        """
        return [
            place
            for place in events_of(self._config, index)
            if place not in self._done and self._plan.has(place)
        ]

    def why(self, place: Place) -> str:
        """Return why an image of a time point that is over is missing."""
        return self._causes.get(place) or self._lapse.why(place[0])

    def acquire_due(self) -> None:
        """Acquire the time point that is due, if one is. Never raises.

        Called by the scheduler, every few seconds and never twice at a time. It asks neither ledger
        nor inbox anything: a disk or a database that hangs must not hold up the time-lapse.
        """
        lapse = self._lapse
        lapse.pass_by(self._now(), self.trouble or _NOT_RUNNING)
        index = None
        if self.connected:
            index = lapse.due(self._now(), self._clock.monotonic())
        if index is not None:
            if self._anchor is None and self.missing(index):
                self._anchor = self._clock.now(), self._clock.steady()
            if self.acquire_time_point(index):
                lapse.done(index)
            else:
                partly = not self._done.isdisjoint(events_of(self._config, index))
                why = self.failing or _NOT_RUNNING
                lapse.failed(index, why, self._clock.monotonic(), partly=partly)
            busy = f"time point {index} was still being acquired: interval_s is too short"
            # What failed meanwhile is to blame, not the interval.
            lapse.pass_by(self._now(), self.failing or busy)
        self._keep_plan(anew=index is not None)
        self._tell_end()

    def acquire_time_point(self, index: int) -> bool:
        """Acquire what is missing of a time point; True when it is complete. Never raises.

        When images do not come, the microscope is connected anew and they are tried once more.
        """
        with self._lock:
            self.trying = True
            try:
                return self._try(index)
            finally:
                self.trying = False

    def _try(self, index: int) -> bool:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                self._acquire_missing(index)
            except UnfocusedError as error:
                # The devices work: loading them anew would bring no focus.
                self._blame(error)
                self._note(index, attempt, str(error))
                break
            except SourceError as error:
                if not self._stopping:
                    self._blame(error)
                    self._note(index, attempt, str(error))
                self._disconnect()
            except Exception as error:  # a thread boundary: the scheduler must go on
                log.exception("acquisition failed", extra={"event": {"source": self._name}})
                self._note(index, attempt, f"{type(error).__name__}: {error}")
                self._disconnect()
            else:
                self.failing = ""
                return True
            if self._stopping:
                break
        return False

    def stop(self) -> None:
        """Leave off acquiring, and let go of the microscope; idempotent."""
        self._stopping = True
        self._microscope.interrupt()
        with self._lock:
            self._disconnect()

    def _now(self) -> datetime:
        """Return the time of day as it would be, had the clock not been set since the anchor.

        So time points keep their distance whoever sets the clock. Before the first one the clock is
        followed: a machine may start with a wrong one, and be put right a minute later.
        """
        if self._anchor is None:
            return self._clock.now()
        at, at_s = self._anchor
        return at + timedelta(seconds=self._clock.steady() - at_s)

    def _tell_end(self) -> None:
        if self._end_told or not self.shortfall:
            return
        self._end_told = True
        log.warning(
            "time-lapse is over, images are missing",
            extra={"event": {"source": self._name, "reason": self.shortfall}},
        )

    def _keep_plan(self, *, anew: bool) -> None:
        if self._lapse.grid is not None and self._done:
            self._plan.keep(self._lapse.grid, self._lapse.over, self.focus, anew=anew)

    def _survey(self) -> Acquired:
        try:
            settings = reading_settings(self._config, self._experiment)
            return survey(self._config, settings, DEFAULT_LIMITS)
        except OSError as error:
            raise SourceError(
                complaint(
                    "earlier data sets cannot be read",
                    where=self._config.path,
                    got=error.strerror,
                    do="check the folder and its permissions",
                )
            ) from error

    def _acquire_missing(self, index: int) -> None:
        events = events_of(self._config, index)
        missing = {place: events[place] for place in self.missing(index)}
        if not missing:
            return
        if not self.connected:
            self._connect()
        self._arrivals.begins(self._name)
        try:
            self._focusing.take(missing, self._now, self._acquire)
        finally:
            self._arrivals.over(self._name)
        log.info(
            "time point acquired",
            extra={"event": {"source": self._name, "time_point": index, "images": len(missing)}},
        )

    def _acquire(self, events: Sequence[Event]) -> None:
        self._microscope.acquire(events, self._saved)

    def _saved(self, axes: Axes) -> None:
        self._arrivals.came(self._name, 1, 0.0)
        place = place_of(axes)
        if place is not None:
            self._done.add(place)
            self._causes.pop(place, None)

    def _connect(self) -> None:
        if not self.connected:
            self._microscope.open()
            self.connected = True
            self._away = ""

    def _disconnect(self) -> None:
        if self.connected:
            self.connected = False
            self._microscope.close()

    def _blame(self, error: SourceError) -> None:
        """Keep why each image failed, for what is told of it once its time point is over."""
        if isinstance(error, ImagesMissingError):
            for axes, why in error.causes:
                place = place_of(axes)
                if place is not None:
                    self._causes[place] = why

    def _note(self, index: int, attempt: int, why: str) -> None:
        told, self.failing = self.failing, f"time point {index}: {why}"
        if self.failing != told:
            event = {"source": self._name, "time_point": index, "attempt": attempt, "reason": why}
            log.error("time point could not be acquired", extra={"event": event})
