"""Where the focus is looked for at a time point, and how far it may go. Pure.

Heights are of the focus drive, in micrometres.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from scopewatch.config import FocusConfig, MicroManagerSourceConfig, PositionConfig
from scopewatch.sources.micromanager.focus.kept import FocusKept
from scopewatch.sources.micromanager.images import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """Images that are taken by one focus.

    Parameters
    ----------
    at
        Labels of the positions where it is looked for; several give their median.
    places
        The images.
    """

    at: tuple[str, ...]
    places: tuple[Place, ...]


def stops(
    config: MicroManagerSourceConfig, places: Sequence[Place], wells: Mapping[str, str]
) -> tuple[Stop, ...]:
    """Return where the focus is found for which images of a time point, in their order.

    Parameters
    ----------
    places
        In order of acquisition.
    wells
        The well of each label.
    """
    if not places:
        return ()
    focus = config.focus
    if focus.every == "time-point":
        return (Stop(at=focus.references or (places[0][1],), places=tuple(places)),)

    def group(place: Place) -> str:
        return wells[place[1]] if focus.every == "well" else place[1]

    return tuple(
        Stop(at=(members[0][1],), places=tuple(members))
        for members in (list(each) for _, each in groupby(places, group))
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """Where the focus may be, both ends included."""

    lowest_um: float
    highest_um: float

    def refuses(self, z_um: float) -> bool:
        """Tell whether a height lies outside; one that is no number does."""
        return not self.lowest_um <= z_um <= self.highest_um


def band(kept: FocusKept, position: PositionConfig, focus: FocusConfig) -> Band:
    """Return where the focus of a position may be found: near the last good and the planned one."""
    planned = kept.planned_um(position)
    last = planned + kept.correction_um(position)
    return Band(
        lowest_um=max(last - focus.max_step_um, planned - focus.max_drift_um),
        highest_um=min(last + focus.max_step_um, planned + focus.max_drift_um),
    )
