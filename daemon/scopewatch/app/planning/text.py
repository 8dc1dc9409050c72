"""A plan as text: figures, the plate, and a table of its positions; or as plain values."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, Final

from scopewatch.app.planning.shown import ShownPlan
from scopewatch.config.plates import PLATE_SIZES
from scopewatch.core.alerts.scope import place
from scopewatch.core.well_name import row_name
from scopewatch.sources.micromanager.plans.limits import in_bytes, in_time

_MOST_ROWS: Final = 12
_FORMATS: Final = tuple((each.rows, each.columns) for each in PLATE_SIZES.values())


def describe_plan(plan: ShownPlan, *, every: bool) -> Iterator[str]:
    """Yield the lines that show a plan to people.

    Parameters
    ----------
    every
        Whether all positions are listed, and not only the first.
    """
    yield plan.summary
    yield plan.counted
    yield ""
    yield from _draw_plate(plan)
    yield from _list_positions(plan, every=every)
    yield ""
    yield from _list_figures(plan)


def plan_as_json(plan: ShownPlan) -> dict[str, Any]:
    """Return a plan as plain values; lengths in micrometres, times in seconds."""
    projection = plan.projection
    return {
        "schema_version": 1,
        "plan": plan.summary,
        "source": plan.settled.name,
        "positions": [
            {**each.position.model_dump(), "well": each.well, "site": each.site}
            for each in plan.sites
        ],
        "channels": [each.model_dump() for each in plan.settled.channels],
        "z_stack_um": [] if plan.settled.z_stack is None else plan.settled.z_stack.planes_um,
        "interval_s": projection.interval_s,
        "time_points": projection.time_points,
        "phases": [each.model_dump() for each in plan.settled.timing],
        "time_points_over": plan.over,
        "travel_um": round(projection.travel_um, 3),
        "travel_s": round(projection.travel_s, 3),
        "exposure_s": round(projection.exposure_s, 3),
        "other_s": round(projection.other_s, 3),
        "focus_s": round(projection.focus_s, 3),
        "time_point_s": round(projection.time_point_s, 3),
        "frame": asdict(projection.frame),
        "disk_bytes": projection.disk_bytes,
        "free_bytes": plan.free_bytes,
        "light": [{**asdict(each), "total_s": each.total_s} for each in projection.doses],
        "refusals": list(plan.refusals),
    }


def _draw_plate(plan: ShownPlan) -> Iterator[str]:
    """Draw how many sites each well has; wells by other names are only counted."""
    spots = {well: at for well in plan.wells if (at := place(well)) is not None}
    if spots:
        rows = max(row for row, _ in spots.values()) + 1
        columns = max(column for _, column in spots.values()) + 1
        rows, columns = next(
            (size for size in _FORMATS if size[0] >= rows and size[1] >= columns),
            (rows, columns),
        )
        counts = {spots[well]: count for well, count in plan.wells.items() if well in spots}
        yield "    " + "".join(f"{column + 1:>4}" for column in range(columns))
        for row in range(rows):
            cells = (str(counts.get((row, column), ".")) for column in range(columns))
            yield f"{row_name(row + 1):>4}" + "".join(f"{cell:>4}" for cell in cells)
        yield ""
    others = [well for well in plan.wells if well not in spots]
    if others:
        yield f"{len(others)} are named otherwise: {', '.join(others[:8])}" + (
            " ..." if len(others) > 8 else ""
        )
        yield ""


def _list_positions(plan: ShownPlan, *, every: bool) -> Iterator[str]:
    shown = plan.sites if every else plan.sites[:_MOST_ROWS]
    yield f"{'':>5}  {'label':<16} {'well':<6} {'site':>4} {'x um':>11} {'y um':>11} {'z um':>9}"
    for number, each in enumerate(shown, 1):
        at = each.position
        z = "" if at.z_um is None else f"{at.z_um:.2f}"
        yield (
            f"{number:>5}  {at.label:<16} {each.well:<6} {each.site:>4} {at.x_um:>11.1f}"
            f" {at.y_um:>11.1f} {z:>9}"
        )
    more = len(plan.sites) - len(shown)
    if more:
        yield f"       and {more} more; --all lists them"


def _spell_phases(plan: ShownPlan) -> str:
    return ", then ".join(
        f"{phase.time_points} every {in_time(phase.interval_s)}" for phase in plan.settled.phases
    )


def _name_stacked(plan: ShownPlan) -> str:
    stacked = [each.preset for each in plan.settled.channels if each.in_z_stack]
    return ", ".join(stacked) or "each position"


def _list_figures(plan: ShownPlan) -> Iterator[str]:
    projection, settings = plan.projection, plan.settled.projection
    yield (
        f"stage      {projection.moves} moves over {projection.travel_um / 1000:.0f} mm take"
        f" {in_time(projection.travel_s)} for each time point (at"
        f" {settings.stage_um_per_s / 1000:g} mm/s, {settings.settle_s:g} s to settle)"
    )
    yield (
        f"time point {in_time(projection.time_point_s)} of {in_time(projection.interval_s)}:"
        f" travel {in_time(projection.travel_s)}, focus {in_time(projection.focus_s)},"
        f" exposures {in_time(projection.exposure_s)},"
        f" presets, readout, disk {in_time(projection.other_s)} ({settings.image_s:g} s an image)"
    )
    stack = plan.settled.z_stack
    if stack is not None:
        heights = ", ".join(f"{each:+g}" for each in stack.planes_um)
        yield (
            f"z-stack    {len(stack.planes_um)} planes at {heights} um from z of"
            f" {_name_stacked(plan)}; the sharpest is scored"
        )
    most = "" if set(projection.periods) == {1} else "at most "
    run = f"{projection.time_points} time points of {most}{projection.images} images"
    if plan.settled.phases:
        run += f" ({_spell_phases(plan)})"
    over = f", {plan.over} of them over" if plan.over else ""
    yield f"run        {run}, {in_time(projection.run_s)}{over}"
    frame = projection.frame
    free = "" if plan.free_bytes is None else f"; {in_bytes(plan.free_bytes)} are free"
    yield (
        f"disk       {in_bytes(projection.disk_bytes)}: {frame.width_px} x {frame.height_px} px,"
        f" {8 * frame.bytes_per_px} bit ({frame.origin}){free}"
    )
    if not projection.doses:
        yield "light      not known: the plan names no channel with its exposure"
    if plan.note:
        yield f"note       {plan.note}"
    for dose in projection.doses:
        yield (
            f"light      {dose.channel}: {dose.exposure_ms:g} ms x {dose.images} ="
            f" {dose.total_s:g} s on each site"
        )
