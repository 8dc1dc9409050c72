"""The door of a dashboard that others on the network can reach: it opens to `web.token`.

People type the token once and get a session cookie; scripts send it as `Authorization: Bearer`
with each request. Without either only the pages' style is served, and the page that asks.
"""

import logging
from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from jinja2 import Environment
from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Receive, Scope, Send

from scopewatch.core.errors import complaint
from scopewatch.core.ports import Clock
from scopewatch.web.guard import read_form
from scopewatch.web.session import SESSION, Failures, Sessions

log = logging.getLogger(__name__)

LOGIN: Final = "/login"
# What programs read gets one line in place of a page.
_PROGRAMS: Final = ("/api/", "/metrics", "/healthz", "/openapi.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """What the door is shut with.

    Parameters
    ----------
    secure
        The dashboard is served over TLS (by a proxy before it): the cookie travels no other way.
    """

    sessions: Sessions
    failures: Failures
    secure: bool = False

    @property
    def cookie(self) -> str:
        """Name of the session cookie; browsers refuse the prefixed one from elsewhere."""
        return "__Host-scopewatch" if self.secure else "scopewatch"


def make_lock(token: str, clock: Clock, *, secure: bool) -> Lock:
    """Make the lock for a token."""
    return Lock(sessions=Sessions(token, clock), failures=Failures(clock), secure=secure)


class Door:
    """ASGI middleware: lets in who has a session or the token, and asks everybody else."""

    def __init__(self, app: ASGIApp, lock: Lock, templates: Environment) -> None:
        self._app = app
        self._lock = lock
        self._templates = templates

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http" or _is_open(scope["path"]):
            await self._app(scope, receive, send)
            return
        refusal = self._refuse(scope, Headers(scope=scope))
        await (refusal or self._app)(scope, receive, send)

    def _refuse(self, scope: Scope, headers: Headers) -> Response | None:
        session = cookie_parser(headers.get("cookie", "")).get(self._lock.cookie, "")
        if session and self._lock.sessions.holds(session):
            return None
        scheme, _, offered = headers.get("authorization", "").partition(" ")
        path: str = scope["path"]
        status, line, wait_s = 401, "", 0
        if scheme.lower() == "bearer":
            status, line, wait_s = judge(self._lock, _address(scope), offered.strip(), path)
            if status == 200:
                return None
        if path.startswith(_PROGRAMS):
            line = line or complaint(
                "the dashboard asks for its token",
                where=path,
                do="send the header `Authorization: Bearer` with web.token",
            )
            answer: Response = JSONResponse({"error": line}, status_code=status)
            answer.headers["www-authenticate"] = "Bearer"
        else:
            answer = ask(
                self._templates,
                status=status,
                line=line,
                to=path if scope["method"] == "GET" else "/",
                # A link in a message: browsers hold a strict cookie back, and send it with the
                # next request, which is then our own page's.
                again=headers.get("sec-fetch-site") == "cross-site" and scope["method"] == "GET",
            )
        if wait_s:
            answer.headers["retry-after"] = str(wait_s)
        return answer


def make_login(lock: Lock, templates: Environment, token: str) -> APIRouter:
    """Build the routes by which people come and go; `token` guards the forms of our pages."""
    routes = APIRouter(default_response_class=HTMLResponse)

    @routes.get(LOGIN)
    def login() -> Response:
        return ask(templates, status=200)

    @routes.post(LOGIN)
    async def enter(request: Request) -> Response:
        # There is nothing yet that a form of ours could prove; its origin is looked at.
        fields = await read_form(request, None)
        to = _inside(fields.get("to", "/"))
        offered = fields.get("password", "").strip()
        status, line, wait_s = judge(lock, _address(request.scope), offered, LOGIN)
        if status != 200:
            page = ask(templates, status=status, line=line, to=to)
            if wait_s:
                page.headers["retry-after"] = str(wait_s)
            return page
        answer = RedirectResponse(to, status_code=303)
        answer.set_cookie(
            lock.cookie,
            lock.sessions.begin(),
            max_age=int(SESSION.total_seconds()),
            path="/",
            secure=lock.secure,
            httponly=True,
            samesite="strict",
        )
        return answer

    @routes.post("/logout")
    async def leave(request: Request) -> Response:
        await read_form(request, token)
        answer = RedirectResponse(LOGIN, status_code=303)
        answer.delete_cookie(
            lock.cookie, path="/", secure=lock.secure, httponly=True, samesite="strict"
        )
        return answer

    return routes


def judge(lock: Lock, address: str, offered: str, path: str) -> tuple[int, str, int]:
    """Judge a token that was offered: HTTP status, what to say, and seconds to wait.

    An address that guessed too often is refused even with the right one: else it could go on.
    """
    wait_s = lock.failures.wait_s(address)
    if not wait_s:
        if lock.sessions.is_token(offered):
            lock.failures.forgive(address)
            return 200, "", 0
        count = lock.failures.add(address)
        log.warning("wrong token", extra={"event": {"from": address, "path": path, "count": count}})
        wait_s = lock.failures.wait_s(address)
    if wait_s:
        minutes = -(-wait_s // 60)
        return 429, f"Too many wrong tokens. Try again in {minutes} min.", wait_s
    return 401, "That is not the token. Copy it once more, without spaces.", 0


def ask(
    templates: Environment, *, status: int, line: str = "", to: str = "/", again: bool = False
) -> HTMLResponse:
    """Return the page that asks for the token; `to` is where it leads."""
    text = templates.get_template("login.html").render(line=line, to=to, again=again)
    return HTMLResponse(text, status_code=status)


def _is_open(path: str) -> bool:
    return path == LOGIN or path.startswith("/static/")


def _inside(to: str) -> str:
    """Return where to go after the login: never to another site."""
    safe = to.startswith("/") and not to.startswith(("//", "/\\")) and to.isprintable()
    return to if safe else "/"


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else "unknown"
