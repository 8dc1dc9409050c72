"""Guesses about a run, and their basis."""

from datetime import datetime, timedelta

import pytest

from scopewatch.app.setup.guess import (
    guess_interval_h,
    guess_phase_channel,
    guess_plate_wells,
    usual_h,
)
from scopewatch.sources.base.facts import PlaneFacts


@pytest.mark.parametrize(
    ("measured", "usual"), [(11.93, 12), (0.99, 1), (0.34, 1 / 3), (5.0, 5.0), (2.2, 2.2)]
)
def test_an_interval_near_a_usual_one_is_meant_to_be_it(measured: float, usual: float) -> None:
    assert usual_h(measured) == pytest.approx(usual)


def test_the_interval_is_the_median_gap_of_one_field_of_view() -> None:
    facts = [
        PlaneFacts(well=well, elapsed_s=3600 * 4 * point + drift)
        for well, drift in (("A1", 0), ("A2", 300))
        for point in (0, 1, 2, 5)
    ]
    assert guess_interval_h(facts).value == 4


def test_dates_in_names_give_the_interval_as_well() -> None:
    began = datetime(2026, 3, 1, 9)
    facts = [PlaneFacts(wall_time=began + timedelta(hours=6 * point)) for point in range(3)]
    assert guess_interval_h(facts).value == 6
    assert guess_interval_h(facts[:1]).value is None


@pytest.mark.parametrize(
    ("channels", "phase"),
    [
        (["phase", "gfp"], "phase"),
        (["Phase Contrast", "GFP"], "Phase Contrast"),
        (["Ph", "red"], "Ph"),
        (["Brightfield", "EGFP"], "Brightfield"),
        (["DAPI", "TL Bright Field"], "TL Bright Field"),
        (["CH4"], "CH4"),
        (["CH1", "CH4"], None),
        ([], None),
        (["phase 1", "phase 2"], None),
    ],
)
def test_the_phase_channel_is_known_by_its_name_or_alone(
    channels: list[str], phase: str | None
) -> None:
    assert guess_phase_channel(dict.fromkeys(channels, 1)).value == phase


@pytest.mark.parametrize(
    ("wells", "size"),
    [
        (["A1"], 6),
        (["B3"], 6),
        (["C4"], 12),
        (["A1", "D6"], 24),
        (["H12"], 96),
        (["I1"], 384),
        (["AF48"], 1536),
        (["XY01", "Pos0"], None),
        (["AG1"], None),
    ],
)
def test_the_plate_is_the_smallest_that_has_all_wells(wells: list[str], size: int | None) -> None:
    assert guess_plate_wells(wells).value == size
