"""Refuses pairs that cannot be used before anything is made of them, and plans their scale."""

from typing import Final

from scopewatch.core.errors import FrameError, complaint
from scopewatch_training.dataset.manifest import PairRow
from scopewatch_training.dataset.pairs.record import Pair
from scopewatch_training.dataset.pictures import GreyPicture
from scopewatch_training.dataset.settings import PrepareSettings

MAX_RESAMPLE: Final = 2.0
_SCALE_TOLERANCE: Final = 0.01
_SMALLEST_PX: Final = 64


def refuse_unusable(row: PairRow, pair: Pair, phase: GreyPicture) -> None:
    """Refuse a pair whose two pictures have the same pixels, or whose phase frame is too small.

    Raises
    ------
    FrameError
        Where it is so.
    """
    if pair.phase_look.sha256 == pair.fluorescence_look.sha256:
        raise FrameError(
            complaint(
                "phase and fluorescence are the same picture",
                where=row,
                expected="two channels of one field",
                got=f"the same pixels in {row.phase.path.name} and {row.fluorescence.path.name}",
                do="name each channel's own file, or its page (#page=1; pages count from 0)",
            )
        )
    if min(phase.pixels.shape) < _SMALLEST_PX:
        raise FrameError(
            complaint(
                "phase frame is too small",
                where=row.phase,
                expected=f"at least {_SMALLEST_PX} px a side",
                got=f"{phase.pixels.shape[0]} x {phase.pixels.shape[1]} px",
                do="export whole frames",
            )
        )


def plan_scale(
    row: PairRow, phase: GreyPicture, settings: PrepareSettings
) -> tuple[float | None, float]:
    """Return the scale of the result in um/px, and the factor to resample the phase frame by.

    Raises
    ------
    FrameError
        When a scale is wanted and the pair's is not known or too far off.
    """
    stated = row.um_per_px if row.um_per_px is not None else phase.um_per_px
    wanted = settings.um_per_px
    if wanted is None or stated is None:
        if wanted is not None:
            raise FrameError(
                complaint(
                    "pixel size is unknown",
                    where=row,
                    expected=f"a pixel size, to bring it to {wanted:g} um/px",
                    do="give column um_per_px",
                )
            )
        return stated, 1.0
    factor = stated / wanted
    if max(factor, 1 / factor) > MAX_RESAMPLE:
        raise FrameError(
            complaint(
                "pixel size is too far off to resample",
                where=row,
                expected=f"within {MAX_RESAMPLE:g} x of {wanted:g} um/px",
                got=f"{stated:g} um/px",
                do="prepare it as another data set",
            )
        )
    return wanted, 1.0 if abs(factor - 1) <= _SCALE_TOLERANCE else factor
