"""Makes each plate of a folder a run: programs export several vessels into one folder."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from scopewatch.core.errors import ConfigError, complaint
from scopewatch.core.imaging.frame import FrameKey
from scopewatch_training.dataset.survey.run_frames import RunFrames


def split_by_plate(root: Path, read: Sequence[RunFrames]) -> list[RunFrames]:
    """Return a run for each plate, called as the plate; with its run where two share the name.

    Raises
    ------
    ConfigError
        When no run has several plates.
    """
    plates = [sorted({(key.run, key.plate) for key in each.frames}) for each in read]
    runs = {run for pairs in plates for run, _ in pairs}
    names = Counter(plate for pairs in plates for _, plate in pairs)
    if len(runs) == sum(names.values()):
        raise ConfigError(
            complaint(
                "no run has several plates",
                where=root,
                expected="names or metadata that state two plates or more of a run",
                got=", ".join(f"{plate} in {run}" for pairs in plates for run, plate in pairs),
                do="leave out --run-per-plate; where a folder is a run, give --run-per-folder",
            )
        )
    split: list[RunFrames] = []
    for each, pairs in zip(read, plates, strict=True):
        parts = [
            _part(each, run, plate, plate if names[plate] == 1 else f"{run} {plate}")
            for run, plate in pairs
        ]
        split += [replace(part, unread=() if at else each.unread) for at, part in enumerate(parts)]
        split += [] if parts else [each]
    return split


def _part(read: RunFrames, run: str, plate: str, name: str) -> RunFrames:
    """Return the frames of a plate; dates count from its own first frame."""
    own = [key for key in read.frames if (key.run, key.plate) == (run, plate)]
    first = min(key.time_point for key in own) if read.dated else 0
    return replace(read, frames={_of(key, name, first): read.frames[key] for key in own})


def _of(key: FrameKey, name: str, first: int) -> FrameKey:
    return replace(key, run=name, time_point=key.time_point - first)
