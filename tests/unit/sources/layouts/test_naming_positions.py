"""Positions, channels and rare names: which part of a name is what."""

from dataclasses import replace
from datetime import datetime

import pytest

from scopewatch.config.sources import POSITION_LABEL
from scopewatch.sources.base.address import PositionPattern
from scopewatch.sources.base.facts import Origin, PlaneFacts, Statement
from scopewatch.sources.base.reading import (
    ReadingSettings,
    read_frame,
)
from scopewatch.sources.layouts.naming import NamePattern
from scopewatch.sources.readers.planes import Contents, PlaneEntry
from tests.unit.sources.layouts.names import RUN, facts, read


def test_folders_of_a_cell_line_are_no_wells() -> None:
    """H9 is a stem cell line; Micro-Manager numbers its acquisitions."""
    for name in ("H9_1/img_000000002_Phase_000.tif", "H9_2/img_000000002_Phase_000.tif"):
        reading = read("micromanager", name)
        assert reading is not None
        assert (reading.key.well, reading.key.site) == ("A1", 0)
    inner = read("micromanager", "2026_03_01/H9_1/img_000000002_Phase_000.tif")
    assert inner is not None
    assert inner.key.well not in ("H9", "A1")


def test_position_folders_of_any_label_stay_apart() -> None:
    wells = set()
    for label in ("left dish", "DMSO", "Pos3", "12 h"):
        reading = read("micromanager", f"run_1/{label}/img_000000002_Phase_000.tif")
        assert reading is not None
        wells.add(reading.key.well)
    assert wells == {"left dish", "DMSO", "Pos3", "12 h"}


def test_a_plain_number_is_a_label_unless_the_plate_is_known() -> None:
    name = "--W00013--P00001--Z00000--T00000--phase.tif"
    statements = NamePattern("scanr").statements(name)
    settings = ReadingSettings(run=RUN, position=PositionPattern(POSITION_LABEL))
    assert read_frame(statements, settings, name).key.well == "13"
    known = replace(settings, plate_wells=96)
    assert read_frame(statements, known, name).key.well == "B1"


def test_a_label_is_a_well_where_the_source_says_so() -> None:
    name = "XY02/Image_XY02_00001_CH1.tif"
    statements = NamePattern("keyence").statements(name)
    settings = ReadingSettings(run=RUN, position=PositionPattern(POSITION_LABEL))
    assert read_frame(statements, settings, name).key.well == "XY02"
    mapped = replace(settings, wells={"XY02": "a2"})
    assert read_frame(statements, mapped, name).key.well == "A2"


def test_tags_that_a_program_fills_in_wrongly_are_left_out_and_no_others() -> None:
    tags = PlaneFacts(pixel_size_um=6.45, wall_time=datetime(2026, 3, 1, 9))
    tag = Statement(origin=Origin.TAG, by="TIFF tags", facts=tags)
    own = Statement(origin=Origin.PLANE, by="OME-XML", facts=tags)

    def left(layout: str) -> list[PlaneFacts]:
        return [each.facts for each in NamePattern(layout).trusted((tag, own))]

    assert left("harmony") == [replace(tags, pixel_size_um=None), tags]
    assert left("zen") == [replace(tags, wall_time=None), tags]
    assert left("scopewatch") == [tags, tags]


def test_a_layout_may_say_that_the_first_page_alone_is_a_frame() -> None:
    pages = tuple(PlaneEntry(page=page, fingerprint=str(page), statements=()) for page in range(2))
    contents = Contents(planes=pages, unfinished="the next page is not written yet")
    assert NamePattern("keyence").frames_of(contents) == Contents(planes=pages[:1])
    assert NamePattern("evos").frames_of(contents) == contents
    second = Contents(planes=pages[1:])
    assert NamePattern("keyence").frames_of(second) == second


@pytest.mark.parametrize(
    ("layout", "names"),
    [
        ("incucyte", ("{}/2026-03-01 day 1/VID7_C4_1_00d12h00m.tif", "Phase", "red")),
        ("incucyte", ("ES-{}Original_C4_1_00d12h00m.tif", "Phase", "Red")),
        ("metamorph", ("exp_w1{}_Camera_s1_t1.tif", "Phase", "GFP")),
        ("metamorph", ("exp_w1{} 0.5 s_s1_t1.tif", "Phase", "GFP")),
    ],
)
def test_channels_are_never_lost_so_that_one_is_taken_for_another(
    layout: str, names: tuple[str, str, str]
) -> None:
    name, *channels = names
    stated = [facts(layout, name.format(channel)).channel for channel in channels]
    for channel, found in zip(channels, stated, strict=True):
        assert found is not None
        assert found.startswith(channel)


@pytest.mark.parametrize(
    ("name", "plate", "channel"),
    [
        ("phase/plate-red_C4_1_00d12h00m.tif", "plate-red", "phase"),
        ("phase/plate_red_C4_1_00d12h00m.tif", "plate_red", "phase"),
        ("Phase/phase_VID7_C4_1_00d12h00m.tif", "VID7", "Phase"),
        ("red/VID7_Red_C4_1_00d12h00m.tif", "VID7", "red"),
        ("red/Red_C4_1_00d12h00m.tif", None, "red"),
        ("plate-red_C4_1_00d12h00m.tif", "plate", "red"),
    ],
)
def test_a_folder_of_a_channel_is_believed_before_a_colour_in_a_name(
    name: str, plate: str | None, channel: str
) -> None:
    found = facts("incucyte", name)
    assert (found.plate, found.channel) == (plate, channel)


@pytest.mark.parametrize(
    ("layout", "name", "counted"),
    [
        ("nis", "exp_T05XY02C1.tif", (2, 4, "C1")),
        ("nis", "exp_xy02t05c1.tif", (2, 4, "c1")),
        ("zen", "exp_s2_t12_c1.tif", (2, 11, "c1")),
        ("zen", "exp-Scene-02-P3-B4_t02c1_ORG.tif", (3, 1, "c1")),
        ("metamorph", "exp_s4_w1Phase_t3.TIF", (4, 2, "w1")),
        ("metamorph", "exp_t3_s4_w1Phase.TIF", (4, 2, "w1")),
        ("metamorph", "exp_t3_w1Phase.TIF", (None, 2, "w1")),
        ("leica", "exp_Region 2_B_4_pos 4_t0_ch0.tif", (4, 0, "ch0")),
    ],
)
def test_what_a_name_counts_is_read_in_any_order(
    layout: str, name: str, counted: tuple[int | None, int, str]
) -> None:
    found = facts(layout, name)
    assert (found.site, found.time_point, found.channel_code) == counted


@pytest.mark.parametrize(
    ("layout", "name"),
    [
        ("zen", "exp_s12c1_t3.tif"),
        ("metamorph", "exp_w1Phase_s1_t1_z3.tif"),
        ("keyence", "10X_W001_P00001_00003_CH1.tif"),
        ("leica", "TileScan 1/Position 1--Stage01--Z00--C00.tif"),
        ("leica", "image--L0000--S00--U01--V02--J08--X00--Y01--T0003--Z00--C01.ome.tif"),
    ],
)
def test_a_name_of_which_a_part_would_be_lost_does_not_fit(layout: str, name: str) -> None:
    assert NamePattern(layout).read(name) is None


@pytest.mark.parametrize(
    ("layout", "name"),
    [
        ("scopewatch", "p_AA01_s0_t0003_phase.tif"),
        ("incucyte", "phase/VID12_AA01_1_00d23h56m.tif"),
        ("pyincucyte", "VID38_AA1_1_00d12h00m.tif"),
        ("evos", "p_Plate_R_p00_0_AA01f03d4.tif"),
        ("leica", "Plate_AA_1_Position 4_t003_ch00.tif"),
        ("nis", "WellAA01_PointAA01_0003_ChannelPhase_Seq0000.tiff"),
        ("cytation", "AA1_02_2_16_Bright Field_012.tif"),
        ("yokogawa", "AA-01_F0001_T0020_Z0001_C2.png"),
    ],
)
def test_rows_of_the_largest_plates_are_wells(layout: str, name: str) -> None:
    assert facts(layout, name).well == "AA1"


def test_a_cell_line_in_a_leica_name_is_no_well() -> None:
    assert facts("leica", "Project_H9_Series002_t00_ch00.tif").well is None
    assert facts("leica", "Project_H9_C_07_Series002_t00_ch00.tif").well == "C7"
    assert facts("leica", "Project_C07_R1_t00_ch00.tif").well == "C7"
