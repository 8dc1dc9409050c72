"""The outlooks of wells, brought up to date as far as one transaction has time."""

from collections.abc import Sequence

from scopewatch.monitoring.budget import Budget
from scopewatch.monitoring.outlooks import look_on
from scopewatch.monitoring.policy import RunPolicy
from scopewatch.store.schema.tables import Well
from scopewatch.store.unit_of_work import UnitOfWork


def update_outlooks(
    work: UnitOfWork, well: Well, policy: RunPolicy, budget: Budget, *, since: int
) -> bool:
    """Write the outlooks of a well from time point `since` on, or from where they were due.

    A time point has one when it was judged, or could not be but an earlier one was.

    Returns
    -------
    False where the budget was spent before the last one: the others stay due.
    """
    due: int | None = since if well.outlooks_due is None else min(since, well.outlooks_due)
    begun = False
    while due is not None and not (begun and budget.spent):
        sightings = work.plates.sightings(well, policy.phase_channel, due)
        outlooks = look_on(
            sightings.before,
            sightings.found,
            policy,
            earlier=lambda since=due: work.plates.points_before(well, since),  # type: ignore[misc]
        )
        work.plates.save_outlooks(well, sightings, outlooks, policy)
        due = sightings.until
        begun = True
    work.plates.note_outlooks_due(well, due)
    return due is None


def update_due_outlooks(
    work: UnitOfWork, wells: Sequence[Well], policy: RunPolicy, budget: Budget
) -> bool:
    """Write the outlooks of wells that are due, as far as the budget goes.

    Returns
    -------
    Whether none is due any more.
    """
    for number, well in enumerate(wells):
        if well.outlooks_due is None:
            continue
        if (number and budget.spent) or not update_outlooks(
            work, well, policy, budget, since=well.outlooks_due
        ):
            return False
    return True
