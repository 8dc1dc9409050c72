"""Hashes of the frames that a bundle was trained on: `report/training-frames.json`.

Copies of training frames are found by them under any name: the same pixels by SHA-256, pictures
that were saved again by the perceptual hash of `dataset.looks`. The card holds the SHA-256 of the
file.
"""

from collections.abc import Sequence
from functools import cached_property
from hashlib import sha256
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from scopewatch.core.errors import ConfigError, ModelError, complaint
from scopewatch.inference.bundle import Bundle
from scopewatch_training.bundle.bundle_writer import REPORT_FOLDER
from scopewatch_training.dataset.checks.copies import telling_hashes
from scopewatch_training.dataset.pairs.record import Pair
from scopewatch_training.dataset.prepared import Dataset

FRAMES_FILE: Final = "training-frames.json"
MOST_BYTES: Final = 64 * 1024 * 1024
"""A quarter of a million frames; a larger file is not one of ours."""

_Hash = Field(pattern=r"^([0-9a-f]{64})?$")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class KnownFrame(_Strict):
    """A frame by what its pictures are, whatever they are called.

    Parameters
    ----------
    run, frame
        Names: of the run, and `run/plate/well/s0/t0020`.
    phase, fluorescence
        SHA-256 of the pictures' pixels; empty for a blank picture and where there is none.
    mark
        Perceptual hash of the phase frame; empty where it has no structure.
    """

    run: str
    frame: str
    phase: str = _Hash
    fluorescence: str = _Hash
    mark: str = _Hash


class KnownFrames(_Strict):
    """`report/training-frames.json`.

    Parameters
    ----------
    mark_version
        `looks.MARK_VERSION` of the perceptual hashes: those of other versions cannot be compared.
    """

    schema_version: Literal[1] = 1
    mark_version: int
    frames: tuple[KnownFrame, ...]

    @cached_property
    def content(self) -> bytes:
        """Content of the file."""
        return (self.model_dump_json(indent=0) + "\n").encode()


def know_frame(pair: Pair) -> KnownFrame:
    """Return the hashes of a pair."""
    phase, fluorescence = (
        "".join(telling_hashes(look)) for look in (pair.phase_look, pair.fluorescence_look)
    )
    return KnownFrame(
        run=pair.run,
        frame=str(pair),
        phase=phase,
        fluorescence=fluorescence,
        mark=pair.phase_look.mark,
    )


def know_frames(dataset: Dataset, pairs: Sequence[Pair]) -> KnownFrames | None:
    """Return the hashes of pairs; None where the data set is of a version without them."""
    if not dataset.mark_version:
        return None
    frames = tuple(know_frame(pair) for pair in pairs)
    return KnownFrames(mark_version=dataset.mark_version, frames=frames)


def describe_unhashed(dataset: Dataset) -> str:
    """Return the line for a data set that is of a version without hashes."""
    return complaint(
        "copies of frames under other names cannot be checked",
        where=dataset.folder,
        expected="hashes of its pictures",
        got="a data set of an earlier version",
        do="run prepare again",
    )


def read_known_frames(bundle: Bundle) -> KnownFrames | None:
    """Read the hashes of a bundle's training frames; None where it holds none.

    Raises
    ------
    ModelError
        When the file is not the one that the card names.
    """
    expected = bundle.card.training_frames_sha256
    path = bundle.folder / REPORT_FOLDER / FRAMES_FILE
    if expected is None or not path.is_file():
        return None
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        got = sha256(content).hexdigest()
        if got != expected:
            raise ValueError(f"SHA-256 {got[:12]}")
        return KnownFrames.model_validate_json(content)
    except (OSError, ValueError, ValidationError) as error:
        first = error.errors()[0]["msg"] if isinstance(error, ValidationError) else error
        raise ModelError(
            complaint(
                "list of a bundle's training frames is not the one that its card names",
                where=path,
                expected=f"SHA-256 {expected[:12]}",
                got=first,
                do="copy the whole bundle folder again",
            )
        ) from error


def find_training_runs(bundle: Bundle, dataset: Dataset) -> list[str]:
    """Return the bundle's training runs in a data set.

    Raises
    ------
    ConfigError
        When the data set has none of them, or other pictures under their names.
    """
    runs = [run for run in dataset.runs() if run in bundle.card.trained_on]
    known = read_known_frames(bundle)
    hashes = set() if known is None else {frame.phase for frame in known.frames}
    pairs = dataset.of_runs(runs)
    unhashed = known is None or not dataset.mark_version
    if runs and (unhashed or any(know_frame(pair).phase in hashes for pair in pairs)):
        return runs
    raise ConfigError(
        complaint(
            "data set is not the one that the bundle was trained on",
            where=dataset.folder,
            expected=f"runs {', '.join(bundle.card.trained_on)} with the pictures of its training",
            got=f"other pictures in runs {', '.join(runs)}"
            if runs
            else f"runs {', '.join(dataset.runs())}",
            do="give the data set of its fit: ranges and finer stain are learnt from it",
        )
    )
