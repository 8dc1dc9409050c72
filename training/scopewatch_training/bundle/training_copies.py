"""Finds copies of training frames among other frames, and says so in one line for each run."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from scopewatch.core.errors import complaint
from scopewatch.inference.bundle import Bundle
from scopewatch_training.bundle.known_frames import (
    KnownFrame,
    describe_unhashed,
    know_frame,
    read_known_frames,
)
from scopewatch_training.dataset.checks.copies import NEAR, nearness, unpack
from scopewatch_training.dataset.looks import MARK_VERSION
from scopewatch_training.dataset.prepared import Dataset

NAMED: Final = 3
"""How many copies of a run a line names one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A frame that is a copy of a known one.

    Parameters
    ----------
    run, frame
        Names of the frame.
    known_run, known_frame
        Names of the frame that it is a copy of.
    same_pixels
        False where the picture was saved again: other bits, scale or contrast.
    """

    run: str
    frame: str
    known_run: str
    known_frame: str
    same_pixels: bool

    def to_json(self) -> dict[str, Any]:
        """Return the copy as JSON values."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyCheck:
    """Copies of a bundle's training frames, and what could not be checked.

    Parameters
    ----------
    unchecked
        One line for each reason why copies may have gone unseen.
    """

    copies: tuple[Copy, ...] = ()
    unchecked: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the check as JSON values."""
        return {
            "copies_of_training": [each.to_json() for each in self.copies],
            "copies_unchecked": list(self.unchecked),
        }


def check_copies(bundle: Bundle, dataset: Dataset, runs: Sequence[str]) -> CopyCheck:
    """Look for a bundle's training frames among runs that are no training runs by name.

    Raises
    ------
    ModelError
        When the bundle's list of frames is not the one that its card names.
    """
    others = [run for run in runs if run not in bundle.card.trained_on]
    if not others:
        return CopyCheck()
    if not dataset.mark_version:
        return CopyCheck(unchecked=(describe_unhashed(dataset),))
    frames = [know_frame(pair) for pair in dataset.of_runs(others)]
    return check_frames(bundle, frames, dataset.mark_version)


def check_frames(
    bundle: Bundle, frames: Sequence[KnownFrame], mark_version: int = MARK_VERSION
) -> CopyCheck:
    """Look for a bundle's training frames among others.

    Parameters
    ----------
    mark_version
        Of the marks of the others.

    Raises
    ------
    ModelError
        When the bundle's list of frames is not the one that its card names.
    """
    known = read_known_frames(bundle)
    if known is None:
        made = "none" if bundle.card.training_frames_sha256 else "a bundle of an earlier version"
        return CopyCheck(
            unchecked=(
                complaint(
                    "copies of training frames under other names cannot be checked",
                    where=bundle.folder,
                    expected="the hashes of its training frames",
                    got=made,
                    do="copy the whole bundle folder" if made == "none" else "fit it again",
                ),
            )
        )
    comparable = known.mark_version == mark_version
    copies = find_among(known.frames, frames, near=comparable)
    unchecked = () if comparable else (_other_marks(bundle, known.mark_version, mark_version),)
    return CopyCheck(copies=tuple(copies), unchecked=unchecked)


def find_among(
    known: Sequence[KnownFrame], frames: Sequence[KnownFrame], *, near: bool = True
) -> list[Copy]:
    """Return the frames that are copies of known ones, each with the first it is a copy of.

    Parameters
    ----------
    near
        Whether pictures that were saved again count.
    """
    by_hash: dict[str, KnownFrame] = {}
    for each in known:
        for name in (each.phase, each.fluorescence):
            by_hash.setdefault(name, each)
    by_hash.pop("", None)
    marks = unpack([each.mark for each in known])
    wanted = unpack([each.mark for each in frames])
    copies = []
    for frame, mark in zip(frames, wanted, strict=True):
        names = (frame.phase, frame.fluorescence)
        found = next((by_hash[each] for each in names if each in by_hash), None)
        exact = found is not None
        if found is None and near and known:
            apart = nearness(marks, mark)
            least = int(np.argmin(apart))
            found = known[least] if apart[least] <= NEAR else None
        if found is not None:
            copies.append(
                Copy(
                    run=frame.run,
                    frame=frame.frame,
                    known_run=found.run,
                    known_frame=found.frame,
                    same_pixels=exact,
                )
            )
    return copies


def describe_copies(
    copies: Sequence[Copy],
    *,
    sizes: Mapping[str, int],
    known: str,
    expected: str,
    do: str,
    frames: str = "pairs",
) -> list[str]:
    """Return a line for each run and the run that its frames are from.

    Parameters
    ----------
    sizes
        Number of frames of each run.
    known
        What the frames are that these are copies of.
    frames
        What the frames of a run are called.
    """
    groups: dict[tuple[str, str], list[Copy]] = {}
    for each in copies:
        groups.setdefault((each.run, each.known_run), []).append(each)
    lines = []
    for (run, source), found in groups.items():
        alike = (
            "have the same pixels as"
            if all(each.same_pixels for each in found)
            else "show the same pictures as"
        )
        names = [f"{each.frame} is {each.known_frame}" for each in found[:NAMED]]
        more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
        lines.append(
            complaint(
                f"{frames} {alike} {known}",
                where=f"run {run}",
                expected=expected,
                got=f"{len(found)} of its {sizes[run]} {frames} are in run {source} too, as"
                f" {', '.join(names)}{more}",
                do=do,
            )
        )
    return lines


def name_copied_runs(copies: Sequence[Copy]) -> list[str]:
    """Name each run that holds copies of known frames, with one of them."""
    named: dict[str, str] = {}
    for each in copies:
        named.setdefault(each.run, f"{each.run} (as {each.frame} is {each.known_frame})")
    return list(named.values())


def _other_marks(bundle: Bundle, known: int, others: int) -> str:
    return complaint(
        "copies of training frames that were saved again cannot be checked",
        where=bundle.folder,
        expected=f"marks of version {MARK_VERSION} of bundle and data set",
        got=f"{known} and {others}",
        do="prepare the data set again, and fit the bundle again",
    )
