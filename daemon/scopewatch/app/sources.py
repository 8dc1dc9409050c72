"""Makes the sources of a configuration, their supervisors and their schedule."""

import threading
import time
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from scopewatch.config import (
    Config,
    FolderSourceConfig,
    LimitsConfig,
    MicroManagerSourceConfig,
    NDTiffSourceConfig,
    OmeZarrSourceConfig,
    RunConfig,
    SourceConfig,
)
from scopewatch.core.clock import Clock
from scopewatch.core.source import Arrivals, FrameSource, Inbox, Ledger
from scopewatch.runtime.supervision.heartbeats import Heartbeats
from scopewatch.runtime.supervision.schedule import Schedule
from scopewatch.runtime.supervision.source_supervisor import SourceSupervisor

# How often sources are checked; their scans follow runtime.rescan_s.
CHECK_S = 1.0
ACQUIRE_S = 1.0
# Of the time that all stages have to end; the worker finishes its frame meanwhile.
RETIRE_S = 2.5


@runtime_checkable
class Acquirer(Protocol):
    """A source that can run the time-lapse itself."""

    @property
    def name(self) -> str:
        """Unique name from the configuration."""
        ...

    @property
    def acquires(self) -> bool:
        """Whether it runs a time-lapse."""
        ...

    def acquire_due(self) -> None:
        """Acquire the time point that is due, if one is. Never raises."""
        ...


def make_sources(
    config: Config, clock: Clock, arrivals: Arrivals | None = None
) -> Sequence[FrameSource]:
    """Make every source of the configuration; none is started. Raises ConfigError."""
    return [
        make_source(source, config.experiment, clock, config.limits, arrivals)
        for source in config.sources
    ]


def make_source(
    source: SourceConfig,
    run: RunConfig,
    clock: Clock,
    limits: LimitsConfig,
    arrivals: Arrivals | None = None,
) -> FrameSource:
    """Make one source. Only its own libraries are imported. Raises ConfigError."""
    from scopewatch.sources.readers.planes import ReadLimits  # noqa: PLC0415 - loads numpy

    bounds = ReadLimits(**limits.model_dump())
    match source:
        case FolderSourceConfig():
            from scopewatch.sources.folder.source import FolderSource  # noqa: PLC0415

            return FolderSource(source, run, clock, limits=bounds, arrivals=arrivals)
        case NDTiffSourceConfig():
            from scopewatch.sources.ndtiff.source import NDTiffSource  # noqa: PLC0415

            return NDTiffSource(source, run, clock, limits=bounds, arrivals=arrivals)
        case OmeZarrSourceConfig():
            from scopewatch.sources.omezarr.source import OmeZarrSource  # noqa: PLC0415

            return OmeZarrSource(source, run, clock, limits=bounds, arrivals=arrivals)
        case MicroManagerSourceConfig():
            from scopewatch.sources.micromanager.source import MicroManagerSource  # noqa: PLC0415

            return MicroManagerSource(source, run, clock, limits=bounds, arrivals=arrivals)


def make_source_supervisors(
    sources: Sequence[FrameSource],
    *,
    inbox: Inbox,
    ledger: Ledger,
    clock: Clock,
    heartbeats: Heartbeats,
    rescan_s: float,
) -> list[SourceSupervisor]:
    """Give each source its supervisor."""
    return [
        SourceSupervisor(
            source,
            inbox=inbox,
            ledger=ledger,
            clock=clock,
            heartbeats=heartbeats,
            rescan_s=rescan_s,
        )
        for source in sources
    ]


def make_schedule(watchers: Sequence[SourceSupervisor], heartbeats: Heartbeats) -> Schedule:
    """Make the schedule: sources are checked, time points acquired."""
    schedule = Schedule(heartbeats)
    for watcher in watchers:
        schedule.every(CHECK_S, watcher.stage, watcher.check)
        source = watcher.source
        if isinstance(source, Acquirer) and source.acquires:
            # A job of its own: a plate takes minutes, and new frames must be noticed meanwhile.
            schedule.every(ACQUIRE_S, f"acquire {source.name}", source.acquire_due)
    return schedule


def stop_watching(
    schedule: Schedule, watchers: Sequence[SourceSupervisor], within_s: float
) -> bool:
    """Stop all sources side by side: one on a dead share must not hold up the worker's end."""
    schedule.stop()
    threads = [
        threading.Thread(target=watcher.retire, name=f"retire {watcher.stage}", daemon=True)
        for watcher in watchers
    ]
    for thread in threads:
        thread.start()
    ends_at = time.monotonic() + min(within_s, max(RETIRE_S, within_s / 2))
    for thread in threads:
        thread.join(max(0.0, ends_at - time.monotonic()))
    idle = schedule.wait_idle(max(0.0, ends_at - time.monotonic()))
    return idle and not any(thread.is_alive() for thread in threads)
