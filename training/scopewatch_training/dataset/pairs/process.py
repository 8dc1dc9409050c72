"""Processes one pair: from two pictures to a view and a signal."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from scopewatch.core.errors import FrameError, complaint
from scopewatch.core.imaging import histogram as histograms
from scopewatch.core.imaging.fluorescence_signal import (
    Plane,
    estimate_noise,
    match_size,
    remove_glow,
    smooth,
    subtract_background,
)
from scopewatch.core.imaging.frame import Pixels
from scopewatch.core.imaging.normalise import normalise
from scopewatch.core.imaging.planes.filters import block_means
from scopewatch.core.imaging.quality import measure
from scopewatch.core.imaging.scale import resample
from scopewatch_training.dataset.annotation import (
    MASK_NOISE,
    MASK_NOTE,
    mask_signal,
    positive_area,
    read_fluorescence,
)
from scopewatch_training.dataset.looks import add_pixels, hash_pixels, look_at, role_score
from scopewatch_training.dataset.manifest import PairRow
from scopewatch_training.dataset.pairs.background import measure_background
from scopewatch_training.dataset.pairs.brightness import find_top, measure_brightness
from scopewatch_training.dataset.pairs.finished import keep_pair, made_from
from scopewatch_training.dataset.pairs.fitness import plan_scale, refuse_unusable
from scopewatch_training.dataset.pairs.gaps import (
    black_share,
    border_share,
    describe_black,
    describe_border,
    fill_evenly,
    fill_with_background,
    find_gap,
    hide,
)
from scopewatch_training.dataset.pairs.record import Pair
from scopewatch_training.dataset.pairs.registration import register
from scopewatch_training.dataset.pairs.see_through import measure_see_through
from scopewatch_training.dataset.pairs.shift import shift_plane
from scopewatch_training.dataset.pairs.written import hide_unknown, write_planes
from scopewatch_training.dataset.pictures import GreyPicture, read_picture
from scopewatch_training.dataset.regions import highest, measure_enclosed
from scopewatch_training.dataset.settings import PrepareSettings

_KNEE_SIGMAS: Final = 15.0
FAINT_SIGMAS: Final = 8.0
FAINT_SHARE: Final = 1e-3
"""Share of the pixels clearly above the noise below which nothing can be registered."""
_ROUNDED_PX: Final = 2
_LIT_PX: Final = 64
_LIT_SHARE: Final = 0.02
MOST_APART_PX: Final = 3.0
MISFIT_NOTE: Final = "not registered, and fits"
"""Begin of the note of a pair that was not to be registered and does not fit as it lies."""
BORROWED_NOTE: Final = "too little signal to register by: offset of the run's other pairs"
"""Note of a pair whose offset was not measured on itself."""
LOOSE_NOTE: Final = "used where it lies, not registered"
"""Note of a mask that fits its phase frame at no shift."""
BINNING_NOTE: Final = "taken for a binning"
"""Part of the note of a pair whose sizes are no whole multiples of each other."""
_LYING_NOTE: Final = "too little signal to register by: used where it lies"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PairOutcome:
    """Result of processing a row.

    Parameters
    ----------
    pair
        Its record.
    undecided
        True when its fluorescence shows too little to register by; nothing was written, and
        the offset must come from the run's other pairs.
    """

    pair: Pair
    undecided: bool = False


def process_row(
    row: PairRow,
    out: Path,
    settings: PrepareSettings,
    borrowed: tuple[float, float] | None = None,
) -> PairOutcome:
    """Read, register and write one pair; a pair that cannot be used is recorded with its reason.

    Parameters
    ----------
    out
        The data set's folder, which has `views`, `signals` and `pairs`.
    borrowed
        Offset of the run's other pairs, for a pair that cannot be registered by itself.
    """
    pair = Pair(
        id=row.pair_id,
        run=row.run,
        plate=row.plate,
        well=row.well,
        site=row.site,
        time_point=row.time_point,
        day=row.day,
        phase=str(row.phase),
        fluorescence=str(row.fluorescence),
    )
    try:
        origin = made_from(row, settings)
    except FrameError as error:
        return PairOutcome(pair=replace(pair, refused=str(error)))
    try:
        outcome = _process(row, pair, out, settings, borrowed)
    except FrameError as error:
        outcome = PairOutcome(pair=replace(pair, refused=str(error)))
    if not outcome.undecided:
        keep_pair(outcome.pair, row, out, origin)
    return outcome


def _process(
    row: PairRow,
    pair: Pair,
    out: Path,
    settings: PrepareSettings,
    borrowed: tuple[float, float] | None,
) -> PairOutcome:
    phase = read_picture(row.phase)
    fluorescence, done_to_it = read_fluorescence(row.fluorescence)
    digest = hashlib.sha256()
    add_pixels(digest, phase.pixels)
    phase_sha256 = digest.hexdigest()
    add_pixels(digest, fluorescence.pixels)
    area = positive_area(fluorescence.pixels, row.fluorescence)
    gap = find_gap(phase.pixels)
    dark = None if area is not None else find_gap(fluorescence.pixels)
    shown = fill_evenly(phase.pixels, gap)
    glow = fill_with_background(fluorescence.pixels, dark)
    pair = replace(
        pair,
        source_sha256=digest.hexdigest(),
        phase_look=look_at(shown, phase_sha256),
        fluorescence_look=look_at(glow, hash_pixels(fluorescence.pixels)),
        light=measure_brightness(glow),
        black=max(black_share(gap), black_share(dark)),
        phase_top=find_top(shown),
        pages=(phase.pages, fluorescence.pages),
        enclosed=measure_enclosed(highest(fluorescence.pixels) if area is None else area),
    )
    refuse_unusable(row, pair, phase)
    scale, resampled_by = plan_scale(row, phase, settings)
    view = _normalise(phase.pixels, resampled_by, settings)
    seen = view if gap is None else _normalise(shown, resampled_by, settings)
    shape = (view.shape[0], view.shape[1])
    if area is None:
        plane = match_size(glow, shape, row.fluorescence)
        signal = smooth(subtract_background(plane), settings.smooth_px)
        pair = replace(pair, background=measure_background(plane, signal))
        noise = estimate_noise(signal)
        clear = signal > FAINT_SIGMAS * noise
        faint = float(np.mean(clear)) < FAINT_SHARE
        lit = float(np.mean(block_means(clear, min(_LIT_PX, *shape)) > _LIT_SHARE))
    else:
        signal, noise = mask_signal(area, shape, row.fluorescence), MASK_NOISE
        # A mask has neither the fineness nor the glow of fluorescence.
        faint, lit = True, 0.0
        kind = f"{MASK_NOTE} of {done_to_it}" if done_to_it else MASK_NOTE
        done_to_it = f"{kind}: {float(area.mean()):.1%} of its area is positive, as drawn"
    pictures = [phase.pixels] if area is not None else [phase.pixels, fluorescence.pixels]
    border = max(border_share(pixels) for pixels in pictures)
    resampling = "" if resampled_by == 1.0 else f"resampled by {resampled_by:.3f}"
    pair = replace(
        pair,
        height=shape[0],
        width=shape[1],
        um_per_px=scale,
        scale_ratio=_scale_ratio(row.um_per_px, phase.um_per_px),
        noise=noise,
        lit=lit,
        role_score=None if faint else role_score(pair.phase_look, pair.fluorescence_look),
        measures=measure(phase.pixels, view),
        note=_joined(
            done_to_it,
            resampling,
            describe_black(pair.black),
            describe_border(border),
            _odd_sizes(phase, fluorescence),
        ),
    )
    if area is not None:
        return PairOutcome(pair=_write_mask(pair, out, view, signal, phase, settings))
    if borrowed is not None:
        pair = _noted(pair, BORROWED_NOTE if any(borrowed) else _LYING_NOTE)
        pair = replace(pair, offset_px=borrowed)
    elif settings.register:
        if faint:
            return PairOutcome(pair=pair, undecided=True)
        found = register(seen, _compress(signal, noise), settings.max_shift_px)
        if found.confidence < settings.min_confidence:
            raise FrameError(
                complaint(
                    "fluorescence cannot be registered on its phase frame",
                    where=row,
                    expected=f"confidence of at least {settings.min_confidence:g} within"
                    f" {settings.max_shift_px:g} px",
                    got=f"{found.confidence:.2f}{_sizes(phase, fluorescence)}",
                    do="check that both show the same field, whole, not turned and not mirrored, or"
                    " raise the largest shift",
                )
            )
        pair = replace(
            pair,
            offset_px=found.offset_px,
            registration_confidence=found.confidence,
            moved_px=0.0 if found.moved is None else found.moved.distance_px,
            moved_at_px=None if found.moved is None else found.moved.centre_px,
        )
    elif not faint:
        pair = _note_misfit(pair, seen, signal, noise, settings)
    known = hide(signal, dark)
    signal = hide_unknown(shift_plane(known, pair.offset_px), phase.pixels, shape)
    pair = replace(
        pair,
        histogram=histograms.count_signal(signal),
        see_through=measure_see_through(seen, signal),
    )
    cells = remove_glow(signal, settings.glow_px, settings.glow_share)
    return PairOutcome(pair=write_planes(pair, out, view, cells))


def _normalise(pixels: Pixels, resampled_by: float, settings: PrepareSettings) -> Plane:
    """Return the view of a phase frame, brought to the scale of the data set."""
    scaled: NDArray[Any] = pixels if resampled_by == 1.0 else resample(pixels, resampled_by)
    return normalise(scaled, settings.normalisation)


def _compress(signal: NDArray[np.float32], noise: float) -> NDArray[np.floating]:
    """Return a signal on a scale on which few bright cells do not dominate."""
    return histograms.asinh(np.maximum(signal, 0) / np.float32(_KNEE_SIGMAS * noise))


def _note_misfit(
    pair: Pair,
    view: NDArray[np.float32],
    signal: NDArray[np.float32],
    noise: float,
    settings: PrepareSettings,
) -> Pair:
    """Note on a pair that is used where it lies that its fluorescence does not fit there."""
    found = register(view, _compress(signal, noise), settings.max_shift_px)
    distance = float(np.hypot(*found.offset_px))
    if found.confidence < settings.min_confidence:
        misfit = "at no shift"
    elif distance > MOST_APART_PX:
        misfit = f"{distance:.1f} px beside it"
    else:
        return pair
    return _noted(pair, f"{MISFIT_NOTE} {misfit}")


def _write_mask(
    pair: Pair,
    out: Path,
    view: NDArray[np.float32],
    signal: NDArray[np.float32],
    phase: GreyPicture,
    settings: PrepareSettings,
) -> Pair:
    """Write a pair whose fluorescence is a mask; it is shifted by whole pixels, where sure."""
    if settings.register and float(np.mean(signal > 0)) >= FAINT_SHARE:
        found = register(view, histograms.asinh(signal), settings.max_shift_px)
        if found.confidence >= settings.min_confidence:
            dy, dx = (float(round(each)) for each in found.offset_px)
            confidence = found.confidence
            pair = replace(pair, offset_px=(dy, dx), registration_confidence=confidence)
            signal = shift_plane(signal, pair.offset_px)
        else:
            pair = _noted(pair, LOOSE_NOTE)
    signal = hide_unknown(signal, phase.pixels, (pair.height, pair.width))
    return write_planes(replace(pair, histogram=histograms.count_signal(signal)), out, view, signal)


def _sizes(phase: GreyPicture, fluorescence: GreyPicture) -> str:
    """Say what two sizes are taken for, where they differ: a crop looks like a binning."""
    if phase.pixels.shape == fluorescence.pixels.shape:
        return ""
    one, other = ("{} x {}".format(*each.pixels.shape) for each in (fluorescence, phase))
    return f" with {one} px {BINNING_NOTE} of the {other} px of the phase frame"


def _odd_sizes(phase: GreyPicture, fluorescence: GreyPicture) -> str:
    """Return the note on two pictures of which none is a binning of the other by whole pixels."""
    small, large = sorted((phase.pixels.shape[0], fluorescence.pixels.shape[0]))
    binning = round(large / small)
    # A side that the binning does not divide leaves fewer pixels than it.
    odd = abs(large - binning * small) >= max(binning, _ROUNDED_PX)
    return _sizes(phase, fluorescence).strip() if odd else ""


def _noted(pair: Pair, note: str) -> Pair:
    return replace(pair, note=_joined(pair.note, note))


def _joined(*notes: str) -> str:
    return "; ".join(each for each in notes if each)


def _scale_ratio(table: float | None, file: float | None) -> float:
    return 1.0 if table is None or file is None else table / file
