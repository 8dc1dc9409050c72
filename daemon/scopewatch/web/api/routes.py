"""The addresses of the HTTP API: runs and wells as JSON, and Prometheus metrics."""

from collections.abc import Mapping, Sequence

from fastapi import APIRouter, HTTPException
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from scopewatch.core.errors import complaint
from scopewatch.core.well_name import WellName
from scopewatch.monitoring.state import RunState
from scopewatch.store.read.records.runs_and_wells import WellRow
from scopewatch.web.api.answers import (
    CourseAnswer,
    EfficiencyAnswer,
    FrameCounts,
    OutlookAnswer,
    PointAnswer,
    StatusAnswer,
    WellAnswer,
    WellsAnswer,
)
from scopewatch.web.dashboard_context import DashboardContext, GivenContext
from scopewatch.web.header import choose_run, find_well, make_header
from scopewatch.web.health import state_answer
from scopewatch.web.plate import Staleness, is_stale
from scopewatch.web.wording import name_of, well_path

MAX_POINTS = 2000

routes = APIRouter()


@routes.get("/api/status.json")
def status(context: GivenContext, experiment: str | None = None) -> StatusAnswer:
    """Return the state of one run: the one asked for, or else the newest."""
    choice = choose_run(context, experiment)
    run = choice.run
    seen = context.reader.overview(run)
    header = make_header(context, choice, seen)
    counts, last = header.counts, header.counts.last_frame_at
    return StatusAnswer(
        experiment=run,
        day=counts.newest_day,
        model_name=context.facts.model_name,
        model_id=context.facts.model_id,
        simulated=context.facts.simulated,
        target=context.facts.target(run),
        frames=FrameCounts(
            scored=counts.scored,
            quarantined=counts.quarantined,
            refused=counts.refused,
            missed=counts.missed,
            waiting=header.waiting,
        ),
        last_frame_at=last,
        last_frame_age_s=None if last is None else (header.now - last).total_seconds(),
        wells=len(seen.wells),
        wells_flagged=[str(name) for name in header.flagged],
        healthy=header.health.well,
        detail=list(header.health.complaints),
        scale_checked=header.scale_checked,
        pausing=header.pausing,
        state=state_answer(RunState(run=run, state=header.state)),
    )


@routes.get("/api/wells.json")
def wells(context: GivenContext, experiment: str | None = None) -> WellsAnswer:
    """Return the present state of every well (of one run)."""
    rows = context.reader.wells(experiment)
    limits = {name: _staleness(context, name) for name in {row.name.run for row in rows}}
    newest = _newest_by_plate(rows)
    return WellsAnswer(
        simulated=context.facts.simulated,
        wells=[_well(context, row, newest, limits[row.name.run]) for row in rows],
    )


@routes.get("/api/wells/{experiment}/{plate}/{well}.json")
def course(context: GivenContext, experiment: str, plate: str, well: str) -> CourseAnswer:
    """Return one well with its time course."""
    name = WellName(run=name_of(experiment), plate=name_of(plate), well=name_of(well))
    rows = context.reader.wells(name.run)
    row = find_well(rows, name, "see /api/wells.json")
    target = context.facts.target(name.run)
    return CourseAnswer(
        simulated=context.facts.simulated,
        target=target,
        well=_well(context, row, _newest_by_plate(rows), _staleness(context, name.run)),
        points=[
            PointAnswer(
                time_point=point.time_point,
                day=point.day,
                efficiency=EfficiencyAnswer.of(point.efficiency),
                sites=point.sites,
            )
            for point in context.reader.course(name, MAX_POINTS)
        ],
        outlooks=[
            OutlookAnswer.of(outlook, target)
            for outlook in context.reader.outlooks(name, MAX_POINTS)
        ],
    )


@routes.get("/metrics")
def metrics(context: GivenContext) -> Response:
    """Metrics for Prometheus."""
    if context.registry is None:
        line = complaint(
            "a daemon counts in its own process, which this dashboard does not see",
            where=f"{context.root}/metrics",
            do="ask the daemon's own dashboard for /metrics; /healthz here says how each daemon is",
        )
        raise HTTPException(404, line)
    return Response(generate_latest(context.registry), media_type=CONTENT_TYPE_LATEST)


def _staleness(context: DashboardContext, run: str) -> Staleness:
    return context.staleness(context.states.of(run))


def _newest_by_plate(rows: Sequence[WellRow]) -> dict[tuple[str, str], int]:
    """Return the newest time point of each plate that has any, by run and plate."""
    newest: dict[tuple[str, str], int] = {}
    for row in rows:
        if row.time_point is not None:
            plate = row.name.run, row.name.plate
            newest[plate] = max(row.time_point, newest.get(plate, row.time_point))
    return newest


def _well(
    context: DashboardContext,
    row: WellRow,
    newest: Mapping[tuple[str, str], int],
    staleness: Staleness,
) -> WellAnswer:
    last = newest.get((row.name.run, row.name.plate), 0)
    return WellAnswer(
        experiment=row.name.run,
        plate=row.name.plate,
        well=row.name.well,
        day=row.day,
        time_point=row.time_point,
        efficiency=None if row.efficiency is None else EfficiencyAnswer.of(row.efficiency),
        outlook=None
        if row.outlook is None
        else OutlookAnswer.of(row.outlook, context.facts.target(row.name.run)),
        frames_scored=row.scored,
        frames_quarantined=row.quarantined,
        last_frame_at=row.last_frame_at,
        stale=is_stale(row, last, context.clock.now(), staleness),
        flagged=bool(row.flags),
        rules=[flag.rule for flag in row.flags],
        course=f"{context.root}/api/wells/{well_path(row.name)}.json",
    )
