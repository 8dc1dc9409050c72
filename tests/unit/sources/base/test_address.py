import pytest

from scopewatch.config.sources import POSITION_LABEL
from scopewatch.core.errors import ConfigError, FrameError
from scopewatch.sources.base.address import PositionPattern, frame_key, refuse_other_planes
from scopewatch.sources.base.facts import PlaneFacts
from scopewatch.sources.base.wells import number_well, spell_well
from tests.unit.sources.images import RUN


def test_what_nobody_says_has_documented_defaults() -> None:
    assert str(frame_key(PlaneFacts(), RUN)) == "HES7/plate/A1/s0/t0000/phase"


def test_a_better_witness_is_laid_over_a_lesser_one() -> None:
    better = PlaneFacts(well="B2", time_point=0)
    lesser = PlaneFacts(well="A1", time_point=7, site=3)
    assert better.over(lesser) == PlaneFacts(well="B2", time_point=0, site=3)


def test_the_phase_channel_is_compared_without_case() -> None:
    assert frame_key(PlaneFacts(channel="PHASE"), RUN).channel == "phase"
    assert frame_key(PlaneFacts(channel="GFP"), RUN).channel == "GFP"


@pytest.mark.parametrize(
    ("label", "well", "site"),
    [
        ("A1", "A1", None),
        ("a01", "a01", None),
        ("B12_s3", "B12", 3),
        ("A1-Site_0", "A1", 0),
        ("A1_0000", "A1", 0),
        ("B03_fov2", "B3", 2),
        ("B2_f3", "B2", 3),
        ("A1_p2", "A1", 2),
        ("c4 pos 7", "C4", 7),
        ("Well A01, Site 2", "A1", 2),
        ("well_b3", "B3", None),
        ("A01:Site 2", "A1", 2),
        ("AA01_0003", "AA1", 3),
        ("Z48_0000", "Z48", 0),
        ("T25_1", "T25_1", None),
        ("A012", "A012", None),
        ("P100", "P100", None),
        ("Pos2", "Pos2", None),
        (2, "Pos2", None),
        ("PAN10", "PAN10", None),
        ("DMSO left", "DMSO left", None),
        ("Default", None, None),
        ("", None, None),
        (None, None, None),
    ],
)
def test_position_labels_are_read_or_name_their_own_well(
    label: object, well: str | None, site: int | None
) -> None:
    address = PositionPattern(POSITION_LABEL).read(label)
    assert (address.well, address.site) == (spell_well(well) if well else None, site)


def test_positions_of_a_dish_can_be_its_sites() -> None:
    assert frame_key(PositionPattern(r"Pos(?P<site>\d+)").read("Pos2"), RUN).well == "A1"
    assert PositionPattern(r"Pos(?P<site>\d+)").read("Pos2").site == 2


def test_a_label_with_plate_well_and_site_is_read() -> None:
    pattern = PositionPattern(r"(?P<plate>\w+) (?P<well>\w+) (?P<site>\d+)")
    assert pattern.read("left C3 1") == PlaneFacts(plate="left", well="C3", site=1)


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        ("(", "position pattern is not a regular expression: ( (got missing ), unterminated"),
        (".*", "position pattern has the wrong named groups: .* (expected some of plate, well"),
        ("(?P<wel>A)", "got wel)"),
    ],
)
def test_a_wrong_position_pattern_is_refused(pattern: str, line: str) -> None:
    with pytest.raises(ConfigError) as caught:
        PositionPattern(pattern)
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_absurdly_long_number_is_not_taken() -> None:
    pattern = PositionPattern(r"(?P<well>A1) (?P<site>\d+)")
    assert pattern.read("A1 " + "9" * 50).site is None


def test_a_label_that_is_no_text_is_refused() -> None:
    with pytest.raises(FrameError, match="characters that are no text: A\\\\udcff"):
        frame_key(PlaneFacts(well="A\udcff"), RUN)


def test_other_planes_of_a_stack_are_refused_with_the_setting_that_chooses() -> None:
    refuse_other_planes(None, 0, "a.tif")
    refuse_other_planes(2, 2, "a.tif")
    with pytest.raises(FrameError) as caught:
        refuse_other_planes(3, 2, "a.tif")
    assert str(caught.value) == (
        "frame is another plane of a z-stack: a.tif (expected plane 2, got plane 3);"
        " set `z` of the source to the plane that is in focus, or to sharpest"
    )


@pytest.mark.parametrize(
    ("number", "wells", "well"),
    [
        (1, 96, "A1"),
        (12, 96, "A12"),
        (13, 96, "B1"),
        (96, 96, "H12"),
        (4, 6, "B1"),
        (384, 384, "P24"),
    ],
)
def test_numbered_wells_run_along_the_rows_of_the_plate(number: int, wells: int, well: str) -> None:
    assert number_well(number, wells) == well


def test_a_well_number_beyond_the_plate_is_refused() -> None:
    with pytest.raises(FrameError) as caught:
        number_well(97, 96)
    assert str(caught.value) == (
        "well number lies outside the plate: well 97 (expected 1 to 96, got 97);"
        " correct `plate_wells` of the source"
    )
