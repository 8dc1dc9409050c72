"""The page of the plates of a run."""

from collections.abc import Sequence

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from scopewatch.monitoring.state import Level
from scopewatch.web.alert_groups import AlertGroup, alike, group_alerts
from scopewatch.web.dashboard_context import GivenContext, GivenVisit
from scopewatch.web.header import MAX_OPEN, choose_run, make_header
from scopewatch.web.pages.render import render_page
from scopewatch.web.plate import lay_out

routes = APIRouter(default_response_class=HTMLResponse)


@routes.get("/")
def plates(context: GivenContext, visit: GivenVisit, experiment: str | None = None) -> HTMLResponse:
    """Show the plates of one run, the first unless another is asked for."""
    choice = choose_run(context, experiment)
    run = choice.run
    seen = context.reader.overview(run)
    header = make_header(context, choice, seen)
    views = lay_out(
        seen.wells,
        standard=context.facts.standard,
        now=header.now,
        staleness=context.staleness(header.state),
    )
    alerts = context.reader.alerts(None, MAX_OPEN, open_only=True, runs=[run], courses=False)
    groups = [
        group
        for group in group_alerts(alerts, context.facts.standard.rules, header.now)
        if group.well is not None
    ]
    over = header.state.level is Level.FINISHED
    return render_page(
        context,
        visit,
        "plate.html",
        header,
        plates=views,
        groups=alike(groups, visit.language),
        # The state of a run names what to do after it.
        advice=[] if over else _advice(groups),
    )


def _advice(groups: Sequence[AlertGroup]) -> list[str]:
    """Return what to do about several wells, each once."""
    return list(dict.fromkeys(line for group in groups for line in group.advice))
