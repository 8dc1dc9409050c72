"""Time-lapses that scopewatch acquires: their state, their journal, and orders to them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.concurrency import run_in_threadpool

from scopewatch.core.acquisition.journal import JournalEntry
from scopewatch.core.acquisition.orders import WELL_ACTS, Act, Target
from scopewatch.core.acquisition.standing import AcquisitionStanding
from scopewatch.core.alerts.scope import plain_well
from scopewatch.core.errors import complaint
from scopewatch.core.phrases import mark
from scopewatch.web.access.auth_middleware import address_of
from scopewatch.web.access.request_guard import RefusedFormError, read_form, read_json
from scopewatch.web.dashboard_context import DashboardContext, GivenContext, GivenVisit
from scopewatch.web.header import choose_run, make_header
from scopewatch.web.pages.render import render_page
from scopewatch.web.wording import ACTS

pages = APIRouter()
programs = APIRouter()

SHOWN: Final = 200
MOST_REASON: Final = 500
ASKABLE: Final = (Act.PAUSE, Act.RESUME, Act.NOW, Act.MEDIUM, *WELL_ACTS)
BUTTONS: Final = {
    Act.PAUSE: mark("Pause"),
    Act.RESUME: mark("Go on"),
    Act.NOW: mark("Take a time point now"),
    Act.MEDIUM: mark("Change the medium"),
}


class FocusPointAnswer(BaseModel):
    """How the focus went at a time point."""

    time_point: int
    at: datetime
    drift_um: float | None = Field(description="null where it was not found")
    failed: int = Field(description="places where it was not found")


class FocusAnswer(BaseModel):
    """State of the focus of a time-lapse."""

    method: str
    time_point: int | None = Field(description="the last one at which it was looked for")
    drift_um: float | None = Field(description="how far from the plan it was found last")
    focused: int = Field(description="positions whose focus was found then")
    failed: int = Field(description="places where it was not")
    reason: str
    course: list[FocusPointAnswer] = Field(description="the newest time points, oldest first")


class StandingAnswer(BaseModel):
    """State of a time-lapse."""

    source: str
    time_points: int
    next_time_point: int | None
    next_at: datetime | None
    held: str = Field(description="why nothing is acquired for now; empty where it goes on")
    focus: FocusAnswer | None


class TargetAnswer(BaseModel):
    """The well or image that an act is about."""

    plate: str
    well: str
    site: int | None
    time_point: int | None
    channel: str | None


class EntryAnswer(BaseModel):
    """A line of the journal."""

    number: int
    source: str
    act: str
    by: str
    at: datetime
    done: bool | None = Field(description="null while it waits")
    done_at: datetime | None
    outcome: str
    time_point: int | None = Field(description="the last one that was due by then")
    target: TargetAnswer | None = Field(description="null: the time-lapse as a whole")
    reason: str = Field(description="empty where none was given")


class AcquisitionAnswer(BaseModel):
    """`/api/acquisition.json`."""

    schema_version: int = 1
    acquisitions: list[StandingAnswer]
    journal: list[EntryAnswer] = Field(description="the newest, oldest first")
    more_sites: list[EntryAnswer] = Field(description="the wells that have further sites")
    dead: list[EntryAnswer] = Field(description="the wells that are marked dead, oldest first")


class AcquisitionOrder(BaseModel):
    """What is wanted of a time-lapse."""

    model_config = ConfigDict(extra="forbid")

    act: Act = Field(
        description="pause, resume, now or medium; dead, alive, more-sites or planned-sites"
    )
    source: str | None = Field(default=None, description="null: the one that acquires")
    well: str | None = Field(default=None, max_length=200, description="for acts on a well")
    plate: str = Field(default="", max_length=200, description="where several have such a well")
    reason: str = Field(default="", max_length=500, description="for the journal")


class OrderTaken(BaseModel):
    """Confirms that an order was recorded; the journal will have its outcome."""

    number: int


@pages.get("/acquisition")
def show(context: GivenContext, visit: GivenVisit, experiment: str | None = None) -> HTMLResponse:
    """Show the state of the time-lapses, and their journal."""
    choice = choose_run(context, experiment)
    header = make_header(context, choice, context.reader.flagged(choice.run))
    return render_page(
        context,
        visit,
        "acquisition.html",
        header,
        standings=context.acquisitions(),
        journal=context.reader.journal(choice.run, SHOWN)[::-1],
        dead=context.reader.dead_wells(choice.run),
        sites=context.reader.wells_with_sites(choice.run),
        done=ACTS,
        buttons=BUTTONS,
    )


@pages.post("/acquisition")
async def order_by_form(context: GivenContext, request: Request) -> RedirectResponse:
    """Write down what is wanted of a time-lapse; lead back to its page."""
    form = await read_form(request, context.token)
    act = next((each for each in ASKABLE if each.value == form.get("act")), None)
    if act is None:
        raise RefusedFormError(
            complaint(
                "the form does not say what is wanted of the time-lapse",
                where=request.url.path,
                do="use the buttons of the dashboard itself",
            )
        )
    target = _target_of(act, form.get("plate") or "", form.get("well"))
    if act in WELL_ACTS and target is None:
        raise RefusedFormError(
            complaint(
                "the form names no well of a plate",
                where=request.url.path,
                expected="a well such as B3",
                got=form.get("well") or "none",
                do="write the well, and try again",
            )
        )
    reason = " ".join((form.get("reason") or "").split())[:MOST_REASON]
    await _order(context, request, form.get("source"), act, "dashboard", target, reason)
    return RedirectResponse(f"{context.root}/acquisition", status_code=303)


@programs.get("/api/acquisition.json")
def list_acquisitions(context: GivenContext, experiment: str | None = None) -> AcquisitionAnswer:
    """Return the state of the time-lapses, and their journal."""
    choice = choose_run(context, experiment)
    return AcquisitionAnswer(
        acquisitions=[answer_of(each) for each in context.acquisitions()],
        journal=_answers(context.reader.journal(choice.run, SHOWN)),
        dead=_answers(context.reader.dead_wells(choice.run)),
        more_sites=_answers(context.reader.wells_with_sites(choice.run)),
    )


@programs.post(
    "/api/acquisition",
    status_code=202,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": AcquisitionOrder.model_json_schema()}},
        }
    },
)
async def order_by_program(context: GivenContext, request: Request) -> OrderTaken:
    """Write down what is wanted of a time-lapse; it is soon carried out."""
    try:
        wanted = AcquisitionOrder.model_validate_json(await read_json(request))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise _not_understood(request, f"{place}: {first['msg']}") from error
    if wanted.act not in ASKABLE:
        raise _not_understood(request, wanted.act.value)
    target = _target_of(wanted.act, wanted.plate, wanted.well)
    if wanted.act in WELL_ACTS and target is None:
        raise _not_understood(request, f"well: {wanted.well or 'none'}")
    reason = " ".join(wanted.reason.split())
    number = await _order(context, request, wanted.source, wanted.act, "API", target, reason)
    return OrderTaken(number=number)


def answer_of(standing: AcquisitionStanding) -> StandingAnswer:
    """Return the state of a time-lapse as plain values."""
    focus = standing.focus
    return StandingAnswer(
        source=standing.source,
        time_points=standing.time_points,
        next_time_point=standing.next_time_point,
        next_at=standing.next_at,
        held="" if standing.held is None else standing.held.why,
        focus=None if focus is None else FocusAnswer.model_validate(focus, from_attributes=True),
    )


def _answers(entries: Sequence[JournalEntry]) -> list[EntryAnswer]:
    return [EntryAnswer.model_validate(entry, from_attributes=True) for entry in entries]


def _target_of(act: Act, plate: str, well: str | None) -> Target | None:
    """Return the well that is named; None where none is, or the act is about no well."""
    name = plain_well(well or "")
    return Target(well=name, plate=plate.strip()) if act in WELL_ACTS and name else None


async def _order(
    context: DashboardContext,
    request: Request,
    source: str | None,
    act: Act,
    way: str,
    target: Target | None,
    reason: str,
) -> int:
    names = context.facts.acquires
    name = names[0] if source is None and len(names) == 1 else source
    if name is None or name not in names:
        line = complaint(
            "no time-lapse to steer" if not names else "several time-lapses are configured",
            where=request.url.path,
            expected=f"source: one of {', '.join(names)}" if names else None,
            got=source,
            do="acquire with scopewatch to steer it" if not names else "name its source",
        )
        raise HTTPException(status_code=409, detail=line)
    by = f"{way}, {address_of(request.scope)}"
    run = context.facts.run
    return await run_in_threadpool(context.alerts.order, name, run, act, by, target, reason)


def _not_understood(request: Request, got: str) -> HTTPException:
    line = complaint(
        "what is wanted of the time-lapse is not understood",
        where=request.url.path,
        expected=f"act: {', '.join(each.value for each in ASKABLE)}; source; well for acts on one",
        got=got,
        do="see docs/operating.md",
    )
    return HTTPException(status_code=422, detail=line)
