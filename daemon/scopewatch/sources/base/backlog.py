"""What a source found in one place and the ledger has not settled: offered, and offered again."""

from collections.abc import Callable
from dataclasses import dataclass, field

from scopewatch.sources.base.offering import BATCH, Found, Offering


@dataclass(slots=True)
class Backlog:
    """Frames of one data set on their way to the inbox.

    Parameters
    ----------
    waiting
        What the inbox has not taken.
    taken
        What it took and the ledger has not settled, by locator: as it was found last, since more
        may get known of a frame on its way.
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
        """Offer what waits until the inbox is full.

        Parameters
        ----------
        full
            Ask again for what the inbox took: what the worker had to let go comes back.
        is_whole
            Asked of what needs work, just before it is offered; what is not whole is let go.

        Raises
        ------
        StoreError
            When the ledger cannot be asked; all stays in hand.
        """
        if full and self.taken:
            self.waiting += offering.unsettled(list(self.taken.values()))
            # What is settled is forgotten.
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
