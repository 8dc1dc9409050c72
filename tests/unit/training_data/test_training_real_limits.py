"""Limits learnt from real frames: of the same kind they pass, of another they do not."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray

from scopewatch.core.card import QualityCard
from scopewatch.core.normalise import NormaliseSpec, normalise
from scopewatch.core.quality import measure
from scopewatch_training.dataset import Pair
from scopewatch_training.limits import learn_limits


def as_pair(run: str, index: int, pixels: NDArray[np.uint16]) -> Pair:
    return Pair(
        id=f"{run}{index}", run=run, plate="P1", well="A1", site=index, time_point=0, day=None,
        phase="p", fluorescence="f", measures=measure(pixels, normalise(pixels, NormaliseSpec())),
    )  # fmt: skip


def bacteria(data: Path, strain: str) -> list[Pair]:
    folder = data / "ecoli-yfp" / strain
    return [
        as_pair(strain, index, tifffile.imread(folder / f"field{index:02d}_phase.tif"))
        for index in range(0, 14, 3)
    ]


def hearts(data: Path, name: str) -> list[Pair]:
    frames = tifffile.imread(data / "cardiomyocyte-phase" / f"{name}.tif")[::12]
    return [as_pair(name, index, frame) for index, frame in enumerate(frames)]


def refused(pairs: Sequence[Pair], card: QualityCard) -> int:
    """Number of frames with a measure beyond the card's limits."""
    assert card.min_contrast is not None
    assert card.max_contrast is not None
    limits = {**card.domain, "contrast": (card.min_contrast, card.max_contrast)}
    return sum(
        any(not low <= pair.measures[name] <= high for name, (low, high) in limits.items())
        for pair in pairs
    )


def test_a_strain_that_was_held_out_passes_and_cardiomyocytes_do_not(real_data: Path) -> None:
    card = learn_limits([*bacteria(real_data, "delta"), *bacteria(real_data, "R22")])
    assert card.false_refusal_rate == 0
    assert refused(bacteria(real_data, "R60"), card) == 0
    others = [*hearts(real_data, "adult"), *hearts(real_data, "matrigel")]
    assert refused(others, card) == len(others)


def test_bacteria_do_not_pass_where_cardiomyocytes_were_learnt(real_data: Path) -> None:
    card = learn_limits([*hearts(real_data, "adult"), *hearts(real_data, "matrigel")])
    for strain in ("delta", "R22", "R60"):
        pairs = bacteria(real_data, strain)
        assert refused(pairs, card) == len(pairs)
