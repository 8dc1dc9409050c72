"""The two pictures of a pair as they were read, and what is measured on them."""

import hashlib
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from scopewatch.core.imaging.frame import Pixels
from scopewatch_training.dataset.annotation import positive_area, read_fluorescence
from scopewatch_training.dataset.looks import add_pixels, hash_pixels, look_at
from scopewatch_training.dataset.manifest import PairRow
from scopewatch_training.dataset.pairs.brightness import find_top, measure_brightness
from scopewatch_training.dataset.pairs.counts import refuse_scrambled
from scopewatch_training.dataset.pairs.gaps import (
    Mask,
    black_share,
    border_share,
    fill_evenly,
    fill_with_background,
    find_gap,
)
from scopewatch_training.dataset.pairs.record import Pair
from scopewatch_training.dataset.pairs.shared_noise import measure_shared_noise
from scopewatch_training.dataset.pictures import GreyPicture, read_picture
from scopewatch_training.dataset.regions import highest, measure_enclosed


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PairPictures:
    """Phase frame and fluorescence picture, or mask, of one pair.

    Parameters
    ----------
    phase, fluorescence
        As they were read.
    conversion
        What was done to the fluorescence while it was read, in words; '' where nothing was.
    area
        Positive area of a mask or of labels, (H, W) bool; None for a camera's picture.
    phase_gap, fluorescence_gap
        Where each shows nothing; None where all of it is a picture, and for masks.
    shown_phase, shown_fluorescence
        Pixels whose gaps are filled, which no measure takes for a border or for cells.
    """

    phase: GreyPicture
    fluorescence: GreyPicture
    conversion: str
    area: NDArray[np.bool_] | None
    phase_gap: Mask | None
    fluorescence_gap: Mask | None
    shown_phase: Pixels
    shown_fluorescence: Pixels

    @property
    def border(self) -> float:
        """Share of a picture that a border of one value takes; that of a mask does not count."""
        of_camera = [self.phase] if self.area is not None else [self.phase, self.fluorescence]
        return max(border_share(picture.pixels) for picture in of_camera)


def read_pair(row: PairRow) -> PairPictures:
    """Read the two pictures of a row.

    Raises
    ------
    FrameError
        When one cannot be read or is of no use.
    """
    phase = read_picture(row.phase)
    refuse_scrambled(phase.pixels, row.phase)
    fluorescence, conversion = read_fluorescence(row.fluorescence)
    area = positive_area(fluorescence.pixels, row.fluorescence)
    if area is None:
        refuse_scrambled(fluorescence.pixels, row.fluorescence)
    phase_gap = find_gap(phase.pixels)
    fluorescence_gap = None if area is not None else find_gap(fluorescence.pixels)
    return PairPictures(
        phase=phase,
        fluorescence=fluorescence,
        conversion=conversion,
        area=area,
        phase_gap=phase_gap,
        fluorescence_gap=fluorescence_gap,
        shown_phase=fill_evenly(phase.pixels, phase_gap),
        shown_fluorescence=fill_with_background(fluorescence.pixels, fluorescence_gap),
    )


def describe_pictures(pair: Pair, pictures: PairPictures) -> Pair:
    """Return a pair with the hashes and descriptions of its two pictures."""
    phase, fluorescence = pictures.phase.pixels, pictures.fluorescence.pixels
    digest = hashlib.sha256()
    add_pixels(digest, phase)
    phase_sha256 = digest.hexdigest()
    add_pixels(digest, fluorescence)
    shown = pictures.shown_fluorescence
    return replace(
        pair,
        source_sha256=digest.hexdigest(),
        phase_look=look_at(pictures.shown_phase, phase_sha256),
        fluorescence_look=look_at(shown, hash_pixels(fluorescence)),
        light=measure_brightness(shown),
        black=max(black_share(pictures.phase_gap), black_share(pictures.fluorescence_gap)),
        phase_top=find_top(pictures.shown_phase),
        shared_noise=0.0
        if pictures.area is not None
        else measure_shared_noise(phase, fluorescence),
        pages=(pictures.phase.pages, pictures.fluorescence.pages),
        enclosed=measure_enclosed(
            highest(fluorescence) if pictures.area is None else pictures.area
        ),
    )
