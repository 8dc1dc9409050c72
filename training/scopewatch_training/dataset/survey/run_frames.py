"""The frames of one run folder, as they were read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scopewatch.core.imaging.frame import FrameKey
from scopewatch.sources.base.found import Found
from scopewatch_training.dataset.pictures import PictureRef


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFrames:
    """All frames of one run folder.

    Parameters
    ----------
    dated
        Whether time points are counted from the first date in the folder's names.
    unread
        Reason and place of each file that is no frame.
    """

    folder: Path
    layout: str
    interval_h: float
    dated: bool
    frames: Mapping[FrameKey, tuple[Found, PictureRef]]
    unread: Sequence[tuple[str, str]]
