"""Limits learnt from real frames: of the same kind they pass, of another they do not."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray

from scopewatch.core.imaging.model_card.limits import QualityCard
from scopewatch.core.imaging.normalise import NormaliseSpec, normalise
from scopewatch.core.imaging.quality import distance_to, measure
from scopewatch_training.bundle.limits import learn_limits, refuses
from scopewatch_training.dataset.pairs.record import Pair


def as_pair(run: str, index: int, pixels: NDArray[np.uint16]) -> Pair:
    return Pair(
        id=f"{run}{index}", run=run, plate="P1", well="A1", site=index, time_point=0, day=None,
        phase="p", fluorescence="f", measures=measure(pixels, normalise(pixels, NormaliseSpec())),
    )  # fmt: skip


def bacteria(data: Path, strain: str, every: int = 3) -> list[Pair]:
    folder = data / "ecoli-yfp" / strain
    return [
        as_pair(strain, index, tifffile.imread(folder / f"field{index:02d}_phase.tif"))
        for index in range(0, 14, every)
    ]


def hearts(data: Path, name: str) -> list[Pair]:
    frames = tifffile.imread(data / "cardiomyocyte-phase" / f"{name}.tif")[::12]
    return [as_pair(name, index, frame) for index, frame in enumerate(frames)]


def developing(data: Path) -> list[Pair]:
    frames = sorted((data / "psc-timelapse").glob("*.tif"))[::8]
    return [as_pair("psc", index, tifffile.imread(frame)) for index, frame in enumerate(frames)]


def refused(pairs: Sequence[Pair], card: QualityCard) -> int:
    """Number of frames that the card's limits refuse."""
    return sum(refuses(card, pair.measures) for pair in pairs)


def too_far(pairs: Sequence[Pair], card: QualityCard) -> int:
    """Number of frames that the distance alone refuses."""
    assert card.distance is not None
    limit = card.distance
    return sum(distance_to(pair.measures, limit)[0] > limit.limit for pair in pairs)


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


def test_the_distance_alone_separates_bacteria_from_cells_and_passes_a_fourth_strain(
    real_data: Path,
) -> None:
    strains = [bacteria(real_data, strain, every=1) for strain in ("delta", "R22", "R60")]
    card = learn_limits([pair for strain in strains for pair in strain])
    others = [*hearts(real_data, "adult"), *hearts(real_data, "matrigel"), *developing(real_data)]
    assert too_far(others, card) == len(others)
    assert too_far(bacteria(real_data, "auto"), card) == 0
    assert (card.false_refusal_rate or 0) <= 0.05
