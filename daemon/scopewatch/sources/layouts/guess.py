"""Finds the layouts that fit a sample of file names, the likeliest first. Pure.

A layout fits where it reads the names, gets many facts from them, and makes no two of them the same
frame. Names alone cannot distinguish some layouts (Incucyte's exports and PyIncucyte's, for
example): those have an equal `Guess.rank`, and keep the order of the registry.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

from scopewatch.core.errors import FrameError
from scopewatch.sources.base.facts import PlaneFacts
from scopewatch.sources.layouts.layout import Layout
from scopewatch.sources.layouts.naming import NamePattern
from scopewatch.sources.layouts.registry import LAYOUTS

# Not a fact of a single name: the layout states it for all names, or it follows from another fact.
_NOT_COUNTED = frozenset({"first_z"})
_COUNTED = tuple(each.name for each in fields(PlaneFacts) if each.name not in _NOT_COUNTED)
_ROUND = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """How well a layout fits a sample of names.

    Parameters
    ----------
    names
        Size of the sample.
    fits
        How many names are read.
    left_out
        How many are known to be no frames, by the layout.
    damaged
        How many fit, but hold an impossible date or number.
    clashes
        How many are the same frame as another one by all their facts.
    facts_per_name
        Number of facts in a name, on average over those that fit.
    """

    layout: Layout
    names: int
    fits: int
    left_out: int
    damaged: int
    clashes: int
    facts_per_name: float

    @property
    def share(self) -> float:
        """Share of the names that the layout explains, 0 to 1."""
        return (self.fits + self.left_out) / self.names if self.names else 0.0

    @property
    def rank(self) -> tuple[float, float, float, float]:
        """Sort key of guesses, the best first; equal for those that fit equally well."""
        clashing = self.clashes / self.fits if self.fits else 0.0
        return (
            -round(self.share * (1 - clashing), _ROUND),
            -round(self.share, _ROUND),
            -round(self.facts_per_name, _ROUND),
            self.damaged,
        )


def guess_layout(paths: Iterable[str], layouts: Sequence[Layout] | None = None) -> list[Guess]:
    """Return the layouts that read at least one name, the likeliest first.

    Parameters
    ----------
    paths
        Paths of image files, relative to the folder that is or will be watched, `/` between parts.

    >>> [each.layout.name for each in guess_layout(["phase/VID1_C4_1_00d23h56m.tif"])][0]
    'incucyte'
    """
    sample = tuple(dict.fromkeys(paths))
    guesses = [_fit(layout, sample) for layout in layouts or tuple(LAYOUTS.values())]
    # A stable sort: equal ones keep the order of the registry.
    return sorted((each for each in guesses if each.fits), key=lambda guess: guess.rank)


def _fit(layout: Layout, sample: Sequence[str]) -> Guess:
    names = NamePattern(layout.name)
    left_out = damaged = facts_per_name = fits = 0
    frames: dict[PlaneFacts, int] = {}
    for path in sample:
        if names.never(path) is not None:
            left_out += 1
            continue
        try:
            facts = names.read(path)
        except FrameError:
            damaged += 1
            continue
        if facts is not None:
            fits += 1
            frames[facts] = frames.get(facts, 0) + 1
            facts_per_name += sum(getattr(facts, name) is not None for name in _COUNTED)
    return Guess(
        layout=layout,
        names=len(sample),
        fits=fits,
        left_out=left_out,
        damaged=damaged,
        clashes=sum(count for count in frames.values() if count > 1),
        facts_per_name=facts_per_name / fits if fits else 0.0,
    )
