"""Copies: pictures that are in a data set twice, exactly, saved again, mirrored or turned.

Data sets that were augmented before hold each field several times. A mirrored picture has the same
cosine coefficients but for signs, a turned one has them transposed, so that the hash of one
orientation gives those of all eight.

Fields of one well at other time points may look alike without being copies, so that only exact
copies count among them.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scopewatch_training.dataset.doubts import Doubt, DoubtKind, Weight
from scopewatch_training.dataset.looks import BAND, Look
from scopewatch_training.dataset.pairs.record import Pair

NEAR: Final = 0.2
"""Share of bits of the perceptual hash up to which two fields count as one picture.

Measured on E. coli and simulated frames: copies in 8 bits or scaled by 0.5 to 1.5 differ in at most
0.11, different fields in at least 0.30, at whichever orientation is nearest.
"""
_DO: Final = (
    "keep one of them: a copy, also a mirrored or turned one, counts twice, and flatters where one"
    " is held out"
)


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
                    measured=f"{other} and {one}{_which(one, other, exact=exact)}",
                    expected="each field once",
                    do=_do(one, other, exact=exact),
                )
            )
    for (run, source), found in across.items():
        one, other, exact = found[0]
        doubts.append(
            Doubt(
                kind=_kind(exact=all(exact for *_, exact in found)),
                weight=Weight.STOP,
                run=run,
                pair=None,
                measured=f"{len(found)} of its pairs are in run {source} too, as {other} is {one}"
                + _which(one, other, exact=exact),
                expected="runs that share no picture",
                do=_do(one, other, exact=exact),
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
    """Return the share of bits in which each of some hashes differs from one.

    The one is mirrored and turned to where it is nearest to each.
    """
    alike = (marks @ _orient(mark).T).max(axis=1, initial=-float(mark.size))
    return np.asarray(0.5 - alike / (2 * mark.size), dtype=np.float32)


def _orient(mark: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a hash of the eight orientations of its picture: (8, 256).

    The lowest coefficient of a hash has an even number, as it is where signs stay.
    """
    side = BAND
    signs = np.where(np.arange(side) % 2, np.float32(-1), np.float32(1))
    square = mark.reshape(side, side)
    mirrored = [square, square * signs, square * signs[:, None], square * np.outer(signs, signs)]
    turned = [each.T for each in mirrored]
    return np.stack([each.ravel() for each in (*mirrored, *turned)])


def _which(one: Pair, other: Pair, *, exact: bool) -> str:
    """Return which of the pictures two pairs share, where it is not both."""
    if not exact or one.source_sha256 == other.source_sha256:
        return ""
    alone = "phase frame" if _same_phase(one, other) else "fluorescence"
    return f", by their {alone} alone"


def _do(one: Pair, other: Pair, *, exact: bool) -> str:
    if not _which(one, other, exact=exact):
        return _DO
    if _same_phase(one, other):
        return "keep one fluorescence for each phase frame: of two exposures or markers, the one"
    return (
        "give each phase frame its own fluorescence: a path was copied down, or is of another day"
    )


def _same_phase(one: Pair, other: Pair) -> bool:
    return one.phase_look.sha256 == other.phase_look.sha256


def _kind(*, exact: bool) -> DoubtKind:
    return DoubtKind.COPY if exact else DoubtKind.NEAR_COPY
