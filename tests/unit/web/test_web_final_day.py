"""The page of a well that fluorescence measured on the final day."""

from scopewatch.core.estimation.forecast_validation import Prediction, WellEnd
from scopewatch.store.read.final_results import RunEnd
from tests.unit.web.conftest import Dashboard
from tests.unit.web.fakes import FACTS
from tests.unit.web.page_scene import A2, two_wells, words_of


def prediction(day: float, value: float) -> Prediction:
    return Prediction(day=day, value=value, low=value - 0.1, high=value + 0.1)


def test_a_measured_well_shows_its_estimate_and_each_forecast_beside_the_measurement(
    dashboard: Dashboard,
) -> None:
    two_wells(dashboard)
    well = WellEnd(
        plate="P1",
        well="A2",
        measured=0.3,
        now=prediction(10, 0.32),
        forecasts=(prediction(6, 0.45), prediction(8, 0.38)),
    )
    dashboard.reader.ended = [RunEnd(run=FACTS.run, simulated=False, wells=(well,))]
    text = words_of(dashboard.get(A2).text)
    assert "Measured by fluorescence: 30 %" in text
    assert "<td>10.0, now</td><td>32 %</td><td>22 % to 42 %</td><td>+2.0</td>" in text
    assert text.index("<td>8.0, forecast</td><td>38 %</td>") < text.index(
        "<td>6.0, forecast</td><td>45 %</td>"
    )


def test_a_well_without_an_estimate_of_the_final_day_shows_its_forecasts_alone(
    dashboard: Dashboard,
) -> None:
    two_wells(dashboard)
    well = WellEnd(plate="P1", well="A2", measured=0.3, now=None, forecasts=(prediction(8, 0.4),))
    dashboard.reader.ended = [RunEnd(run=FACTS.run, simulated=False, wells=(well,))]
    text = words_of(dashboard.get(A2).text)
    assert "Measured by fluorescence: 30 %" in text
    assert ", now " not in text
    assert "<td>8.0, forecast</td><td>40 %</td>" in text
