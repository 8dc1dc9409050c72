"""Checks the token or session of each request to a dashboard that others can reach.

People type the token (`web.token`) once and get a session cookie; scripts send it as
`Authorization: Bearer` with each request. Without either, only the pages' style and the page that
asks for the token are served.
"""

import re
from dataclasses import dataclass
from typing import Final

from fastapi.responses import HTMLResponse, JSONResponse, Response
from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Receive, Scope, Send

from scopewatch.core.clock import Clock
from scopewatch.core.errors import complaint
from scopewatch.core.phrases import Language, Phrase, mark
from scopewatch.event_log import get_logger
from scopewatch.web.access.sessions import Failures, Sessions
from scopewatch.web.language import page_language
from scopewatch.web.rendering import Templates

log = get_logger(__name__)

LOGIN: Final = "/login"
# What programs read gets one line in place of a page.
_PROGRAMS: Final = ("/api/", "/metrics", "/healthz", "/openapi.json")
_OF_A_DAEMON: Final = re.compile(r"/daemons/[^/]+/(api/|metrics|healthz|openapi\.json)")
_TOO_MANY: Final = mark("Too many wrong tokens. Try again in {minutes} min.")
_WRONG: Final = mark("That is not the token. Copy it once more, without spaces.")


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthConfig:
    """Sessions and failures of the token check.

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


def make_auth_config(token: str, clock: Clock, *, secure: bool) -> AuthConfig:
    """Make the authentication for a token."""
    return AuthConfig(sessions=Sessions(token, clock), failures=Failures(clock), secure=secure)


class AuthMiddleware:
    """ASGI middleware: lets requests with a session or the token pass, and refuses all others."""

    def __init__(
        self, app: ASGIApp, auth: AuthConfig, templates: Templates, language: Language | None = None
    ) -> None:
        self._app = app
        self._auth = auth
        self._templates = templates
        self._language = language

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http" or _is_open(scope["path"]):
            await self._app(scope, receive, send)
            return
        refusal = self._refuse(scope, Headers(scope=scope))
        await (refusal or self._app)(scope, receive, send)

    def _refuse(self, scope: Scope, headers: Headers) -> Response | None:
        session = cookie_parser(headers.get("cookie", "")).get(self._auth.cookie, "")
        if session and self._auth.sessions.holds(session):
            return None
        scheme, _, offered = headers.get("authorization", "").partition(" ")
        path: str = scope["path"]
        status, line, wait_s = 401, None, 0
        if scheme.lower() == "bearer":
            status, line, wait_s = judge(self._auth, address_of(scope), offered.strip(), path)
            if status == 200:
                return None
        if path.startswith(_PROGRAMS) or _OF_A_DAEMON.match(path):
            error = (
                str(line)
                if line
                else complaint(
                    "the dashboard asks for its token",
                    where=path,
                    do="send the header `Authorization: Bearer` with web.token",
                )
            )
            answer: Response = JSONResponse({"error": error}, status_code=status)
            answer.headers["www-authenticate"] = "Bearer"
        else:
            answer = ask(
                self._templates,
                page_language(headers, self._language),
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


def judge(
    auth: AuthConfig, address: str, offered: str, path: str
) -> tuple[int, Phrase | None, int]:
    """Check an offered token; return HTTP status, the line to show, and seconds to wait.

    An address that guessed too often is refused even with the right one: else it could go on.
    """
    wait_s = auth.failures.wait_s(address)
    if not wait_s:
        if auth.sessions.is_token(offered):
            auth.failures.forgive(address)
            return 200, None, 0
        count = auth.failures.add(address)
        log.warning("wrong token", **{"from": address}, path=path, count=count)
        wait_s = auth.failures.wait_s(address)
    if wait_s:
        minutes = -(-wait_s // 60)
        return 429, Phrase(_TOO_MANY, {"minutes": minutes}), wait_s
    return 401, Phrase(_WRONG), 0


def ask(
    templates: Templates,
    language: Language,
    *,
    status: int,
    line: Phrase | None = None,
    to: str = "/",
    again: bool = False,
) -> HTMLResponse:
    """Return the page that asks for the token; `to` is where it leads."""
    template = templates[language].get_template("login.html")
    text = template.render(line=line, to=to, again=again)
    return HTMLResponse(text, status_code=status)


def _is_open(path: str) -> bool:
    return path == LOGIN or path.startswith("/static/")


def address_of(scope: Scope) -> str:
    """Return the address that a request came from."""
    client = scope.get("client")
    return str(client[0]) if client else "unknown"
