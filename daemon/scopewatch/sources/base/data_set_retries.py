"""Retries of images in data sets, on the request of a person."""

from collections.abc import Mapping
from pathlib import Path
from typing import Generic

from scopewatch.core.tickets import RetryRequest
from scopewatch.sources.base.data_set import Sighting
from scopewatch.sources.base.followed import FollowedDataSet
from scopewatch.sources.base.offering import Offering
from scopewatch.sources.base.retry_queue import RETRIES_HELD, RetryQueue, gone


class DataSetRetries(Generic[Sighting]):
    """Queue of retry requests for the images of one source; only `waiting.put` is thread-safe.

    A frame is offered as the ledger knows it: reading it shows whether it still exists. A refused
    image has no key, and may get one when its data set is read from the beginning.

    Parameters
    ----------
    root
        Folder that the locators start at.
    """

    def __init__(self, root: Path) -> None:
        self.waiting = RetryQueue()
        self._root = root
        # Refused images that are looked for in data sets that were reopened.
        self._sought: dict[str, RetryRequest] = {}

    def take(self, offering: Offering) -> list[str]:
        """Offer frames that are to be retried; return locators of refused images to look for."""
        sought, done = [], 0
        for each in self.waiting.next(RETRIES_HELD):
            if each.ticket is not None:
                if not offering.give(each.ticket):
                    break
            else:
                offering.forget(each.locator, each.fingerprint)
                self._sought[each.locator] = each
                sought.append(each.locator)
            done += 1
        self.waiting.done(done)
        return sought

    def refuse_gone(
        self, offering: Offering, followed: Mapping[str, FollowedDataSet[Sighting]]
    ) -> None:
        """Refuse images that were not found in a data set that was read to its end."""
        if not self._sought:
            return
        offered = {found.locator for one in followed.values() for found in one.backlog.waiting}
        for locator, each in list(self._sought.items()):
            sets = [one for label, one in followed.items() if holds(label, locator)]
            if any(locator in one.backlog.taken for one in sets):
                del self._sought[locator]
            elif locator not in offered and all(one.is_read for one in sets):
                if not offering.refuse(each, gone(self._root / locator)):
                    return
                del self._sought[locator]


def holds(label: str, locator: str) -> bool:
    """Return whether a locator belongs to the data set with a label.

    >>> holds("a/b", "a/b/c#at=[0]"), holds("a/b", "a/b2#at=[0]"), holds("", "c#at=[0]")
    (True, False, True)
    """
    return not label or locator == label or locator.startswith((f"{label}/", f"{label}#"))
