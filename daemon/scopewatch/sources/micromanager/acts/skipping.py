"""Wells that are marked dead: their positions are left out from the next time point on.

What is left out is no gap, since it is not planned any more. The plan's file keeps it, so it holds
over a restart; the journal keeps who marked the well, and why.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

from scopewatch.config import MicroManagerSourceConfig
from scopewatch.core.acquisition import Act, Target
from scopewatch.sources.micromanager.account import Account
from scopewatch.sources.micromanager.acts.refusal import OrderRefusedError
from scopewatch.sources.micromanager.plan_kept import KeptPlan
from scopewatch.sources.micromanager.time_lapse import TimeLapse

_MOST_NAMED = 5


class Skipping:
    """The wells of one time-lapse that are not imaged any more.

    Parameters
    ----------
    spots
        The position label of each plate, well and site.
    due
        Returns the last time point that was due; None before the first.
    """

    def __init__(
        self,
        config: MicroManagerSourceConfig,
        spots: Mapping[tuple[str, str, int], str],
        plan: KeptPlan,
        lapse: TimeLapse,
        account: Account,
        due: Callable[[], int | None],
    ) -> None:
        self._allowed = config.acts.skip_dead
        self._wells: dict[tuple[str, str], set[str]] = {}
        for (plate, well, _), label in spots.items():
            self._wells.setdefault((plate, well), set()).add(label)
        self._plan = plan
        self._lapse = lapse
        self._account = account
        self._due = due

    def carry_out(self, act: Act, target: Target) -> tuple[str, Target]:
        """Leave a well out, or take it in again; return the outcome, and the well with its plate.

        Raises
        ------
        OrderRefusedError
            When it cannot be done; nothing is changed then.
        """
        if act is Act.DEAD and not self._allowed:
            raise OrderRefusedError("acts.skip_dead of the source is off")
        plate, well = self._find(target)
        labels = self._wells[plate, well]
        grid, index = self._lapse.grid, self._next()
        if grid is None or index is None:
            raise OrderRefusedError("the time-lapse has not begun")
        if index >= self._plan.time_points:
            raise OrderRefusedError("no time point is left")
        left_out = labels <= self._plan.skipped(index)
        if left_out == (act is Act.DEAD):
            raise OrderRefusedError("it is left out already" if left_out else "it is not left out")
        if act is Act.DEAD:
            self._plan.leave_out(grid, labels, index)
        else:
            self._plan.take_in(grid, labels, index)
        what = "left out" if act is Act.DEAD else "imaged again"
        return f"{what} from time point {index} on", replace(target, plate=plate, well=well)

    def _find(self, target: Target) -> tuple[str, str]:
        found = [
            each for each in self._wells if each[1] == target.well and target.plate in ("", each[0])
        ]
        if len(found) == 1:
            return found[0]
        if found:
            plates = ", ".join(plate for plate, _ in found[:_MOST_NAMED])
            raise OrderRefusedError(f"well {target.well} is on several plates: {plates}; name one")
        raise OrderRefusedError(f"no position of the plan is in {target.text}")

    def _next(self) -> int | None:
        """Return the first time point that is not begun."""
        due = self._due()
        if due is None:
            return None
        return due + (due <= self._lapse.over or self._account.has_some(due))
