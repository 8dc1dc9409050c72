"""What is found under the paths of `scopewatch score`: frames, and what should be one."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from scopewatch.core.imaging.frame import Frame, FrameKey
from scopewatch.core.tickets import FrameTicket
from scopewatch.sources.base.found import Found


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A frame that can be read.

    Parameters
    ----------
    place
        The path, with the page or the axes where the file holds several frames.
    load
        Reads it, here or in another process that it is sent to; raises FrameError, or SourceError
        where its disk or share is away.
    fingerprint
        Changes when its file changes, or the scale that is known of it.
    content
        Pixels and scale of which there is a result already; '' where there is none.
    """

    place: str
    key: FrameKey
    load: Callable[[], Frame]
    fingerprint: str = ""
    content: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlisted:
    """Something that should be a frame and is none, and why; `key` is None without a name."""

    place: str
    reason: str
    key: FrameKey | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StackPlane:
    """A plane of a stack whose sharpest plane is scored, and what reads it."""

    found: Found
    root: Path
    load: Callable[[FrameTicket], Frame]


Item = Listed | Unlisted | StackPlane
