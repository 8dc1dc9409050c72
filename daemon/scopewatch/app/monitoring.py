"""Makes the monitor of the daemon itself, and raises the alert of a start that failed."""

import shutil
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from scopewatch.app.copying.queue import CopyRemovals
from scopewatch.app.daemon_context import DaemonContext
from scopewatch.app.messaging.delivering import make_delivery
from scopewatch.app.recording.store import Store
from scopewatch.app.results import message_composer
from scopewatch.app.run_policy import policy_of
from scopewatch.app.shared.places import place_to_record
from scopewatch.config import Config, MicroManagerSourceConfig
from scopewatch.core.alerts.monitor import model_refused
from scopewatch.core.alerts.rules import RuleKind
from scopewatch.core.clock import Clock
from scopewatch.core.errors import ModelError, ScopewatchError
from scopewatch.event_log import get_logger
from scopewatch.runtime.process.lock import InstanceLock
from scopewatch.runtime.supervision.heartbeats import Heartbeats
from scopewatch.runtime.supervision.monitor import TICK_S, Monitor
from scopewatch.runtime.supervision.schedule import Schedule
from scopewatch.runtime.supervision.source_supervisor import SourceSupervisor
from scopewatch.store.files.retention import retain
from scopewatch.store.files.whole_files import make_folder
from scopewatch.store.read.liveness import PICTURES_REMOVED

log = get_logger(__name__)

JOB = "monitor"
RETAIN_S = 3600.0


def enter_monitor(
    schedule: Schedule,
    context: DaemonContext,
    watchers: Sequence[SourceSupervisor],
    *,
    refusal: Callable[[], str] = str,
    over: Callable[[], bool] = bool,
) -> Monitor:
    """Enter into the schedule what steps the rules that need the clock."""
    config, folder = context.config, context.config.state.folder
    monitor = Monitor(
        context.store,
        rules=config.stepped_rules(),
        sources=[watcher.source for watcher in watchers],
        run=config.experiment.name,
        final_day=config.experiment.final_day,
        interval_h=config.experiment.interval_h,
        free_bytes={
            str(each): partial(_free_bytes, each) for each in (*image_folders(config), folder)
        },
        clock=context.clock,
        wake=context.delivery.wake,
        troubles=lambda: {each.source.name: each.trouble for each in watchers if not each.watching},
        refusal=refusal,
        over=over,
        stopping=schedule.stopping,
    )
    schedule.every(TICK_S, JOB, monitor.tick)
    return monitor


def image_folders(config: Config) -> list[Path]:
    """Return the folders beside the state folder whose disks must not fill up."""
    folders = [
        source.path for source in config.sources if isinstance(source, MicroManagerSourceConfig)
    ]
    # A frame whose picture finds no room is not judged.
    return folders if config.overlays.folder is None else [*folders, config.pictures]


def _free_bytes(folder: Path) -> int:
    """Return what is free where a folder lies, or will be made. Raises OSError."""
    try:
        return shutil.disk_usage(folder).free
    except FileNotFoundError:
        return shutil.disk_usage(next(each for each in folder.parents if each.exists())).free


def enter_retention(schedule: Schedule, config: Config, store: Store, clock: Clock) -> None:
    """Enter into the schedule what removes pictures that have been kept long enough."""
    folder = config.pictures
    copies = None if config.picture_copies is None else CopyRemovals(store, folder)

    def remove() -> None:
        before = (lambda _: None) if copies is None else copies.before
        removed = retain(folder, config.overlays, clock.now(), before)
        if copies is not None:
            copies.catch_up()
        if removed.newest_at is not None:
            store.record_liveness(PICTURES_REMOVED, removed.newest_at)

    # The schedule says when a picture cannot be removed, and the next round tries again.
    schedule.every(RETAIN_S, "retention", remove)


def raise_model_refused(config: Config, error: ModelError, clock: Clock) -> None:
    """Raise the alert that the model was refused, and send it while the process is still there.

    What cannot be sent now waits for the next start. Never raises: the refusal itself is what
    ends the start.
    """
    rules = [rule for rule in config.alert_rules() if rule.kind is RuleKind.MODEL_REFUSED]
    if not rules:
        return
    try:
        with ExitStack() as held:
            make_folder(config.state.folder)
            held.enter_context(InstanceLock(config.state.folder))
            store = Store.open(
                place_to_record(config),
                alone=True,
                policy=policy_of(config.experiment),
                composer=message_composer(config),
                clock=clock,
            )
            held.callback(store.close)
            seen = model_refused(at=clock.now(), reason=str(error))
            if store.watch([(rule, seen) for rule in rules]):
                heartbeats = Heartbeats(clock, stall_s=config.runtime.stall_s)
                make_delivery(config, store, clock, heartbeats).drain()
    except ScopewatchError as trouble:
        log.error("refusal of the model cannot be reported", why=str(trouble))
