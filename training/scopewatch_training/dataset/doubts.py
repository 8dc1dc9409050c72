"""Doubts about a data set: what a person should look at before training, and one verdict.

A doubt never stops `prepare`. `Dataset.doubts` holds them all; `dataset.json` keeps them.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import IntEnum, StrEnum
from typing import Any, Final

from scopewatch.core.errors import complaint
from scopewatch_training.dataset.pictures import name_file


class Weight(IntEnum):
    """Importance of a doubt."""

    NOTE = 1
    """Good to know; training may go on."""
    LOOK = 2
    """Probably wrong for some tiles or pairs."""
    STOP = 3
    """A model trained on this is wrong, or its figures flatter."""


class Verdict(StrEnum):
    """Sum of all doubts, as `prepare` prints it."""

    GOOD = "good to train"
    LOOK = "look at these"
    STOP = "do not train"


class DoubtKind(StrEnum):
    """Kind of a doubt; its text for people is in `WHAT`."""

    SWAPPED = "swapped"
    COPY = "copy"
    NEAR_COPY = "near-copy"
    TWIN_NAMES = "twin-names"
    CLIPPED = "clipped"
    OFFSET = "offset"
    MOVED = "moved"
    SCALE = "scale"
    ONE_RUN = "one-run"
    NO_POSITIVE = "no-positive-tile"
    MASK = "mask"
    SAME_FIELD = "same-field"
    LOST_RUN = "lost-run"
    DAY = "day"
    INVERTED = "inverted"
    INVERTED_MARKER = "inverted-fluorescence"
    SEE_THROUGH = "see-through"
    BLANK = "blank"
    MANY_REFUSED = "many-refused"
    OTHER_SCALE = "other-scale"
    SPLIT_RUN = "split-run"
    UNRELATED = "unrelated"
    FEW = "few"
    COARSENESS = "coarseness"
    STAIN = "stain"
    UNEVEN = "uneven"
    CUT_OFF = "cut-off"
    DRAWN = "drawn"
    EXPOSURE = "exposure"
    FALLING = "falling-light"
    DRAWN_PHASE = "drawn-phase"
    MIXED_SCALES = "mixed-scales"
    SIZES = "sizes"
    PAGES = "pages"
    OUTLINES = "outlines"
    LOOSE_MASKS = "loose-masks"
    BORDER = "border"
    MERGED = "merged"
    FLOOR = "floor"


WHAT: Final[dict[DoubtKind, str]] = {
    DoubtKind.SWAPPED: "phase and fluorescence seem to be swapped",
    DoubtKind.COPY: "pairs have the same pixels",
    DoubtKind.NEAR_COPY: "pairs show the same picture",
    DoubtKind.TWIN_NAMES: "two names seem to mean the same",
    DoubtKind.CLIPPED: "fluorescence is clipped at the camera's maximum",
    DoubtKind.OFFSET: "offset is far from that of the run's other pairs",
    DoubtKind.MOVED: "parts of the pair do not fit its offset",
    DoubtKind.SCALE: "pixel size is implausible",
    DoubtKind.ONE_RUN: "data set has one run",
    DoubtKind.NO_POSITIVE: "run has no positive tile",
    DoubtKind.MASK: "fluorescence pictures are masks",
    DoubtKind.SAME_FIELD: "runs show the same fields",
    DoubtKind.LOST_RUN: "no pair of the run can be used",
    DoubtKind.DAY: "days are implausible",
    DoubtKind.INVERTED: "phase contrast is the opposite of other runs'",
    DoubtKind.INVERTED_MARKER: "fluorescence seems to be inverted",
    DoubtKind.SEE_THROUGH: "phase contrast shows through in the fluorescence",
    DoubtKind.BLANK: "pairs show no fluorescence",
    DoubtKind.MANY_REFUSED: "many pairs of the run cannot be used",
    DoubtKind.OTHER_SCALE: "pixel size of the manifest is not that of the files",
    DoubtKind.SPLIT_RUN: "runs seem to be parts of one",
    DoubtKind.COARSENESS: "phase frames are coarser or finer than those of other runs",
    DoubtKind.FEW: "data set has few wells",
    DoubtKind.UNRELATED: "fluorescence does not fit its phase frame",
    DoubtKind.STAIN: "fluorescence looks like a stain of all nuclei",
    DoubtKind.UNEVEN: "background of the fluorescence is uneven",
    DoubtKind.CUT_OFF: "fluorescence is cut off at both ends",
    DoubtKind.DRAWN: "something is drawn into the fluorescence",
    DoubtKind.EXPOSURE: "pairs of the run are exposed unlike each other",
    DoubtKind.FALLING: "cells are darker towards one side in all pairs of the run",
    DoubtKind.DRAWN_PHASE: "something is drawn into the phase frames",
    DoubtKind.MIXED_SCALES: "phase frames of the run are of two kinds, coarse and fine",
    DoubtKind.SIZES: "frames differ in size, and nothing states their pixel size",
    DoubtKind.PAGES: "phase and fluorescence are stacks of unequal length",
    DoubtKind.OUTLINES: "masks show outlines",
    DoubtKind.BORDER: "pictures have a border of one grey value",
    DoubtKind.MERGED: "phase and fluorescence share their noise",
    DoubtKind.FLOOR: "background of the fluorescence was cut off",
    DoubtKind.LOOSE_MASKS: "masks do not fit their phase frames",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """One thing that is doubtful.

    Parameters
    ----------
    run
        Name of the run.
    pair
        The phase file (`Pair.phase`); None where the whole run is meant.
    place
        Where the pair was taken (`Pair.place`), as people know it; empty of a run, and of pairs of
        data sets that earlier versions prepared.
    measured, expected
        Value found and value that would be well, in words with their units.
    do
        What to do.
    """

    kind: DoubtKind
    weight: Weight
    run: str
    pair: str | None
    measured: str
    expected: str
    do: str
    place: str = ""

    @property
    def line(self) -> str:
        """The doubt as one line of text."""
        file = "" if self.pair is None else name_file(self.pair)
        where = ", ".join(each for each in (f"run {self.run}", self.place, file) if each)
        return complaint(
            WHAT[self.kind], where=where, expected=self.expected, got=self.measured, do=self.do
        )

    def to_json(self) -> dict[str, Any]:
        """Return the doubt as JSON values."""
        return {**asdict(self), "kind": self.kind.value, "weight": self.weight.name.lower()}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Doubt":
        """Read what `to_json` wrote."""
        kind, weight = DoubtKind(values["kind"]), Weight[values["weight"].upper()]
        return cls(**{**values, "kind": kind, "weight": weight})


def group_doubts(doubts: Iterable[Doubt]) -> dict[tuple[str, str | None], tuple[Doubt, ...]]:
    """Group doubts by what they are about: (`run`, `pair`) of each."""
    groups: dict[tuple[str, str | None], list[Doubt]] = {}
    for doubt in doubts:
        groups.setdefault((doubt.run, doubt.pair), []).append(doubt)
    return {about: tuple(members) for about, members in groups.items()}


def verdict(doubts: Iterable[Doubt]) -> Verdict:
    """Return the verdict over all doubts: the gravest decides, notes alone are good to train."""
    gravest = max((doubt.weight for doubt in doubts), default=Weight.NOTE)
    return {Weight.NOTE: Verdict.GOOD, Weight.LOOK: Verdict.LOOK, Weight.STOP: Verdict.STOP}[
        gravest
    ]
