"""Retry of quarantined frames and files: forms of the pages, and the API path."""

from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.concurrency import run_in_threadpool

from scopewatch.core.errors import complaint
from scopewatch.core.well_name import WellName
from scopewatch.store.read.records.quarantine import RetryAnswer, RetrySelection
from scopewatch.web.access.auth_middleware import address_of
from scopewatch.web.access.request_guard import RefusedFormError, read_form, read_json
from scopewatch.web.dashboard_context import DashboardContext, GivenContext
from scopewatch.web.wording import well_path

pages = APIRouter()
programs = APIRouter()

_FIELDS = ("plate", "well", "fault", "source", "what")


class RetryWish(BaseModel):
    """Selection of what to try again: everything that matches all given fields."""

    model_config = ConfigDict(extra="forbid", strict=True)

    experiment: str | None = Field(default=None, description="the run; null: of every run")
    plate: str | None = None
    well: str | None = None
    reason: str | None = Field(default=None, description="as the quarantine names it: blank, say")
    source: str | None = None
    what: str | None = Field(
        default=None,
        description="a file or folder as its source names it, or the key of a frame",
    )
    everything: bool = Field(default=False, description="true, where nothing else is given")


class RetryMade(BaseModel):
    """The outcome."""

    asked: int = Field(description="things that are tried again")
    waiting: int = Field(description="those that wait for it already")
    missed: int = Field(description="frames that were never taken: there is nothing to try")
    unwatched: list[str] = Field(description="sources of others, which are not configured")


@pages.post("/quarantine/again")
async def ask_by_form(context: GivenContext, request: Request) -> RedirectResponse:
    """Have frames or files tried again; lead back to the page that asked."""
    form = await read_form(request, context.token)
    given = {name: form[name] for name in _FIELDS if form.get(name)}
    if not given and form.get("everything") != "yes":
        raise RefusedFormError(
            complaint(
                "the form does not say what to try again",
                where=request.url.path,
                do="use the buttons of the dashboard itself",
            )
        )
    run = form.get("experiment") or None
    await _ask(context, request, RetrySelection(run=run, **given), "dashboard")
    return RedirectResponse(context.root + _back(form), status_code=303)


@programs.post(
    "/api/retry",
    status_code=202,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": RetryWish.model_json_schema()}},
        }
    },
)
async def ask_by_program(context: GivenContext, request: Request) -> RetryMade:
    """Have frames or files in quarantine tried again; the daemon soon takes them up."""
    wish = _read_wish(request.url.path, await read_json(request))
    wanted = RetrySelection(
        run=wish.experiment,
        plate=wish.plate,
        well=wish.well,
        fault=wish.reason,
        source=wish.source,
        what=wish.what,
    )
    answer = await _ask(context, request, wanted, "API")
    return RetryMade(
        asked=answer.asked,
        waiting=answer.waiting,
        missed=answer.missed,
        unwatched=list(answer.unwatched),
    )


async def _ask(
    context: DashboardContext, request: Request, wanted: RetrySelection, way: str
) -> RetryAnswer:
    by = f"{way}, {address_of(request.scope)}"
    return await run_in_threadpool(context.alerts.ask_again, wanted, context.facts.sources, by)


def _read_wish(path: str, body: bytes) -> RetryWish:
    try:
        wish = RetryWish.model_validate_json(body)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        got = f"{place}: {first['msg']}" if place else first["msg"]
        raise _not_understood(path, got) from error
    given: dict[str, Any] = wish.model_dump(exclude={"everything"}, exclude_none=True)
    if not given and not wish.everything:
        raise _not_understood(path, "nothing that says which")
    return wish


def _not_understood(path: str, got: str) -> HTTPException:
    line = complaint(
        "what to try again is not understood",
        where=path,
        expected="experiment, plate, well, reason, source, what; or everything: true",
        got=got,
        do="see docs/operating.md",
    )
    return HTTPException(status_code=422, detail=line)


def _back(form: dict[str, str]) -> str:
    run, plate, well = (form.get(name, "") for name in ("experiment", "plate", "well"))
    if form.get("back") == "well" and run and plate and well:
        return f"/wells/{well_path(WellName(run=run, plate=plate, well=well))}#refused"
    page = form.get("page", "")
    asked = {"experiment": run, "page": page if page.isdecimal() and len(page) < 7 else ""}
    query = urlencode({name: value for name, value in asked.items() if value})
    return f"/quarantine?{query}" if query else "/quarantine"
