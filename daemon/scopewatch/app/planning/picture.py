"""A picture of a plan: wells, sites, and the way of the stage, as the plate lies before a person.

A1 is drawn in the upper left corner, whichever way the stage counts; arrows say which way that is.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from scopewatch.app.planning.shown import PlannedSite, ShownPlan
from scopewatch.core.alerts.scope import place
from scopewatch.sources.micromanager.plans.limits import in_bytes, in_time

WIDTH_PX: Final = 1000
MARGIN_PX: Final = 60
TOP_PX: Final = 78
FOOT_PX: Final = 40
LARGE_PX, SMALL_PX = 20, 14
# A well whose size nobody says is drawn as wide as this share of the way to the next.
_SHARE: Final = 0.7
_LONE_UM: Final = 1000.0
_MOST_HIGH: Final = 1.6


@dataclass(frozen=True, slots=True)
class Circle:
    """A ring (a well), or a disc (a site)."""

    x: float
    y: float
    radius: float
    kind: str


@dataclass(frozen=True, slots=True)
class Path:
    """The way of the stage."""

    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Words:
    """A line of text; `anchor` is start, middle or end."""

    x: float
    y: float
    text: str
    size: int
    anchor: str = "start"
    faint: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanPicture:
    """What is drawn, in pixels of a sheet, from the bottom of the pile up."""

    width: int
    height: int
    shapes: tuple[Circle | Path | Words, ...]


def picture_plan(plan: ShownPlan) -> PlanPicture:
    """Lay a plan out on a sheet of `WIDTH_PX`."""
    flip_x, flip_y = _flips(plan.sites)
    spots = [
        (each.position.x_um * (-1 if flip_x else 1), each.position.y_um * (-1 if flip_y else 1))
        for each in plan.sites
    ]
    centres = _centres(plan.sites, spots)
    radius_um = _radius_um(plan, list(centres.values()), spots)
    left = min(x for x, _ in centres.values()) - radius_um
    top = min(y for _, y in centres.values()) - radius_um
    wide = max(x for x, _ in centres.values()) + radius_um - left
    high = max(y for _, y in centres.values()) + radius_um - top
    room = WIDTH_PX - 2 * MARGIN_PX
    scale = min(room / wide, room * _MOST_HIGH / high)

    def put(x: float, y: float) -> tuple[float, float]:
        return (x - left) * scale + MARGIN_PX, (y - top) * scale + TOP_PX

    size = max(8, min(SMALL_PX, round(radius_um * scale * 0.5)))
    shapes: list[Circle | Path | Words] = []
    for well, (x, y) in centres.items():
        at = put(x, y)
        shapes.append(Circle(*at, radius_um * scale, "well"))
        over = at[1] - radius_um * scale * 0.95
        shapes.append(Words(at[0], over, well, size, "middle", faint=True))
    way = tuple(put(*spot) for spot in spots)
    shapes.append(Path((*way, way[0]) if len(way) > 1 else way))
    shapes += [
        Circle(*at, 5 if index == 0 else 2.5, "first" if index == 0 else "site")
        for index, at in enumerate(way)
    ]
    height = round(high * scale) + TOP_PX + FOOT_PX
    arrows = f"stage x {'to the left' if flip_x else 'to the right'}"
    arrows += f", y {'upwards' if flip_y else 'downwards'}; the large dot is the first position"
    shapes += [
        Words(MARGIN_PX, 12, plan.counted, LARGE_PX),
        Words(MARGIN_PX, 42, _figures(plan), SMALL_PX, faint=True),
        Words(MARGIN_PX, height - 26, arrows, SMALL_PX, faint=True),
    ]
    return PlanPicture(width=WIDTH_PX, height=height, shapes=tuple(shapes))


def _figures(plan: ShownPlan) -> str:
    projection = plan.projection
    return (
        f"a time point takes {in_time(projection.time_point_s)} of"
        f" {in_time(projection.interval_s)}, {in_time(projection.travel_s)} of it travel over"
        f" {projection.travel_um / 1000:.0f} mm; {in_bytes(projection.disk_bytes)} for"
        f" {projection.time_points} time points"
    )


def _flips(sites: Sequence[PlannedSite]) -> tuple[bool, bool]:
    """Return whether x and y of the stage are drawn backwards, for A1 to be in the upper left."""
    known = [(at, each.position) for each in sites if (at := place(each.well)) is not None]
    across = _trend([(column, position.x_um) for (_, column), position in known])
    down = _trend([(row, position.y_um) for (row, _), position in known])
    # Names that are no wells are drawn as on a map.
    return across < 0, down < 0 or not known


def _trend(pairs: Sequence[tuple[int, float]]) -> float:
    if not pairs:
        return 0.0
    middle = sum(index for index, _ in pairs) / len(pairs)
    return sum((index - middle) * value for index, value in pairs)


def _centres(
    sites: Sequence[PlannedSite], spots: Sequence[tuple[float, float]]
) -> dict[str, tuple[float, float]]:
    found: dict[str, list[tuple[float, float]]] = {}
    for each, spot in zip(sites, spots, strict=True):
        found.setdefault(each.well, []).append(spot)
    return {
        well: (sum(x for x, _ in at) / len(at), sum(y for _, y in at) / len(at))
        for well, at in found.items()
    }


def _radius_um(
    plan: ShownPlan,
    centres: Sequence[tuple[float, float]],
    spots: Sequence[tuple[float, float]],
) -> float:
    if plan.plate is not None and plan.plate.well_um is not None:
        return plan.plate.well_um / 2
    first = centres[0]
    ways = [math.dist(first, other) for other in centres[1:]]
    near = min((way for way in ways if way), default=0.0)
    spread = max(math.dist(first, spot) for spot in spots) if not near else 0.0
    return near * _SHARE / 2 if near else spread + _LONE_UM
