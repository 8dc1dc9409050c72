"""Pixel size in micrometres, read from the places that may state it.

A calibration (Micro-Manager, OME-XML) is accepted when it is above zero: the frame itself refuses
an impossible one later. A resolution in dots per inch is accepted only in the range of a
microscope, since most software fills in 72 or 96 dpi.
"""

import math

# 0.02 um: 100x oil on 2 um pixels. 25 um: a 1x macro objective with 4 x 4 binning.
_PLAUSIBLE_UM = (0.02, 25.0)
_UM_PER = {
    "m": 1e6,
    "meter": 1e6,
    "metre": 1e6,
    "cm": 1e4,
    "centimeter": 1e4,
    "centimetre": 1e4,
    "mm": 1e3,
    "millimeter": 1e3,
    "millimetre": 1e3,
    "um": 1.0,
    "\u00b5m": 1.0,
    "\u03bcm": 1.0,
    "micron": 1.0,
    "microns": 1.0,
    "micrometer": 1.0,
    "micrometre": 1.0,
    "nm": 1e-3,
    "nanometer": 1e-3,
    "nanometre": 1e-3,
    "angstrom": 1e-4,
}
_INCH_UM = 25_400.0
# 4 and 5 are not in the TIFF specification; tifffile and programs based on it write them.
MICROMETRE = 5
_TIFF_UNIT_UM = {2: _INCH_UM, 3: 1e4, 4: 1e3, MICROMETRE: 1.0}


def calibrated_um(value: object, unit: str = "um") -> float | None:
    """Read a stated pixel size; None for zero (not calibrated), text, or an unknown unit.

    >>> calibrated_um("650", "nm")
    0.65
    >>> calibrated_um(0) is None
    True
    """
    scale = _UM_PER.get(unit.strip().lower().replace("\\u00b5", "\u00b5"))
    if scale is None or not isinstance(value, str | int | float) or isinstance(value, bool):
        return None
    try:
        size_um = float(value) * scale
    except ValueError:
        return None
    return size_um if math.isfinite(size_um) and size_um > 0 else None


def resolution_um(pixels_per_unit: float, tiff_unit: int) -> float | None:
    """Read the TIFF resolution tags; None if implausible.

    Parameters
    ----------
    tiff_unit
        2 is an inch, 3 a centimetre, 4 a millimetre, 5 a micrometre. Exactly one pixel per
        micrometre is a placeholder of ome-writers, and is ignored.
    """
    scale = _TIFF_UNIT_UM.get(tiff_unit)
    if tiff_unit == MICROMETRE and pixels_per_unit == 1:
        return None
    return None if scale is None else _plausible(pixels_per_unit, scale)


def imagej_um(pixels_per_unit: float, unit: object) -> float | None:
    """Read ImageJ's calibration: the resolution tag holds pixels per its own unit."""
    if not isinstance(unit, str):
        return None
    scale = _UM_PER.get(unit.strip().lower().replace("\\u00b5", "\u00b5"))
    return None if scale is None else _plausible(pixels_per_unit, scale)


def _plausible(pixels_per_unit: float, unit_um: float) -> float | None:
    if not math.isfinite(pixels_per_unit) or pixels_per_unit <= 0:
        return None
    size_um = unit_um / pixels_per_unit
    low, high = _PLAUSIBLE_UM
    return size_um if low <= size_um <= high else None
