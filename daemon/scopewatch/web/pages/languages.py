"""The choice of a language, which the browser keeps."""

from fastapi import APIRouter, HTTPException
from fastapi.responses import RedirectResponse

from scopewatch.core.errors import complaint
from scopewatch.web.access.request_guard import inside
from scopewatch.web.language import COOKIE, language_of

REMEMBERED_S = 365 * 24 * 3600

routes = APIRouter()


@routes.get("/language/{code}")
def choose_language(code: str, to: str = "/") -> RedirectResponse:
    """Show pages in a language from now on, in this browser."""
    language = language_of(code)
    if language is None:
        raise HTTPException(
            status_code=404,
            detail=complaint("no such language", where=code, do="see the foot of a page"),
        )
    answer = RedirectResponse(inside(to), status_code=303)
    answer.set_cookie(
        COOKIE, language.value, max_age=REMEMBERED_S, path="/", httponly=True, samesite="lax"
    )
    return answer
