"""What every request is given: the context of the dashboard, and who looks at which page."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from fastapi import Depends, Request
from prometheus_client import CollectorRegistry

from scopewatch.core.clock import Clock
from scopewatch.core.phrases import Language
from scopewatch.monitoring.state import Level, State
from scopewatch.web.access.auth_middleware import AuthConfig
from scopewatch.web.language import page_language
from scopewatch.web.monitor_store import (
    Acquisitions,
    AlertAnswers,
    Facts,
    Health,
    Reader,
    Receivers,
    States,
)
from scopewatch.web.overlay_images import PictureCopies
from scopewatch.web.plate import Staleness
from scopewatch.web.rendering import Templates, make_templates


@dataclass(frozen=True, slots=True, kw_only=True)
class DashboardContext:
    """The rest of the daemon, as the dashboard sees it.

    Parameters
    ----------
    overlay_folder
        The folder that the relative paths of overlays start from.
    copies
        Where pictures are asked for that are not in it; None: nowhere.
    health, waiting, pausing, receivers
        Called at each page; must be quick and must not raise.
    states
        The states of the runs.
    waiting
        How many frames were found but neither scored nor quarantined yet.
    pausing
        Why none is scored at the moment though all is well; '' otherwise.
    registry
        The counts of the daemon; None where it is another process.
    receivers
        State of the receivers of alerts.
    acquisitions
        State of the time-lapses that scopewatch acquires.
    token
        A secret of this process that our forms carry, a fresh `secrets.token_urlsafe(32)`; see
        `web.access.request_guard`.
    language
        Of the pages, for those who have chosen none; None: as their browser asks.
    auth
        The token check; None for a dashboard on loopback.
    root
        What the addresses of its pages begin with; see `rendering.make_templates`.
    """

    reader: Reader
    overlay_folder: Path
    alerts: AlertAnswers
    health: Health
    states: States
    waiting: Callable[[], int]
    registry: CollectorRegistry | None
    facts: Facts
    clock: Clock
    token: str
    pausing: Callable[[], str] = str
    receivers: Receivers = tuple
    acquisitions: Acquisitions = tuple
    templates: Templates = field(default_factory=make_templates)
    language: Language | None = None
    auth: AuthConfig | None = None
    root: str = ""
    copies: PictureCopies | None = None

    @property
    def guarded(self) -> bool:
        """Whether people had to sign in, and so can sign out."""
        return self.auth is not None

    def staleness(self, state: State) -> Staleness:
        """Return when a well of a run counts as left behind."""
        over = state.level is Level.FINISHED
        return Staleness(after=None if over else self.facts.policy.recent)


async def context_of(request: Request) -> DashboardContext:
    """Return the context of the dashboard that a request came to."""
    context: DashboardContext = request.app.state.context
    return context


# Routes are given their context and enclose none: FastAPI remembers thousands of routes for as long
# as the process runs, and with them would keep each model that a reload puts away.
GivenContext = Annotated[DashboardContext, Depends(context_of)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """Who looks at which page.

    Parameters
    ----------
    here
        The page's address with its query, as the browser asked for it.
    """

    language: Language
    here: str


async def visit_of(request: Request, context: GivenContext) -> Visit:
    """Return the language and the address of the page that is asked for."""
    raw = request.scope.get("raw_path") or request.url.path.encode()
    query = request.scope.get("query_string", b"")
    return Visit(
        language=page_language(request.headers, context.language),
        here=(raw + (b"?" + query if query else b"")).decode("ascii", "replace"),
    )


GivenVisit = Annotated[Visit, Depends(visit_of)]
