"""The estimate of a well at one time point: its judged sites, pooled."""

from collections.abc import Sequence
from dataclasses import dataclass

from scopewatch.core.imaging.efficiency import Efficiency, ErrorRates, pool


@dataclass(frozen=True, slots=True, kw_only=True)
class PooledSites:
    """The judged sites of a well at a time point.

    Parameters
    ----------
    day
        Day of the run of the latest site.
    sites
        How many there are.
    """

    day: float
    efficiency: Efficiency
    sites: int


def pool_sites(
    sites: Sequence[tuple[float, Efficiency]], rates: ErrorRates | None
) -> PooledSites | None:
    """Return the estimate that follows from day and efficiency of each site; None without any."""
    if not sites:
        return None
    return PooledSites(
        day=max(day for day, _ in sites),
        efficiency=pool([efficiency for _, efficiency in sites], rates),
        sites=len(sites),
    )
