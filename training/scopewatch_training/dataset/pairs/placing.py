"""Finds where the signal of a pair lies on its phase frame."""

from dataclasses import replace
from typing import Final

import numpy as np

from scopewatch.core.errors import FrameError, complaint
from scopewatch_training.dataset.manifest import PairRow
from scopewatch_training.dataset.pairs.notes import (
    BORROWED_NOTE,
    LOOSE_NOTE,
    MISFIT_NOTE,
    UNSHIFTED_NOTE,
    add_note,
    describe_sizes,
)
from scopewatch_training.dataset.pairs.pair_pictures import PairPictures
from scopewatch_training.dataset.pairs.record import Pair
from scopewatch_training.dataset.pairs.registration import register
from scopewatch_training.dataset.pairs.signal import PairSignal, Plane
from scopewatch_training.dataset.settings import PrepareSettings

MOST_APART_PX: Final = 3.0


def borrow_offset(pair: Pair, offset_px: tuple[float, float]) -> Pair:
    """Return a pair with the offset of its run's other pairs."""
    note = BORROWED_NOTE if any(offset_px) else UNSHIFTED_NOTE
    return replace(add_note(pair, note), offset_px=offset_px)


def register_pair(
    pair: Pair,
    view: Plane,
    signal: PairSignal,
    pictures: PairPictures,
    row: PairRow,
    settings: PrepareSettings,
) -> Pair:
    """Return a pair with the offset of its fluorescence on a (H, W) view without gaps.

    Raises
    ------
    FrameError
        When the two fit at no shift.
    """
    found = register(view, signal.compressed(), settings.max_shift_px)
    if found.confidence < settings.min_confidence:
        sizes = describe_sizes(pictures.phase, pictures.fluorescence)
        raise FrameError(
            complaint(
                "fluorescence cannot be registered on its phase frame",
                where=row,
                expected=f"confidence of at least {settings.min_confidence:g} within"
                f" {settings.max_shift_px:g} px",
                got=f"{found.confidence:.2f} {sizes}".rstrip(),
                do="check that both show the same field, whole, not turned and not mirrored, or"
                " raise the largest shift",
            )
        )
    return replace(
        pair,
        offset_px=found.offset_px,
        registration_confidence=found.confidence,
        moved_px=0.0 if found.moved is None else found.moved.distance_px,
        moved_at_px=None if found.moved is None else found.moved.centre_px,
    )


def place_mask(pair: Pair, view: Plane, signal: PairSignal, settings: PrepareSettings) -> Pair:
    """Return a pair with the offset of its mask, in whole pixels, where it is sure; else noted."""
    if not settings.register or signal.faint:
        return pair
    found = register(view, signal.compressed(), settings.max_shift_px)
    if found.confidence < settings.min_confidence:
        return add_note(pair, LOOSE_NOTE)
    dy, dx = (float(round(each)) for each in found.offset_px)
    return replace(pair, offset_px=(dy, dx), registration_confidence=found.confidence)


def note_misfit(pair: Pair, view: Plane, signal: PairSignal, settings: PrepareSettings) -> Pair:
    """Note on a pair that is used where it lies that its fluorescence does not fit there."""
    found = register(view, signal.compressed(), settings.max_shift_px)
    distance = float(np.hypot(*found.offset_px))
    if found.confidence < settings.min_confidence:
        misfit = "at no shift"
    elif distance > MOST_APART_PX:
        misfit = f"{distance:.1f} px beside it"
    else:
        return pair
    return add_note(pair, f"{MISFIT_NOTE} {misfit}")
