"""The page of alerts, and the forms that acknowledge and snooze them."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool

from scopewatch.core.errors import complaint
from scopewatch.web.access.request_guard import RefusedFormError, inside, read_form
from scopewatch.web.alert_groups import group_alerts
from scopewatch.web.dashboard_context import DashboardContext, GivenContext, GivenVisit
from scopewatch.web.header import alerts_of, choose_run, make_header
from scopewatch.web.pages.render import SNOOZE_HOURS, render_page

MAX_ALERTS = 200

routes = APIRouter(default_response_class=HTMLResponse)

# SQLite's integers end where those of an address do not.
AlertId = Annotated[int, Path(ge=1, le=2**53)]


@routes.get("/alerts")
def alerts(context: GivenContext, visit: GivenVisit, experiment: str | None = None) -> HTMLResponse:
    """List the alerts of one run's wells and plates, and of the monitor."""
    choice = choose_run(context, experiment)
    run = choice.run
    header = make_header(context, choice, context.reader.flagged(run))
    rows = context.reader.alerts(None, MAX_ALERTS, runs=alerts_of(context, run), courses=False)
    return render_page(
        context,
        visit,
        "alerts.html",
        header,
        groups=group_alerts(rows, context.facts.standard.rules, header.now),
        resolved=[row for row in rows if row.resolved_at is not None],
        receivers=context.receivers(),
        limit=MAX_ALERTS,
        listed=len(rows),
    )


@routes.post("/alerts/{alert}/acknowledge")
async def acknowledge(context: GivenContext, alert: AlertId, request: Request) -> RedirectResponse:
    """Acknowledge an alert."""
    form = await read_form(request, context.token)
    await run_in_threadpool(context.alerts.acknowledge, alert, context.clock.now())
    return _back(context, form, alert)


@routes.post("/alerts/{alert}/snooze")
async def snooze(context: GivenContext, alert: AlertId, request: Request) -> RedirectResponse:
    """Snooze an alert for some hours."""
    form = await read_form(request, context.token)
    asked = form.get("hours", "")
    hours = next((hours for hours in SNOOZE_HOURS if str(hours) == asked), None)
    if hours is None:
        raise RefusedFormError(
            complaint(
                "an alert cannot be snoozed for that long",
                where=f"alert {alert}",
                expected=" or ".join(f"{hours} h" for hours in SNOOZE_HOURS),
                got=repr(asked),
                do="use the buttons of the dashboard, or `scopewatch alert snooze`",
            )
        )
    until = context.clock.now() + timedelta(hours=hours)
    await run_in_threadpool(context.alerts.snooze, alert, until)
    return _back(context, form, alert)


@routes.post("/alerts/{alert}/undo")
async def undo(context: GivenContext, alert: AlertId, request: Request) -> RedirectResponse:
    """Take back the answer to an alert."""
    form = await read_form(request, context.token)
    await run_in_threadpool(context.alerts.take_back, alert)
    return _back(context, form, alert)


def _back(context: DashboardContext, form: Mapping[str, str], alert: int) -> RedirectResponse:
    """Lead back to the page that an answer was given on."""
    to = form.get("to", f"{context.root}/alerts#alert-{alert}")
    return RedirectResponse(inside(to), status_code=303)
