"""Times of planes in OME-XML: DeltaT, else TimeIncrement, and the date of the first."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import tifffile

from scopewatch.sources.readers.image_file import list_planes
from tests.unit.sources.images import pixels, read_frames
from tests.unit.sources.ome_sets import edit_xml, whole_plate

STACK = np.stack([pixels(seed=seed) for seed in range(3)])
DATE = "2026-03-01T09:00:00Z"
START = datetime(2026, 3, 1, 9, tzinfo=UTC)
INTERVAL_S = 43_200  # interval_h of the test's run


def elapsed(path: Path) -> list[datetime | float | None]:
    """Return when each plane was taken: a moment, or seconds since the start of the run."""
    return [each.acquired_at or each.elapsed_s for each in read_frames(path)]


def series(path: Path, **metadata: object) -> Path:
    tifffile.imwrite(
        path, STACK, photometric="minisblack", ome=True, metadata={"axes": "TYX", **metadata}
    )
    return path


def test_the_date_of_a_series_is_that_of_its_first_plane_alone(tmp_path: Path) -> None:
    path = series(tmp_path / "a.ome.tif", AcquisitionDate=DATE)
    assert elapsed(path) == [START + timedelta(hours=12 * n) for n in range(3)]
    assert [each.accepted["moment"].by for each in read_frames(path)] == [
        "OME-XML",
        "OME-XML: first plane + 1 x interval_h 12",
        "OME-XML: first plane + 2 x interval_h 12",
    ]


def test_delta_t_is_counted_from_the_date(tmp_path: Path) -> None:
    plane = {"DeltaT": [0.5, 3600.5, 7200.5]}
    path = series(tmp_path / "a.ome.tif", AcquisitionDate=DATE, Plane=plane)
    assert elapsed(path) == [START + timedelta(seconds=3600 * n + 0.5) for n in range(3)]


def test_without_a_date_delta_t_is_time_since_the_start(tmp_path: Path) -> None:
    path = series(tmp_path / "a.ome.tif", Plane={"DeltaT": [0.5, 3600.5, 7200.5]})
    assert elapsed(path) == [0.5, 3600.5, 7200.5]


def test_a_time_increment_serves_where_no_plane_says_when(tmp_path: Path) -> None:
    metadata = {"TimeIncrement": 6, "TimeIncrementUnit": "h"}
    path = series(tmp_path / "a.ome.tif", AcquisitionDate=DATE, **metadata)
    assert elapsed(path) == [START + timedelta(hours=6 * n) for n in range(3)]
    path = series(tmp_path / "b.ome.tif", **metadata)
    assert elapsed(path) == [0, 21_600, 43_200]


def test_a_delta_t_of_0_of_later_planes_is_filler(tmp_path: Path) -> None:
    path = series(tmp_path / "a.ome.tif", AcquisitionDate=DATE, Plane={"DeltaT": [0, 0, 0]})
    assert elapsed(path) == [START + timedelta(hours=12 * n) for n in range(3)]


def test_a_series_without_any_time_has_those_of_its_indexes(tmp_path: Path) -> None:
    path = series(tmp_path / "a.ome.tif")
    assert elapsed(path) == [0, INTERVAL_S, 2 * INTERVAL_S]
    assert {each.accepted["moment"].by for each in read_frames(path)} == {
        "time point x interval_h 12"
    }


def test_a_lone_plane_has_its_date_and_no_elapsed_time(tmp_path: Path) -> None:
    path = tmp_path / "a.ome.tif"
    metadata = {"axes": "YX", "AcquisitionDate": DATE}
    tifffile.imwrite(path, STACK[0], ome=True, metadata=metadata)
    assert list_planes(path).planes[0].facts.acquired_at == START
    path = tmp_path / "b.ome.tif"
    tifffile.imwrite(path, STACK[0], ome=True, metadata={"axes": "YX", "Plane": {"DeltaT": 7.0}})
    assert list_planes(path).planes[0].facts.elapsed_s is None


@pytest.mark.parametrize("delta_t", ["nan", "-5", "1e300", "x"])
def test_durations_beyond_belief_are_none(tmp_path: Path, delta_t: str) -> None:
    path = series(tmp_path / "a.ome.tif", AcquisitionDate=DATE, Plane={"DeltaT": [0, 3600, 7200]})
    edit_xml(path, lambda xml: xml.replace('DeltaT="3600"', f'DeltaT="{delta_t}"'))
    twelve_hours_later = START + timedelta(seconds=INTERVAL_S)
    assert elapsed(path) == [START, twelve_hours_later, START + timedelta(hours=2)]


def test_a_date_without_a_zone_is_the_time_of_day_of_the_microscope(tmp_path: Path) -> None:
    path = series(tmp_path / "a.ome.tif", AcquisitionDate="2026-03-01T09:00:00")
    facts = list_planes(path).planes[0].facts
    assert (facts.wall_time, facts.acquired_at) == (datetime(2026, 3, 1, 9), None)


def test_a_plate_of_ome_writers_has_the_times_that_come_when_it_is_closed(tmp_path: Path) -> None:
    whole_plate(tmp_path / "plate")
    moments = elapsed(tmp_path / "plate/plate_p001.ome.tiff")
    began = moments[0]
    assert isinstance(began, datetime)
    assert moments == [began + timedelta(hours=time) for time in (0, 0, 1, 1, 2, 2)]
