"""Fluorescence that was saved in its colour: one channel of red, green and blue holds it all."""

from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

from scopewatch.core.imaging.frame import Pixels
from scopewatch.sources.readers.decode import DECODE_FAULTS
from scopewatch.sources.readers.image_file import TIFF_SUFFIXES
from scopewatch_training.dataset.pictures import PictureRef


def read_single_colour(ref: PictureRef) -> tuple[str, Pixels] | None:
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
