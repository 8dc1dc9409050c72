"""Fluorescence whose time, or whose day 0, becomes known later."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from scopewatch.core.estimation.forecast_validation import WellEnd
from scopewatch.core.imaging.frame import FrameTicket
from scopewatch.store.read.queries import Reader
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
