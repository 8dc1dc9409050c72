"""What sources offer: tickets of complete frames, refusals, and marks of what they found."""

from dataclasses import dataclass
from datetime import datetime

from scopewatch.core.imaging.frame import FrameKey
from scopewatch.core.imaging.moment import Moment, check_moment
from scopewatch.core.z_stack import PlaneMark


@dataclass(frozen=True, slots=True)
class Mark:
    """State of something that a source found, for the ledger to decide whether it needs work.

    Parameters
    ----------
    locator, fingerprint
        As in `FrameTicket`.
    content
        As in `FrameTicket`; '' where the source has not read it.
    acquired_at, elapsed_s
        When it was taken, as far as the source knows already.
    named
        Whether the source has read whose frame it is, and would offer it under that key.
    """

    locator: str
    fingerprint: str
    content: str = ""
    acquired_at: datetime | None = None
    elapsed_s: float | None = None
    named: bool = False

    @property
    def moment(self) -> Moment:
        """When it was taken."""
        return Moment(acquired_at=self.acquired_at, elapsed_s=self.elapsed_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameTicket:
    """A complete frame that is ready to be loaded.

    Parameters
    ----------
    source
        Name of the source that offers it and that will load it.
    locator
        Where the source finds it again (a path, or a path and axes); opaque to all other code.
    fingerprint
        Changes when the content at `locator` changes (size and modification time of a file).
    seen_at
        When the source first saw it, aware UTC.
    content
        Names the pixels whatever their file is called and whenever it was written; '' where
        the source does not know. A new fingerprint with the same content is no new frame.
    acquired_at, elapsed_s
        When it was taken, as far as the source knows without loading it; see
        `core.imaging.frame.Frame`.
    planes
        The planes of a stack, the lowest first, of which the sharpest is scored; empty for a single
        plane. `locator` is that of the lowest, `fingerprint` that of all.

    Raises
    ------
    FrameError
        For times that cannot be placed.
    """

    key: FrameKey
    source: str
    locator: str
    fingerprint: str
    seen_at: datetime
    content: str = ""
    acquired_at: datetime | None = None
    elapsed_s: float | None = None
    planes: tuple[PlaneMark, ...] = ()

    def __post_init__(self) -> None:
        check_moment(self.acquired_at, self.elapsed_s, self.locator)

    @property
    def moment(self) -> Moment:
        """When it was taken."""
        return Moment(acquired_at=self.acquired_at, elapsed_s=self.elapsed_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Something that should be a frame but cannot be given a key (an unreadable name, say).

    Parameters
    ----------
    missed
        The key of a frame that was due and never came, where it is that: nothing lies at
        `locator`, and there is nothing to try again.
    """

    source: str
    locator: str
    fingerprint: str
    reason: str
    seen_at: datetime
    missed: FrameKey | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryRequest:
    """Something in quarantine that a person wants to be tried again.

    Parameters
    ----------
    number
        Grows with each that is asked for.
    locator, fingerprint, seen_at
        As the ledger knows it.
    asked_by
        Who asked, and how.
    ticket
        The frame; None for what never became one.
    """

    number: int
    source: str
    locator: str
    fingerprint: str
    seen_at: datetime
    asked_by: str
    ticket: FrameTicket | None
