"""An inbox and a ledger for soaks of a single source."""

from collections import Counter
from collections.abc import Sequence

from scopewatch.core.tickets import FrameTicket, Mark, Refusal


class Counting:
    """An inbox that takes all tickets, and the ledger of them.

    Parameters
    ----------
    settles
        Whether the ledger reports taken tickets as settled; otherwise the source must keep them.

    Attributes
    ----------
    taken
        Number of offers per time point.
    """

    def __init__(self, *, settles: bool) -> None:
        self.taken: Counter[int] = Counter()
        self._settles = settles
        self._known: set[tuple[str, str]] = set()

    def offer(self, ticket: FrameTicket) -> bool:
        """Count a ticket."""
        self.taken[ticket.key.time_point] += 1
        if self._settles:
            self._known.add((ticket.locator, ticket.fingerprint))
        return True

    def refuse(self, refusal: Refusal) -> bool:
        """Refuse nothing."""
        raise AssertionError(refusal.reason)

    def settled(self, source: str, found: Sequence[Mark]) -> set[str]:  # noqa: ARG002
        """Return the tickets taken before."""
        return {each.locator for each in found if (each.locator, each.fingerprint) in self._known}

    def names_changed(self, source: str) -> bool:  # noqa: ARG002
        """Return that no name is read otherwise."""
        return False

    def acquisition(self, source: str, label: str, identity: str) -> int:  # noqa: ARG002
        """Return the first number."""
        return 1
