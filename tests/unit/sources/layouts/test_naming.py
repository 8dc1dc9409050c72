from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopewatch.config import RunConfig
from scopewatch.core.errors import ConfigError, FrameError
from scopewatch.sources.base.reading import (
    read_frame,
    reading_settings,
)
from scopewatch.sources.layouts.naming import NamePattern
from scopewatch.sources.layouts.registry import LAYOUTS
from tests.unit.sources.images import folder_config
from tests.unit.sources.layouts.names import RUN, STARTED, facts, read


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
        ("evos", "scan_Plate_R_p17_1_A01f00d0.TIF", "scan_Plate/A1/s0/t0017/d0"),
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
    reading = read("incucyte", "VID1_A1_1_01d12h05m.tif", RunConfig(name="x"))
    assert reading is not None
    assert (reading.key.time_point, reading.acquired_at) == (3, None)


def test_a_date_gives_the_time_point_from_the_start() -> None:
    moment = (STARTED + timedelta(hours=24)).astimezone()
    name = moment.strftime("VID1_A1_1_%Yy%mm%dd_%Hh%Mm.tif")
    reading = read("incucyte", name)
    assert reading is not None
    assert (reading.key.time_point, reading.acquired_at) == (2, moment)


@pytest.mark.parametrize(
    ("name", "run", "line"),
    [
        (
            "VID1_A1_1_00d06h00m.tif",
            RUN,
            "time in the file name is not at a time point of the run: VID1_A1_1_00d06h00m.tif"
            " (expected a multiple of 12 h, got 6.0 h after the start); set experiment.interval_h"
            " (and started_at) to those of the time-lapse",
        ),
        (
            "VID1_A1_1_2026y02m01d_09h00m.tif",
            RUN,
            "time in the file name is not at a time point of the run",
        ),
        (
            "VID1_A1_1_2026y03m01d_09h00m.tif",
            RunConfig(name="x"),
            "file name holds a date, which needs the start of the run:"
            " VID1_A1_1_2026y03m01d_09h00m.tif; set experiment.started_at",
        ),
        ("VID1_A1_1_2026y13m41d_09h00m.tif", RUN, "file name holds no date"),
    ],
)
def test_a_time_that_does_not_fit_the_run_is_refused(name: str, run: RunConfig, line: str) -> None:
    with pytest.raises(FrameError) as caught:
        read("incucyte", name, run)
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


@pytest.mark.parametrize(
    ("name", "counts", "well"),
    [
        ("1-1", {}, "A1"),
        ("2-3", {}, "B3"),
        ("b-03", {}, "B3"),
        ("AF-48", {}, "AF48"),
        ("27-1", {}, "AA1"),
        ("32-48", {}, "AF48"),
        ("0-0", {"row": 0, "column": 0}, "A1"),
        ("7-11", {"row": 0, "column": 0}, "H12"),
        ("B-0", {"column": 0}, "B1"),
    ],
)
def test_row_and_column_make_the_well(name: str, counts: dict[str, int], well: str) -> None:
    assert facts(r"^(?P<row>\w+)-(?P<column>\d+)", name, **counts).well == well


@pytest.mark.parametrize("name", ["0-1", "1-0", "33-1", "1-49"])
def test_a_row_and_column_that_no_plate_has_are_refused(name: str) -> None:
    with pytest.raises(FrameError, match="row and column in the file name are no well"):
        facts(r"^(?P<row>\d+)-(?P<column>\d+)", name)


@pytest.mark.parametrize("written", ["A1", "a1", "A_1", "A-01", "r01c01", "R01_C01"])
def test_wells_of_an_own_pattern_are_written_alike(written: str) -> None:
    assert facts(r"^(?P<well>[^.]+)\.", f"{written}.tif").well == "A1"


@pytest.mark.parametrize("label", ["XY01", "Z_1", "r33c01", "1-Pos_000_001", "A_0", "H9 line"])
def test_other_labels_stay_as_they_are(label: str) -> None:
    assert facts(r"^(?P<well>[^.]+)\.", f"{label}.tif").well == label


def test_wells_are_mapped_by_the_label_as_it_is_written() -> None:
    config = folder_config(Path("in"), wells={"A_1": "H12", "b02": "C4"})
    settings = reading_settings(config, RUN)
    for written, well in (("A_1", "H12"), ("B02", "C4"), ("A_2", "A2")):
        statements = NamePattern(r"^(?P<well>[^.]+)\.").statements(f"{written}.tif")
        assert read_frame(statements, settings, written).key.well == well


@pytest.mark.parametrize("written", ["A1", "a1", "A01", "A001"])
def test_wells_of_all_programs_are_written_alike(written: str) -> None:
    assert facts("scopewatch", f"p_{written}_s0_t0_phase.tif").well == "A1"


@pytest.mark.parametrize(("written", "well"), [("A012", "A12"), ("P24", "P24"), ("B012", "B12")])
def test_digits_of_a_well_are_never_taken_for_a_site(written: str, well: str) -> None:
    found = facts("scopewatch", f"p_{written}_s3_t0_phase.tif")
    assert (found.well, found.site) == (well, 3)


def test_a_name_with_more_digits_than_a_well_does_not_fit() -> None:
    assert NamePattern("scopewatch").read("p_P100_s3_t0_phase.tif") is None


@pytest.mark.parametrize(
    ("pattern", "name", "elapsed_s"),
    [
        (r"_(?P<hours>\d+)h", "x_36h.tif", 36 * 3600),
        (r"_(?P<minutes>\d+)min", "x_90min.tif", 5400),
        (r"_(?P<seconds>\d+)s", "x_45s.tif", 45),
        (r"_(?P<hours>\d+)h(?P<minutes>\d+)m", "x_1h30m.tif", 5400),
        (r"_(?P<days>\d+)d", "x_2d.tif", 172_800),
        (r"_(?P<hours>\d+)h", "x_0h.tif", 0),
    ],
)
def test_any_part_of_the_elapsed_time_counts(pattern: str, name: str, elapsed_s: float) -> None:
    assert facts(pattern, name).elapsed_s == elapsed_s


def test_an_own_pattern_may_say_what_its_names_begin_to_count_with() -> None:
    pattern = r"t(?P<time_point>\d+)z(?P<z>\d+)"
    assert facts(pattern, "t1z1").time_point == 1
    counted = facts(pattern, "t1z1", time_point=1, z=1)
    assert (counted.time_point, counted.z, counted.first_z) == (0, 1, 1)
    with pytest.raises(FrameError) as caught:
        facts(pattern, "t0z1", time_point=1)
    assert str(caught.value) == (
        "time point in the file name lies before the first: t0z1 (expected 1 or more, got 0);"
        " set `counts_from: {time_point: 0}` of the source, where its program does so"
    )


def test_what_a_layout_counts_from_can_be_set_otherwise() -> None:
    name = "JC080420_t000_g01_n2_w2488_s38.TIF"
    assert facts("metamorph", name, time_point=0).time_point == 0


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        (r"(?P<row>\d)", "got row alone"),
        (r"(?P<year>\d{4})(?P<month>\d\d)", "got month and year alone"),
    ],
)
def test_groups_that_mean_something_only_together_are_asked_for(pattern: str, line: str) -> None:
    with pytest.raises(ConfigError) as caught:
        NamePattern(pattern)
    assert line in str(caught.value)


def test_a_date_of_two_digits_is_of_this_century() -> None:
    pattern = r"(?P<year>\d\d)(?P<month>\d\d)(?P<day>\d\d)_(?P<hours>\d\d)(?P<seconds>\d\d)"
    assert facts(pattern, "260301_0907").wall_time == datetime(2026, 3, 1, 9, 0, 7)


def test_a_date_beyond_all_bounds_is_refused() -> None:
    with pytest.raises(FrameError, match="file name holds no date"):
        facts(r"(?P<year>\d+)y(?P<month>\d+)m(?P<day>\d+)d", "99999y1m1d")
