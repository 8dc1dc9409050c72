"""The web application: its routes, templates and guard, and its answers when something fails."""

import re
from collections.abc import Collection
from pathlib import Path
from typing import Final, Protocol

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

from scopewatch.core.errors import NoSpaceError, ScopewatchError, complaint
from scopewatch.core.phrases import Language
from scopewatch.web import health, pages, retry
from scopewatch.web.access import login
from scopewatch.web.access.auth_middleware import AuthConfig, AuthMiddleware
from scopewatch.web.access.request_guard import RefusedFormError, RequestGuard
from scopewatch.web.api import acquisition
from scopewatch.web.api import routes as api
from scopewatch.web.dashboard_context import DashboardContext
from scopewatch.web.language import page_language
from scopewatch.web.rendering import Templates

HERE = Path(__file__).parent
_API: Final = re.compile(r"(/daemons/[^/]+)?/api/")


def create_app(
    context: DashboardContext, *, names: Collection[str] = (), addresses: bool = False
) -> FastAPI:
    """Build the dashboard; it starts nothing and opens nothing.

    Parameters
    ----------
    names, addresses
        What the Host header may contain besides names of this machine; see
        `web.access.request_guard`.
    """
    app = create_pages(context)
    guard(app, context, names=names, addresses=addresses)
    return app


def create_pages(context: DashboardContext) -> FastAPI:
    """Build the pages and answers of one daemon alone, which nobody guards yet."""
    # FastAPI's own pages of documentation load scripts from a CDN: they are off.
    app = FastAPI(title="scopewatch", version=context.facts.version, docs_url=None, redoc_url=None)
    app.state.context = context
    app.include_router(pages.routes, include_in_schema=False)
    app.include_router(api.routes)
    app.include_router(health.routes)
    app.include_router(acquisition.routes)
    app.include_router(retry.pages, include_in_schema=False)
    app.include_router(retry.programs)
    answer_failures(app, context)
    return app


class Guarded(Protocol):
    """What the guard of a dashboard, its login and its failures need."""

    @property
    def templates(self) -> Templates:
        """The templates in each language."""
        ...

    @property
    def language(self) -> Language | None:
        """Of the pages, for those who have chosen none; None: as their browser asks."""
        ...

    @property
    def auth(self) -> AuthConfig | None:
        """The token check; None for a dashboard on loopback."""
        ...


def guard(
    app: FastAPI, context: Guarded, *, names: Collection[str] = (), addresses: bool = False
) -> None:
    """Add to a dashboard what all its pages share: their style, the login, the guard."""
    app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")
    if context.auth is not None:
        app.include_router(login.routes, include_in_schema=False)
        app.add_middleware(
            AuthMiddleware,
            auth=context.auth,
            templates=context.templates,
            language=context.language,
        )
    app.add_middleware(RequestGuard, names=names, addresses=addresses)


def answer_failures(app: FastAPI, context: Guarded) -> None:
    """Answer in one line what is wrong: as a page, or as JSON below `/api/`."""

    def answer(request: Request, status: int, line: str) -> Response:
        if _API.match(request.url.path):
            return JSONResponse({"error": line}, status_code=status)
        templates = context.templates[page_language(request.headers, context.language)]
        text = templates.get_template("failure.html").render(status=status, line=line)
        return HTMLResponse(text, status_code=status)

    @app.exception_handler(HTTPException)
    def on_http(request: Request, error: HTTPException) -> Response:
        line = str(error.detail)
        if line == "Not Found":
            line = complaint("no such page", where=request.url.path, do="begin at the plate")
        return answer(request, error.status_code, line)

    @app.exception_handler(RequestValidationError)
    def on_bad_request(request: Request, error: RequestValidationError) -> Response:
        places = ", ".join(str(problem["loc"][-1]) for problem in error.errors())
        return answer(request, 422, f"the address is not understood: {places}")

    @app.exception_handler(RefusedFormError)
    def on_refused(request: Request, error: RefusedFormError) -> Response:
        return answer(request, 403, str(error))

    @app.exception_handler(ScopewatchError)
    def on_complaint(request: Request, error: ScopewatchError) -> Response:
        # A change that cannot be made is the caller's to mend; a full disk and a page that cannot
        # be read are ours.
        theirs = request.method == "POST" and not isinstance(error, NoSpaceError)
        return answer(request, 409 if theirs else 503, str(error))
