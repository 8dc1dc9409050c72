"""Finds fields of one plate that stand in two runs: imaged again, so that no file is a copy.

Wells of the same name are compared between runs, at their last time points: the stage does not come
back to the pixel and the cells have moved a little, but most of the picture is the same at some
shift.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from scopewatch.core.imaging.planes.filters import block_means
from scopewatch_training.dataset.checks.copies import NEAR, nearness, unpack
from scopewatch_training.dataset.doubts import Doubt, DoubtKind, Weight
from scopewatch_training.dataset.pairs.record import Pair
from scopewatch_training.dataset.prepared import Dataset

ALIKE: Final = 0.4
"""Correlation at the best shift from which two phase frames show one field.

Different fields of made-up cells, of simulated ones and of E. coli reach 0.14; fields with noise of
their own that were shifted by 6 px reach 0.9.
"""
_SIDE_PX: Final = 256


def find_same_fields(dataset: Dataset) -> list[Doubt]:
    """Return a doubt for each two runs that share fields; reads views of wells of the same name.

    Pictures with gaps are left out: all mosaics of one program have them at the same places.
    """
    wells: dict[tuple[str, int], dict[tuple[str, str], Pair]] = {}
    whole = [pair for pair in dataset.accepted if not pair.black]
    for pair in sorted(whole, key=lambda each: each.time_point):
        wells.setdefault((pair.well, pair.site), {})[pair.run, pair.plate] = pair
    shared: dict[tuple[str, str], list[tuple[Pair, Pair]]] = {}
    for last in wells.values():
        members = list(last.values())
        if len({pair.run for pair in members}) < 2:
            continue
        spectra = [_spectrum(dataset.view(pair)) for pair in members]
        for one, other in combinations(range(len(members)), 2):
            first, again = members[one], members[other]
            if first.run == again.run or _is_copy(first, again):
                continue
            if _alike(spectra[one], spectra[other]) >= ALIKE:
                shared.setdefault((again.run, first.run), []).append((first, again))
    return [_doubt(run, source, found) for (run, source), found in shared.items()]


def _doubt(run: str, source: str, found: Sequence[tuple[Pair, Pair]]) -> Doubt:
    first, again = found[0]
    return Doubt(
        kind=DoubtKind.SAME_FIELD,
        weight=Weight.STOP,
        run=run,
        pair=None,
        measured=f"{len(found)} of its fields are in run {source} too, as {again} is {first}",
        expected="another differentiation in each run",
        do="give pictures of one plate the same run, with a time point each: held out, it flatters",
    )


def _is_copy(one: Pair, other: Pair) -> bool:
    """Whether the perceptual hashes are near, which `copies` reports."""
    marks = unpack([one.phase_look.mark, other.phase_look.mark])
    return bool(nearness(marks[:1], marks[1])[0] <= NEAR)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Spectrum:
    """Transform of a view's block means, of unit energy.

    Parameters
    ----------
    values
        (H, W // 2 + 1) complex64.
    shape
        (H, W) of the block means.
    """

    values: NDArray[np.complex64]
    shape: tuple[int, ...]


def _spectrum(view: NDArray[np.float16]) -> _Spectrum:
    small = block_means(view, max(1, -(-max(view.shape) // _SIDE_PX)))
    small = small - small.mean()
    small /= np.float32(np.sqrt(max(float(np.vdot(small, small)), 1e-20)))
    return _Spectrum(values=np.asarray(fft.rfft2(small), dtype=np.complex64), shape=small.shape)


def _alike(one: _Spectrum, other: _Spectrum) -> float:
    """Return the correlation at the best circular shift; 0 for frames of other sizes."""
    if one.shape != other.shape:
        return 0.0
    return float(fft.irfft2(np.conj(one.values) * other.values, s=one.shape).max())
