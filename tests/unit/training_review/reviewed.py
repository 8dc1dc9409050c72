"""Reviews of the tiny data set, as people would make them."""

from datetime import UTC, datetime
from pathlib import Path

from scopewatch_training.dataset.corrections.file import write_corrections
from scopewatch_training.dataset.corrections.record import (
    Corrections,
    Decision,
    PairDecision,
    TileCorrection,
    TileLabel,
)
from scopewatch_training.dataset.index import open_dataset
from scopewatch_training.dataset.prepared import Dataset

AT = datetime(2026, 3, 2, 10, 30, tzinfo=UTC)
FIRST = "run1_A1"


def decide(decision: Decision, author: str = "Mika") -> PairDecision:
    return PairDecision(decision=decision, author=author, at=AT)


def correct(row: int, col: int, label: TileLabel, author: str = "Mika") -> TileCorrection:
    return TileCorrection(row=row, col=col, label=label, author=author, at=AT)


def corrections_of(
    dataset: Dataset,
    *tiles: TileCorrection,
    pair_id: str = FIRST,
    decision: Decision | None = None,
) -> Corrections:
    """Return corrections of one pair of a data set."""
    pair = next(each for each in dataset.pairs if each.id == pair_id)
    review = Corrections(tile_px=dataset.labels.tile_px).review_of(pair)
    for tile in tiles:
        review = review.with_tile(tile)
    if decision is not None:
        review = review.model_copy(update={"decision": decide(decision)})
    return Corrections(tile_px=dataset.labels.tile_px).with_review(review)


def write_review(folder: Path, *tiles: TileCorrection, decision: Decision | None = None) -> Dataset:
    """Write corrections of the first pair, and open the data set with them."""
    plain = open_dataset(folder, corrected=False)
    write_corrections(folder, corrections_of(plain, *tiles, decision=decision), replaces=None)
    return open_dataset(folder)
