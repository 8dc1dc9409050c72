"""A data set that is followed, and its frames that are not settled."""

from dataclasses import dataclass, field
from typing import Generic

from scopewatch.sources.base.backlog import Backlog
from scopewatch.sources.base.data_set import DataSet, DataSets, Sighting
from scopewatch.sources.base.found import Found
from scopewatch.sources.base.offering import Offering

# A data set that ended is checked by scans only, once no image came for this long: writers
# declare the end and go on, or another acquisition begins in the same place.
_LEFT_ALONE_S = 600.0


@dataclass(slots=True, kw_only=True)
class FollowedDataSet(Generic[Sighting]):
    """A data set, the folder it is in, and its frames that are not settled.

    `numbers` holds the number of each part's acquisition among those in this folder; `sighted`
    waits for it. Once `caught_up`, newly sighted images were saved since the last look. `grew_s`
    is the time at which an image was last saved; -inf where none was since this source started.
    """

    identity: tuple[int, int]
    data_set: DataSet[Sighting]
    caught_up: bool
    grew_s: float
    numbers: dict[str, tuple[str, int]] = field(default_factory=dict)
    sighted: list[Sighting] = field(default_factory=list)
    unproven: dict[str, Sighting] = field(default_factory=dict)
    backlog: Backlog = field(default_factory=Backlog)

    @property
    def waiting(self) -> int:
        """Number of images that are not complete, not named or not taken by the inbox."""
        return len(self.backlog.waiting) + len(self.sighted) + self.data_set.waiting

    @property
    def is_read(self) -> bool:
        """Whether all its present images were reported, complete or given up."""
        return self.caught_up and not self.sighted and not self.data_set.undecided

    @property
    def is_done(self) -> bool:
        """Whether its writer has closed it and all images have their keys."""
        return self.data_set.ended and not self.sighted

    def is_left_alone(self, now_s: float) -> bool:
        """Return whether it ended so long ago that only scans check it."""
        return self.is_done and now_s - self.grew_s > _LEFT_ALONE_S

    def is_whole(self, found: Found, now_s: float) -> bool:
        """Return whether an image is complete, decoding it where only that shows it."""
        whole = True
        for locator in [plane.locator for plane in found.planes] or [found.locator]:
            sighting = self.unproven.pop(locator, None)
            whole &= sighting is None or self.data_set.prove(sighting, now_s)
        return whole

    def name_sighted(
        self, label: str, sets: DataSets[Sighting], offering: Offering, now_s: float
    ) -> list[Found]:
        """Give sighted images their keys, once the ledger returns the number of the acquisition.

        Returns
        -------
        The images that got a key or a refusal; the caller adds them to the backlog.

        Raises
        ------
        StoreError
            When the ledger cannot be read; all images stay held.
        """
        data_set = self.data_set
        for part in dict.fromkeys(map(data_set.part, self.sighted)):
            identity = None if part is None else data_set.identity(part, now_s)
            if part is None or identity is None:
                continue
            known = self.numbers.get(part)
            if known is None or known[0] != identity:
                place = "/".join(each for each in (label, part) if each)
                self.numbers[part] = identity, offering.acquisition(place, identity)
        newest = max((number for _, number in self.numbers.values()), default=1)
        sighted, self.sighted = self.sighted, []
        named = []
        for sighting in sighted:
            part = data_set.part(sighting)
            if part is not None and part not in self.numbers:
                self.sighted.append(sighting)
                continue
            found = sets.found(label, sighting, newest)
            if data_set.is_unproven(sighting):
                self.unproven[found.locator] = sighting
            named.append(found)
        return named
