"""The sentence that a comparison ends with, and what limits it."""

from collections.abc import Sequence
from math import isfinite
from typing import Final

from scopewatch_training.comparison.differences import Difference

FEWEST_WELLS: Final = 6
"""Below it no interval is believed: a few wells can all err to one side by chance."""
_FEW_RUNS: Final = 5


def conclude(mae: Difference, wells: int, runs: Sequence[str], *, same: bool) -> str:
    """Return one sentence on the error of efficiencies, which says no more than its interval.

    Parameters
    ----------
    mae
        Difference of the mean absolute errors, in percentage points.
    wells
        How many were compared.
    same
        Whether both bundles give every tile the same score.
    """
    where = f"on {wells} well{'s' if wells != 1 else ''} of {', '.join(runs)}"
    if same:
        return f"A and B score every tile alike {where}: there is no difference to show."
    if wells < FEWEST_WELLS:
        return f"Nothing can be concluded {where}: an interval takes {FEWEST_WELLS} wells or more."
    found = mae.widest
    if not (isfinite(found.low) and isfinite(found.high)):
        return f"Nothing can be concluded {where}: the difference has no interval."
    if mae.better == 0:
        return (
            f"No difference is shown {where}: the error of B's efficiencies less that of A's is"
            f" {found.value:+.1f} points, and anything from {found.low:+.1f} to"
            f" {found.high:+.1f} points fits these wells (95 % interval)."
        )
    better, worse = ("B", "A") if mae.better == 2 else ("A", "B")
    least, most = sorted((abs(found.low), abs(found.high)))
    return (
        f"{better}'s efficiencies are nearer to the fluorescence than {worse}'s {where}: their"
        f" mean error is smaller by {abs(found.value):.1f} points"
        f" (95 % interval {least:.1f} to {most:.1f})."
    )


def caveats(
    runs: Sequence[str], mae: Difference, *, guess_mae: float, simulated: bool, other_labels: int
) -> tuple[str, ...]:
    """Return what limits the conclusion, a sentence each.

    Parameters
    ----------
    guess_mae
        Error of guessing the mean efficiency of these very fields, in percentage points.
    other_labels
        Tiles that the bundles' own thresholds label differently.
    """
    lines = []
    if len(runs) == 1:
        lines.append(
            f"One run was compared ({runs[0]}): the interval is over its wells and says nothing"
            " about other runs."
        )
    elif len(runs) < _FEW_RUNS:
        lines.append(
            f"{len(runs)} runs are few to draw from: other runs may differ more than the interval"
            " over runs shows."
        )
    lines.append(
        "Each figure has an interval of its own: among seven figures, one may seem to differ by"
        " chance. The conclusion is on MAE alone."
    )
    if min(mae.first, mae.second) >= guess_mae:
        lines.append(
            f"Neither is nearer than the mean of these fields, guessed for each ({guess_mae:.1f}"
            " points): look at both before you take one."
        )
    if other_labels:
        lines.append(
            f"The bundles' own thresholds label {other_labels} tiles differently; both are judged"
            " by the labels of A."
        )
    if simulated:
        lines.append("Simulated frames: the figures show the method, not real cells.")
    return tuple(lines)
