"""Chooses candidates by expected gain, so that they differ from each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import Any, Final

import numpy as np

from scopewatch_training.suggestion.candidates import Candidate

WORTH_A_WORD: Final = 0.03
"""Doubt or disagreement below this share is no reason."""
NEAR_LIMIT: Final = 0.75
"""Share of the card's limit from which unlikeness is a reason."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Suggestion:
    """A chosen candidate.

    Parameters
    ----------
    apart
        Distance to the nearest one chosen before; inf for the first. At 1 or more nothing is
        taken off its gain.
    """

    candidate: Candidate
    apart: float

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it is suggested, in words."""
        each = self.candidate
        found = []
        if each.doubt >= WORTH_A_WORD:
            found.append(f"{each.doubt:.0%} of its tiles are expected to be called wrong")
        if each.disagreement >= WORTH_A_WORD:
            who = "its sites differ" if each.sites_differ else "the bundles differ"
            found.append(f"{who} by {100 * each.disagreement:.0f} points")
        if each.unlike is not None and each.unlike >= NEAR_LIMIT:
            found.append(
                f"unlike the training frames: {each.unlike:.2f} of the limit, most in its"
                f" {each.most_unlike}"
            )
        if not found:
            found.append("little is in doubt: it differs from those above, and no other is better")
        return tuple(found)

    def to_json(self) -> dict[str, Any]:
        """Return the suggestion as JSON values."""
        each = self.candidate
        return {
            "run": each.place.run,
            "plate": each.place.plate,
            "well": each.place.well,
            "site": each.place.site,
            "time_point": each.place.time_point,
            "day": each.place.day,
            "gain": each.gain,
            "efficiency": each.efficiency,
            "doubt": each.doubt,
            "disagreement": each.disagreement,
            "unlike": each.unlike,
            "apart": None if self.apart == inf else self.apart,
            "reasons": list(self.reasons),
        }


def choose(candidates: Sequence[Candidate], count: int) -> list[Suggestion]:
    """Choose greedily: the largest gain times the distance to the nearest one chosen, at most 1.

    The distance takes neighbours out: ten wells that look alike have one gain between them.
    """
    left = list(candidates)
    nearest = np.full(len(left), inf)
    chosen: list[Suggestion] = []
    while left and len(chosen) < count:
        worth = np.array([each.gain for each in left]) * np.minimum(nearest, 1.0)
        best = int(np.argmax(worth))
        taken = left.pop(best)
        chosen.append(Suggestion(candidate=taken, apart=float(nearest[best])))
        nearest = np.delete(nearest, best)
        apart = [float(np.linalg.norm(each.features - taken.features)) for each in left]
        nearest = np.minimum(nearest, apart)
    return chosen
