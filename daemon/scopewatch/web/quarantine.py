"""The quarantine as the pages list it: by fault, each with one sentence and what to do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scopewatch.core.phrases import Language, Phrase
from scopewatch.messages.summary import name_some
from scopewatch.store.read.records.quarantine import RefusedRow
from scopewatch.web.advice import OTHERS, headline


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultPart:
    """Frames or files of one fault.

    Parameters
    ----------
    count
        How many there are in all.
    headline
        In one line how many they are, and what is wrong with them.
    rows
        Those that are listed.
    wells
        The wells that these are of, in a row; '' where they are of none.
    """

    fault: str
    count: int
    headline: Phrase
    rows: tuple[RefusedRow, ...]
    wells: str


def by_fault(
    rows: Sequence[RefusedRow], counts: Mapping[str, int], scored: int, language: Language
) -> list[FaultPart]:
    """Group what is listed by fault, the most frequent first.

    Parameters
    ----------
    counts
        How many there are of each fault, listed or not; of others those that are listed count.
    scored
        Frames that could be judged.
    """
    listed: dict[str, list[RefusedRow]] = {}
    for row in rows:
        listed.setdefault(row.fault, []).append(row)
    known = {fault: max(counts.get(fault, 0), len(found)) for fault, found in listed.items()}
    known = {**counts, **known}
    frames = scored + sum(count for fault, count in known.items() if fault not in OTHERS)
    parts = []
    for fault, found in listed.items():
        count = known[fault]
        wells = tuple(dict.fromkeys(row.well.well for row in found if row.well is not None))
        parts.append(
            FaultPart(
                fault=fault,
                count=count,
                headline=headline(fault, count, frames),
                rows=tuple(found),
                wells=name_some(wells, language),
            )
        )
    return sorted(parts, key=lambda part: -part.count)
