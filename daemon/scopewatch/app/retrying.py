"""Passes requests to try files again to the sources, also those that another process recorded."""

from collections import Counter
from collections.abc import Sequence
from typing import Final, Protocol

from scopewatch.core.source import FrameSource
from scopewatch.core.tickets import RetryRequest
from scopewatch.event_log import get_logger

log = get_logger(__name__)

LOOK_S: Final = 2.0
AT_ONCE: Final = 500


class RetryRequests(Protocol):
    """The requests of people to try things again. All methods raise StoreError."""

    def has_retry_requests(self) -> bool:
        """Return whether anything was asked for."""
        ...

    def retry_requests(self, source: str, after: int, at_most: int) -> list[RetryRequest]:
        """Return what of a source was asked for and has no outcome yet, by number, after one."""
        ...

    def close_retry_requests(self) -> int:
        """Forget what has its outcome; return how many."""
        ...


class Kept(Protocol):
    """A source and whether it watches."""

    @property
    def source(self) -> FrameSource:
        """The source."""
        ...

    @property
    def watching(self) -> bool:
        """Whether it watches now."""
        ...


class Retrier:
    """Looks for requests every few seconds; used by one thread.

    A source keeps what it was given; a daemon that is built again passes on all of it once more
    that has no outcome.
    """

    def __init__(self, requests: RetryRequests, kept: Sequence[Kept]) -> None:
        self._requests = requests
        self._kept = kept
        self._seen: dict[str, int] = {}

    def look(self) -> None:
        """Pass on what was asked for since the last look. Raises StoreError."""
        # Mostly nobody wants anything: then this is the only question of an idle daemon.
        if not self._requests.has_retry_requests():
            return
        for each in self._kept:
            if each.watching:
                self._pass_on(each.source)
        self._requests.close_retry_requests()

    def _pass_on(self, source: FrameSource) -> None:
        asked = self._requests.retry_requests(source.name, self._seen.get(source.name, 0), AT_ONCE)
        taken = asked[: source.retry(asked)] if asked else []
        if not taken:
            return
        self._seen[source.name] = taken[-1].number
        for by, count in Counter(each.asked_by for each in taken).items():
            first = next(each.locator for each in taken if each.asked_by == by)
            log.info(
                "things in quarantine are tried again: somebody asked for it",
                source=source.name,
                count=count,
                asked_by=by,
                first=first,
            )
