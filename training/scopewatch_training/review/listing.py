"""The pairs of a data set in the order in which a person should look at them."""

from dataclasses import dataclass

from scopewatch_training.dataset.corrections.record import Corrections, PairReview
from scopewatch_training.dataset.doubts import Doubt, group_doubts
from scopewatch_training.dataset.pairs.record import Pair
from scopewatch_training.dataset.prepared import Dataset


@dataclass(frozen=True, slots=True, kw_only=True)
class PairLine:
    """A pair in the list.

    Parameters
    ----------
    doubts
        About this very pair.
    run_doubts
        About its run as a whole.
    review
        What was decided about it.
    """

    pair: Pair
    doubts: tuple[Doubt, ...]
    run_doubts: tuple[Doubt, ...]
    review: PairReview

    @property
    def state(self) -> str:
        """`accepted`, `dropped`, or '' where nobody has decided."""
        return "" if self.review.decision is None else self.review.decision.decision.value

    @property
    def rank(self) -> tuple[int, int]:
        """Sorts the gravest doubts first, those about a pair before those about its run."""
        own = max((doubt.weight for doubt in self.doubts), default=0)
        shared = max((doubt.weight for doubt in self.run_doubts), default=0)
        return -max(own, shared), -own


def list_pairs(dataset: Dataset, corrections: Corrections) -> list[PairLine]:
    """Return all usable pairs, doubtful ones first, and else in the order of the manifest.

    The order does not depend on what was decided, so that *next* always leads on.

    Parameters
    ----------
    dataset
        As `prepare` wrote it, without corrections.
    """
    about = group_doubts(dataset.doubts)
    lines = [
        PairLine(
            pair=pair,
            doubts=about.get((pair.run, pair.phase), ()),
            run_doubts=about.get((pair.run, None), ()),
            review=review,
        )
        for pair, review in zip(
            dataset.accepted, corrections.reviews_of(dataset.accepted), strict=True
        )
    ]
    return sorted(lines, key=lambda line: line.rank)
