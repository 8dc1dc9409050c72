"""Finds frames of a time-lapse that are copies of stained ones under other names."""

from collections.abc import Sequence

from scopewatch.core.errors import complaint
from scopewatch_training.bundle.known_frames import KnownFrame, KnownFrames
from scopewatch_training.bundle.training_copies import CopyCheck, find_among
from scopewatch_training.dataset.looks import MARK_VERSION


def find_stained(hashes: Sequence[KnownFrame], known: KnownFrames | None) -> CopyCheck:
    """Return which frames are copies of stained ones; none where these are not known."""
    if known is None:
        return CopyCheck()
    comparable = known.mark_version == MARK_VERSION
    line = complaint(
        "copies of stained frames that were saved again cannot be checked",
        where="--stained",
        expected=f"marks of version {MARK_VERSION}",
        got=known.mark_version,
        do="prepare that data set again",
    )
    return CopyCheck(
        copies=tuple(find_among(known.frames, hashes, near=comparable)),
        unchecked=() if comparable else (line,),
    )
