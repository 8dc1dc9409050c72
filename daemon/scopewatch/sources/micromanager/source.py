"""Frames from a microscope run by Micro-Manager, in two modes.

follow: another program acquires; its data sets are followed as they grow.
acquire: scopewatch runs the time-lapse (`acquiring`). The scheduler calls `acquire_due` every few
    seconds; when a time point is due, its images are taken into an NDTiff data set of the
    run's name, which is followed like any other. Time points lie on a fixed grid from the
    first one, so after an outage the time-lapse goes on where the clock says, and the gap stays a
    gap.

    stopped --start--> connected --acquire_due--> acquiring --> connected
                           ^                          | images missing: reconnected, tried again
                           '--- started again <-------' still missing: not alive, says why

`missing` reports the missing images of past time points to the inbox, also of those that passed
while the daemon was down.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from scopewatch.config import (
    MicroManagerSourceConfig,
    NDTiffSourceConfig,
    ReadingConfig,
    RunConfig,
)
from scopewatch.core.acquisition.journal import JournalEntry
from scopewatch.core.acquisition.orders import Order, Report
from scopewatch.core.acquisition.standing import AcquisitionStanding
from scopewatch.core.clock import Clock
from scopewatch.core.errors import SourceError
from scopewatch.core.imaging.frame import Frame, FrameKey
from scopewatch.core.source import Arrivals, Inbox, Ledger, SourceHealth
from scopewatch.core.tickets import FrameTicket, RetryRequest
from scopewatch.sources.base.arrivals import NullArrivals, ReadOnlyArrivals
from scopewatch.sources.base.data_set import DataSets
from scopewatch.sources.base.offering import Offering
from scopewatch.sources.base.reading import reading_settings
from scopewatch.sources.micromanager.acquired import data_set_name, own_data_set
from scopewatch.sources.micromanager.acquiring import Acquiring
from scopewatch.sources.micromanager.devices.microscope import Microscope
from scopewatch.sources.micromanager.devices.pycro_manager import PycroManagerMicroscope
from scopewatch.sources.micromanager.focus.kept import FocusKept
from scopewatch.sources.micromanager.images import spot_of
from scopewatch.sources.micromanager.missing import Missing
from scopewatch.sources.micromanager.plan import check_plan
from scopewatch.sources.micromanager.plans.settled import settle_plan
from scopewatch.sources.micromanager.schedule.plan_kept import AcquisitionPlan
from scopewatch.sources.micromanager.stacks.frames import StackSets
from scopewatch.sources.ndtiff.frames import NDTiffFrames
from scopewatch.sources.ndtiff.sighting import Sighting
from scopewatch.sources.ndtiff.source import NDTiffSource
from scopewatch.sources.readers.planes import DEFAULT_LIMITS, ReadLimits


class MicroManagerSource:
    """Follows, or runs, acquisitions; implements `core.source.FrameSource`.

    Parameters
    ----------
    make_microscope
        Makes the microscope for mode acquire from (config, name of the data sets).
    arrivals
        Receives images as they are saved; None: nothing does.

    Raises
    ------
    ConfigError
        When the position pattern is wrong, or the plan would image another place or plane than it
        says.
    """

    def __init__(
        self,
        config: MicroManagerSourceConfig,
        run: RunConfig,
        clock: Clock,
        make_microscope: Callable[
            [MicroManagerSourceConfig, str], Microscope
        ] = PycroManagerMicroscope,
        limits: ReadLimits = DEFAULT_LIMITS,
        arrivals: Arrivals | None = None,
    ) -> None:
        self._acquires = config.mode == "acquire"
        if self._acquires:
            config = settle_plan(config, run)
        self._config = config
        self._run = run
        self._clock = clock
        if self._acquires:
            check_plan(config, reading_settings(config, run))
        arrivals = arrivals or NullArrivals()
        reading = config.model_dump(include=set(ReadingConfig.model_fields))
        if self._acquires:
            reading["z"] = "sharpest"  # of stacks that are complete by the plan
        microscope = make_microscope(config, data_set_name(run.name))
        self._acquiring = Acquiring(config, run, clock, microscope, arrivals)
        self._data_sets = NDTiffSource(
            NDTiffSourceConfig(
                kind="ndtiff",
                name=config.name,
                path=config.path,
                poll_s=config.poll_s,
                **reading,
            ),
            run,
            clock,
            limits=limits,
            runs=self._own_run if self._acquires else None,
            arrivals=ReadOnlyArrivals(arrivals) if self._acquires else arrivals,
            gather=self._stacks if self._acquires else None,
        )
        self._missing = Missing(config, run, self._acquiring)
        self._offering: Offering | None = None

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
        if self._acquires:
            self._acquiring.prepare(ledger)
            self._offering = Offering(self.name, inbox, ledger, self._clock)
            self._tell_missed()
        self._data_sets.start(inbox, ledger)
        if self._acquires:
            try:
                self._acquiring.connect()
            except SourceError:
                self._data_sets.stop()
                raise

    def scan(self) -> None:
        """Look for images now, and tell of those that were missed. Never raises."""
        self._data_sets.scan()
        self._tell_missed()

    def load(self, ticket: FrameTicket) -> Frame:
        """Read the pixels of a frame, with what is to be known of its focus. Raises FrameError."""
        frame = self._data_sets.load(ticket)
        place = ticket.key.time_point, self._acquiring.labels.get(spot_of(ticket.key), "")
        note = self._acquiring.focus.marks.get(place, "")
        return replace(frame, note="; ".join(filter(None, (frame.note, note))))

    def retry(self, asked: Sequence[RetryRequest]) -> int:
        """Take what a person wants tried again; return how many, from the first on."""
        return self._data_sets.retry(asked)

    def plan(self) -> AcquisitionPlan:
        """Return the time-lapse and how far it is."""
        return self._acquiring.plan()

    @property
    def focus(self) -> FocusKept:
        """What is known of the focus."""
        return self._acquiring.focus

    def order(self, order: Order) -> None:
        """Take what is wanted of the time-lapse; it is carried out between images."""
        if not self._acquiring.extra.order(order):
            self._acquiring.steering.take(order)

    def reports(self) -> list[Report]:
        """Return what came of orders, and what was done otherwise, since it was asked last."""
        return self._acquiring.steering.reports()

    def restore(self, held: JournalEntry | None) -> None:
        """Go on being held, as it was before a restart or a reload."""
        self._acquiring.steering.restore(held)

    def standing(self) -> AcquisitionStanding | None:
        """Return how the time-lapse is; None in mode follow. Never raises."""
        return self._acquiring.standing() if self._acquires else None

    def acquire_due(self) -> None:
        """Acquire the time point that is due, if one is. Never raises.

        Called by the scheduler, every few seconds and never twice at a time.
        """
        if self._acquires:
            self._acquiring.acquire_due()

    def acquire_time_point(self, index: int) -> bool:
        """Acquire what is missing of a time point; True when it is complete. Never raises."""
        return self._acquiring.images.take_time_point(index)

    def health(self) -> SourceHealth:
        """Say whether images are noticed and, in mode acquire, taken. Never raises."""
        health, acquiring = self._data_sets.health(), self._acquiring
        images = acquiring.images
        at_work = images.connected or images.trying
        well = not self._acquires or at_work or acquiring.account.is_over
        return SourceHealth(
            name=self.name,
            alive=health.alive and well,
            detail=images.trouble or health.detail,
            found=health.found,
            waiting=health.waiting,
            ended=self._has_ended(health),
            failing=images.failing,
            shortfall=acquiring.account.shortfall,
        )

    def stop(self) -> None:
        """Stop acquiring and following; idempotent."""
        self._acquiring.stop()
        # The last images may have come since the last look.
        self._data_sets.scan()
        self._data_sets.stop()

    def _has_ended(self, health: SourceHealth) -> bool:
        if not self._acquires:
            return health.ended
        return self._acquiring.account.is_over and health.waiting == 0

    def _tell_missed(self) -> None:
        if self._offering is not None:
            self._missing.tell(self._offering)

    def _stacks(self, sets: DataSets[Sighting], frames: NDTiffFrames) -> StackSets:
        acquiring = self._acquiring

        def saw(key: FrameKey, height_um: float) -> None:
            label = acquiring.labels.get(spot_of(key), "")
            acquiring.following.saw(key.time_point, label, height_um)

        return StackSets(self._config.path, sets, frames, acquiring.planes, saw)

    def _own_run(self, place: str) -> str | None:
        """Name the run of a data set: ours are the configured run, others are left alone."""
        return self._run.name if own_data_set(self._run.name, place) else None
