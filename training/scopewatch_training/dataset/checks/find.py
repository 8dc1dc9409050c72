"""Runs all checks over a data set: of what its pairs state, and of their signals."""

from collections.abc import Sequence

from scopewatch_training.dataset.checks.coarseness import (
    find_mixed_scales,
    find_odd_coarseness,
    find_unstated_sizes,
)
from scopewatch_training.dataset.checks.copies import find_copies
from scopewatch_training.dataset.checks.drawn import find_borders, find_drawn, find_drawn_into_phase
from scopewatch_training.dataset.checks.exposures import (
    find_clipped,
    find_cut_off,
    find_cut_off_background,
    find_odd_exposures,
)
from scopewatch_training.dataset.checks.falling import find_falling_light
from scopewatch_training.dataset.checks.light import (
    find_blank,
    find_inverted_fluorescence,
    find_merged,
    find_see_through,
)
from scopewatch_training.dataset.checks.masks import find_loose_masks, find_masks, find_outlines
from scopewatch_training.dataset.checks.measures import (
    find_moved_cells,
    find_odd_offsets,
    find_odd_scales,
    find_other_scales,
    find_swapped,
)
from scopewatch_training.dataset.checks.names import find_split_runs, find_twin_names
from scopewatch_training.dataset.checks.odd_runs import (
    find_inverted,
    find_lost_runs,
    find_odd_days,
)
from scopewatch_training.dataset.checks.odd_stains import find_odd_stains
from scopewatch_training.dataset.checks.positives import find_runs_without_positives
from scopewatch_training.dataset.checks.refusals import find_few, find_many_refused
from scopewatch_training.dataset.checks.same_fields import find_same_fields
from scopewatch_training.dataset.checks.uneven import find_uneven_background
from scopewatch_training.dataset.checks.unrelated import (
    find_odd_binnings,
    find_unequal_stacks,
    find_unrelated,
)
from scopewatch_training.dataset.doubts import Doubt, DoubtKind, Weight
from scopewatch_training.dataset.pairs.record import Pair
from scopewatch_training.dataset.prepared import Dataset


def find_all_doubts(dataset: Dataset) -> tuple[Doubt, ...]:
    """Return all doubts about a data set, the gravest first; reads some of its signals."""
    return _gravest_first(
        [
            *find_doubts(dataset.pairs),
            *find_runs_without_positives(dataset),
            *find_uneven_background(dataset.accepted, dataset.binarise),
            *find_masks(dataset),
            *find_merged(dataset.accepted),
            *find_same_fields(dataset),
            *find_few(dataset.accepted),
        ]
    )


def find_doubts(pairs: Sequence[Pair]) -> tuple[Doubt, ...]:
    """Return the doubts that follow from the pairs alone, the gravest first.

    Parameters
    ----------
    pairs
        All pairs; refused ones count for their names, and where a run has no other.
    """
    used = [pair for pair in pairs if pair.refused is None]
    return _gravest_first(
        [
            *find_twin_names(pairs),
            *find_split_runs(pairs),
            *find_lost_runs(pairs),
            *find_many_refused(pairs),
            *find_inverted_fluorescence(used),
            *find_see_through(used),
            *find_blank(used),
            *find_swapped(used),
            *find_copies(used),
            *find_odd_scales(used),
            *find_other_scales(used),
            *find_odd_offsets(used),
            *find_moved_cells(used),
            *find_unrelated(used),
            *find_odd_binnings(used),
            *find_unequal_stacks(used),
            *find_outlines(used),
            *find_loose_masks(used),
            *find_clipped(used),
            *find_cut_off(used),
            *find_cut_off_background(used),
            *find_drawn(used),
            *find_drawn_into_phase(used),
            *find_borders(used),
            *find_odd_exposures(used),
            *find_falling_light(used),
            *find_odd_days(used),
            *find_inverted(used),
            *find_odd_coarseness(used),
            *find_mixed_scales(used),
            *find_unstated_sizes(used),
            *find_odd_stains(used),
            *_one_run(used),
        ]
    )


def _gravest_first(doubts: Sequence[Doubt]) -> tuple[Doubt, ...]:
    return tuple(sorted(doubts, key=lambda doubt: -doubt.weight))


def _one_run(pairs: Sequence[Pair]) -> list[Doubt]:
    runs = {pair.run for pair in pairs}
    if len(runs) != 1:
        return []
    return [
        Doubt(
            kind=DoubtKind.ONE_RUN,
            weight=Weight.NOTE,
            run=min(runs),
            pair=None,
            measured="1 run",
            expected="at least 2, better 5",
            do="add runs: nothing measured on one run says how a model does on another",
        )
    ]
