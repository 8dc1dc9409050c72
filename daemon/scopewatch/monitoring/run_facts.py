"""What the state of a run is assessed from: its wells, its newest frames, and the daemon."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from scopewatch.monitoring.policy import RunPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class WellSeen:
    """What became of the frames of one well; times are when frames were settled, aware UTC.

    Parameters
    ----------
    judged_at
        When its newest judged frame was settled; None where none was judged.
    time_point, day, efficiency
        Of its newest judged time point; the efficiency is 0 to 1.
    unfit_at
        When its newest quarantined frame was settled.
    other_at
        When its newest frame of a channel that is not scored was settled.
    worked_on_since
        When work began on its newest frame that is not settled yet.
    marked_dead
        Whether somebody marked it dead: no frame of it is to come.
    """

    plate: str
    well: str
    judged_at: datetime | None = None
    time_point: int | None = None
    day: float | None = None
    efficiency: float | None = None
    unfit_at: datetime | None = None
    other_at: datetime | None = None
    worked_on_since: datetime | None = None
    marked_dead: bool = False

    @property
    def last_at(self) -> datetime | None:
        """When its newest frame was settled, whatever became of it."""
        settled = (self.judged_at, self.unfit_at, self.other_at)
        return max((at for at in settled if at is not None), default=None)

    def moved(self, move: Callable[[datetime], datetime]) -> "WellSeen":
        """Return it with its times moved, where the clock was set since they were recorded."""

        def to(at: datetime | None) -> datetime | None:
            return None if at is None else move(at)

        return replace(
            self,
            judged_at=to(self.judged_at),
            unfit_at=to(self.unfit_at),
            other_at=to(self.other_at),
            worked_on_since=to(self.worked_on_since),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameTally:
    """What became of the newest frames of a run.

    Parameters
    ----------
    unfit
        Quarantined frames by fault.
    other_channels
        Frames that were not scored by their channel.
    examples
        Of the commonest fault, the reasons of some quarantined frames.
    """

    scored: int = 0
    unfit: Mapping[str, int] = field(default_factory=dict)
    other_channels: Mapping[str, int] = field(default_factory=dict)
    examples: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def n_unfit(self) -> int:
        """How many were quarantined."""
        return sum(self.unfit.values())

    @property
    def faults(self) -> tuple[str, ...]:
        """Why they were quarantined, the commonest first."""
        return tuple(sorted(self.unfit, key=lambda fault: (-self.unfit[fault], fault)))


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedSeen:
    """Files that were refused since the newest judged frame; `reason` is that of the newest."""

    count: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSeen:
    """What the database knows of one run.

    Parameters
    ----------
    began_at
        When its first frame was seen; None before it.
    wells
        All that had a frame, whatever became of it.
    frames
        Those settled within the last 1.5 intervals, or since the newest judged one.
    """

    name: str
    began_at: datetime | None = None
    wells: tuple[WellSeen, ...] = ()
    frames: FrameTally = FrameTally()
    refused: RefusedSeen = RefusedSeen()

    @property
    def alive(self) -> tuple[WellSeen, ...]:
        """The wells of which frames are to come."""
        return tuple(well for well in self.wells if not well.marked_dead)

    @property
    def newest(self) -> WellSeen | None:
        """The well whose judged time point has the latest day; None where none was judged."""
        judged = [
            (well.day, well.judged_at, well)
            for well in self.wells
            if well.day is not None and well.judged_at is not None
        ]
        return max(judged, key=lambda each: each[:2], default=(None, None, None))[2]

    @property
    def judged_at(self) -> datetime | None:
        """When its newest judged frame was settled."""
        return max((well.judged_at for well in self.wells if well.judged_at), default=None)

    @property
    def last_at(self) -> datetime | None:
        """When its newest frame was settled, whatever became of it."""
        return max((well.last_at for well in self.wells if well.last_at), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonSeen:
    """How the daemon is.

    Parameters
    ----------
    ready
        Whether it is able to work.
    complaints
        One line for each thing that is wrong with it.
    waiting
        Frames that were found and are neither scored nor quarantined yet.
    pausing
        Why none is scored at the moment though all is well; '' otherwise.
    started_at
        When it began to watch; None where nobody knows.
    """

    ready: bool = True
    complaints: tuple[str, ...] = ()
    waiting: int = 0
    pausing: str = ""
    started_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """All that the state of a run follows from.

    Parameters
    ----------
    target
        Efficiency that a well should reach, 0 to 1; None where no rule sets one.
    named_wells
        Wells that the configuration names one by one: they are expected to have frames.
    """

    now: datetime
    policy: RunPolicy
    run: RunSeen
    daemon: DaemonSeen = DaemonSeen()
    target: float | None = None
    named_wells: tuple[str, ...] = ()
