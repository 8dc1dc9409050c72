"""How the files of one place are read: the facts of equal cases and their origins."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from scopewatch.core.imaging.frame import FrameKey
from scopewatch.sources.base.evidence import Contradiction


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Frames that are read alike.

    Parameters
    ----------
    example
        Where the first of them lies.
    who
        By fact: who says it.
    values
        By fact: every value.
    days
        First and last day of the run; None where no day is known.
    sizes_px
        (height, width) of their pixels, as far as they were looked at.
    scored
        Whether they are of the channel that is scored.
    """

    frames: int
    example: str
    who: Mapping[str, str]
    values: Mapping[str, frozenset[str]]
    days: tuple[float, float] | None
    sizes_px: tuple[tuple[int, int], ...]
    scored: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """Files that are no frames for one reason: how many, and the first of them."""

    files: int
    example: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Double:
    """Two places that are the same frame.

    Parameters
    ----------
    apart_h
        Hours between the times of both; None where none are known.
    """

    key: FrameKey
    places: tuple[str, str]
    apart_h: float | None = None

    @property
    def advice(self) -> str:
        """What to do, as it follows from the times of both."""
        if self.apart_h:
            return (
                f"they were taken {self.apart_h:.3g} h apart: set experiment.interval_h to that of"
                " the time-lapse, or, of two series, write a `pattern` whose group `plate` or"
                " `well` tells them apart"
            )
        return (
            "take copies out of the folder; where both are frames, write a `pattern` whose group"
            " `plate` or `well` tells them apart"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """How the files of one place are read.

    Parameters
    ----------
    place
        The folder, file or store.
    kind
        Kind of source: `folder`, `ndtiff`, `ome-zarr`.
    pattern
        The layout or expression of the names; '' where names do not count.
    zone
        In which times without a zone were read; '' where there are none.
    listed, opened, named
        Files (or images of data sets) there are, those that were opened, and those that were read
        at all: the counts are of those.
    doubles
        Frames with more than one place, the first few; `doubled` counts all.
    contradictions
        (how often, the first one) of each kind.
    warnings
        What looks wrong in all of it together.
    measured_interval_h
        Median hours between time points by the moments of the frames; None where two are not known.
    """

    place: str
    kind: str
    pattern: str
    zone: str
    listed: int
    opened: int
    named: int
    cases: tuple[Case, ...]
    skipped: tuple[Skipped, ...]
    doubles: tuple[Double, ...]
    doubled: int
    contradictions: tuple[tuple[int, Contradiction], ...]
    warnings: tuple[str, ...]
    measured_interval_h: float | None

    @property
    def frames(self) -> int:
        """How many frames there are."""
        return sum(case.frames for case in self.cases)

    @property
    def scored(self) -> int:
        """How many of them are of the channel that is scored."""
        return sum(case.frames for case in self.cases if case.scored)

    @property
    def channels(self) -> Mapping[str, int]:
        """How many frames there are of each channel."""
        counts: Counter[str] = Counter()
        for case in self.cases:
            counts.update(dict.fromkeys(case.values["channel"], case.frames))
        return counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """How the files of a place were found and read; see `Explanation`."""

    place: str
    kind: str
    pattern: str
    zone: str
    listed: int
    opened: int
    named: int
