"""An image of an NDTiff data set that was found, or the reason why it is no frame."""

from dataclasses import dataclass
from typing import Any

from scopewatch.sources.ndtiff.file import Image


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """An image of the data set that was not reported before.

    Parameters
    ----------
    image
        Its place; None for an image that the index lists but the data set does not hold.
    name
        Name of the file that holds it, or should.
    reason
        Why it is no frame; '' for a frame.
    """

    name: str
    axes: dict[str, Any]
    summary: dict[str, Any]
    image: Image | None
    reason: str = ""
