"""What is asked of a microscope, and how it says that images did not come."""

from collections.abc import Sequence
from typing import Any

from scopewatch.core.errors import SourceError

# As pycro-manager has them.
Event = dict[str, Any]
Axes = dict[str, Any]


def never() -> bool:
    """Tell that nothing is to be left off."""
    return False


class ImagesMissingError(SourceError):
    """Some images did not come.

    Parameters
    ----------
    line
        What is to be shown.
    causes
        Of each image that is known to have failed, its axes and why, in one line.
    ends
        Whether no more images are to be had before the microscope is connected again.
    """

    def __init__(
        self, line: str, causes: Sequence[tuple[Axes, str]], *, ends: bool = False
    ) -> None:
        super().__init__(line)
        self.causes = tuple(causes)
        self.ends = ends


class HeldError(SourceError):
    """Images were left off since somebody asked for a pause."""
