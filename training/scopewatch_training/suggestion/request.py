"""What is asked of `suggest`, and which frames of a time-lapse that leaves to look at."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from scopewatch.core.errors import ConfigError, complaint
from scopewatch_training.bundle.known_frames import KnownFrames
from scopewatch_training.forecasting.timelapse import TimedFrame, Well

Unit = Literal["well", "frame"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SuggestRequest:
    """Request of suggestions.

    Parameters
    ----------
    timelapse
        Table of phase frames.
    count
        How many to choose.
    by
        `well`: wells at one time point. `frame`: each frame of each time point.
    time_point
        The one to look at; None: the last of each well, or all of them by frame.
    stained
        Wells that have a stain already, which are left out.
    stained_frames
        Hashes of their frames: copies of them under other names are left out, too. None where
        they are not known.
    """

    timelapse: Path
    count: int
    by: Unit = "well"
    time_point: int | None = None
    stained: Collection[Well] = frozenset()
    stained_frames: KnownFrames | None = None


def choose_frames(frames: Sequence[TimedFrame], request: SuggestRequest) -> list[TimedFrame]:
    """Return the frames to look at: of the time point, of wells that have no stain.

    Raises
    ------
    ConfigError
        When there is none.
    """
    open_ = [each for each in frames if each.place not in request.stained]
    if request.time_point is not None:
        found = [each for each in open_ if each.time_point == request.time_point]
    elif request.by == "frame":
        found = open_
    else:
        last: dict[Well, int] = {}
        for each in open_:
            last[each.place] = max(each.time_point, last.get(each.place, each.time_point))
        found = [each for each in open_ if each.time_point == last[each.place]]
    if not found:
        points = sorted({each.time_point for each in open_})
        raise ConfigError(
            complaint(
                "no frame is left to choose from",
                where=request.timelapse,
                expected=f"time points {points[0]} to {points[-1]}" if points else None,
                got=f"time point {request.time_point}" if points else "every well is stained",
                do="give another time point" if points else "give wells that have no stain yet",
            )
        )
    return found
