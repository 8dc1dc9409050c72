"""Time-lapses that scopewatch acquires, as JSON: their state, their journal, and orders to them."""

from collections.abc import Sequence
from datetime import datetime

from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from scopewatch.core.acquisition.journal import JournalEntry
from scopewatch.core.acquisition.orders import WELL_ACTS, Act
from scopewatch.core.acquisition.standing import AcquisitionStanding
from scopewatch.core.errors import complaint
from scopewatch.web.access.request_guard import read_json
from scopewatch.web.dashboard_context import GivenContext
from scopewatch.web.header import choose_run
from scopewatch.web.orders import (
    ASKABLE,
    MOST_REASON,
    SHOWN,
    WantedAct,
    place_order,
    well_of,
)

routes = APIRouter()


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
    reason: str = Field(default="", max_length=MOST_REASON, description="for the journal")


class OrderTaken(BaseModel):
    """Confirms that an order was recorded; the journal will have its outcome."""

    number: int


@routes.get("/api/acquisition.json")
def list_acquisitions(context: GivenContext, experiment: str | None = None) -> AcquisitionAnswer:
    """Return the state of the time-lapses, and their journal."""
    choice = choose_run(context, experiment)
    return AcquisitionAnswer(
        acquisitions=[answer_of(each) for each in context.acquisitions()],
        journal=_answers(context.reader.journal(choice.run, SHOWN)),
        dead=_answers(context.reader.dead_wells(choice.run)),
        more_sites=_answers(context.reader.wells_with_sites(choice.run)),
    )


@routes.post(
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
        order = AcquisitionOrder.model_validate_json(await read_json(request))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise _not_understood(request, f"{place}: {first['msg']}") from error
    if order.act not in ASKABLE:
        raise _not_understood(request, order.act.value)
    target = well_of(order.act, order.plate, order.well)
    if order.act in WELL_ACTS and target is None:
        raise _not_understood(request, f"well: {order.well or 'none'}")
    reason = " ".join(order.reason.split())
    wanted = WantedAct(act=order.act, source=order.source, target=target, reason=reason)
    return OrderTaken(number=await place_order(context, request, wanted, "API"))


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


def _not_understood(request: Request, got: str) -> HTTPException:
    line = complaint(
        "what is wanted of the time-lapse is not understood",
        where=request.url.path,
        expected=f"act: {', '.join(each.value for each in ASKABLE)}; source; well for acts on one",
        got=got,
        do="see docs/operating.md",
    )
    return HTTPException(status_code=422, detail=line)
