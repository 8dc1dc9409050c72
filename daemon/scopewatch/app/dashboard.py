"""Makes the dashboard of a daemon and its server."""

import secrets
from functools import partial
from typing import TYPE_CHECKING

from scopewatch.app.daemon_context import DaemonContext
from scopewatch.app.results import gather_facts
from scopewatch.app.run_states import RunStates
from scopewatch.app.steering import standings_of
from scopewatch.config import WebConfig
from scopewatch.core.clock import Clock

if TYPE_CHECKING:
    from scopewatch.web.access.auth_middleware import AuthConfig
    from scopewatch.web.monitor_store import Health
    from scopewatch.web.serve import WebServer


def make_web_server(
    daemon: DaemonContext, health: "Health", states: RunStates
) -> "WebServer | None":
    """Make the server of the dashboard; None where the configuration wants none."""
    web = daemon.config.web
    if not web.enabled:
        return None
    # FastAPI and what it needs: nothing of it is loaded where there is no dashboard.
    from scopewatch.web.dashboard_context import DashboardContext  # noqa: PLC0415
    from scopewatch.web.serve import WebServer  # noqa: PLC0415
    from scopewatch.web.server import create_app  # noqa: PLC0415

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
        host=web.host,
        port=web.port,
        progress=partial(daemon.heartbeats.beat, "web"),
        proxied=web.behind_tls,
    )


def _make_auth(web: WebConfig, clock: Clock) -> "AuthConfig | None":
    if web.token is None:
        return None
    from scopewatch.web.access.auth_middleware import make_auth_config  # noqa: PLC0415

    return make_auth_config(web.token.get_secret_value(), clock, secure=web.behind_tls)
