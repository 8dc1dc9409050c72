"""Copies: pictures that are in a data set twice, exactly or saved again.

Fields of one well at other time points may look alike without being copies, so that only exact
copies count among them.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scopewatch_training.dataset.doubts import Doubt, DoubtKind, Weight
from scopewatch_training.dataset.looks import Look
from scopewatch_training.dataset.pairs.record import Pair

NEAR: Final = 0.2
"""Share of bits of the perceptual hash up to which two fields count as one picture.

Measured on E. coli and simulated frames: copies in 8 bits or scaled by 0.5 to 1.5 differ in at most
0.11, different fields in at least 0.30.
"""
_DO: Final = "keep one of them: a copy counts twice, and flatters where one is held out"


def find_copies(pairs: Sequence[Pair]) -> list[Doubt]:
    """Return a doubt for each pair that is a copy of an earlier one.

    Copies of another run are summed up in one doubt for each two runs.
    """
    across: dict[tuple[str, str], list[tuple[Pair, Pair, bool]]] = {}
    doubts = []
    for one, other, exact in list_copies(tuple(pairs)):
        if one.run != other.run:
            across.setdefault((other.run, one.run), []).append((one, other, exact))
        else:
            doubts.append(
                Doubt(
                    kind=_kind(exact=exact),
                    weight=Weight.LOOK,
                    run=other.run,
                    pair=other.phase,
                    place=other.place,
                    measured=f"{other} and {one}",
                    expected="each field once",
                    do=_DO,
                )
            )
    for (run, source), found in across.items():
        one, other, _ = found[0]
        doubts.append(
            Doubt(
                kind=_kind(exact=all(exact for *_, exact in found)),
                weight=Weight.STOP,
                run=run,
                pair=None,
                measured=f"{len(found)} of its pairs are in run {source} too, as {other} is {one}",
                expected="runs that share no picture",
                do=_DO,
            )
        )
    return doubts


# Checks, page of doubts and fit ask for the copies of the same pairs, one after the other.
@lru_cache(maxsize=1)
def list_copies(pairs: tuple[Pair, ...]) -> tuple[tuple[Pair, Pair, bool], ...]:
    """Return (earlier pair, its copy, whether exact) for each pair that has an earlier copy."""
    marks = unpack([pair.phase_look.mark for pair in pairs])
    seen: dict[str, Pair] = {}
    found = []
    for index, pair in enumerate(pairs):
        hashes = telling_hashes(pair.phase_look, pair.fluorescence_look)
        earlier = next((seen[each] for each in hashes if each in seen), None)
        exact = earlier is not None
        if earlier is None and index:
            near = np.flatnonzero(nearness(marks[:index], marks[index]) <= NEAR).tolist()
            place = (pair.run, pair.plate, pair.well, pair.site)
            earlier = next(
                (
                    pairs[each]
                    for each in near
                    if (pairs[each].run, pairs[each].plate, pairs[each].well, pairs[each].site)
                    != place
                ),
                None,
            )
        if earlier is not None:
            found.append((earlier, pair, exact))
        for each in hashes:
            seen.setdefault(each, pair)
    return tuple(found)


def telling_hashes(*looks: Look) -> list[str]:
    """Return the hashes of pictures that tell one from another: all but blank ones."""
    return [each.sha256 for each in looks if each.sha256 and (each.fineness or each.skewness)]


def unpack(marks: Sequence[str]) -> NDArray[np.float32]:
    """Return perceptual hashes as (n, 256) float32 of -1 and 1; 0 where there is none."""
    rows = np.zeros((len(marks), 256), dtype=np.float32)
    for row, mark in zip(rows, marks, strict=True):
        if mark:
            bits = np.unpackbits(np.frombuffer(bytes.fromhex(mark), dtype=np.uint8))
            row[:] = 2.0 * bits - 1
    return rows


def nearness(marks: NDArray[np.float32], mark: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the share of bits in which each of some hashes differs from one."""
    return np.asarray(0.5 - marks @ mark / (2 * mark.size), dtype=np.float32)


def _kind(*, exact: bool) -> DoubtKind:
    return DoubtKind.COPY if exact else DoubtKind.NEAR_COPY
