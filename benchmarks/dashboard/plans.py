"""The content of the plates in states that an operator may meet."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

SCORED, OTHER = "phase", "PH"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The content of a plate.

    Parameters
    ----------
    rows, columns
        Of wells, from A1 on.
    time_points
        Number of imaged time points.
    seen_after
        Time from the last frame to the view of the dashboard.
    ends
        Final efficiency of single wells; the others end at 0.58 to 0.82.
    channel
        Of the frames.
    at_once
        Whether all files were there before, and were scored one after the other.
    unfit
        Returns for a well's index and a time point whether the frame cannot be judged.
    """

    rows: int
    columns: int
    time_points: int
    seen_after: timedelta = timedelta(minutes=12)
    ends: Mapping[str, float] | None = None
    channel: str = SCORED
    at_once: bool = False
    unfit: Callable[[int, int], bool] = lambda _well, _time_point: False

    @property
    def wells(self) -> list[str]:
        """The wells, row by row."""
        return [
            f"{chr(ord('A') + row)}{column + 1}"
            for row in range(self.rows)
            for column in range(self.columns)
        ]


PLANS: Mapping[str, Plan] = {
    "all-well": Plan(rows=3, columns=4, time_points=17),
    "weak-wells": Plan(
        rows=4, columns=6, time_points=14, ends={"B2": 0.14, "C5": 0.22, "D6": 0.05}
    ),
    "wrong-channel": Plan(rows=3, columns=4, time_points=3, channel=OTHER, at_once=True),
    "out-of-domain": Plan(
        rows=3,
        columns=4,
        time_points=3,
        at_once=True,
        unfit=lambda well, moment: (well + moment) % 3 != 0,
    ),
    "finished": Plan(
        rows=3, columns=4, time_points=21, seen_after=timedelta(days=4), ends={"B2": 0.31}
    ),
    "day-2": Plan(rows=3, columns=4, time_points=5),
}
