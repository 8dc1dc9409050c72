"""The page of the time-lapses that scopewatch acquires, and the form of orders to them."""

from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from scopewatch.core.acquisition.orders import WELL_ACTS, Act
from scopewatch.core.errors import complaint
from scopewatch.core.phrases import mark
from scopewatch.web.access.request_guard import RefusedFormError, read_form
from scopewatch.web.dashboard_context import GivenContext, GivenVisit
from scopewatch.web.header import choose_run, make_header
from scopewatch.web.orders import (
    ASKABLE,
    MOST_REASON,
    SHOWN,
    WantedAct,
    place_order,
    well_of,
)
from scopewatch.web.pages.render import render_page
from scopewatch.web.wording import ACTS

routes = APIRouter()

BUTTONS: Final = {
    Act.PAUSE: mark("Pause"),
    Act.RESUME: mark("Go on"),
    Act.NOW: mark("Take a time point now"),
    Act.MEDIUM: mark("Change the medium"),
}


@routes.get("/acquisition")
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


@routes.post("/acquisition")
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
    target = well_of(act, form.get("plate") or "", form.get("well"))
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
    wanted = WantedAct(act=act, source=form.get("source"), target=target, reason=reason)
    await place_order(context, request, wanted, "dashboard")
    return RedirectResponse(f"{context.root}/acquisition", status_code=303)
