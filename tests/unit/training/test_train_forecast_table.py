"""The forecast table."""

from pathlib import Path

import numpy as np
import pytest

from scopewatch.core.errors import ConfigError
from scopewatch_training.forecast_table import WellDay, fit_forecast, read_timelapse

HEADER = "run,plate,well,site,time_point,day,phase,um_per_px\n"


def wells_at(day: float, certainty: float, runs: int = 6, wells: int = 8) -> list[WellDay]:
    """Return wells whose estimate says `certainty` of their final efficiency, the rest noise."""
    rng = np.random.default_rng(int(day * 10))
    made = []
    for run in range(runs):
        for final in rng.uniform(0.05, 0.9, wells):
            noise = rng.uniform(0, 0.9)
            estimate = certainty * final + (1 - certainty) * noise
            made.append(WellDay(run=f"run{run}", day=day, estimate=estimate, final=float(final)))
    return made


def test_a_day_that_tells_the_end_gives_a_narrow_interval() -> None:
    early, late = fit_forecast([*wells_at(1.0, 0.0), *wells_at(9.0, 0.98)])

    assert (early.day, late.day) == (1.0, 9.0)
    assert late.half_width < 0.06 < early.half_width
    assert late.slope == pytest.approx(1, abs=0.1)
    assert abs(early.slope) < 0.35
    assert late.better_than_prior


def test_a_day_counts_as_better_only_when_all_later_days_are() -> None:
    rows = fit_forecast([*wells_at(3.0, 0.95), *wells_at(5.0, 0.0), *wells_at(7.0, 0.95)])

    assert rows[0].half_width < rows[1].half_width
    assert rows[0].better_than_prior <= rows[1].better_than_prior
    assert rows[2].better_than_prior


def test_the_interval_holds_wells_of_further_runs() -> None:
    row = fit_forecast(wells_at(6.0, 0.9))[0]
    further = wells_at(6.1, 0.9, runs=20)

    off = [abs(row.intercept + row.slope * well.estimate - well.final) for well in further]

    assert np.mean(np.array(off) <= row.half_width) >= 0.85
    assert row.half_width < 0.1


def test_days_with_too_few_wells_or_one_run_get_no_row() -> None:
    assert fit_forecast(wells_at(2.0, 0.9, runs=1, wells=10)) == ()
    assert fit_forecast(wells_at(2.0, 0.9, runs=2, wells=2)) == ()


def test_a_timelapse_table_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(b"x")
    table = tmp_path / "t.csv"
    table.write_text(HEADER + "run1,P1,A1,0,4,2.0,a.tif,1.0\nrun1,P1,A2,1,5,2.5,a.tif,\n")

    one, two = read_timelapse(table)

    assert (one.place, one.day, one.um_per_px) == (("run1", "P1", "A1"), 2.0, 1.0)
    assert (two.site, two.time_point, two.um_per_px) == (1, 5, None)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("run,plate\n", "incomplete: {} (expected columns run, plate, well, site, time_point, day"),
        (HEADER, "(expected columns run, plate, well, site, time_point, day, phase and a line"),
        (HEADER + "run1,P1,A1,0,4,two,a.tif,1\n", "wrong line: {} line 2 (got could not convert"),
        (HEADER + "run1,P1,A1,0,4,2,b.tif,1\n", "wrong line: {} line 2 (got no file b.tif)"),
    ],
)
def test_a_wrong_table_is_refused(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "a.tif").write_bytes(b"x")
    table = tmp_path / "t.csv"
    table.write_text(text)

    with pytest.raises(ConfigError) as caught:
        read_timelapse(table)

    assert words.format(table) in str(caught.value)


def test_a_missing_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="time-lapse table cannot be read: "):
        read_timelapse(tmp_path / "t.csv")
