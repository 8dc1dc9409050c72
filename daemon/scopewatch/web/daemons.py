"""One dashboard over the daemons that share a database: a list of them, and the pages of each.

The pages of a daemon are those that it serves itself, below `/daemons/NAME`.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.concurrency import run_in_threadpool
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from scopewatch.core.clock import Clock
from scopewatch.core.errors import ScopewatchError
from scopewatch.core.phrases import Language
from scopewatch.core.well_name import WellName
from scopewatch.monitoring.state import RunState
from scopewatch.store.read.records.alerts import AlertRow
from scopewatch.web.access.auth_middleware import AuthConfig
from scopewatch.web.dashboard_context import DashboardContext
from scopewatch.web.health import state_answer
from scopewatch.web.language import page_language
from scopewatch.web.pages import languages
from scopewatch.web.rendering import Templates, make_templates
from scopewatch.web.server import answer_failures, create_pages, guard

ROOT = "/daemons"


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonView:
    """A daemon at a glance.

    Parameters
    ----------
    complaints
        One line for each thing that is wrong with it; none where it works.
    runs
        The states of the runs that it watches now, the newest first.
    flagged
        Wells of these runs with an alert that nobody has answered.
    wider
        Alerts of plates and of the monitor that nobody has answered.
    address
        Of its own dashboard; '' where it serves none that others reach.
    """

    name: str
    complaints: tuple[str, ...] = ()
    runs: tuple[RunState, ...] = ()
    flagged: tuple[WellName, ...] = ()
    wider: tuple[AlertRow, ...] = ()
    simulated: bool = False
    address: str = ""

    @property
    def well(self) -> bool:
        """Whether nothing needs anybody."""
        return not self.complaints and not any(each.state.needs_somebody for each in self.runs)


class UnknownDaemonError(ScopewatchError):
    """There is no daemon of that name."""


class Daemons(Protocol):
    """The daemons of a database."""

    def look(self) -> Sequence[DaemonView]:
        """Return every daemon by name. Raises StoreError."""
        ...

    def context(self, name: str) -> DashboardContext:
        """Return what the pages of a daemon show.

        Raises
        ------
        UnknownDaemonError
            Where there is none of that name.
        ScopewatchError
            Where it cannot be read.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedContext:
    """The context of the list of daemons.

    Parameters
    ----------
    token
        A secret of this process that our forms carry.
    """

    daemons: Daemons
    version: str
    clock: Clock
    token: str
    language: Language | None = None
    auth: AuthConfig | None = None
    templates: Templates = field(default_factory=partial(make_templates, shared=True))


def create_shared_app(
    context: SharedContext, *, names: Collection[str] = (), addresses: bool = False
) -> FastAPI:
    """Build the dashboard; it starts nothing and opens nothing."""
    app = FastAPI(title="scopewatch", version=context.version, docs_url=None, redoc_url=None)
    app.state.context = context

    @app.get("/", include_in_schema=False)
    def show(request: Request) -> HTMLResponse:
        """Show every daemon with the runs that it watches."""
        language = page_language(request.headers, context.language)
        text = (
            context.templates[language]
            .get_template("daemons.html")
            .render(
                daemons=context.daemons.look(),
                version=context.version,
                now=context.clock.now(),
                guarded=context.auth is not None,
                token=context.token,
            )
        )
        return HTMLResponse(text)

    @app.get("/healthz")
    def healthz() -> JSONResponse:
        """Whether every daemon works and judges its runs: 200, or 503 with what is wrong.

        Without any daemon nothing is judged: 503.
        """
        daemons = context.daemons.look()
        healthy = bool(daemons) and all(each.well for each in daemons)
        answer = {"healthy": healthy, "daemons": [_answer_of(each) for each in daemons]}
        return JSONResponse(answer, status_code=200 if healthy else 503)

    app.include_router(languages.routes, include_in_schema=False)
    guard(app, context, names=names, addresses=addresses)
    answer_failures(app, context)
    app.router.routes.append(Mount(f"{ROOT}/{{daemon}}", app=_Pages(context.daemons.context)))
    return app


class _Pages:
    """Passes requests on to the pages of the daemon that their address names."""

    def __init__(self, context_of: Callable[[str], DashboardContext]) -> None:
        self._context_of = context_of
        self._built: dict[str, tuple[DashboardContext, ASGIApp]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        name = scope["path_params"]["daemon"]
        try:
            context = await run_in_threadpool(self._context_of, name)
        except UnknownDaemonError as error:
            raise HTTPException(status_code=404, detail=str(error)) from error
        built = self._built.get(name)
        if built is None or built[0] is not context:
            self._built[name] = built = (context, create_pages(context))
        await built[1](scope, receive, send)


def _answer_of(daemon: DaemonView) -> dict[str, object]:
    return {
        "daemon": daemon.name,
        "healthy": daemon.well,
        "detail": list(daemon.complaints),
        "runs": [state_answer(each).model_dump() for each in daemon.runs],
        "pages": f"{ROOT}/{daemon.name}/",
    }
