"""Numbers the fields of view of a well as sites, where a file numbers or only lists them."""

from collections.abc import Hashable, Iterable
from typing import TypeVar

F = TypeVar("F", bound=Hashable)


def number_sites(fields: Iterable[tuple[F, Hashable, int | None]]) -> dict[F, int | None]:
    """Return the site of each field of view.

    A site keeps the number that its program gave it. Where that does not distinguish the fields of
    a well, for example since each has several tiles, they are counted from 0 in the order given.

    Parameters
    ----------
    fields
        (field, well, number by the program), each field once.

    Returns
    -------
    Sites by field; None for the only field of a well that has no number.
    """
    by_well: dict[Hashable, list[tuple[F, int | None]]] = {}
    for field, well, number in fields:
        by_well.setdefault(well, []).append((field, number))
    sites: dict[F, int | None] = {}
    for own in by_well.values():
        numbers = [number for _, number in own]
        distinct = None not in numbers and len(set(numbers)) == len(own)
        for order, (field, number) in enumerate(own):
            sites[field] = number if distinct else (order if len(own) > 1 else None)
    return sites
