"""The dashboard of a daemon: its port is held at once, its pages are made once it is ready."""

import secrets
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from scopewatch.app.daemon_context import DaemonContext
from scopewatch.app.results import gather_facts
from scopewatch.app.run_states import RunStates
from scopewatch.app.steering import standings_of
from scopewatch.config import WebConfig
from scopewatch.core.clock import Clock
from scopewatch.event_log import get_logger
from scopewatch.web.access.listener import Listener

if TYPE_CHECKING:
    from scopewatch.web.access.auth_middleware import AuthConfig
    from scopewatch.web.monitor_store import Health
    from scopewatch.web.serve import WebServer


log = get_logger(__name__)

# A daemon whose folder is away is not ready, and shows so on its pages.
LATEST_S: Final = 1.0
LOOK_S: Final = 0.02


class Dashboard:
    """Holds its port from the start, and serves once the daemon is ready.

    Loading FastAPI and making the pages takes a sixth of a start, in which no frame would be
    judged. Requests that come meanwhile wait.

    Parameters
    ----------
    make
        Makes the server for the listener.
    ready
        Whether the daemon is ready; after `LATEST_S` it is not waited for.
    """

    def __init__(
        self, listener: Listener, make: "Callable[[Listener], WebServer]", ready: Callable[[], bool]
    ) -> None:
        self._listener = listener
        self._make = make
        self._ready = ready
        self._stopping = threading.Event()
        self._opening: threading.Thread | None = None
        self._server: WebServer | None = None

    @property
    def url(self) -> str:
        """Address of the dashboard, with the port it really got."""
        return self._listener.url

    def start(self) -> None:
        """Hold the port.

        Raises
        ------
        ConfigError
            When it is taken or may not be used.
        """
        self._listener.open()
        self._opening = threading.Thread(target=self._open, name="web-opening", daemon=True)
        self._opening.start()

    def running(self) -> bool:
        """Whether it serves, or is going to."""
        opening = self._opening is not None and self._opening.is_alive()
        return opening or (self._server is not None and self._server.running())

    def stop(self, within_s: float = 4.0) -> bool:
        """Answer what is being answered, then end; False when that took too long. Idempotent."""
        ends_s = time.monotonic() + within_s
        self._stopping.set()
        if self._opening is not None:
            self._opening.join(within_s)
        if self._server is not None:
            self._server.stop(max(0.0, ends_s - time.monotonic()))
        self._listener.close()
        return not self.running()

    def _open(self) -> None:
        latest_s = time.monotonic() + LATEST_S
        while not self._ready() and time.monotonic() < latest_s:
            if self._stopping.wait(LOOK_S):
                return
        try:
            self._server = self._make(self._listener)
            self._server.start()
        except Exception:  # the thread's boundary: the supervisor sees that it has ended
            log.exception("dashboard failed", url=self.url)


def make_dashboard(daemon: DaemonContext, health: "Health", states: RunStates) -> Dashboard | None:
    """Make the dashboard; None where the configuration wants none."""
    web = daemon.config.web
    if not web.enabled:
        return None
    return Dashboard(
        Listener(web.host, web.port),
        partial(_make_server, daemon, health, states),
        ready=lambda: health().ready,
    )


def _make_server(
    daemon: DaemonContext, health: "Health", states: RunStates, listener: Listener
) -> "WebServer":
    # FastAPI and what it needs: nothing of it is loaded where there is no dashboard.
    from scopewatch.web.dashboard_context import DashboardContext  # noqa: PLC0415
    from scopewatch.web.serve import WebServer  # noqa: PLC0415
    from scopewatch.web.server import create_app  # noqa: PLC0415

    web = daemon.config.web
    context = DashboardContext(
        reader=daemon.reader,
        overlay_folder=daemon.config.pictures,
        alerts=daemon.store,
        health=health,
        states=states,
        waiting=daemon.waiting,
        pausing=daemon.pausing,
        receivers=daemon.delivery.receivers,
        acquisitions=partial(standings_of, daemon.sources),
        registry=daemon.metrics.registry,
        facts=gather_facts(daemon.config, daemon.scorer.card),
        clock=daemon.clock,
        token=secrets.token_urlsafe(32),
        language=web.language,
        auth=_make_auth(web, daemon.clock),
    )
    return WebServer(
        create_app(context, names=web.names, addresses=not web.on_loopback),
        listener,
        progress=partial(daemon.heartbeats.beat, "web"),
        proxied=web.behind_tls,
    )


def _make_auth(web: WebConfig, clock: Clock) -> "AuthConfig | None":
    if web.token is None:
        return None
    from scopewatch.web.access.auth_middleware import make_auth_config  # noqa: PLC0415

    return make_auth_config(web.token.get_secret_value(), clock, secure=web.behind_tls)
