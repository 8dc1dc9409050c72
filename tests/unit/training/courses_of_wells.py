"""Makes courses of wells: logistic, as differentiation is, with delays of runs and wells."""

import numpy as np

from scopewatch.core.imaging.efficiency import ErrorRates
from scopewatch_training.forecasting.courses import Course
from scopewatch_training.forecasting.early_warning.study import RecordedRuns
from scopewatch_training.forecasting.timelapse import Moment, Well

RATES = ErrorRates(tpr=1.0, fpr=0.0, half_width=0.05)
FINAL_DAY = 10.0


def make_runs(runs: int = 4, wells: int = 10, *, seed: int = 0) -> RecordedRuns:
    """Return wells whose final efficiencies span 5 to 90 %, half of it there about day 6."""
    rng = np.random.default_rng(seed)
    moments: list[Moment] = []
    finals: dict[Well, float] = {}
    for run in range(runs):
        delay = rng.normal(0, 0.3)
        for well, final in enumerate(rng.permutation(np.linspace(0.05, 0.9, wells))):
            place = f"run{run}", "P1", f"A{well + 1}"
            finals[place] = float(final)
            half_day = 5.8 + delay + rng.normal(0, 0.2)
            for time_point in range(21):
                day = time_point / 2
                there = 1 / (1 + np.exp(-(day - half_day) / 0.5))
                raw = float(np.clip(final * there + rng.normal(0, 0.01), 0, 1))
                moments.append(
                    Moment(place=place, time_point=time_point, day=day, raw=(raw,), faults=())
                )
    return RecordedRuns(moments=tuple(moments), finals=finals, rates=RATES)


def make_courses(runs: int = 4, wells: int = 10, *, seed: int = 0) -> list[Course]:
    """Return the same wells as courses."""
    return make_runs(runs, wells, seed=seed).courses
