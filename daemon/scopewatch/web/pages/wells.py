"""The page of a well: its course, pictures and alerts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from scopewatch.core.acquisition.journal import acts_with_days
from scopewatch.core.well_name import WellName
from scopewatch.store.read.records.runs_and_wells import Shot
from scopewatch.web.alert_groups import group_alerts
from scopewatch.web.chart import draw_course
from scopewatch.web.dashboard_context import DashboardContext, GivenContext, GivenVisit
from scopewatch.web.final_day import find_final_day
from scopewatch.web.header import choose_run, find_well, make_header
from scopewatch.web.overlay_images import is_kept
from scopewatch.web.pages.alerts import MAX_ALERTS
from scopewatch.web.pages.quarantine import NOT_AGAIN, PAGE_ROWS
from scopewatch.web.pages.render import render_page
from scopewatch.web.plate import by_gravity, subject_of
from scopewatch.web.quarantine import by_fault
from scopewatch.web.wording import ACTS, name_of

# Of a longer time course every n-th is drawn: more do not fit into the chart's width.
DRAWN_POINTS = 250
MAX_SHOTS = 60
# Of the time course as a table; the JSON has all.
TABLE_ROWS = 60
MAX_ACTS = 200
# A picture is drawn right before its frame is settled.
DRAWN_BEFORE = timedelta(minutes=1)

routes = APIRouter(default_response_class=HTMLResponse)


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
    alerts = context.reader.alerts(name, MAX_ALERTS, courses=False)
    points = context.reader.course(name, TABLE_ROWS)
    shots = context.reader.shots(name, MAX_SHOTS)
    found = _find_pictures(context, shots, header.now)
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
        kept=found.kept,
        expired=found.expired,
        waiting=found.waiting,
        unreached=found.unreached,
        refused=by_fault(refused, {}, row.scored, visit.language),
        not_again=NOT_AGAIN,
        tryable=sum(each.fault not in NOT_AGAIN and not each.asked_again for each in refused),
        groups=group_alerts(alerts, standard.rules, header.now),
        resolved=[alert for alert in alerts if alert.resolved_at is not None],
    )


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pictures:
    """Which pictures of a page can be shown, and why others cannot.

    Parameters
    ----------
    kept
        They can be shown.
    expired
        Retention has removed them, where they are not kept.
    waiting
        They were not copied yet to where this machine reads them.
    unreached
        Why those that are copied cannot be had at the moment; '' where they can.
    """

    kept: set[str]
    expired: set[str]
    waiting: set[str]
    unreached: str = ""


def _find_pictures(context: DashboardContext, shots: Sequence[Shot], now: datetime) -> _Pictures:
    """Look for pictures here and, where none are missing by rule, among their copies."""
    folder = context.overlay_folder
    kept = {shot.overlay for shot in shots if is_kept(folder, shot.overlay)}
    expired = _expired(context, shots, now)
    elsewhere = [
        shot.overlay for shot in shots if shot.overlay not in kept and shot.overlay not in expired
    ]
    if context.copies is None or not elsewhere:
        return _Pictures(kept=kept, expired=expired, waiting=set())
    waiting = context.reader.uncopied(elsewhere)
    copied = [overlay for overlay in elsewhere if overlay not in waiting]
    # One is asked for, for all: each question goes over the network.
    unreached = context.copies.trouble(copied[0]) if copied else ""
    return _Pictures(
        kept=kept if unreached else kept | set(copied),
        expired=expired,
        waiting=waiting,
        unreached=unreached,
    )


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
