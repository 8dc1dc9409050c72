"""Fluorescence whose time, or whose day 0, becomes known later."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from scopewatch.core.estimation.forecast import WellForecast
from scopewatch.core.estimation.forecast_validation import WellEnd
from scopewatch.core.tickets import FrameTicket
from scopewatch.core.well_name import WellName
from scopewatch.store.read.final_results import MOST_FORECASTS
from scopewatch.store.read.reader import Reader
from tests.conftest import FakeClock
from tests.unit.store.scene import START, Scene, key, open_store, ticket
from tests.unit.store.test_store_measuring import LAST, measuring, read

TEN_DAYS = timedelta(days=10)


@pytest.fixture
def scene(tmp_path: Path, clock: FakeClock) -> Iterator[Scene]:
    store = open_store(
        tmp_path,
        clock,
        channels={},
        measuring=measuring(tmp_path),
        fluorescence_channel="gfp",
        simulated=True,
    )
    yield Scene(store=store, folder=tmp_path)
    store.close()


def measure(scene: Scene, offered: FrameTicket) -> None:
    assert scene.store.claim(offered)
    frame, reading = read(offered, 0.5)
    scene.store.measure(offered, frame, reading)


def ends(scene: Scene) -> list[WellEnd]:
    with closing(Reader.open(scene.folder)) as reader:
        return [well for end in reader.ends() for well in end.wells]


def test_fluorescence_that_turns_out_to_be_of_the_final_day_measures_the_run(
    scene: Scene,
) -> None:
    scene.score(key("A1", 0), 0.5)
    offered = ticket(key("A1", LAST, channel="gfp"))
    # The time by the only date of the series, before the writer gives more.
    measure(scene, replace(offered, acquired_at=START))
    assert ends(scene) == []
    dated = replace(offered, acquired_at=START + TEN_DAYS)
    assert not scene.store.claim(dated)
    assert scene.store.retime(dated)
    assert not scene.store.retime(dated)
    (well,) = ends(scene)
    assert (well.well, well.measured) == ("A1", 0.5)


def test_an_earlier_first_frame_makes_fluorescence_that_of_the_final_day(scene: Scene) -> None:
    scene.score(key("A1", 10), 0.5)
    offered = ticket(key("A1", LAST, channel="gfp"))
    measure(scene, replace(offered, acquired_at=START + TEN_DAYS))
    assert ends(scene) == [], "day 5, by the times known then"
    scene.score(key("A1", 0), 0.5)
    (well,) = ends(scene)
    assert (well.well, well.measured) == ("A1", 0.5)
    assert scene.rows("SELECT day FROM fluorescence") == [(10.0,)]


def test_of_a_long_run_forecasts_of_evenly_spaced_days_are_compared(scene: Scene) -> None:
    for time_point in range(100):
        scene.score(key("A1", time_point), 0.5, taken={"acquired_at": at(time_point)})
    offered = ticket(key("A1", 100, channel="gfp"))
    measure(scene, replace(offered, acquired_at=at(100)))
    (well,) = ends(scene)
    with closing(Reader.open(scene.folder)) as reader:
        of_all = reader.outlooks(WellName(run="run 7", plate="p1", well="A1"), 1000)
    forecast = [each for each in of_all if isinstance(each.forecast, WellForecast)]
    assert len(forecast) > MOST_FORECASTS
    every_third = [each.day for each in forecast if (99 - each.time_point) % 3 == 0]
    shown = [each.day for each in well.forecasts]
    assert 0 < len(shown) <= MOST_FORECASTS
    assert shown == every_third[: len(shown)]


def test_time_points_that_are_numbered_with_gaps_lose_no_forecasts(scene: Scene) -> None:
    # As by hours and minutes: 7 apart, and a jump of 1,000 in between.
    numbers = [7 * each + (1000 if each >= 10 else 0) for each in range(20)]
    for count, number in enumerate(numbers):
        scene.score(key("A1", number), 0.5, taken={"acquired_at": at(5 * count)})
    offered = ticket(key("A1", numbers[-1] + 7, channel="gfp"))
    measure(scene, replace(offered, acquired_at=at(100)))
    (well,) = ends(scene)
    with closing(Reader.open(scene.folder)) as reader:
        of_all = reader.outlooks(WellName(run="run 7", plate="p1", well="A1"), 1000)
    forecast = [each.day for each in of_all if isinstance(each.forecast, WellForecast)]
    shown = [each.day for each in well.forecasts]
    assert len(shown) > 5
    assert shown == forecast[: len(shown)]


def at(time_point: int) -> datetime:
    """The time of one of 100 time points of ten days."""
    return START + time_point * TEN_DAYS / 100
