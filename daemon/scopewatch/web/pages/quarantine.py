"""The page of the frames of a run that could not be judged."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from scopewatch.core.faults import Fault
from scopewatch.web.dashboard_context import GivenContext, GivenVisit
from scopewatch.web.header import choose_run, make_header
from scopewatch.web.pages.render import render_page
from scopewatch.web.quarantine import by_fault

PAGE_ROWS = 100
# What was never taken cannot be tried again.
NOT_AGAIN = frozenset({Fault.GAP})

routes = APIRouter(default_response_class=HTMLResponse)

PageNumber = Annotated[int, Query(ge=1, le=100_000)]


@routes.get("/quarantine")
def quarantine(
    context: GivenContext, visit: GivenVisit, page: PageNumber = 1, experiment: str | None = None
) -> HTMLResponse:
    """List the frames of one run that could not be judged, by fault, newest first."""
    choice = choose_run(context, experiment)
    run = choice.run
    header = make_header(context, choice, context.reader.flagged(run))
    reasons = context.reader.reasons(run)
    # One row more than is shown tells whether there is another page.
    rows = context.reader.quarantined(None, PAGE_ROWS + 1, (page - 1) * PAGE_ROWS, run=run)
    return render_page(
        context,
        visit,
        "quarantine.html",
        header,
        refused=by_fault(
            rows[:PAGE_ROWS],
            {each.fault: each.count for each in reasons},
            header.counts.scored,
            visit.language,
        ),
        again=[each for each in reasons if each.fault not in NOT_AGAIN],
        page=page,
        not_again=NOT_AGAIN,
        more=len(rows) > PAGE_ROWS,
    )
