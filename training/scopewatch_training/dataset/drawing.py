"""Colours, axes, PNG output and brightness of pictures; imports no scikit-learn, for `prepare`."""

from io import BytesIO
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

PALETTE: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#999999")
"""Colours that stay apart for the colour-blind (Okabe and Ito, 2008)."""
_GREY_RANGE: Final = 2.5
_BRIGHTEST: Final = 20.0
"""Signal in thresholds that is drawn fully bright."""


def phase_grey(view: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return a normalised phase frame as brightness, 0 to 1."""
    return np.asarray(np.clip((view + _GREY_RANGE) / (2 * _GREY_RANGE), 0, 1))


def signal_glow(
    signal: NDArray[np.floating], threshold: float, noise: float
) -> NDArray[np.floating]:
    """Return a signal as brightness on an inverse hyperbolic scale, 0 to 1; 0 where unknown.

    Parameters
    ----------
    threshold
        Counts above which a pixel is positive; inf where there is no signal: the scale is that of
        the noise.
    noise
        Standard deviation of the camera's noise, in counts.
    """
    scale = threshold if np.isfinite(threshold) else max(10 * noise, 1.0)
    light = np.arcsinh(np.clip(np.nan_to_num(signal), 0, None) / scale) / np.arcsinh(_BRIGHTEST)
    return np.asarray(np.clip(light, 0, 1))


def name_axes(axes: Axes, x: str, y: str, title: str) -> None:
    """Label both axes and give the title; the empty text leaves one out."""
    names: dict[str, Any] = {"xlabel": x, "ylabel": y, "title": title}
    axes.set(**names)
    axes.title.set_fontsize(10)
    axes.spines[["top", "right"]].set_visible(False)


def to_png(figure: Figure, dpi: int = 110) -> bytes:
    """Return a figure as PNG."""
    stream = BytesIO()
    figure.savefig(stream, format="png", dpi=dpi, metadata={"Software": "scopewatch"})
    return stream.getvalue()
