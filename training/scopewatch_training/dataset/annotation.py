"""Fluorescence pictures that are labels already: masks of two values, and annotated label images.

Their positive area is taken as it was drawn: no background, no threshold, no noise.
"""

from typing import Any, Final

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

from scopewatch.core.errors import FrameError, complaint
from scopewatch.core.imaging.frame import Pixels
from scopewatch.sources.readers.decode import DECODE_FAULTS
from scopewatch.sources.readers.image_file import TIFF_SUFFIXES
from scopewatch_training.dataset.pictures import (
    GreyPicture,
    PictureRef,
    read_any_numbers,
    read_picture,
)
from scopewatch_training.dataset.regions import (
    commonest,
    few_values,
    lonely_share,
    measure_regions,
)

POSITIVE_COUNTS: Final = 1000.0
"""Signal of the positive area of a mask; outside it is 0."""
MASK_NOISE: Final = 1.0
"""Noise that goes with it, in counts: any threshold of Otsu lies between."""
MASK_NOTE: Final = "mask"
"""First word of the note of a pair whose fluorescence is a mask."""
_INVERTED: Final = "white is zero"
"""Words of the reader's line on inverted grey."""
_REGIONS: Final = frozenset({".roi", ".zip", ".geojson"})
"""Files of regions that were drawn in ImageJ or QuPath."""
_MOST_LONELY: Final = 0.01
_MOST_LONELY_IN_CLASSES: Final = 0.1
_MOST_POINTS: Final = 0.5
_MOST_BORDERS: Final = 0.25
"""Share of neighbours that differ: labels of touching cells of 5 px have 0.18, enlarged pictures of
a camera 0.27 to 0.45."""
_MOST_PARTS: Final = 3
"""Connected regions for each number; objects that touch the border of another are in few parts."""
_FEWEST_PX: Final = 50


def positive_area(pixels: NDArray[Any], where: object = "picture") -> NDArray[np.bool_] | None:
    """Return the positive area of a mask or a label image; None for a camera's picture.

    A mask has two values, of which the higher is positive. A label image has 0 outside and one
    number in each object: next to none of its pixels differs from all four of its neighbours, as
    most pixels do where a camera's noise or the slope of a glow is in the picture, few neighbours
    differ, and a number is in few places.

    Parameters
    ----------
    pixels
        (H, W) of any whole numbers from 0.

    Raises
    ------
    FrameError
        For points, and for a few values in regions all over the picture: which of them is positive
        is not known.
    """
    low, high = pixels.min(), pixels.max()
    if low == high:
        return None
    top = pixels == high
    if bool(np.all(top | (pixels == low))):
        if lonely_share(pixels, top) <= _MOST_POINTS:
            return np.asarray(top)
        if float(high) - float(low) == 1:
            # A dark picture of single photons, saved in 8 bits.
            return None
        raise FrameError(
            complaint(
                "mask shows single pixels",
                where=where,
                expected="filled regions, whose area is the label",
                got=f"{int(np.count_nonzero(top))} pixels, next to none beside another",
                do="mark the area of each cell, not a point in it",
            )
        )
    _refuse_classes(pixels, where)
    inside = pixels != 0
    if low != 0 or int(inside[1:-1, 1:-1].sum()) < _FEWEST_PX:
        return None
    if lonely_share(pixels, inside) > _MOST_LONELY:
        return None
    found = measure_regions(pixels, low)
    alike = found.borders <= _MOST_BORDERS and found.parts <= _MOST_PARTS * found.values
    return np.asarray(inside) if alike else None


def _refuse_classes(pixels: NDArray[Any], where: object) -> None:
    values = few_values(pixels)
    if values is None:
        return
    outside = commonest(pixels, values)
    if lonely_share(pixels, pixels != outside) > _MOST_LONELY_IN_CLASSES:
        return
    found = measure_regions(pixels, outside)
    if found.parts > _MOST_PARTS * found.values:
        raise FrameError(
            complaint(
                "picture has a few values in many places, as a map of classes",
                where=where,
                expected="the camera's own counts, a mask of two values, or a number of its own in"
                " each object",
                got=", ".join(f"{each:g}" for each in values),
                do="save the class with the marker as a mask (Ilastik, QuPath, Cellpose); a"
                " camera's picture export in 16 bits, not smoothed",
            )
        )


def read_fluorescence(ref: PictureRef) -> tuple[GreyPicture, str]:
    """Read a fluorescence picture, also labels of any type and a picture in a single colour.

    Returns
    -------
    The picture, and what was done to it in words; '' where nothing was. Labels that are no 8 or
    16-bit grey come as 0 and 1.

    Raises
    ------
    FrameError
        When it cannot be read, shows more than one colour, or has pixels of another type that
        are no labels.
    """
    try:
        return read_picture(ref), ""
    except FrameError as error:
        reason = str(error).partition(";")[0]
        if reason.startswith("file is no image") and ref.path.suffix.lower() in _REGIONS:
            raise FrameError(
                f"{reason}; save the regions as a mask (ImageJ: Edit > Selection > Create Mask;"
                " QuPath: export labels), as TIFF or PNG"
            ) from error
        if reason.startswith("image has an unsupported pixel type"):
            return _read_labels(ref, reason)
        if not reason.startswith("image is in colour") or ref.part:
            raise
        labels, colour = _palette_labels(ref), _single_colour(ref)
        if labels is not None:
            return _as_mask(labels), "labels of a palette"
        if colour is None:
            raise FrameError(
                f"{reason}; export the fluorescence channel alone, in grey and 16 bits, without"
                " phase, other channels or a scale bar on it"
            ) from error
    name, pixels = colour
    return GreyPicture(pixels=pixels, um_per_px=None), f"{name} channel of a colour picture"


def _read_labels(ref: PictureRef, reason: str) -> tuple[GreyPicture, str]:
    """Read labels of 1 bit, signed or long integers, or floating-point numbers.

    A picture without any label, 0 everywhere, is one too.
    """
    numbers = read_any_numbers(ref)
    unknown = np.isnan(numbers) if numbers.dtype.kind == "f" else np.False_
    known = np.where(unknown, numbers.dtype.type(0), numbers)
    kind = "1-bit" if numbers.dtype.kind == "b" else str(numbers.dtype)
    if _are_whole(known):
        area = positive_area(known, ref) if known.any() else np.zeros(known.shape, dtype=np.bool_)
        if area is not None:
            note = f"{kind} labels"
            return _as_mask(area), f"{note}, NaN outside" if np.any(unknown) else note
    if kind.startswith("float") and 0 <= float(known.min()) < float(known.max()) <= 1:
        raise FrameError(
            complaint(
                "picture has values between 0 and 1, as a probability map or a normalised picture",
                where=ref,
                expected="the camera's own counts in 8 or 16 bits, or labels",
                got=f"{kind}, {float(known.min()):.3g} to {float(known.max()):.3g}",
                do="cut a probability map (Ilastik, Cellpose) at its threshold, often 0.5, and give"
                " the mask; else export the camera's own frames in 16 bits",
            )
        )
    if _INVERTED in reason:
        raise FrameError(
            f"{reason}; export it again with black as 0 (TIFF tag PhotometricInterpretation 1;"
            " ImageJ: Image > Lookup Tables > Grays)"
        )
    raise FrameError(
        f"{reason}; export the camera's own frames in 16 bits, or labels: 0 outside, and 1 or the"
        " number of its object in each positive pixel (cut a probability map at its threshold)"
    )


def _are_whole(numbers: NDArray[Any]) -> bool:
    """Whether all are whole numbers from 0; of two values the higher may be any."""
    if numbers.dtype.kind in "bu":
        return True
    if not np.all(np.isfinite(numbers)) or numbers.min() < 0:
        return False
    top = numbers == numbers.max()
    return bool(np.all(top | (numbers == numbers.min())) or np.all(numbers == np.rint(numbers)))


def _as_mask(area: NDArray[np.bool_]) -> GreyPicture:
    return GreyPicture(pixels=area.astype(np.uint8), um_per_px=None)


def _palette_labels(ref: PictureRef) -> NDArray[np.bool_] | None:
    """Return the positive area of labels that are places of a palette; None for other pictures."""
    try:
        with Image.open(ref.path) as image:
            return positive_area(np.asarray(image), ref) if image.mode == "P" else None
    except (OSError, ValueError, Image.DecompressionBombError):
        # The reader's own line, which says more, is raised by the caller.
        return None


def _single_colour(ref: PictureRef) -> tuple[str, Pixels] | None:
    """Return name and pixels of the one colour that a picture shows; None where it shows more."""
    try:
        planes = _read_colours(ref)
    except DECODE_FAULTS:
        # The reader's own line, which says more, is raised by the caller.
        return None
    if planes is None or planes.dtype not in (np.uint8, np.uint16):
        return None
    shown = [index for index in range(3) if np.ptp(planes[..., index]) > 0]
    if len(shown) != 1:
        return None
    return ("red", "green", "blue")[shown[0]], np.ascontiguousarray(planes[..., shown[0]])


def _read_colours(ref: PictureRef) -> NDArray[Any] | None:
    """Read the colours of a picture, (H, W, 3); Pillow would cut those of 16 bits to 8."""
    with Image.open(ref.path) as image:
        if image.mode not in ("RGB", "RGBA", "P"):
            return None
        if image.mode == "P" or ref.path.suffix.lower() not in TIFF_SUFFIXES:
            return np.asarray(image.convert("RGB"))
    with tifffile.TiffFile(ref.path) as file:
        planes = file.pages[0].asarray()
    if planes.ndim == 3 and planes.shape[0] in (3, 4):
        planes = np.moveaxis(planes, 0, 2)
    return planes[..., :3] if planes.ndim == 3 and planes.shape[2] in (3, 4) else None
