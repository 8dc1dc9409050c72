"""Reads plans of useq-schema (pymmcore-plus, napari-micromanager): an MDASequence as YAML or JSON.

Positions are those that useq-schema itself makes of the plan, grids within positions included.
What an acquisition of scopewatch does not do is refused by name (`useq_refusals`).
"""

import copy
import warnings
from collections.abc import Mapping
from itertools import groupby, islice, pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from scopewatch.config import ChannelConfig, FocusConfig, PhaseConfig, PositionConfig
from scopewatch.core.errors import ConfigError, complaint
from scopewatch.core.well_name import well_at
from scopewatch.sources.micromanager.plans.imported import Imported
from scopewatch.sources.micromanager.plans.useq_planes import middle_um, z_stack_of_plan
from scopewatch.sources.micromanager.plans.useq_refusals import (
    MOST_POSITIONS,
    MOST_TIME_POINTS,
    refused_parts,
    unknown_keys,
)

if TYPE_CHECKING:
    from useq import MDASequence

INSTALL: Final = "install it: pip install 'scopewatch[micromanager]'"
_MOST_SHOWN: Final = 3
# Times of equal steps differ by rounding to microseconds alone.
_DIGITS: Final = 3
_BESIDE_GRID: Final = r"Position x=\S+, y=\S+ is ignored when "


def read_useq(raw: Mapping[str, Any], where: object) -> Imported:
    """Return positions, channels and times of a plan.

    Raises
    ------
    ConfigError
        When it is no plan of useq-schema, or holds what is not done here.
    """
    sequence = _validated(raw, where)
    setup = ["setup"] if raw.get("setup") else []
    refused = [*setup, *refused_parts(sequence), *_impossible_times(sequence)]
    if refused:
        raise ConfigError(
            complaint(
                "plan asks for what scopewatch does not acquire",
                where=where,
                got="; ".join(refused),
                do="take it out of the plan, or acquire with the plan's own program and let"
                " scopewatch follow",
            )
        )
    positions, expected = _positions(sequence, where)
    z_stack, positions = z_stack_of_plan(sequence, positions, where)
    phases = _phases(sequence)
    single = phases[0] if len(phases) == 1 else None
    return Imported(
        summary="plan of useq-schema",
        positions=positions,
        channels=tuple(
            ChannelConfig(
                group=channel.group,
                preset=channel.config,
                exposure_ms=channel.exposure or 0.0,
                every=channel.acquire_every,
                z_offset_um=channel.z_offset
                + (0.0 if channel.do_stack else middle_um(sequence, z_stack)),
                in_z_stack=None if z_stack is None else channel.do_stack,
            )
            for channel in sequence.channels
        ),
        interval_s=None if single is None or single.time_points == 1 else single.interval_s,
        time_points=None if single is None else single.time_points,
        phases=phases if len(phases) > 1 else (),
        z_stack=z_stack,
        focus=_focus(sequence),
        expected=MappingProxyType(expected),
    )


def _validated(raw: Mapping[str, Any], where: object) -> "MDASequence":
    try:
        from useq import MDASequence, WellPlatePlan  # noqa: PLC0415 - an optional extra
    except ImportError as error:
        raise ConfigError(
            complaint("useq-schema is not installed", where=error.name, do=INSTALL)
        ) from error
    content = copy.deepcopy(dict(raw))  # it is changed by validation
    # Refused in any case; as YAML, useq-schema 0.9 cannot read again what it wrote of it.
    content.pop("setup", None)
    try:
        with warnings.catch_warnings():
            # What useq-schema would change with a warning is refused, but for what is plain: an
            # absolute grid gives the places, also where programs leave a stage's x and y beside it.
            warnings.simplefilter("error")
            warnings.filterwarnings("ignore", message=_BESIDE_GRID)
            if isinstance(content.get("stage_positions"), dict):
                # MDASequence says of a wrong plate that it is no list.
                WellPlatePlan.model_validate(copy.deepcopy(content["stage_positions"]))
            sequence = MDASequence.model_validate(content)
    except ValidationError as error:
        problems = [
            f"{'.'.join(str(part) for part in each['loc']) or error.title}: {each['msg']}"
            for each in error.errors(include_url=False)
        ]
        more = f" and {len(problems) - _MOST_SHOWN} more" if len(problems) > _MOST_SHOWN else ""
        raise _no_plan(where, "; ".join(problems[:_MOST_SHOWN]) + more) from error
    except (UserWarning, ValueError, TypeError, ArithmeticError) as error:
        raise _no_plan(where, error) from error
    unknown = unknown_keys(raw, sequence)
    if unknown:
        raise ConfigError(
            complaint(
                "plan holds keys that useq-schema does not know, and would pass over",
                where=where,
                got=", ".join(unknown[:10]),
                do="correct them, or take them out",
            )
        )
    return sequence


def _no_plan(where: object, got: object) -> ConfigError:
    return ConfigError(
        complaint(
            "file is no plan that can be read",
            where=where,
            expected="a position list of Micro-Manager, or an MDASequence of useq-schema",
            got=got,
            do="correct it, or save it again with the program it comes from",
        )
    )


def _positions(
    sequence: "MDASequence", where: object
) -> tuple[tuple[PositionConfig, ...], dict[str, tuple[str, int]]]:
    """Return the positions, and well and site by label where the plan is one of a plate."""
    from useq import WellPlatePlan  # noqa: PLC0415

    places = sequence.replace(time_plan=None, channels=(), z_plan=None, autofocus_plan=None)
    events = list(islice(places, MOST_POSITIONS + 1))
    planned = sequence.stage_positions
    positions: list[PositionConfig] = []
    expected: dict[str, tuple[str, int]] = {}
    sites: dict[str, int] = {}
    for event in events:
        index = event.index.get("p")
        place = None if index is None or not planned else planned[index]
        label = event.pos_name or _unnamed(place, index)
        if "g" in event.index:
            label = f"{label}_{event.index['g']:04d}" if label else f"Pos{event.index['g']}"
        if event.x_pos is None or event.y_pos is None:
            raise ConfigError(
                complaint(
                    "position of the plan has no x or y",
                    where=f"{where}: {label}",
                    do="give it both",
                )
            )
        # A plate has no z: useq-schema 0.9 makes 0 of that, to which no focus drive is sent here.
        on_plate = isinstance(planned, WellPlatePlan)
        positions.append(
            PositionConfig(
                label=label,
                x_um=round(float(event.x_pos), 3),
                y_um=round(float(event.y_pos), 3),
                z_um=None if on_plate or event.z_pos is None else float(event.z_pos),
            )
        )
        if on_plate and place is not None:
            well = well_at(place.plate_row or 0, place.plate_col or 0)
            sites[well] = sites.get(well, -1) + 1
            expected[label] = (well, sites[well])
    if not positions or len(positions) > MOST_POSITIONS:
        raise ConfigError(
            complaint(
                "plan holds no position" if not positions else "plan holds too many positions",
                where=where,
                expected=f"1 to {MOST_POSITIONS}",
                got=len(positions),
                do="give stage_positions; a plate also needs its selected_wells",
            )
        )
    return tuple(positions), expected


def _unnamed(place: Any, index: int | None) -> str:
    """Return a label for a position without one: its well, else as Micro-Manager counts them."""
    if place is not None and place.plate_row is not None and place.plate_col is not None:
        return well_at(place.plate_row, place.plate_col)
    return "" if index is None else f"Pos{index}"


def _focus(sequence: "MDASequence") -> FocusConfig | None:
    """Return how often the focus is found; None where the plan leaves it as it is.

    pymmcore-plus calls `fullFocus` then, as method autofocus does.
    """
    plan = sequence.autofocus_plan
    if plan is None:
        return None
    gridded = sequence.grid_plan is not None
    if "g" in plan.axes or ("p" in plan.axes and not gridded):
        return FocusConfig(method="autofocus", every="position")
    return FocusConfig(method="autofocus", every="well" if "p" in plan.axes else "time-point")


def _moments(sequence: "MDASequence") -> list[float]:
    """Return when time points are due, in seconds from the first; at most one more than allowed."""
    if sequence.time_plan is None:
        return []
    return list(islice(sequence.time_plan, MOST_TIME_POINTS + 1))


def _impossible_times(sequence: "MDASequence") -> list[str]:
    """Name a plan of time without steps, or of too many."""
    try:
        moments = _moments(sequence)
    except ArithmeticError:
        return ["time_plan whose interval is not known"]
    if len(moments) > MOST_TIME_POINTS:
        return [f"time_plan of more than {MOST_TIME_POINTS} time points"]
    if any(after - before <= 0 for before, after in pairwise(moments)):
        return ["time_plan without an interval"]
    return []


def _phases(sequence: "MDASequence") -> tuple[PhaseConfig, ...]:
    """Return the phases of equal steps; none where the plan says nothing of time.

    A phase of useq-schema begins with the last time point of the one before, one of scopewatch an
    interval after it: a phase here is a row of equal steps and the time points before them.
    """
    moments = _moments(sequence)
    if not moments:
        return ()
    steps = [round(after - before, _DIGITS) for before, after in pairwise(moments)]
    rows = [(step, len(list(each))) for step, each in groupby(steps)] or [(1.0, 0)]
    return tuple(
        PhaseConfig(interval_s=step, time_points=count + (index == len(rows) - 1))
        for index, (step, count) in enumerate(rows)
    )
