"""Checkpoints of a fit: one file, replaced whole, so that a killed fit goes on from it."""

import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from scopewatch.core.errors import ConfigError, complaint
from scopewatch.files import whole_file

_FACTS = "facts"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Checkpoint:
    """Named lists of arrays, and facts that are JSON values.

    Parameters
    ----------
    fingerprint
        Fingerprint of settings and data; a checkpoint of another fit is refused.
    """

    fingerprint: str
    facts: dict[str, Any]
    arrays: dict[str, list[NDArray[Any]]]


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    facts = {
        "made_of": checkpoint.fingerprint,
        "facts": checkpoint.facts,
        "counts": {name: len(arrays) for name, arrays in checkpoint.arrays.items()},
    }
    flat: dict[str, Any] = {
        f"{name}/{index}": array
        for name, arrays in checkpoint.arrays.items()
        for index, array in enumerate(arrays)
    }
    with whole_file(path) as part, part.open("wb") as file:
        np.savez(file, **(flat | {_FACTS: np.array(json.dumps(facts))}))


def make_way(path: Path, fingerprint: str) -> Path | None:
    """Set a checkpoint of other settings or data aside, and take up one of these.

    A call with other settings starts again, and one with the settings of before goes on where it
    was: neither overwrites the work of the other.

    Returns
    -------
    Where the other checkpoint is now; None where there was none.
    """
    other = _fingerprint_of(path)
    if other is None or other == fingerprint:
        return None
    aside = _aside(path, other)
    path.replace(aside)
    own = _aside(path, fingerprint)
    if own.exists():
        own.replace(path)
    return aside


def _aside(path: Path, fingerprint: str) -> Path:
    return path.with_name(
        f"{path.stem}.{sha256(fingerprint.encode()).hexdigest()[:8]}{path.suffix}"
    )


def _fingerprint_of(path: Path) -> str | None:
    """Return the fingerprint of a checkpoint; None where there is none, or it cannot be read."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            return str(json.loads(str(stored[_FACTS]))["made_of"])
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        # load_checkpoint reports a damaged one.
        return None


def load_checkpoint(path: Path, fingerprint: str) -> Checkpoint | None:
    """Read a checkpoint; None where there is none.

    Raises
    ------
    ConfigError
        When it belongs to other settings or other data, or is damaged: going on from it, or
        starting again over it, could both be wrong.
    """
    if not path.exists():
        return None
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            facts = json.loads(str(stored[_FACTS]))
            arrays = {
                name: [stored[f"{name}/{index}"] for index in range(count)]
                for name, count in facts["counts"].items()
            }
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise ConfigError(
            complaint(
                "checkpoint cannot be read",
                where=path,
                got=error,
                do="delete its folder to start again",
            )
        ) from error
    if facts["made_of"] != fingerprint:
        raise ConfigError(
            complaint(
                "checkpoint belongs to other settings or data",
                where=path,
                expected=fingerprint,
                got=facts["made_of"],
                do="give the settings it was begun with, or delete its folder to start again",
            )
        )
    return Checkpoint(fingerprint=fingerprint, facts=facts["facts"], arrays=arrays)
