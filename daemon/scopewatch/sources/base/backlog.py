"""What a source found in one place and the ledger has not settled: offered, and offered again."""

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
        What it took and the ledger has not settled.
    """

    waiting: list[Found] = field(default_factory=list)
    taken: list[Found] = field(default_factory=list)

    def offer(self, offering: Offering, *, full: bool) -> None:
        """Offer what waits until the inbox is full.

        Parameters
        ----------
        full
            Ask again for what the inbox took: what the worker had to let go comes back.

        Raises
        ------
        StoreError
            When the ledger cannot be asked; all stays in hand.
        """
        if full and self.taken:
            self.waiting += offering.unsettled(self.taken)
            # What is settled is forgotten.
            self.taken = [each for each in self.taken if offering.on_its_way(each)]
        while self.waiting:
            batch = self.waiting[:BATCH]
            wanted = offering.unsettled(batch)
            taken = offering.offer(wanted)
            self.taken += wanted[:taken]
            self.waiting[: len(batch)] = wanted[taken:]
            if taken < len(wanted):
                return
