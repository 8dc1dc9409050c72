"""Measured beside what was shown: a run against its card's promise."""

import numpy as np
import pytest

from scopewatch.core.estimation.forecast_validation import (
    Field,
    Prediction,
    WellEnd,
    judge_run,
    measure_fields,
)
from scopewatch.core.imaging.fluorescence import read_fluorescence, thresholds_of
from scopewatch.core.imaging.model_card.held_out import HeldOutErrors
from tests.unit.core.fluorescence_samples import glow, marker_card, marker_frame

ERRORS = HeldOutErrors(
    tpr=0.9, fpr=0.02, half_width=0.06, coverage=0.9, run_residuals={"a": 0.03, "b": -0.01}
)
CARD = marker_card()


def field(name: str, share: float, *, counts: float = 2000.0) -> Field:
    reading = read_fluorescence(marker_frame(glow(share, counts=counts)), CARD, None)
    return Field(id=name, run="run7", group=f"run7/P1/{name}", reading=reading)


def end(well: str, measured: float, off: float, *, days: tuple[float, ...] = (7.0,)) -> WellEnd:
    now = measured + off
    return WellEnd(
        plate="P1",
        well=well,
        measured=measured,
        now=Prediction(day=10.0, value=now, low=now - 0.06, high=now + 0.06),
        forecasts=tuple(
            Prediction(day=day, value=measured - 0.1, low=measured - 0.2, high=measured)
            for day in days
        ),
    )


def test_frames_of_a_run_share_its_threshold() -> None:
    thresholds = thresholds_of(CARD.labels)

    found = measure_fields([field("A1", 0.25), field("A2", 0.75), field("A3", 0.0)], thresholds)

    assert [each.efficiency for each in found.values()] == [0.25, 0.75, 0.0]
    assert len({each.threshold for each in found.values()}) == 1
    assert 200 < found["A1"].threshold < 1800


def test_a_run_without_signal_has_no_positive_tile() -> None:
    found = measure_fields([field("A1", 0.5, counts=0.0)], thresholds_of(CARD.labels))

    assert found["A1"].efficiency == 0.0
    assert np.isinf(found["A1"].threshold)


def test_a_run_within_the_promise_does_not_depart() -> None:
    wells = [end(f"A{i}", 0.1 * i, 0.02) for i in range(1, 7)]

    report = judge_run(wells, ERRORS)

    assert report.departs == ""
    assert report.now is not None
    assert (report.now.wells, report.now.held) == (6, 1.0)
    assert report.now.bias == pytest.approx(0.02)
    assert report.by_day[7.0].bias == pytest.approx(-0.1)
    assert (report.half_width, report.largest_residual) == (0.06, 0.03)


def test_a_run_that_reads_higher_than_any_held_out_run_departs() -> None:
    report = judge_run([end(f"A{i}", 0.1 * i, 0.05) for i in range(1, 7)], ERRORS)

    assert report.departs == (
        "wells read 5.0 points too high on average; no held-out run was off by more than 3.0"
    )


def test_a_run_whose_wells_scatter_beyond_the_interval_departs() -> None:
    wells = [end(f"A{i}", 0.4, 0.1 * (-1) ** i) for i in range(6)]

    report = judge_run(wells, ERRORS)

    assert report.departs == "the interval held 0% of 6 wells; the card promises 90%"


def test_three_wells_are_too_few_to_say_that_a_run_departs() -> None:
    assert judge_run([end(f"A{i}", 0.4, 0.3) for i in range(3)], ERRORS).departs == ""


def test_without_error_rates_nothing_was_promised() -> None:
    report = judge_run([end(f"A{i}", 0.4, 0.3) for i in range(6)], None)

    assert report.departs == ""
    assert report.now is not None
    assert report.half_width is None


def test_a_well_without_a_last_estimate_counts_for_its_forecasts_alone() -> None:
    well = WellEnd(
        plate="P1",
        well="A1",
        measured=0.5,
        now=None,
        forecasts=(Prediction(day=7.0, value=0.4, low=0.3, high=0.6),),
    )

    report = judge_run([well], ERRORS)

    assert report.now is None
    assert report.by_day[7.0].held == 1.0


def test_a_card_of_one_run_promises_nothing_and_a_biased_run_departs_all_the_same() -> None:
    errors = HeldOutErrors(tpr=0.9, fpr=0.02, half_width=None, run_residuals={"a": 0.0})

    kept = judge_run([end(f"A{i}", 0.1 * i, 0.01) for i in range(1, 7)], errors)
    off = judge_run([end(f"A{i}", 0.1 * i, 0.05) for i in range(1, 7)], errors)

    assert (kept.half_width, kept.coverage, kept.largest_residual) == (None, None, None)
    assert kept.departs == ""
    assert off.departs == (
        "wells read 5.0 points too high on average; the model was trained on one run, which says"
        " nothing of others"
    )
