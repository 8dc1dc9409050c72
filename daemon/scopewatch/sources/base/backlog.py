"""Frames of one data set that the ledger has not settled: offered, and offered again."""

from collections.abc import Callable
from dataclasses import dataclass, field

from scopewatch.sources.base.found import Found
from scopewatch.sources.base.offering import BATCH, Offering


@dataclass(slots=True)
class Backlog:
    """Frames of one data set that wait for the inbox or the ledger.

    Parameters
    ----------
    waiting
        Frames that the inbox has not taken.
    taken
        Frames that the inbox took and the ledger has not settled, by locator: as they were found
        last, since more facts may become known meanwhile.
    """

    waiting: list[Found] = field(default_factory=list)
    taken: dict[str, Found] = field(default_factory=dict)

    def offer(
        self,
        offering: Offering,
        *,
        full: bool,
        is_whole: Callable[[Found], bool] = lambda _found: True,
    ) -> None:
        """Offer waiting frames until the inbox is full.

        Parameters
        ----------
        full
            Ask the ledger again for what the inbox took: frames that the worker dropped come back.
        is_whole
            Called for each frame that needs work just before it is offered; drops incomplete ones.

        Raises
        ------
        StoreError
            When the ledger cannot be read; all frames stay held.
        """
        if full and self.taken:
            self.waiting += offering.unsettled(list(self.taken.values()))
            # Settled frames are dropped.
            on_their_way = filter(offering.on_its_way, self.taken.values())
            self.taken = {each.locator: each for each in on_their_way}
        while self.waiting:
            batch = self.waiting[:BATCH]
            wanted = [each for each in offering.unsettled(batch) if is_whole(each)]
            taken = offering.offer(wanted)
            self.taken |= {each.locator: each for each in wanted[:taken]}
            self.waiting[: len(batch)] = wanted[taken:]
            if taken < len(wanted):
                return
