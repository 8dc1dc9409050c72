"""Processes one pair: from two pictures to a view and a signal."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from scopewatch.core.errors import FrameError
from scopewatch.core.imaging.fluorescence_signal import Plane, remove_glow
from scopewatch.core.imaging.frame import Pixels
from scopewatch.core.imaging.histogram import count_signal
from scopewatch.core.imaging.normalise import normalise
from scopewatch.core.imaging.quality import measure
from scopewatch.core.imaging.scale import resample
from scopewatch_training.dataset.annotation import MASK_NOTE
from scopewatch_training.dataset.looks import role_score
from scopewatch_training.dataset.manifest import PairRow
from scopewatch_training.dataset.pairs.background import Background
from scopewatch_training.dataset.pairs.finished import keep_pair, made_from
from scopewatch_training.dataset.pairs.fitness import plan_scale, refuse_unusable
from scopewatch_training.dataset.pairs.gaps import describe_black, describe_border, hide
from scopewatch_training.dataset.pairs.notes import (
    describe_odd_sizes,
    describe_resampling,
    join_notes,
)
from scopewatch_training.dataset.pairs.pair_pictures import (
    PairPictures,
    describe_pictures,
    read_pair,
)
from scopewatch_training.dataset.pairs.placing import (
    borrow_offset,
    note_misfit,
    place_mask,
    register_pair,
)
from scopewatch_training.dataset.pairs.record import Pair
from scopewatch_training.dataset.pairs.see_through import measure_see_through
from scopewatch_training.dataset.pairs.shift import shift_plane
from scopewatch_training.dataset.pairs.signal import make_signal
from scopewatch_training.dataset.pairs.written import hide_unknown, write_planes
from scopewatch_training.dataset.settings import PrepareSettings


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
    pictures = read_pair(row)
    pair = describe_pictures(pair, pictures)
    refuse_unusable(row, pair, pictures.phase)
    um_per_px, factor = plan_scale(row, pictures.phase, settings)
    view = _normalise(pictures.phase.pixels, factor, settings)
    # Without black areas, whose edges a registration would find.
    full = (
        view if pictures.phase_gap is None else _normalise(pictures.shown_phase, factor, settings)
    )
    shape = (view.shape[0], view.shape[1])
    signal = make_signal(pictures, shape, row, settings)
    pair = replace(
        pair,
        height=shape[0],
        width=shape[1],
        um_per_px=um_per_px,
        scale_ratio=_scale_ratio(row.um_per_px, pictures.phase.um_per_px),
        noise=signal.noise,
        lit=signal.lit,
        background=signal.background or Background(),
        measures=measure(pictures.phase.pixels, view),
        note=_describe(pictures, pair.black, factor),
    )
    if signal.is_mask:
        pair = place_mask(pair, view, signal, settings)
    else:
        if not signal.faint:
            score = role_score(pair.phase_look, pair.fluorescence_look)
            pair = replace(pair, role_score=score)
        if borrowed is not None:
            pair = borrow_offset(pair, borrowed)
        elif settings.register and signal.faint:
            return PairOutcome(pair=pair, undecided=True)
        elif settings.register:
            pair = register_pair(pair, full, signal, pictures, row, settings)
        elif not signal.faint:
            pair = note_misfit(pair, full, signal, settings)
    plane = shift_plane(hide(signal.plane, pictures.fluorescence_gap), pair.offset_px)
    plane = hide_unknown(plane, pictures.phase.pixels, shape)
    pair = replace(pair, histogram=count_signal(plane))
    if not signal.is_mask:
        pair = replace(pair, see_through=measure_see_through(full, plane))
        plane = remove_glow(plane, settings.glow_px, settings.glow_share)
    return PairOutcome(pair=write_planes(pair, out, view, plane))


def _normalise(pixels: Pixels, factor: float, settings: PrepareSettings) -> Plane:
    """Return the view of a phase frame, brought to the scale of the data set."""
    scaled: NDArray[Any] = pixels if factor == 1.0 else resample(pixels, factor)
    return normalise(scaled, settings.normalisation)


def _describe(pictures: PairPictures, black: float, factor: float) -> str:
    """Return the notes on what was done to the pictures of a pair."""
    conversion = pictures.conversion
    if pictures.area is not None:
        kind = f"{MASK_NOTE} of {conversion}" if conversion else MASK_NOTE
        conversion = f"{kind}: {float(pictures.area.mean()):.1%} of its area is positive, as drawn"
    return join_notes(
        conversion,
        describe_resampling(factor),
        describe_black(black),
        describe_border(pictures.border),
        describe_odd_sizes(pictures.phase, pictures.fluorescence),
    )


def _scale_ratio(table: float | None, file: float | None) -> float:
    return 1.0 if table is None or file is None else table / file
