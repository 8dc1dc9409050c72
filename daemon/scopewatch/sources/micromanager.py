"""Frames from a microscope run by Micro-Manager, in two modes.

follow: another program acquires; its data sets are followed as they grow.
acquire: scopewatch runs the time-lapse. The scheduler calls `acquire_due` every few seconds;
    when a time point is due, its images are taken into an NDTiff data set of the experiment's
    name, which is followed like any other. Time points lie on a fixed grid from the first one,
    so after an outage the time-lapse goes on where the clock says, and the gap stays a gap.

    stopped --start--> connected --acquire_due--> acquiring --> connected
                           ^                          | images missing: reconnected, tried again
                           '--- started again <-------' still missing: not alive, says why

How often a time point is tried is the business of `time_lapse`. What is missing of one that is
over is told to the inbox image by image, also of those that passed while the daemon was down.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from scopewatch.config import ExperimentConfig, MicroManagerSourceConfig, NDTiffSourceConfig
from scopewatch.core.errors import SourceError, StoreError, complaint
from scopewatch.core.frame import Frame, FrameTicket
from scopewatch.core.ports import Clock, Inbox, Ledger, SourceHealth
from scopewatch.sources.acquired import (
    Acquired,
    Place,
    data_set_name,
    events_of,
    missed,
    own_data_set,
    place_of,
    survey,
)
from scopewatch.sources.address import PositionPattern
from scopewatch.sources.microscope import Axes, Microscope, PycroManagerMicroscope
from scopewatch.sources.ndtiff import NDTiffSource
from scopewatch.sources.offering import Found, Offering
from scopewatch.sources.planes import DEFAULT_LIMITS, ReadLimits
from scopewatch.sources.time_lapse import TimeLapse

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


class MicroManagerSource:
    """Follows, or runs, acquisitions; implements `ports.FrameSource`.

    Parameters
    ----------
    make_microscope
        Makes the microscope for mode acquire from (config, name of the data sets).

    Raises
    ------
    ConfigError
        When the position pattern is wrong.
    """

    def __init__(
        self,
        config: MicroManagerSourceConfig,
        experiment: ExperimentConfig,
        clock: Clock,
        make_microscope: Callable[
            [MicroManagerSourceConfig, str], Microscope
        ] = PycroManagerMicroscope,
        limits: ReadLimits = DEFAULT_LIMITS,
    ) -> None:
        self._config = config
        self._experiment = experiment
        self._clock = clock
        self._acquires = config.mode == "acquire"
        self._data_sets = NDTiffSource(
            NDTiffSourceConfig(
                kind="ndtiff",
                name=config.name,
                path=config.path,
                position=config.position,
                z=config.z,
                poll_s=config.poll_s,
                um_per_px=config.um_per_px,
            ),
            experiment,
            clock,
            limits=limits,
            runs=self._own_run if self._acquires else None,
        )
        self._microscope = make_microscope(config, data_set_name(experiment.name))
        self._lock = threading.Lock()
        self._connected = False
        self._stopping = False
        self._done: set[Place] = set()
        self._lapse = TimeLapse(interval_s=config.interval_s, time_points=config.time_points)
        self._position = PositionPattern(config.position)
        self._offering: Offering | None = None
        self._missed: list[Found] = []
        self._missed_up_to = -1
        self._away = ""
        self._failing = ""

    @property
    def name(self) -> str:
        """Name from the configuration."""
        return self._config.name

    @property
    def acquires(self) -> bool:
        """Whether `acquire_due` is to be called."""
        return self._acquires

    def start(self, inbox: Inbox, ledger: Ledger) -> None:
        """Follow the data sets; in mode acquire also connect to the microscope.

        Raises
        ------
        SourceError
            When the folder or the microscope is not there.
        """
        self._stopping = False
        if self._acquires:
            self._prepare()
            self._offering = Offering(self.name, inbox, ledger, self._clock)
            self._tell_missed()
        self._data_sets.start(inbox, ledger)
        if self._acquires and not self._is_over():
            with self._lock:
                try:
                    self._connect()
                except SourceError as error:
                    self._away = str(error)
                    self._data_sets.stop()
                    raise

    def scan(self) -> None:
        """Look for images now, and tell of those that were missed. Never raises."""
        self._data_sets.scan()
        self._tell_missed()

    def load(self, ticket: FrameTicket) -> Frame:
        """Read the pixels of a frame. Raises FrameError."""
        return self._data_sets.load(ticket)

    def plan(self) -> AcquisitionPlan:
        """Return the time-lapse and how far it is."""
        incomplete = (
            index
            for index in range(self._config.time_points)
            if not self._done.issuperset(events_of(self._config, index))
        )
        return AcquisitionPlan(
            interval_s=self._config.interval_s,
            time_points=self._config.time_points,
            next_time_point=next(incomplete, self._config.time_points),
            began_at=self._lapse.began_at,
        )

    def acquire_due(self) -> None:
        """Acquire the time point that is due, if one is. Never raises.

        Called by the scheduler, every few seconds and never twice at a time. It asks neither ledger
        nor inbox anything: a disk or a database that hangs must not hold up the time-lapse.
        """
        if not self._acquires:
            return
        lapse = self._lapse
        lapse.pass_by(self._clock.now(), self._away or self._failing or _NOT_RUNNING)
        index = None
        if self._connected:
            index = lapse.due(self._clock.now(), self._clock.monotonic())
        if index is not None:
            if self.acquire_time_point(index):
                lapse.done(index)
            else:
                partly = not self._done.isdisjoint(events_of(self._config, index))
                lapse.failed(index, self._failing, self._clock.monotonic(), partly=partly)
            busy = f"time point {index} was still being acquired: interval_s is too short"
            lapse.pass_by(self._clock.now(), busy)

    def acquire_time_point(self, index: int) -> bool:
        """Acquire what is missing of a time point; True when it is complete. Never raises.

        When images do not come, the microscope is connected anew and they are tried once more.
        """
        with self._lock:
            for attempt in range(1, _ATTEMPTS + 1):
                try:
                    self._acquire_missing(index)
                except SourceError as error:
                    self._note(index, attempt, str(error))
                    self._disconnect()
                except Exception as error:  # a thread boundary: the scheduler must go on
                    log.exception("acquisition failed", extra={"event": {"source": self.name}})
                    self._note(index, attempt, f"{type(error).__name__}: {error}")
                    self._disconnect()
                else:
                    self._failing = ""
                    return True
                if self._stopping:
                    break
            return False

    def health(self) -> SourceHealth:
        """Say whether images are noticed and, in mode acquire, taken. Never raises."""
        health = self._data_sets.health()
        well = not self._acquires or self._connected or self._is_over()
        return SourceHealth(
            name=self.name,
            alive=health.alive and well,
            detail=self._away or self._failing or health.detail,
            found=health.found,
            waiting=health.waiting,
            ended=self._has_ended(health),
            failing=self._failing,
        )

    def _has_ended(self, health: SourceHealth) -> bool:
        if not self._acquires:
            return health.ended
        return self._is_over() and health.waiting == 0

    def _is_over(self) -> bool:
        """Tell whether nothing is left to acquire, missed or not: no microscope is needed then."""
        left = range(self._lapse.over + 1, self._config.time_points)
        return all(self._done.issuperset(events_of(self._config, index)) for index in left)

    def stop(self) -> None:
        """Stop acquiring and following; idempotent."""
        self._stopping = True
        self._microscope.interrupt()
        with self._lock:
            self._disconnect()
        # The last images may have come since the last look.
        self._data_sets.scan()
        self._data_sets.stop()

    def _prepare(self) -> None:
        path = self._config.path
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SourceError(
                complaint(
                    "folder for the data sets cannot be made",
                    where=path,
                    got=error.strerror,
                    do=f"correct `path` of the source {self.name!r}",
                )
            ) from error
        found = self._survey()
        self._done |= found.places
        self._lapse.began_at = self._lapse.began_at or found.began_at
        self._lapse.pass_by(self._clock.now(), self._away or self._failing or _NOT_RUNNING)
        if self._is_over():
            log.info(
                "time-lapse is over",
                extra={"event": {"source": self.name, "time_points": self._config.time_points}},
            )

    def _survey(self) -> Acquired:
        try:
            return survey(
                self._config.path, self._experiment.name, self._config.interval_s, DEFAULT_LIMITS
            )
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
        missing = [event for place, event in events.items() if place not in self._done]
        if not missing:
            return
        if not self._connected:
            self._connect()
        self._microscope.acquire(missing, self._saved)
        log.info(
            "time point acquired",
            extra={"event": {"source": self.name, "time_point": index, "images": len(missing)}},
        )

    def _saved(self, axes: Axes) -> None:
        place = place_of(axes)
        if place is not None:
            self._done.add(place)

    def _connect(self) -> None:
        if not self._connected:
            self._microscope.open()
            self._connected = True
            self._away = ""

    def _disconnect(self) -> None:
        if self._connected:
            self._connected = False
            self._microscope.close()

    def _note(self, index: int, attempt: int, why: str) -> None:
        told, self._failing = self._failing, f"time point {index}: {why}"
        if self._failing != told:
            event = {"source": self.name, "time_point": index, "attempt": attempt, "reason": why}
            log.error("time point could not be acquired", extra={"event": event})

    def _tell_missed(self) -> None:
        """Hand what is missing of time points that are over to the inbox, until it is known."""
        fresh: list[Found] = []
        over = self._lapse.over
        for index in range(self._missed_up_to + 1, over + 1):
            fresh += self._missing(index)
        self._missed_up_to = over
        self._missed += fresh
        offering = self._offering
        if offering is None or not self._missed:
            return
        try:
            wanted = offering.unsettled(self._missed)
        except StoreError as error:
            # They stay in hand, and the ledger is asked again.
            log.info(
                "missed time points wait for the database",
                extra={"event": {"source": self.name, "reason": str(error)}},
            )
            return
        unknown = set(wanted) & set(fresh)
        if unknown:
            moments = sorted({each.key.time_point for each in unknown if each.key is not None})
            event = {"source": self.name, "time_points": moments, "images": len(unknown)}
            log.warning("time points were missed", extra={"event": event})
        offering.offer(wanted)
        known = set(wanted)
        self._missed = [each for each in self._missed if each in known or offering.on_its_way(each)]

    def _missing(self, index: int) -> list[Found]:
        """Return the images of a time point that never came, of channels that are worked on."""
        why = self._lapse.why(index)
        found = [
            missed(place, self._experiment, self._position, why)
            for place in events_of(self._config, index)
            if place not in self._done
        ]
        channels = self._experiment.channels
        return [each for each in found if each.key is None or each.key.channel in channels]

    def _own_run(self, folder: str) -> str | None:
        """Name the run of a data set: ours are the experiment, others are left alone."""
        return self._experiment.name if own_data_set(self._experiment.name, folder) else None
