"""Colours, axes and PNG output of all charts; imports no scikit-learn, for `prepare`."""

from io import BytesIO
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

PALETTE: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#999999")
"""Colours that stay apart for the colour-blind (Okabe and Ito, 2008)."""


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
