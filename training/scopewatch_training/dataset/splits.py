"""Train/test splits: whole runs are held out, never tiles of them.

Tiles of one run share its day, medium, lamp and passage. A split over tiles lets a model recognise
the run; `random_tiles` makes that split only to measure how much better it looks (the leakage gap).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold

from scopewatch.core.errors import ConfigError, complaint
from scopewatch_training.dataset.manifest import require_runs
from scopewatch_training.dataset.pairs.record import Pair


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """Runs to train on and runs to test on; no run is both."""

    train: tuple[str, ...]
    test: tuple[str, ...]

    def __post_init__(self) -> None:
        both = set(self.train) & set(self.test)
        if both or not self.train or not self.test:
            raise ValueError(f"a fold needs runs on both sides and none on both: {self}")


def leave_one_run_out(runs: Sequence[str], *, where: object = "data set") -> list[Fold]:
    """Outer folds: each run is the test set once.

    Raises
    ------
    ConfigError
        With fewer than two runs.
    """
    names = list(dict.fromkeys(runs))
    require_runs(names, where=where, at_least=2)
    return [
        Fold(train=tuple(name for name in names if name != held), test=(held,)) for held in names
    ]


def hold_out(runs: Sequence[str], held: Sequence[str], *, where: object = "data set") -> Fold:
    """Return the fold that tests on the named runs.

    Raises
    ------
    ConfigError
        When a name is unknown, or none is left to train on.
    """
    names = list(dict.fromkeys(runs))
    unknown = sorted(set(held) - set(names))
    rest = tuple(name for name in names if name not in held)
    if unknown or not rest or not held:
        raise ConfigError(
            complaint(
                "runs cannot be held out",
                where=where,
                expected=f"some but not all of {', '.join(names)}",
                got=", ".join(unknown or held) or "none",
                do="name runs as the manifest does",
            )
        )
    return Fold(train=rest, test=tuple(name for name in names if name in held))


def inner_folds(pairs: Sequence[Pair], folds: int = 3) -> list[tuple[list[int], list[int]]]:
    """Inner folds over training pairs, for tuning, early stopping, threshold and calibration.

    Whole runs where there are at least two, else whole wells of the one run.

    Returns
    -------
    (indices to train on, indices to validate on) for each fold; at most one fold per group.

    Raises
    ------
    ConfigError
        When all pairs are of one well.
    """
    runs = [pair.run for pair in pairs]
    groups = runs if len(set(runs)) > 1 else [pair.group for pair in pairs]
    if len(set(groups)) < 2:
        raise ConfigError(
            complaint(
                "training data cannot be split",
                where=groups[0] if groups else "no pair",
                expected="at least two runs, or two wells of one run",
                got=f"{len(set(groups))} well",
                do="add pairs of other wells",
            )
        )
    splitter = GroupKFold(n_splits=min(folds, len(set(groups))))
    return [
        ([int(each) for each in train], [int(each) for each in test])
        for train, test in splitter.split(groups, groups=groups)
    ]


def random_tiles(
    shape: tuple[int, int], rng: np.random.Generator, test_share: float
) -> NDArray[np.bool_]:
    """Draw the tiles of a frame that test in the leaky split: (rows, cols) bool."""
    return np.asarray(rng.random(shape) < test_share)
