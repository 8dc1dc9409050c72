"""Builds the daemon: the only place that makes its objects and plugs them together."""

import logging
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial

from scopewatch.app.drawing import DatedOverlays
from scopewatch.app.measuring import make_marker
from scopewatch.app.messaging.delivering import enter_digest, make_delivery, make_heartbeat
from scopewatch.app.model import mark_simulated, open_scorer
from scopewatch.app.monitoring import enter_monitor, enter_retention, tell_model_refused
from scopewatch.app.reloading import Reloading
from scopewatch.app.results import (
    OVERLAYS,
    gather_facts,
    open_overlays,
    open_store,
)
from scopewatch.app.retrying import LOOK_S as RETRY_S
from scopewatch.app.retrying import Retrier
from scopewatch.app.run_states import LOOK_S, StateLog, make_states
from scopewatch.app.sources import (
    make_schedule,
    make_source_supervisors,
    make_sources,
    stop_watching,
)
from scopewatch.app.steering import LOOK_S as STEER_S
from scopewatch.app.steering import Helm
from scopewatch.config import Config, WebConfig
from scopewatch.core.clock import Clock
from scopewatch.core.errors import ModelError, StoreError
from scopewatch.core.imaging.analyse import Scorer, analyse
from scopewatch.core.source import FrameSource
from scopewatch.notify.delivery import Delivery
from scopewatch.notify.heartbeat import Heartbeat
from scopewatch.runtime.pipeline.bursts import Bursts
from scopewatch.runtime.pipeline.frame_pipeline import FramePipeline
from scopewatch.runtime.pipeline.inbox import BoundedInbox
from scopewatch.runtime.pipeline.outcome import Ending, Observer, Outcome
from scopewatch.runtime.pipeline.worker import Worker
from scopewatch.runtime.process.memory import GIVE_BACK_S, give_back
from scopewatch.runtime.process.metrics import Metrics
from scopewatch.runtime.process.sd_notify import SystemdNotifier, notify_socket, watchdog_s
from scopewatch.runtime.supervision.heartbeats import Heartbeats
from scopewatch.runtime.supervision.monitor import Monitor
from scopewatch.runtime.supervision.stages import Farewell, Stage
from scopewatch.runtime.supervision.supervisor import Supervisor
from scopewatch.store.read.queries import Reader
from scopewatch.store.write.database import Store
from scopewatch.web.access.auth_middleware import AuthConfig, make_auth_config
from scopewatch.web.serve import WebServer
from scopewatch.web.server import create_app

log = logging.getLogger(__name__)


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
        web: WebServer | None,
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

    def run(self) -> Farewell:
        """Work until `stop` is called. Raises ScopewatchError when a stage cannot start."""
        with self._held:
            farewell = self._supervisor.run()
            if farewell.failed_stage is None:
                self._sign_off()
            return farewell

    def _sign_off(self) -> None:
        try:
            self._monitor.end()
        except StoreError as error:
            # A full disk makes no failure of an end in order, nor does it keep a reload from
            # its new daemon: all that is lost is that the next start takes it for a crash.
            log.warning("orderly end cannot be recorded", extra={"event": {"why": str(error)}})

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
) -> Application:
    """Build the daemon: the model is warm, the state folder held, the database open.

    Parameters
    ----------
    environ
        Where systemd says how to notify it.
    observers
        Hear of every frame, in the worker's thread.
    scorer
        The model, where it was opened already.
    reloading
        Checks reloads; None when there are none.

    Raises
    ------
    ConfigError, ModelError, StoreError
        One line with what to do; everything opened until then is closed.
    """
    scorer = scorer or _open_scorer(config, clock)
    config = mark_simulated(config, scorer.card)
    bursts = Bursts(clock, per_s=config.runtime.burst_per_s, wait_s=config.runtime.burst_wait_s)
    sources = make_sources(config, clock, bursts)
    heartbeats = Heartbeats(clock, stall_s=config.runtime.stall_s)
    inbox = BoundedInbox(config.runtime.inbox, clock)
    metrics = Metrics(clock, inbox)
    metrics.watch_sources(sources)
    with ExitStack() as held:
        held.callback(scorer.close)
        store = open_store(config, scorer.card, clock, held)
        reader = Reader.open(config.state.folder)
        held.callback(reader.close)
        metrics.watch_channels(reader.channels)
        delivery = make_delivery(config, store, clock, heartbeats)
        worker = Worker(
            inbox=inbox,
            pipeline=_make_pipeline(config, scorer, sources, store, reader, clock),
            clock=clock,
            heartbeats=heartbeats,
            observer=_Audience((metrics, *observers), delivery.wake),
            max_attempts=config.runtime.max_attempts,
            hold_s=bursts.hold_s,
        )
        watchers = make_source_supervisors(
            sources,
            inbox=inbox,
            ledger=store,
            clock=clock,
            heartbeats=heartbeats,
            rescan_s=config.runtime.rescan_s,
        )
        schedule = make_schedule(watchers, heartbeats)
        helm = Helm(store, sources, config.experiment.name)
        helm.restore()
        supervisor = Supervisor(
            watchers=watchers,
            heartbeats=heartbeats,
            notifier=SystemdNotifier(notify_socket(environ)),
            clock=clock,
            summary=partial(_sum_up, metrics, inbox, bursts),
            troubles=lambda: (*worker.troubles(), *delivery.troubles(), *schedule.troubles()),
            watchdog_s=watchdog_s(environ, pid),
            reloader=reloading,
            end_on_stall_s=config.runtime.end_on_stall_s,
        )
        states = make_states(
            config,
            reader,
            clock,
            condition=supervisor.condition,
            waiting=partial(_count_waiting, inbox, sources),
            pausing=lambda: bursts.reason,
        )
        web = None
        if config.web.enabled:
            app = create_app(
                reader=reader,
                overlay_folder=config.state.folder / OVERLAYS,
                alerts=store,
                health=supervisor.condition,
                states=states,
                receivers=delivery.receivers,
                waiting=partial(_count_waiting, inbox, sources),
                pausing=lambda: bursts.reason,
                registry=metrics.registry,
                facts=gather_facts(config, scorer.card),
                clock=clock,
                token=secrets.token_urlsafe(32),
                language=config.web.language,
                auth=_make_auth_config(config.web, clock),
                names=config.web.names,
                addresses=not config.web.on_loopback,
            )
            web = WebServer(
                app,
                host=config.web.host,
                port=config.web.port,
                progress=partial(heartbeats.beat, "web"),
                proxied=config.web.behind_tls,
            )
            supervisor.add(Stage(name="web", start=web.start, stop=web.stop, running=web.running))
        supervisor.add(_delivery_stage(delivery))
        supervisor.add(
            Stage(name="worker", start=worker.start, stop=worker.stop, running=worker.running)
        )
        heartbeat = make_heartbeat(config, clock, lambda: states.condition(supervisor.condition()))
        if heartbeat is not None:
            supervisor.add(_heartbeat_stage(heartbeat))
        # Started last and stopped first: frames are looked for only while they can be scored.
        enter_digest(schedule, config, store, reader, clock, supervisor.condition, states)
        schedule.every(LOOK_S, "state of the runs", StateLog(states, clock).look)
        enter_retention(schedule, config, store, clock)
        schedule.every(RETRY_S, "try again", Retrier(store, watchers).look)
        schedule.every(STEER_S, "steering", helm.look)
        schedule.every(GIVE_BACK_S, "memory", give_back)
        refusal = str if reloading is None else reloading.refusal
        monitor = enter_monitor(
            schedule,
            config,
            store,
            watchers,
            delivery,
            clock,
            refusal,
            states.apart_from_daemon().over,
        )
        supervisor.add(
            Stage(
                name="schedule",
                start=schedule.start,
                stop=partial(stop_watching, schedule, watchers),
                running=schedule.running,
            )
        )
        return Application(supervisor, monitor, metrics, web, held.pop_all())


class _Audience:
    """Passes on what the worker does, and wakes the delivery where a frame caused an alert."""

    def __init__(self, observers: Sequence[Observer], wake: Callable[[], None]) -> None:
        self._observers = observers
        self._wake = wake

    def ended(self, outcome: Outcome) -> None:
        """Note the end of the work on an item."""
        for observer in self._observers:
            observer.ended(outcome)
        if outcome.alerts:
            self._wake()

    def failed(self, step: str) -> None:
        """Note that a step failed and will be tried again."""
        for observer in self._observers:
            observer.failed(step)


def _open_scorer(config: Config, clock: Clock) -> Scorer:
    try:
        return open_scorer(config.model)
    except ModelError as error:
        tell_model_refused(config, error, clock)
        raise


def _make_pipeline(
    config: Config,
    scorer: Scorer,
    sources: Sequence[FrameSource],
    store: Store,
    reader: Reader,
    clock: Clock,
) -> FramePipeline:
    return FramePipeline(
        sources={source.name: source for source in sources},
        analyse=partial(analyse, scorer=scorer, monotonic=clock.monotonic),
        store=store,
        overlays=DatedOverlays(open_overlays(config, scorer.card, reader), store.day_of),
        phase_channel=config.experiment.phase_channel,
        marker=make_marker(config, scorer.card),
    )


def _make_auth_config(web: WebConfig, clock: Clock) -> AuthConfig | None:
    if web.token is None:
        return None
    return make_auth_config(web.token.get_secret_value(), clock, secure=web.behind_tls)


def _delivery_stage(delivery: Delivery) -> Stage:
    return Stage(
        name="delivery",
        start=delivery.start,
        stop=delivery.stop,
        running=lambda: delivery.running,
    )


def _heartbeat_stage(heartbeat: Heartbeat) -> Stage:
    return Stage(
        name="heartbeat",
        start=heartbeat.start,
        stop=heartbeat.stop,
        running=lambda: heartbeat.running,
    )


def _sum_up(metrics: Metrics, inbox: BoundedInbox, bursts: Bursts) -> str:
    figures = (
        f"{metrics.total(Ending.SCORED)} frames scored,"
        f" {metrics.total(Ending.QUARANTINED) + metrics.total(Ending.REFUSED)} quarantined,"
        f" {inbox.depth} waiting"
    )
    return f"{figures}; {bursts.reason}" if bursts.reason else figures


def _count_waiting(inbox: BoundedInbox, sources: Sequence[FrameSource]) -> int:
    return inbox.depth + sum(source.health().waiting for source in sources)
