"""The journal of a time-lapse: its entries, and what follows from them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from scopewatch.core.acquisition.orders import HOLDS, SITES, SKIPS, Act, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEntry:
    """A line of the journal of a time-lapse.

    Parameters
    ----------
    at
        When it was asked for.
    done
        None while it waits.
    done_at, outcome, height_um, time_point
        As in `Report`; '' and None while it waits.
    target, reason
        As in `Order`.
    """

    number: int
    source: str
    run: str
    act: Act
    by: str
    at: datetime
    done: bool | None = None
    done_at: datetime | None = None
    outcome: str = ""
    height_um: float | None = None
    time_point: int | None = None
    target: Target | None = None
    reason: str = ""

    @property
    def line(self) -> str:
        """One line for people."""
        outcome = self.outcome or "its turn comes"
        at = f"{self.at:%Y-%m-%d %H:%M:%S} UTC"
        act = self.act.value if self.target is None else f"{self.act.value} {self.target.text}"
        why = f" ({self.reason})" if self.reason else ""
        return f"{at}  {self.source}  {act}  by {self.by}{why}: {outcome}"


def holding(entries: Sequence[JournalEntry]) -> JournalEntry | None:
    """Return what holds a time-lapse by its journal, oldest first; None where it goes on."""
    held: JournalEntry | None = None
    for each in entries:
        if each.done and each.act in HOLDS:
            held = each
        elif each.done and each.act is Act.RESUME:
            held = None
    return held


def wells_marked_dead(entries: Sequence[JournalEntry]) -> list[JournalEntry]:
    """Return the entry of each well that is not imaged any more, by a journal, oldest first."""
    return _in_force(entries, Act.DEAD, SKIPS)


def wells_with_more_sites(entries: Sequence[JournalEntry]) -> list[JournalEntry]:
    """Return the entry of each well that has further sites, by a journal, oldest first."""
    return _in_force(entries, Act.MORE_SITES, SITES | {Act.DEAD})


def _in_force(
    entries: Sequence[JournalEntry], begins: Act, acts: frozenset[Act]
) -> list[JournalEntry]:
    """Return the last entry of each well, where that is one that begins."""
    found: dict[tuple[str, str], JournalEntry] = {}
    for each in entries:
        if not each.done or each.target is None or each.act not in acts:
            continue
        well = each.target.whole_well
        found.pop(well, None)
        if each.act is begins:
            found[well] = each
    return list(found.values())


def acts_with_days(
    entries: Sequence[JournalEntry], began_at: datetime
) -> list[tuple[JournalEntry, float]]:
    """Return what people did to a time-lapse, each with its day since the run began."""
    return [
        (each, (each.done_at - began_at) / timedelta(days=1))
        for each in entries
        if each.done and each.done_at is not None and each.act is not Act.NOTE
    ]
