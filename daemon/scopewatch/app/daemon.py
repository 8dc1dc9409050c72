"""Builds the daemon: makes its stages from what they share, and connects them."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial

from scopewatch.app.acting import LOOK_S as ACT_S
from scopewatch.app.acting import Acting, policies_of
from scopewatch.app.copying.stage import copies_stage, copies_troubles, make_copier
from scopewatch.app.daemon_context import DaemonContext, open_context
from scopewatch.app.dashboard import Dashboard, make_dashboard
from scopewatch.app.messaging.delivering import enter_digest, make_heartbeat
from scopewatch.app.model import keep_verdict, mark_simulated, open_scorer
from scopewatch.app.monitoring import enter_monitor, enter_retention, raise_model_refused
from scopewatch.app.reloading import Reloading
from scopewatch.app.retrying import LOOK_S as RETRY_S
from scopewatch.app.retrying import Retrier
from scopewatch.app.run_states import LOOK_S, RunStates, StateLog, make_states
from scopewatch.app.shared.condition import ConditionRecord
from scopewatch.app.shared.published import PUBLISHED, Published
from scopewatch.app.sources import make_schedule, make_source_supervisors, stop_watching
from scopewatch.app.steering import LOOK_S as STEER_S
from scopewatch.app.steering import Helm, report_start
from scopewatch.app.worker import make_worker
from scopewatch.config import Config
from scopewatch.core.clock import Clock
from scopewatch.core.errors import ModelError, StoreError
from scopewatch.core.imaging.analyse import Scorer
from scopewatch.event_log import get_logger
from scopewatch.notify.delivery import Delivery
from scopewatch.notify.heartbeat import Heartbeat
from scopewatch.runtime.pipeline.outcome import Observer
from scopewatch.runtime.process.memory import GIVE_BACK_S, give_back
from scopewatch.runtime.process.metrics import Metrics
from scopewatch.runtime.process.sd_notify import SystemdNotifier, notify_socket, watchdog_s
from scopewatch.runtime.supervision.monitor import Monitor
from scopewatch.runtime.supervision.schedule import Schedule
from scopewatch.runtime.supervision.source_supervisor import SourceSupervisor
from scopewatch.runtime.supervision.stages import ExitReport, Stage
from scopewatch.runtime.supervision.supervisor import Supervisor

log = get_logger(__name__)


class Application:
    """The whole daemon, built but not started.

    Parameters
    ----------
    held
        What is closed once the daemon has stopped.
    """

    def __init__(
        self,
        supervisor: Supervisor,
        monitor: Monitor,
        metrics: Metrics,
        web: Dashboard | None,
        held: ExitStack,
    ) -> None:
        self._supervisor = supervisor
        self._monitor = monitor
        self._web = web
        self._held = held
        self.metrics = metrics

    @property
    def url(self) -> str | None:
        """Address of the dashboard, None without one; port 0 is known only while it runs."""
        return self._web.url if self._web else None

    def run(self) -> ExitReport:
        """Work until `stop` is called. Raises ScopewatchError when a stage cannot start."""
        with self._held:
            exit_report = self._supervisor.run()
            if exit_report.failed_stage is None:
                self._sign_off()
            return exit_report

    def _sign_off(self) -> None:
        try:
            self._monitor.end()
        except StoreError as error:
            # A full disk makes no failure of an end in order, nor does it keep a reload from
            # its new daemon: all that is lost is that the next start takes it for a crash.
            log.warning("orderly end cannot be recorded", why=str(error))

    def stop(self) -> None:
        """Ask it to stop; any thread and signal handlers may call it."""
        self._supervisor.stop()

    def reload(self) -> None:
        """Ask for what is configured now; any thread and signal handlers may call it."""
        self._supervisor.reload()


def build(
    config: Config,
    *,
    clock: Clock,
    environ: Mapping[str, str],
    pid: int,
    observers: Sequence[Observer] = (),
    scorer: Scorer | None = None,
    reloading: Reloading | None = None,
    starts: bool = True,
) -> Application:
    """Build the daemon: the model is warm, the state folder held, the database open.

    Parameters
    ----------
    environ
        The environment, with the variables of systemd.
    observers
        Called for every frame, in the worker's thread.
    scorer
        The model, where it was opened already.
    reloading
        Checks reloads; None when there are none.
    starts
        Whether the process begins with it; False for a reload.

    Raises
    ------
    ConfigError, ModelError, StoreError
        One line with what to do; everything opened until then is closed.
    """
    scorer = scorer or _open_scorer(config, clock)
    config = mark_simulated(config, scorer.card)
    with ExitStack() as held:
        context = open_context(config, scorer, clock, held)
        keep_verdict(scorer, config.state.folder)
        if config.store.url is not None:
            published = Published.of(config, scorer.card).model_dump_json()
            context.store.record_liveness(PUBLISHED, clock.now(), published)
        worker = make_worker(context, observers)
        watchers = _make_watchers(context)
        schedule = make_schedule(watchers, context.heartbeats)
        delivery = context.delivery
        copier = make_copier(config, context.store, clock, context.metrics)
        supervisor = Supervisor(
            watchers=watchers,
            heartbeats=context.heartbeats,
            notifier=SystemdNotifier(notify_socket(environ)),
            clock=clock,
            summary=context.summary,
            troubles=lambda: (
                *worker.troubles(),
                *delivery.troubles(),
                *schedule.troubles(),
                *copies_troubles(copier),
            ),
            watchdog_s=watchdog_s(environ, pid),
            reloader=reloading,
            end_on_stall_s=config.runtime.end_on_stall_s,
        )
        states = make_states(
            config,
            context.reader,
            clock,
            condition=supervisor.condition,
            waiting=context.waiting,
            pausing=context.pausing,
        )
        web = make_dashboard(context, supervisor.condition, states)
        heartbeat = make_heartbeat(config, clock, lambda: states.condition(supervisor.condition()))
        _enter_jobs(schedule, context, watchers, supervisor, states)
        helm = Helm(context.store, context.sources, config.experiment.name)
        helm.restore(report_start(context.store, clock.now()) if starts else None)
        held.callback(helm.end)
        schedule.every(STEER_S, "steering", helm.look)
        _enter_acts(schedule, context)
        monitor = enter_monitor(
            schedule,
            context,
            watchers,
            refusal=str if reloading is None else reloading.refusal,
            over=states.apart_from_daemon().over,
        )
        if web is not None:
            supervisor.add(Stage(name="web", start=web.start, stop=web.stop, running=web.running))
        if copier is not None:
            supervisor.add(copies_stage(copier))
        supervisor.add(_delivery_stage(delivery))
        supervisor.add(
            Stage(name="worker", start=worker.start, stop=worker.stop, running=worker.running)
        )
        if heartbeat is not None:
            supervisor.add(_heartbeat_stage(heartbeat))
        # Started last and stopped first: frames are looked for only while they can be scored.
        supervisor.add(_schedule_stage(schedule, watchers))
        return Application(supervisor, monitor, context.metrics, web, held.pop_all())


def _open_scorer(config: Config, clock: Clock) -> Scorer:
    try:
        return open_scorer(config.model, config.state.folder)
    except ModelError as error:
        raise_model_refused(config, error, clock)
        raise


def _make_watchers(context: DaemonContext) -> list[SourceSupervisor]:
    return make_source_supervisors(
        context.sources,
        inbox=context.inbox,
        ledger=context.store,
        clock=context.clock,
        heartbeats=context.heartbeats,
        rescan_s=context.config.runtime.rescan_s,
    )


def _enter_jobs(
    schedule: Schedule,
    context: DaemonContext,
    watchers: Sequence[SourceSupervisor],
    supervisor: Supervisor,
    states: RunStates,
) -> None:
    """Add the periodic jobs beside the monitor's rules and the checks of sources."""
    config, store, clock = context.config, context.store, context.clock
    enter_digest(schedule, config, store, context.reader, clock, supervisor.condition, states)
    schedule.every(LOOK_S, "state of the runs", StateLog(states, clock).look)
    if config.store.url is not None:
        schedule.every(LOOK_S, "condition", ConditionRecord(store, states.daemon, clock).look)
    enter_retention(schedule, config, store, clock)
    schedule.every(RETRY_S, "try again", Retrier(store, watchers).look)
    schedule.every(GIVE_BACK_S, "memory", give_back)


def _enter_acts(schedule: Schedule, context: DaemonContext) -> None:
    """Let time-lapses act on what was judged, where that is switched on."""
    policies = policies_of(context.config)
    if policies:
        run = context.config.experiment
        acting = Acting(
            context.reader,
            context.store,
            context.sources,
            context.clock,
            run=run.name,
            channel=run.phase_channel,
            policies=policies,
        )
        schedule.every(ACT_S, "acts of time-lapses", acting.look)


def _delivery_stage(delivery: Delivery) -> Stage:
    return Stage(
        name="delivery",
        start=delivery.start,
        stop=delivery.stop,
        running=lambda: delivery.running,
    )


def _schedule_stage(schedule: Schedule, watchers: Sequence[SourceSupervisor]) -> Stage:
    return Stage(
        name="schedule",
        start=schedule.start,
        stop=partial(stop_watching, schedule, watchers),
        running=schedule.running,
    )


def _heartbeat_stage(heartbeat: Heartbeat) -> Stage:
    return Stage(
        name="heartbeat",
        start=heartbeat.start,
        stop=heartbeat.stop,
        running=lambda: heartbeat.running,
    )
