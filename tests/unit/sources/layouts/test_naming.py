from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopewatch.config import ExperimentConfig
from scopewatch.config.sources import POSITION_LABEL
from scopewatch.core.errors import ConfigError, FrameError
from scopewatch.sources.base.address import PositionPattern
from scopewatch.sources.base.reading import FrameReading, ReadingSettings, read_frame
from scopewatch.sources.layouts.naming import NamePattern
from scopewatch.sources.layouts.registry import LAYOUTS

STARTED = datetime(2026, 3, 1, 9, tzinfo=UTC)
EXPERIMENT = ExperimentConfig(name="HES7", started_at=STARTED, interval_h=12)


def read(pattern: str, name: str, experiment: ExperimentConfig = EXPERIMENT) -> FrameReading | None:
    """Read a frame of which only its name says anything."""
    statements = NamePattern(pattern).statements(name)
    settings = ReadingSettings(experiment=experiment, position=PositionPattern(POSITION_LABEL))
    return read_frame(statements, settings, name) if statements else None


@pytest.mark.parametrize(
    ("preset", "name", "key"),
    [
        ("scopewatch", "run1/plate_A1_s0_t0003_phase.tif", "plate/A1/s0/t0003/phase"),
        ("scopewatch", "my_plate_h12_s2_t0013_gfp.ome.tif", "my_plate/H12/s2/t0013/gfp"),
        (
            "micromanager",
            "run_1/B2-Site_3/img_channel000_position000_time000000004_z000.tif",
            "plate/B2/s3/t0004/phase",
        ),
        ("micromanager", "r/Pos3/img_000000002_BF_000.tif", "plate/Pos3/s0/t0002/BF"),
        ("micromanager", "run_1/img_000000002_Phase_000.tif", "plate/A1/s0/t0002/phase"),
        ("incucyte", "VID1234_A1_1_00d12h00m.tif", "VID1234/A1/s1/t0001/phase"),
        ("incucyte", "VID12_B10_2_10d00h05m.tif", "VID12/B10/s2/t0020/phase"),
        ("keyence", "run_XY01_T0002_CH1.tif", "run/XY01/s0/t0001/CH1"),
        ("keyence", "XY02/Image_T0001_XY02_Z001_CH4.tif", "Image/XY02/s0/t0000/CH4"),
        ("keyence", "XY02_T0002_CH1.jpg", "plate/XY02/s0/t0001/CH1"),
        ("evos", "scan_t0004_B03f02d0.tif", "scan/B3/s2/t0004/d0"),
        ("evos", "scan_Plate_R_p00_0_A01f00d0.TIF", "scan_Plate/A1/s0/t0000/d0"),
        (r"(?P<plate>\w+)/(?P<well>\w+)/t(?P<time_point>\d+)", "p2/C3/t7.png", "p2/C3/s0/t0007"),
        (r"t(?P<time_point>\d+)\.tif", "t054.tif", "plate/A1/s0/t0054/phase"),
    ],
)
def test_names_of_common_programs_are_read(preset: str, name: str, key: str) -> None:
    reading = read(preset, name)
    assert reading is not None
    assert f"HES7/{key}" in str(reading.key)


@pytest.mark.parametrize("preset", LAYOUTS)
def test_a_name_that_does_not_fit_is_not_read(preset: str) -> None:
    assert read(preset, "holiday/IMG 2031.tif") is None


def test_elapsed_time_gives_the_time_point_and_the_time_of_day() -> None:
    reading = read("incucyte", "VID1_A1_1_01d12h05m.tif")
    assert reading is not None
    assert reading.key.time_point == 3
    assert reading.acquired_at == STARTED + timedelta(days=1, hours=12, minutes=5)


def test_elapsed_time_needs_no_start_for_the_time_point() -> None:
    reading = read("incucyte", "VID1_A1_1_01d12h05m.tif", ExperimentConfig(name="x"))
    assert reading is not None
    assert (reading.key.time_point, reading.acquired_at) == (3, None)


def test_a_date_gives_the_time_point_from_the_start() -> None:
    moment = (STARTED + timedelta(hours=24)).astimezone()
    name = moment.strftime("VID1_A1_1_%Yy%mm%dd_%Hh%Mm.tif")
    reading = read("incucyte", name)
    assert reading is not None
    assert (reading.key.time_point, reading.acquired_at) == (2, moment)


@pytest.mark.parametrize(
    ("name", "experiment", "line"),
    [
        (
            "VID1_A1_1_00d06h00m.tif",
            EXPERIMENT,
            "time in the file name is not at a time point of the run: VID1_A1_1_00d06h00m.tif"
            " (expected a multiple of 12 h, got 6.0 h after the start); set experiment.interval_h"
            " (and started_at) to those of the time-lapse",
        ),
        (
            "VID1_A1_1_2026y02m01d_09h00m.tif",
            EXPERIMENT,
            "time in the file name is not at a time point of the run",
        ),
        (
            "VID1_A1_1_2026y03m01d_09h00m.tif",
            ExperimentConfig(name="x"),
            "file name holds a date, which needs the start of the run:"
            " VID1_A1_1_2026y03m01d_09h00m.tif; set experiment.started_at",
        ),
        ("VID1_A1_1_2026y13m41d_09h00m.tif", EXPERIMENT, "file name holds no date"),
    ],
)
def test_a_time_that_does_not_fit_the_run_is_refused(
    name: str, experiment: ExperimentConfig, line: str
) -> None:
    with pytest.raises(FrameError) as caught:
        read("incucyte", name, experiment)
    assert str(caught.value).startswith(line)


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        ("incucite", "file name pattern has the wrong named groups: incucite (expected a preset"),
        ("(", "file name pattern is not a regular expression: ("),
        (r"(?P<wel>[A-H]\d)", "got wel)"),
        ("", "got none)"),
    ],
)
def test_a_wrong_pattern_is_refused(pattern: str, line: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(pattern, "x.tif")
    assert line in str(caught.value)
    assert f"({', '.join(LAYOUTS)})" in str(caught.value)
    assert "\n" not in str(caught.value)


@given(
    st.from_regex(r"[A-Za-z0-9]{1,8}", fullmatch=True),
    st.sampled_from("ABCDEFGHIJKLMNOP"),
    st.integers(1, 24),
    st.integers(0, 99),
    st.integers(0, 99_999),
    st.from_regex(r"[a-z]{1,8}", fullmatch=True),
)
def test_the_simulators_names_survive_the_way_there_and_back(
    plate: str, row: str, column: int, site: int, time_point: int, channel: str
) -> None:
    reading = read("scopewatch", f"{plate}_{row}{column}_s{site}_t{time_point:04d}_{channel}.tif")
    assert reading is not None
    key = reading.key
    assert (key.plate, key.well, key.site, key.time_point, key.channel) == (
        plate,
        f"{row}{column}",
        site,
        time_point,
        channel,
    )


@given(st.text(max_size=60))
def test_no_name_breaks_a_preset(name: str) -> None:
    for preset in LAYOUTS:
        try:
            reading = read(preset, name)
        except FrameError:
            continue
        assert reading is None or reading.key.time_point >= 0
