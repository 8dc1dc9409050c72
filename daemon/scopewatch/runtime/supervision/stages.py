"""The stages that run beside the main thread: their condition, and how they are stopped in time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from scopewatch.core.clock import Clock
from scopewatch.event_log import get_logger
from scopewatch.runtime.supervision.heartbeats import Heartbeats
from scopewatch.runtime.supervision.source_supervisor import SourceSupervisor

log = get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Something that runs beside the main thread.

    Parameters
    ----------
    start
        Returns once the stage runs; an exception ends the start of the daemon.
    stop
        Ends the stage within the given seconds; False when it did not end in time.
    running
        Whether the stage runs; the daemon ends when a stage ended by itself.
    """

    name: str
    start: Callable[[], None]
    stop: Callable[[float], bool]
    running: Callable[[], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """The condition of the daemon: `complaints` holds one line for each thing that is wrong."""

    ready: bool
    complaints: tuple[str, ...]

    @property
    def well(self) -> bool:
        """Whether everything works."""
        return self.ready and not self.complaints


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitReport:
    """How the daemon ended.

    Parameters
    ----------
    failed_stage
        The stage that ended by itself, or hung; None when the daemon was asked to stop.
    clean
        False when a stage did not stop in time: its thread may still be running.
    hung
        Whether that stage had made no progress for too long.
    reload
        Whether it ended to be built again.
    """

    failed_stage: str | None
    clean: bool
    hung: bool = False
    reload: bool = False


def list_complaints(
    stages: Sequence[Stage], heartbeats: Heartbeats, watchers: Sequence[SourceSupervisor]
) -> list[str]:
    """Return one line for each stage that ended or hangs, and each source that gives nothing."""
    complaints = [f"{stage.name} has ended" for stage in stages if not stage.running()]
    complaints += [
        f"{name} has made no progress for {silent_s:.0f} s"
        for name, silent_s in heartbeats.stalled().items()
    ]
    complaints += [
        f"{watcher.stage}: {watcher.trouble}" for watcher in watchers if not watcher.watching
    ]
    complaints += [
        f"{watcher.stage}: {watcher.failing}"
        for watcher in watchers
        if watcher.watching and watcher.failing
    ]
    return complaints


def stop_stages(started: Sequence[Stage], clock: Clock, within_s: float) -> list[str]:
    """Stop stages, the last one first, within so many seconds; the names of what did not end."""
    ends_at = clock.monotonic() + within_s
    late = []
    for stage in reversed(started):
        left_s = max(0.0, ends_at - clock.monotonic())
        try:
            in_time = stage.stop(left_s)
        except Exception:
            # The stages after it must still be stopped.
            log.exception("stage failed to stop", stage=stage.name)
            in_time = False
        if not in_time:
            log.error("stage did not stop in time", stage=stage.name)
            late.append(stage.name)
    return late
