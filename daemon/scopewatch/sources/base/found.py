"""An item that a source found: a frame with its key, or the reason why it has none."""

from dataclasses import dataclass, field

from scopewatch.core.imaging.frame import FrameKey
from scopewatch.core.imaging.moment import Moment
from scopewatch.core.tickets import Mark
from scopewatch.core.z_stack import PlaneMark
from scopewatch.sources.base.reading import FrameReading


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Something a source found: a frame with its key, or the reason why it has none.

    Parameters
    ----------
    reading
        How the frame was read: accepted values, moment and scale.
    size_px
        (height, width) of its pixels, where they were read.
    missed
        True for a frame that was due and never arrived: `key` names it, `reason` gives the cause.
    content
        As in `FrameTicket`; '' where the pixels were not read.
    planes
        As in `FrameTicket`.
    """

    locator: str
    fingerprint: str
    key: FrameKey | None = None
    reason: str = ""
    missed: bool = False
    reading: FrameReading | None = field(default=None, compare=False)
    size_px: tuple[int, int] | None = field(default=None, compare=False)
    content: str = ""
    planes: tuple[PlaneMark, ...] = ()

    @property
    def moment(self) -> Moment:
        """Moment at which it was taken, as far as it is known."""
        reading = self.reading
        if reading is None:
            return Moment()
        return Moment(acquired_at=reading.acquired_at, elapsed_s=reading.elapsed_s)

    @property
    def z(self) -> int | None:
        """Number of the plane, where it is one of a stack of which the sharpest is scored."""
        return None if self.reading is None else self.reading.z

    def mark(self) -> Mark:
        """Return it as a question to the ledger."""
        return Mark(
            locator=self.locator,
            fingerprint=self.fingerprint,
            content=self.content,
            acquired_at=self.moment.acquired_at,
            elapsed_s=self.moment.elapsed_s,
            named=self.key is not None or bool(self.reason),
        )
