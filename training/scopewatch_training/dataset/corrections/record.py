"""What people decided about the pairs and tiles of a data set.

A label is stored as what it shall be, not as a flip: with another threshold a flip would mean the
opposite. `Corrections` is immutable; every change returns a new one.
"""

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum
from hashlib import sha256
from typing import Annotated, Final, Literal, Protocol, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from scopewatch_training.dataset.corrections.author import LONGEST_NAME

SCHEMA_VERSION: Final = 1

Author = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME, pattern=r"^[^\x00-\x1f]+$")]


class Decision(StrEnum):
    """Decision about a whole pair."""

    ACCEPTED = "accepted"
    """It was looked at and is right; its labels stay as they are."""
    DROPPED = "dropped"
    """It is not used."""


class TileLabel(StrEnum):
    """Label that a tile shall have."""

    POSITIVE = "positive"
    NEGATIVE = "negative"
    DROPPED = "dropped"
    """It counts neither way."""


class PairFacts(Protocol):
    """Facts of a pair by which its review is recognised."""

    @property
    def id(self) -> str:
        """Unique name."""
        ...

    @property
    def source_sha256(self) -> str:
        """Hash of the pixels of its two pictures."""
        ...

    @property
    def height(self) -> int:
        """Of the view, in pixels."""
        ...

    @property
    def width(self) -> int:
        """Of the view, in pixels."""
        ...


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PairDecision(_Strict):
    """A decision about a pair, by whom and when."""

    decision: Decision
    author: Author
    at: AwareDatetime


class TileCorrection(_Strict):
    """The label that a person gave a tile."""

    row: int = Field(ge=0)
    col: int = Field(ge=0)
    label: TileLabel
    author: Author
    at: AwareDatetime


class PairReview(_Strict):
    """What was decided about one pair.

    `source_sha256`, `height` and `width` are those of the pair that was looked at: a review does
    not hold for other pictures under the same name.
    """

    id: str = Field(min_length=1)
    source_sha256: str
    height: int = Field(ge=1)
    width: int = Field(ge=1)
    decision: PairDecision | None = None
    tiles: tuple[TileCorrection, ...] = ()

    @model_validator(mode="after")
    def _no_tile_twice(self) -> Self:
        places = Counter((tile.row, tile.col) for tile in self.tiles)
        twice = [place for place, count in places.items() if count > 1]
        if twice:
            row, col = min(twice)
            raise ValueError(f"tile at row {row}, column {col} of {self.id} is listed twice")
        return self

    @property
    def dropped(self) -> bool:
        """Whether the pair is not used."""
        return self.decision is not None and self.decision.decision is Decision.DROPPED

    @property
    def labels(self) -> dict[tuple[int, int], TileLabel]:
        """Corrected tiles: (row, column) to label."""
        return {(tile.row, tile.col): tile.label for tile in self.tiles}

    def with_tile(self, correction: TileCorrection) -> "PairReview":
        """Return the review with one tile corrected; an earlier correction of it is replaced."""
        others = self.without_tile(correction.row, correction.col).tiles
        tiles = sorted((*others, correction), key=lambda tile: (tile.row, tile.col))
        return self.model_copy(update={"tiles": tuple(tiles)})

    def without_tile(self, row: int, col: int) -> "PairReview":
        """Return the review without the correction of a tile."""
        left = tuple(tile for tile in self.tiles if (tile.row, tile.col) != (row, col))
        return self.model_copy(update={"tiles": left})


class Corrections(_Strict):
    """All corrections of a data set.

    Parameters
    ----------
    tile_px
        Side of the tiles that rows and columns count.
    """

    schema_version: Literal[1] = SCHEMA_VERSION
    tile_px: int = Field(ge=1)
    pairs: tuple[PairReview, ...] = ()

    @model_validator(mode="after")
    def _no_pair_twice(self) -> Self:
        names = [pair.id for pair in self.pairs]
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise ValueError(f"pair {twice} is listed twice")
        return self

    def find(self, pair_id: str) -> PairReview | None:
        """Return the review of a pair; None where nobody has decided anything about it."""
        return next((pair for pair in self.pairs if pair.id == pair_id), None)

    def review_of(self, pair: PairFacts) -> PairReview:
        """Return the review of a pair; an empty one where nobody has decided anything."""
        return self.reviews_of([pair])[0]

    def reviews_of(self, pairs: Iterable[PairFacts]) -> list[PairReview]:
        """Return the reviews of some pairs, in their order; see `review_of`."""
        known = {review.id: review for review in self.pairs}
        return [
            known.get(pair.id)
            or PairReview(
                id=pair.id, source_sha256=pair.source_sha256, height=pair.height, width=pair.width
            )
            for pair in pairs
        ]

    def with_review(self, review: PairReview) -> "Corrections":
        """Return the corrections with the review of one pair replaced; empty ones are left out."""
        return self.with_reviews([review])

    def with_reviews(self, reviews: Iterable[PairReview]) -> "Corrections":
        """Return the corrections with the reviews of some pairs replaced; see `with_review`."""
        pairs = {pair.id: pair for pair in (*self.pairs, *reviews)}
        kept = (pair for pair in pairs.values() if pair.decision is not None or pair.tiles)
        return self.model_copy(update={"pairs": tuple(sorted(kept, key=lambda each: each.id))})

    @property
    def digest(self) -> str:
        """SHA-256 of all that changes labels; '' where nothing does.

        Who decided and when, and pairs that were accepted, do not count.
        """
        lines = [
            f"{pair.id} {'dropped' if pair.dropped else 'used'} "
            + " ".join(f"{row},{col}:{label}" for (row, col), label in sorted(pair.labels.items()))
            for pair in sorted(self.pairs, key=lambda each: each.id)
            if pair.dropped or pair.tiles
        ]
        return (
            sha256("\n".join([f"{self.tile_px} px", *lines]).encode()).hexdigest() if lines else ""
        )

    def describe(self) -> str:
        """Return how much was corrected, in words; '' where nothing changes a label."""
        tiles, dropped = count_corrections(self.pairs)
        words = [
            f"{count} {what}{'' if count == 1 else 's'}"
            for count, what in ((tiles, "tile"), (dropped, "dropped pair"))
            if count
        ]
        return f"labels were corrected in review: {' and '.join(words)}" if words else ""


def count_corrections(reviews: Iterable[PairReview]) -> tuple[int, int]:
    """Return the number of corrected tiles of pairs in use, and of dropped pairs."""
    tiles = dropped = 0
    for review in reviews:
        dropped += review.dropped
        tiles += 0 if review.dropped else len(review.tiles)
    return tiles, dropped
