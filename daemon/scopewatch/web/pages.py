"""The pages a person looks at, and the two answers a person may give to an alert."""

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi import Path as InPath
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from scopewatch.core.errors import complaint
from scopewatch.core.message import WellName
from scopewatch.web.chart import draw_course
from scopewatch.web.ending import find_ending
from scopewatch.web.guard import RefusedFormError, read_form
from scopewatch.web.parts import (
    GivenParts,
    Header,
    Parts,
    alerts_of,
    choose_run,
    find_well,
    make_header,
)
from scopewatch.web.pictures import find_picture, shrink
from scopewatch.web.plate import gravest, lay_out
from scopewatch.web.wording import name_of

MAX_POINTS = 1000
MAX_SHOTS = 60
MAX_ALERTS = 200
PAGE_ROWS = 100
SNOOZE_HOURS = (6, 24)

routes = APIRouter(default_response_class=HTMLResponse)

# SQLite's integers end where those of an address do not.
AlertId = Annotated[int, InPath(ge=1, le=2**53)]
PageNumber = Annotated[int, Query(ge=1, le=100_000)]


@routes.get("/")
def plates(parts: GivenParts, experiment: str | None = None) -> HTMLResponse:
    """Show the plates of one experiment, the first unless another is asked for."""
    run = choose_run(parts, experiment)
    rows = parts.reader.wells(run)
    header = make_header(parts, run, rows)
    views = lay_out(
        rows,
        target=header.target,
        now=header.now,
        staleness=parts.staleness(header.state),
    )
    return _render(parts, "plate.html", header, plates=views)


@routes.get("/wells/{experiment}/{plate}/{well}")
def well(parts: GivenParts, experiment: str, plate: str, well: str) -> HTMLResponse:
    """Show one well: its course, pictures and alerts."""
    name = WellName(experiment=name_of(experiment), plate=name_of(plate), well=name_of(well))
    rows = parts.reader.wells(name.experiment)
    row = find_well(rows, name, "see the plate page")
    header = make_header(parts, name.experiment, rows)
    alerts = parts.reader.alerts(name, MAX_ALERTS)
    points = parts.reader.course(name, MAX_POINTS)
    shots = parts.reader.shots(name, MAX_SHOTS)
    return _render(
        parts,
        "well.html",
        header,
        row=row,
        ending=find_ending(parts.reader, parts.facts, name),
        flag=gravest(row.flags),
        points=points,
        chart=draw_course(points, alerts, header.target, row.outlook),
        outlooks={
            outlook.time_point: outlook for outlook in parts.reader.outlooks(name, MAX_POINTS)
        },
        shots=shots,
        kept={shot.overlay for shot in shots if find_picture(parts.overlay_folder, shot.overlay)},
        refused=parts.reader.refused(name, PAGE_ROWS),
        alerts=alerts,
        hours=SNOOZE_HOURS,
    )


@routes.get("/quarantine")
def quarantine(
    parts: GivenParts, page: PageNumber = 1, experiment: str | None = None
) -> HTMLResponse:
    """List the frames of one experiment that could not be judged, newest first."""
    run = choose_run(parts, experiment)
    # One row more than is shown tells whether there is another page.
    refused = parts.reader.refused(None, PAGE_ROWS + 1, (page - 1) * PAGE_ROWS, run=run)
    return _render(
        parts,
        "quarantine.html",
        make_header(parts, run, parts.reader.wells(run)),
        refused=refused[:PAGE_ROWS],
        reasons=parts.reader.reasons(run),
        page=page,
        more=len(refused) > PAGE_ROWS,
    )


@routes.get("/alerts")
def alerts(parts: GivenParts, experiment: str | None = None) -> HTMLResponse:
    """List the alerts of one experiment's wells and plates, and of the monitor."""
    run = choose_run(parts, experiment)
    return _render(
        parts,
        "alerts.html",
        make_header(parts, run, parts.reader.wells(run)),
        alerts=parts.reader.alerts(None, MAX_ALERTS, runs=alerts_of(parts, run)),
        receivers=parts.receivers(),
        limit=MAX_ALERTS,
        hours=SNOOZE_HOURS,
    )


@routes.post("/alerts/{alert}/acknowledge")
async def acknowledge(parts: GivenParts, alert: AlertId, request: Request) -> RedirectResponse:
    """Note that somebody has seen an alert."""
    await read_form(request, parts.token)
    await run_in_threadpool(parts.alerts.acknowledge, alert, parts.clock.now())
    return _back_to(alert)


@routes.post("/alerts/{alert}/snooze")
async def snooze(parts: GivenParts, alert: AlertId, request: Request) -> RedirectResponse:
    """Say nothing of an alert for some hours."""
    asked = (await read_form(request, parts.token)).get("hours", "")
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
    until = parts.clock.now() + timedelta(hours=hours)
    await run_in_threadpool(parts.alerts.snooze, alert, until)
    return _back_to(alert)


@routes.get("/overlays/{relative:path}")
def overlay(parts: GivenParts, relative: str, request: Request, small: bool = False) -> Response:
    """Return the picture of a frame, or a small one of it."""
    known = parts.reader.has_overlay(relative)
    picture = find_picture(parts.overlay_folder, relative) if known else None
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


def _render(parts: Parts, template: str, header: Header, **values: Any) -> HTMLResponse:
    text = parts.templates.get_template(template).render(
        header=header,
        now=header.now,
        token=parts.token,
        guarded=parts.guarded,
        **values,
    )
    return HTMLResponse(text)


def _back_to(alert: int) -> RedirectResponse:
    return RedirectResponse(f"/alerts#alert-{alert}", status_code=303)
