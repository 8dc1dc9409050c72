"""Wells that are marked dead are left out from the next time point on; others get further sites.

What is left out is no gap, since it is not planned any more. The plan's file keeps it, so it holds
over a restart; the journal keeps who marked the well, and why.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

from scopewatch.config import MicroManagerSourceConfig
from scopewatch.core.acquisition.orders import Act, Target
from scopewatch.sources.micromanager.account import Account
from scopewatch.sources.micromanager.acts.refusal import OrderRefusedError
from scopewatch.sources.micromanager.acts.sites import Further
from scopewatch.sources.micromanager.schedule.grid import Grid
from scopewatch.sources.micromanager.schedule.plan_kept import KeptPlan
from scopewatch.sources.micromanager.schedule.time_lapse import TimeLapse

_MOST_NAMED = 5


class Skipping:
    """The wells of one time-lapse that are not imaged as planned.

    Parameters
    ----------
    spots
        The position label of each plate, well and site.
    further
        The further positions of each well.
    due
        Returns the last time point that was due; None before the first.
    """

    def __init__(
        self,
        config: MicroManagerSourceConfig,
        spots: Mapping[tuple[str, str, int], str],
        further: Further,
        plan: KeptPlan,
        lapse: TimeLapse,
        account: Account,
        due: Callable[[], int | None],
    ) -> None:
        self._allowed = {
            Act.DEAD: config.acts.skip_dead,
            Act.MORE_SITES: config.acts.more_sites is not None,
        }
        self._further = {
            well: {each.label for each in positions} for well, positions in further.items()
        }
        self._wells: dict[tuple[str, str], set[str]] = {}
        for (plate, well, _), label in spots.items():
            self._wells.setdefault((plate, well), set()).add(label)
        self._plan = plan
        self._lapse = lapse
        self._account = account
        self._due = due

    def carry_out(self, act: Act, target: Target) -> tuple[str, Target]:
        """Do what is wanted of a well; return the outcome, and the well with its plate.

        Raises
        ------
        OrderRefusedError
            When it cannot be done; nothing is changed then.
        """
        if not self._allowed.get(act, True):
            setting = "skip_dead" if act is Act.DEAD else "more_sites"
            raise OrderRefusedError(f"acts.{setting} of the source is off")
        plate, well = self._find(target)
        grid, index = self._lapse.grid, self._next()
        if grid is None or index is None:
            raise OrderRefusedError("the time-lapse has not begun")
        if index >= self._plan.time_points:
            raise OrderRefusedError("no time point is left")
        what = self._change(act, (plate, well), grid, index)
        return f"{what} from time point {index} on", replace(target, plate=plate, well=well)

    def _change(self, act: Act, well: tuple[str, str], grid: Grid, index: int) -> str:
        plan, labels, further = self._plan, self._wells[well], self._further.get(well, set())
        left_out = labels <= plan.skipped(index)
        added = bool(further) and further <= plan.added(index)
        if act is Act.DEAD:
            _refuse_if(left_out, "it is left out already")
            plan.leave_out(grid, labels, index)
            plan.drop(grid, further, index)
            return "left out"
        if act is Act.ALIVE:
            _refuse_if(not left_out, "it is not left out")
            plan.take_in(grid, labels, index)
            return "imaged again"
        if act is Act.MORE_SITES:
            _refuse_if(left_out, "the well is marked dead")
            _refuse_if(added, "it has further sites already")
            plan.add(grid, further, index)
            return f"{len(further)} further sites, where there is time,"
        _refuse_if(not added, "it has no further sites")
        plan.drop(grid, further, index)
        return "only the planned sites"

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


def _refuse_if(is_so: bool, why: str) -> None:
    if is_so:
        raise OrderRefusedError(why)
