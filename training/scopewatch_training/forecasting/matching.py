"""Whether a time-lapse and what its wells came to mean the same wells of runs not trained on.

A well whose name is spelled otherwise would be left out in silence, and wells that were exchanged
would be judged by each other's end.
"""

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Final

from scopewatch.core.errors import ConfigError, complaint
from scopewatch.inference.bundle import Bundle
from scopewatch_training.bundle.known_frames import KnownFrame, know_frame
from scopewatch_training.bundle.training_copies import (
    CopyCheck,
    check_frames,
    find_among,
)
from scopewatch_training.dataset.checks.names import fold_name
from scopewatch_training.dataset.checks.odd_runs import LAST_DAY
from scopewatch_training.dataset.prepared import Dataset
from scopewatch_training.forecasting.frame_scores import hash_frame, load_frame
from scopewatch_training.forecasting.timelapse import TimedFrame, Well

_MOST_NAMED: Final = 3


def check_timelapse(
    frames: Sequence[TimedFrame], finals: Collection[Well], timelapse: Path, table: Path
) -> list[str]:
    """Return a line on wells with a final efficiency and no frame, and one on implausible days.

    Parameters
    ----------
    table
        Where the final efficiencies come from, for the message.

    Raises
    ------
    ConfigError
        Where such a well has frames under another spelling of its name.
    """
    taken = {frame.place for frame in frames}
    missing = [place for place in finals if place not in taken]
    spelled = {_folded(place): place for place in sorted(taken)}
    twins = [(each, spelled[_folded(each)]) for each in missing if _folded(each) in spelled]
    if twins:
        named = [f"{_name(one)} and {_name(other)}" for one, other in twins[:_MOST_NAMED]]
        raise ConfigError(
            complaint(
                "wells of the time-lapse and of the final efficiencies are spelled otherwise",
                where=f"{table} and {timelapse}",
                expected="one spelling of run, plate and well in both",
                got=f"{', '.join(named)}{_more(len(twins))}",
                do="write one name in both: wells whose names differ are left out",
            )
        )
    lines = _describe_days(frames, timelapse)
    if not missing:
        return lines
    return [
        *lines,
        complaint(
            "wells with a final efficiency are not in the time-lapse, and left out",
            where=timelapse,
            got=f"{len(missing)} of {len(finals)}: "
            f"{', '.join(map(_name, missing[:_MOST_NAMED]))}{_more(len(missing))}",
            do="add their phase frames, or correct run, plate and well",
        ),
    ]


def hash_ends(frames: Iterable[TimedFrame]) -> list[KnownFrame]:
    """Return the hashes of the last frame of each site; reads their pictures.

    Raises
    ------
    FrameError
        When a picture cannot be read.
    """
    last: dict[tuple[Well, int], TimedFrame] = {}
    for frame in frames:
        site = (frame.place, frame.site)
        if site not in last or frame.time_point > last[site].time_point:
            last[site] = frame
    return [hash_frame(frame, load_frame(frame)) for frame in last.values()]


def check_ends(bundle: Bundle, ends: Sequence[KnownFrame]) -> CopyCheck:
    """Look for the bundle's training frames among the last frames of a time-lapse."""
    return check_frames(bundle, [end for end in ends if end.run not in bundle.card.trained_on])


def refuse_exchanged_wells(ends: Sequence[KnownFrame], dataset: Dataset, timelapse: Path) -> None:
    """Refuse a time-lapse whose last frames are those of other wells in the data set.

    Raises
    ------
    ConfigError
        Naming the first of them.
    """
    if not dataset.mark_version:
        return
    known = [know_frame(pair) for pair in dataset.accepted]
    wells = {each.frame: _well_of(each.frame) for each in (*known, *ends)}
    odd = [
        copy
        for copy in find_among(known, ends, near=False)
        if wells[copy.frame] != wells[copy.known_frame]
    ]
    if odd:
        named = [f"{each.frame} is {each.known_frame}" for each in odd[:_MOST_NAMED]]
        raise ConfigError(
            complaint(
                "wells of the time-lapse are called otherwise than those of the data set",
                where=f"{timelapse} and {dataset.folder}",
                expected="the same name of run, plate and well for the same picture",
                got=f"{', '.join(named)}{_more(len(odd))}",
                do="correct the names: each well would be judged by the end of another",
            )
        )


def _describe_days(frames: Sequence[TimedFrame], timelapse: Path) -> list[str]:
    """Return a line where the days of a time-lapse are those of no differentiation."""
    last = max((frame.day for frame in frames), default=0.0)
    if last <= LAST_DAY:
        return []
    return [
        complaint(
            "days of the time-lapse are implausible",
            where=timelapse,
            expected=f"up to day {LAST_DAY:g}",
            got=f"day {last:g}",
            do="write days since the differentiation began, not hours, in column day: leads and"
            " forecasts are in days",
        )
    ]


def _well_of(frame: str) -> str:
    """Return `run/plate/well` of `run/plate/well/s0/t0020`."""
    return frame.rsplit("/", 2)[0]


def _folded(place: Well) -> tuple[str, ...]:
    return tuple(fold_name(part).replace("_", "") for part in place)


def _name(place: Well) -> str:
    return "/".join(place)


def _more(count: int) -> str:
    return f" and {count - _MOST_NAMED} more" if count > _MOST_NAMED else ""
