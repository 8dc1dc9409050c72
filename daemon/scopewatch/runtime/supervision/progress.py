"""The inbox and the ledger as a source is given them: each call counts as progress of the source.

A scan over many files takes minutes and makes progress all the while; a source that hangs calls
neither.
"""

from collections.abc import Callable, Sequence

from scopewatch.core.source import Inbox, KnownFolder, Ledger
from scopewatch.core.tickets import FrameTicket, Mark, Refusal


class ProgressInbox:
    """Passes tickets and refusals on to an inbox; implements `core.source.Inbox`."""

    def __init__(self, inbox: Inbox, progress: Callable[[], None]) -> None:
        self._inbox = inbox
        self._progress = progress

    def offer(self, ticket: FrameTicket) -> bool:
        """Take a ticket; False when full."""
        self._progress()
        return self._inbox.offer(ticket)

    def refuse(self, refusal: Refusal) -> bool:
        """Take note of something that cannot become a frame; False when full."""
        self._progress()
        return self._inbox.refuse(refusal)


class ProgressLedger:
    """Passes questions on to a ledger; implements `core.source.Ledger`."""

    def __init__(self, ledger: Ledger, progress: Callable[[], None]) -> None:
        self._ledger = ledger
        self._progress = progress

    def settled(self, source: str, found: Sequence[Mark]) -> set[str]:
        """Of what a source found, return the locators that need no more work."""
        self._progress()
        return self._ledger.settled(source, found)

    def names_changed(self, source: str) -> bool:
        """Return whether results of a source were named by other settings than there are now."""
        self._progress()
        return self._ledger.names_changed(source)

    def acquisition(self, source: str, label: str, identity: str) -> int:
        """Return the number, from 1, of an acquisition among those at the same place."""
        self._progress()
        return self._ledger.acquisition(source, label, identity)

    def known_folder(self, source: str, path: str) -> KnownFolder | None:
        """Return the folder of a source as it was recorded in this run, if it gave frames."""
        self._progress()
        return self._ledger.known_folder(source, path)

    def record_folder(self, source: str, path: str, folder: KnownFolder) -> None:
        """Record that the folder of a source is there."""
        self._progress()
        self._ledger.record_folder(source, path, folder)
