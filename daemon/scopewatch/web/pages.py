"""The HTML pages, and the forms that acknowledge and snooze alerts."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi import Path as InPath
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from scopewatch.core.acquisition import Act, acts_with_days
from scopewatch.core.errors import complaint
from scopewatch.core.faults import Fault
from scopewatch.core.phrases import mark
from scopewatch.core.well_name import WellName
from scopewatch.monitoring.state import Level
from scopewatch.store.read.records import Shot
from scopewatch.web.access.request_guard import RefusedFormError, inside, read_form
from scopewatch.web.alert_groups import AlertGroup, alike, group_alerts
from scopewatch.web.chart import draw_course
from scopewatch.web.dashboard_context import (
    DashboardContext,
    GivenContext,
    GivenVisit,
    Header,
    Visit,
    alerts_of,
    choose_run,
    find_well,
    make_header,
)
from scopewatch.web.final_day import find_final_day
from scopewatch.web.language import COOKIE, language_of
from scopewatch.web.overlay_images import find_overlay, is_kept, shrink
from scopewatch.web.plate import by_gravity, lay_out, subject_of
from scopewatch.web.quarantine import by_fault
from scopewatch.web.wording import name_of

# Of a longer time course every n-th is drawn: more do not fit into the chart's width.
DRAWN_POINTS = 250
MAX_SHOTS = 60
# Of the time course as a table; the JSON has all.
TABLE_ROWS = 60
MAX_ALERTS = 200
MAX_ACTS = 200
PAGE_ROWS = 100
SNOOZE_HOURS = (6, 24)
REMEMBERED_S = 365 * 24 * 3600
# A picture is drawn right before its frame is settled.
DRAWN_BEFORE = timedelta(minutes=1)
# What was never taken cannot be tried again.
NOT_AGAIN = frozenset({Fault.GAP})
POSTING_WORDS = {
    "waiting": mark("waiting"),
    "delivered": mark("delivered"),
    "given up": mark("given up"),
}

# What people do to a time-lapse.
ACTS = {
    Act.PAUSE: mark("paused"),
    Act.RESUME: mark("went on"),
    Act.NOW: mark("time point at once"),
    Act.MEDIUM: mark("medium change"),
    Act.DEAD: mark("marked dead"),
    Act.ALIVE: mark("taken in again"),
    Act.MORE_SITES: mark("further sites"),
    Act.PLANNED_SITES: mark("planned sites only"),
    Act.REIMAGE: mark("taken again"),
    Act.FLUORESCENCE: mark("fluorescence"),
    Act.NOTE: mark("note"),
}

routes = APIRouter(default_response_class=HTMLResponse)

# SQLite's integers end where those of an address do not.
AlertId = Annotated[int, InPath(ge=1, le=2**53)]
PageNumber = Annotated[int, Query(ge=1, le=100_000)]


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
    groups = [
        group
        for group in group_alerts(header.standing, context.facts.standard.rules, header.now)
        if group.well is not None and group.well.run == run
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


@routes.get("/wells/{experiment}/{plate}/{well}")
def well(
    context: GivenContext, visit: GivenVisit, experiment: str, plate: str, well: str
) -> HTMLResponse:
    """Show one well: its course, pictures and alerts."""
    name = WellName(run=name_of(experiment), plate=name_of(plate), well=name_of(well))
    seen = context.reader.flagged(name.run, also=name)
    row = find_well(seen.wells, name, "see the plate page")
    header = make_header(context, choose_run(context, name.run), seen)
    standard = context.facts.standard
    alerts = context.reader.alerts(name, MAX_ALERTS)
    points = context.reader.course(name, TABLE_ROWS)
    shots = context.reader.shots(name, MAX_SHOTS)
    refused = context.reader.quarantined(name, PAGE_ROWS)
    target = standard.foretold_target(subject_of(name))
    targets = dict.fromkeys([target, *(flag.target for flag in row.flags)])
    return render_page(
        context,
        visit,
        "well.html",
        header,
        row=row,
        ending=find_final_day(context.reader, context.facts, name),
        flags=by_gravity(row.flags, header.now),
        points=points,
        earlier=len(points) == TABLE_ROWS,
        target=target,
        chart=draw_course(
            context.reader.whole_course(name, DRAWN_POINTS),
            alerts,
            [each for each in targets if each is not None],
            row.outlook,
            visit.language,
            acts=_acts(context, name),
        ),
        outlooks={
            outlook.time_point: outlook
            for outlook in context.reader.outlooks(name, TABLE_ROWS, errors=False)
        },
        shots=shots,
        kept={shot.overlay for shot in shots if is_kept(context.overlay_folder, shot.overlay)},
        expired=_expired(context, shots, header.now),
        refused=by_fault(refused, {}, row.scored, visit.language),
        not_again=NOT_AGAIN,
        tryable=sum(each.fault not in NOT_AGAIN and not each.asked_again for each in refused),
        groups=group_alerts(alerts, standard.rules, header.now),
        resolved=[alert for alert in alerts if alert.resolved_at is not None],
    )


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


@routes.get("/alerts")
def alerts(context: GivenContext, visit: GivenVisit, experiment: str | None = None) -> HTMLResponse:
    """List the alerts of one run's wells and plates, and of the monitor."""
    choice = choose_run(context, experiment)
    run = choice.run
    header = make_header(context, choice, context.reader.flagged(run))
    rows = context.reader.alerts(None, MAX_ALERTS, runs=alerts_of(context, run))
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
    return _back(form, alert)


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
    return _back(form, alert)


@routes.post("/alerts/{alert}/undo")
async def undo(context: GivenContext, alert: AlertId, request: Request) -> RedirectResponse:
    """Take back the answer to an alert."""
    form = await read_form(request, context.token)
    await run_in_threadpool(context.alerts.take_back, alert)
    return _back(form, alert)


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


@routes.get("/overlays/{relative:path}")
def overlay(
    context: GivenContext, relative: str, request: Request, small: bool = False
) -> Response:
    """Return the picture of a frame, or a small one of it."""
    known = context.reader.has_overlay(relative)
    picture = find_overlay(context.overlay_folder, relative) if known else None
    if picture is None:
        raise HTTPException(
            status_code=404,
            detail=complaint("no such overlay", where=relative, do="see the well's page"),
        )
    headers = {"etag": picture.etag, "cache-control": "private, no-cache"}
    if request.headers.get("if-none-match") == picture.etag:
        return Response(status_code=304, headers=headers)
    if small:
        try:
            content = shrink(picture)
        except OSError as error:
            line = complaint("overlay cannot be read", where=relative, do="see the original")
            raise HTTPException(status_code=404, detail=line) from error
        return Response(content, media_type="image/jpeg", headers=headers)
    return FileResponse(picture.path, media_type=picture.media_type, headers=headers)


def render_page(
    context: DashboardContext, visit: Visit, template: str, header: Header, **values: Any
) -> HTMLResponse:
    """Return a page in the language of who looks at it."""
    text = (
        context.templates[visit.language]
        .get_template(template)
        .render(
            header=header,
            now=header.now,
            here=visit.here,
            hours=SNOOZE_HOURS,
            posting_words=POSTING_WORDS,
            token=context.token,
            guarded=context.guarded,
            **values,
        )
    )
    return HTMLResponse(text)


def _acts(context: DashboardContext, well: WellName) -> list[tuple[float, str]]:
    """Return what was done to the time-lapse of a run, or to one well of it: its day, and what."""
    run = well.run
    rows = [row for row in context.reader.runs() if row.name == run]
    began_at = next((row.started_at or row.first_frame_at for row in rows), None)
    if began_at is None or not context.facts.acquires:
        return []
    entries = context.reader.journal(run, MAX_ACTS)
    return [
        (day, ACTS[entry.act])
        for entry, day in acts_with_days(entries, began_at)
        if entry.target is None
        or (entry.target.plate, entry.target.well) == (well.plate, well.well)
    ]


def _advice(groups: Sequence[AlertGroup]) -> list[str]:
    """Return what to do about several wells, each once."""
    return list(dict.fromkeys(line for group in groups for line in group.advice))


def _expired(context: DashboardContext, shots: Sequence[Shot], now: datetime) -> set[str]:
    """Return the pictures that retention has removed, if they are gone."""
    until = context.reader.pictures_removed_until()
    if context.facts.keep_days is not None:
        by_age = now - timedelta(days=context.facts.keep_days)
        until = by_age if until is None else max(until, by_age)
    if until is None:
        return set()
    return {
        shot.overlay
        for shot in shots
        if shot.drawn_at is not None and shot.drawn_at - DRAWN_BEFORE <= until
    }


def _back(form: Mapping[str, str], alert: int) -> RedirectResponse:
    """Lead back to the page that an answer was given on."""
    return RedirectResponse(inside(form.get("to", f"/alerts#alert-{alert}")), status_code=303)
