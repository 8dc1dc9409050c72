"""Login and logout: the page that asks for the token, and its two forms."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from scopewatch.web.access.auth_middleware import LOGIN, AuthConfig, address_of, ask, judge
from scopewatch.web.access.request_guard import inside, read_form
from scopewatch.web.access.sessions import SESSION
from scopewatch.web.dashboard_context import GivenContext, GivenVisit

routes = APIRouter(default_response_class=HTMLResponse)


async def lock_of(context: GivenContext) -> AuthConfig:
    """Return the authentication; only a dashboard that has one serves these routes."""
    assert context.auth is not None, "a dashboard without a token has no login"
    return context.auth


GivenAuth = Annotated[AuthConfig, Depends(lock_of)]


@routes.get(LOGIN)
def login(context: GivenContext, visit: GivenVisit) -> Response:
    """Show the page that asks for the token."""
    return ask(context.templates, visit.language, status=200)


@routes.post(LOGIN)
async def enter(
    context: GivenContext, auth: GivenAuth, visit: GivenVisit, request: Request
) -> Response:
    """Begin a session for who has the token."""
    # There is nothing yet that a form of ours could prove; its origin is looked at.
    fields = await read_form(request, None)
    to = inside(fields.get("to", "/"))
    offered = fields.get("password", "").strip()
    status, line, wait_s = judge(auth, address_of(request.scope), offered, LOGIN)
    if status != 200:
        page = ask(context.templates, visit.language, status=status, line=line, to=to)
        if wait_s:
            page.headers["retry-after"] = str(wait_s)
        return page
    answer = RedirectResponse(to, status_code=303)
    answer.set_cookie(
        auth.cookie,
        auth.sessions.begin(),
        max_age=int(SESSION.total_seconds()),
        path="/",
        secure=auth.secure,
        httponly=True,
        samesite="strict",
    )
    return answer


@routes.post("/logout")
async def leave(context: GivenContext, auth: GivenAuth, request: Request) -> Response:
    """End the session in this browser."""
    await read_form(request, context.token)
    answer = RedirectResponse(LOGIN, status_code=303)
    answer.delete_cookie(
        auth.cookie, path="/", secure=auth.secure, httponly=True, samesite="strict"
    )
    return answer
