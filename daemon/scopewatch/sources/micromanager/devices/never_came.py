"""Says which images of a time point never came, and why."""

from collections.abc import Sequence

from scopewatch.config import MicroManagerSourceConfig
from scopewatch.sources.micromanager.devices.cores import blamed
from scopewatch.sources.micromanager.events import Axes, ImagesMissingError

# An alert is read on a telephone.
_MOST_NAMED = 3


def never_came(
    config: MicroManagerSourceConfig,
    causes: Sequence[tuple[Axes, str]],
    asked: int,
    *,
    ends: bool,
) -> ImagesMissingError:
    """Return the error of images that were asked for and never came, in one line.

    Parameters
    ----------
    causes
        Which never came, and why.
    asked
        How many were asked for.
    ends
        Whether no further image will come of this acquisition.
    """
    places: dict[str, list[str]] = {}
    for axes, why in causes:
        places.setdefault(why, []).append(_named(axes))
    lines = [
        f"{why} ({', '.join(named[:_MOST_NAMED])}"
        + (f" and {len(named) - _MOST_NAMED} more)" if len(named) > _MOST_NAMED else ")")
        for why, named in places.items()
    ]
    more = len(lines) - _MOST_NAMED
    line = "; ".join(lines[:_MOST_NAMED]) + (f"; and {more} more causes" if more > 0 else "")
    failed = blamed(config, f"{len(causes)} of {asked} images never came: {line}")
    return ImagesMissingError(str(failed), causes, ends=ends)


def _named(axes: Axes) -> str:
    """Name an image of a time point by its position and channel."""
    place = f"position {axes.get('position')}"
    place += "" if axes.get("channel") is None else f" in channel {axes['channel']}"
    return place if axes.get("z") is None else f"{place}, plane {axes['z']}"
