"""Finds runs without a positive tile: negative controls, and stains that failed."""

from collections.abc import Sequence
from math import isinf

import numpy as np

from scopewatch.core.errors import ConfigError
from scopewatch.core.imaging import histogram as histograms
from scopewatch.core.imaging.binarise import fit_thresholds
from scopewatch.core.imaging.labels import share_pair
from scopewatch_training.dataset.doubts import Doubt, DoubtKind, Weight
from scopewatch_training.dataset.pairs.record import Pair, group_by_run
from scopewatch_training.dataset.prepared import Dataset


def find_runs_without_positives(dataset: Dataset) -> list[Doubt]:
    """Return a doubt for each run of which no tile is positive.

    Signals are read of those runs alone that have few positive pixels.
    """
    try:
        cuts = fit_thresholds(dataset.accepted, dataset.binarise).per_pair(dataset.accepted)
    except ConfigError:
        # Controls that are missing are reported by the fit, which may be given others.
        return []
    return [
        Doubt(
            kind=DoubtKind.NO_POSITIVE,
            weight=Weight.LOOK,
            run=run,
            pair=None,
            measured=_measured([cuts[pair.id] for pair in pairs]),
            expected="some tiles with the marker in each run but a reporter-free control",
            do=f"of a control, fit with --exclude {run} and cross-validate with --control {run};"
            " else look at its fluorescence: a stain that failed, the wrong files, or a threshold"
            " above it",
        )
        for run, pairs in group_by_run(dataset.accepted).items()
        if not _has_positive(dataset, pairs, [cuts[pair.id] for pair in pairs])
    ]


def _measured(cuts: Sequence[float]) -> str:
    if all(isinf(cut) for cut in cuts):
        return "nothing above the camera's noise"
    return "no tile with enough positive area"


def _has_positive(dataset: Dataset, pairs: Sequence[Pair], cuts: Sequence[float]) -> bool:
    labels = dataset.labels
    for pair, cut in zip(pairs, cuts, strict=True):
        if isinf(cut):
            continue
        total = int(pair.histogram.sum())
        above = int(pair.histogram[cut <= histograms.CENTRES].sum())
        if above == 0:
            continue
        # So large a share of the frame leaves no room for tiles that are all below the cut-off.
        if above > 2 * labels.area_cutoff * total:
            return True
        _, share = share_pair(dataset.signal(pair), cut, labels)
        if np.any(share >= labels.area_cutoff):
            return True
    return False
