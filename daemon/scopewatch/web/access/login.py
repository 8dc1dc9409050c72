"""How people come in through the door and leave: the page that asks, and its two forms."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from scopewatch.web.access.auth_middleware import LOGIN, Lock, address_of, ask, judge
from scopewatch.web.access.request_guard import inside, read_form
from scopewatch.web.access.sessions import SESSION
from scopewatch.web.dashboard_context import GivenParts, GivenVisit

routes = APIRouter(default_response_class=HTMLResponse)


async def lock_of(parts: GivenParts) -> Lock:
    """Return the lock; only a dashboard that has one serves these routes."""
    assert parts.lock is not None, "a dashboard without a token has no login"
    return parts.lock


GivenLock = Annotated[Lock, Depends(lock_of)]


@routes.get(LOGIN)
def login(parts: GivenParts, visit: GivenVisit) -> Response:
    """Show the page that asks for the token."""
    return ask(parts.templates, visit.language, status=200)


@routes.post(LOGIN)
async def enter(
    parts: GivenParts, lock: GivenLock, visit: GivenVisit, request: Request
) -> Response:
    """Begin a session for who has the token."""
    # There is nothing yet that a form of ours could prove; its origin is looked at.
    fields = await read_form(request, None)
    to = inside(fields.get("to", "/"))
    offered = fields.get("password", "").strip()
    status, line, wait_s = judge(lock, address_of(request.scope), offered, LOGIN)
    if status != 200:
        page = ask(parts.templates, visit.language, status=status, line=line, to=to)
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
async def leave(parts: GivenParts, lock: GivenLock, request: Request) -> Response:
    """End the session in this browser."""
    await read_form(request, parts.token)
    answer = RedirectResponse(LOGIN, status_code=303)
    answer.delete_cookie(
        lock.cookie, path="/", secure=lock.secure, httponly=True, samesite="strict"
    )
    return answer
