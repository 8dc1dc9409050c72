"""One item of the inbox as it goes through the pipeline."""

from dataclasses import dataclass
from enum import Enum, auto

from scopewatch.core.tickets import FrameTicket
from scopewatch.runtime.pipeline.inbox import Item


class Claim(Enum):
    """What the ledger answered for a frame."""

    NOT_ASKED = auto()
    HELD = auto()
    SETTLED = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameJob:
    """One item of the inbox, and whether the ledger has counted this attempt at it.

    Parameters
    ----------
    claim
        `HELD`: the attempt is counted, the frame is to be scored. `SETTLED`: it needs no work.
    """

    item: Item
    claim: Claim = Claim.NOT_ASKED


def place_of(item: Item) -> dict[str, object]:
    """Return the fields that name an item in the log."""
    named = {"key": item.key} if isinstance(item, FrameTicket) else {}
    return {**named, "source": item.source, "file": item.locator}
