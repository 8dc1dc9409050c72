"""A plate becomes the positions that useq-schema gives for it, however it lies on the stage."""

import math
from typing import Any

import pytest

from scopewatch.config import PlateConfig
from scopewatch.config.plates import PLATE_SIZES, PlateType
from scopewatch.core.errors import ConfigError
from scopewatch.sources.micromanager.plans.imported import Imported
from scopewatch.sources.micromanager.plans.plate import plate_positions

useq = pytest.importorskip("useq", reason="useq-schema comes with the extra micromanager")

TWO_SITES = {"columns": 2, "spacing_um": 1000}


def positions(**plate: Any) -> Imported:
    given = {"type": "96-well", "centres_um": {"A1": (0, 0)}, "y_with_rows": "falls"}
    return plate_positions(PlateConfig.model_validate({**given, **plate}), "plate")


def by_label(found: Imported) -> dict[str, tuple[float, float]]:
    return {each.label: (each.x_um, each.y_um) for each in found.positions}


def of_useq(**plan: Any) -> dict[str, tuple[float, float]]:
    found = useq.WellPlatePlan(selected_wells=slice(None), **plan)
    return {each.name: (each.x, each.y) for each in found.image_positions}


def test_plates_that_are_sold_are_as_useq_schema_has_them() -> None:
    for name, size in PLATE_SIZES.items():
        plate = useq.WellPlate.from_str(name)
        assert (plate.rows, plate.columns) == (size.rows, size.columns)
        assert [1000 * each for each in plate.well_spacing] == pytest.approx([size.pitch_um] * 2)
        assert 1000 * plate.well_size[0] == pytest.approx(size.well_um)


@pytest.mark.parametrize("plate", sorted(PLATE_SIZES))
@pytest.mark.parametrize("rotation_deg", [None, 0.5, -3, 90, 180])
def test_positions_are_those_of_useq_schema(plate: PlateType, rotation_deg: float | None) -> None:
    spacing = PLATE_SIZES[plate].well_um / 4
    found = positions(
        type=plate,
        centres_um={"A1": (1234.5, -678)},
        rotation_deg=rotation_deg,
        sites={"rows": 2, "columns": 3, "spacing_um": (spacing, spacing / 2)},
    )
    expected = of_useq(
        plate=plate,
        a1_center_xy=(1234.5, -678),
        rotation=rotation_deg,
        well_points_plan=useq.GridRowsColumns(
            rows=2, columns=3, fov_width=spacing, fov_height=spacing / 2
        ),
    )
    got = by_label(found)
    assert got.keys() == expected.keys()
    assert len(got) == PLATE_SIZES[plate].rows * PLATE_SIZES[plate].columns * 6
    assert all(got[label] == pytest.approx(at, abs=0.002) for label, at in expected.items())


def test_a_plate_of_its_own_pitch_is_described_by_rows_columns_and_pitch() -> None:
    found = positions(type=None, rows=2, columns=2, pitch_um=[5000, 7000])
    assert by_label(found) == {
        "A1_0000": (0, 0),
        "A2_0000": (5000, 0),
        "B1_0000": (0, -7000),
        "B2_0000": (5000, -7000),
    }


def test_y_that_grows_from_row_to_row_mirrors_wells_and_sites() -> None:
    falls = positions(sites={"rows": 2, "columns": 2, "spacing_um": 900})
    grows = positions(sites={"rows": 2, "columns": 2, "spacing_um": 900}, y_with_rows="grows")
    assert by_label(grows) == {label: (x, -y) for label, (x, y) in by_label(falls).items()}
    assert by_label(grows)["H12_0000"] == (98_550, 62_550)


@pytest.mark.parametrize("grows", [False, True])
@pytest.mark.parametrize("rotation_deg", [0, 1.5, -4, 90, 181])
@pytest.mark.parametrize(
    "corners", [("A1", "H12"), ("A12", "H1"), ("B2", "G11"), ("A1", "A12", "H1")]
)
@pytest.mark.parametrize(
    "plate", ["6-well", "12-well", "24-well", "48-well", "96-well", "384-well"]
)
def test_two_corner_wells_tell_rotation_and_the_way_of_rows(
    plate: PlateType, corners: tuple[str, ...], rotation_deg: float, grows: bool
) -> None:
    rows, columns, *_ = PLATE_SIZES[plate]
    last = chr(ord("A") + rows - 1)
    named = {
        "H12": f"{last}{columns}",
        "A12": f"A{columns}",
        "H1": f"{last}1",
        "B2": "A1" if rows == 2 else "B2",
        "G11": f"{last}{columns}",
    }
    truth = positions(
        type=plate,
        centres_um={"A1": (500, -700)},
        rotation_deg=rotation_deg,
        y_with_rows="grows" if grows else "falls",
    )
    at = by_label(truth)
    measured = {named.get(each, each): at[f"{named.get(each, each)}_0000"] for each in corners}
    found = positions(type=plate, centres_um=measured, y_with_rows=None)
    assert all(by_label(found)[label] == pytest.approx(at[label], abs=0.05) for label in at)


def test_wells_that_are_not_as_far_apart_as_on_the_plate_are_refused() -> None:
    with pytest.raises(ConfigError) as refused:
        positions(centres_um={"A1": (0, 0), "H12": (99_000, -70_000)}, y_with_rows=None)
    assert str(refused.value) == (
        "two wells are not as far apart as on that plate: plate (expected 117346 um, got 121248"
        " um); correct the type of the plate, its pitch_um, or the centres"
    )
    with pytest.raises(ConfigError, match="expected 99000 um, got 24750 um"):
        positions(centres_um={"A1": (0, 0), "A12": (24_750, 0)})


@pytest.mark.parametrize(
    ("plate", "expected"),
    [
        ({"y_with_rows": None}, "it is not known whether the stage's y falls or grows"),
        (
            {"y_with_rows": None, "centres_um": {"A1": (0, 0), "A12": (99_000, 0)}},
            "it is not known whether the stage's y falls or grows",
        ),
        (
            {
                "y_with_rows": None,
                "type": None,
                "rows": 4,
                "columns": 4,
                "pitch_um": 1000,
                "centres_um": {"A1": (0, 0), "D4": (3000, -3000)},
            },
            "it is not known whether the stage's y falls or grows",
        ),
        (
            {"y_with_rows": "grows", "centres_um": {"A1": (0, 0), "H12": (99_000, -63_000)}},
            "centres of wells do not fit a plate that lies along the axes of the stage",
        ),
        (
            {"rotation_deg": 1, "centres_um": {"A1": (0, 0), "H12": (99_000, -63_000)}},
            "rotation is given twice",
        ),
        ({"centres_um": {"A13": (0, 0)}}, "plate has no such well: plate.centres_um"),
        ({"centres_um": {"A1": (0, 0), "a01": (1, 1)}}, "well is given twice"),
        ({"wells": ["A1:B3", "M*"]}, "pattern means no well of the plate: plate.wells"),
        ({"wells": ["A1"], "skip": ["A*"]}, "no well is left to visit"),
        (
            {"sites": {"columns": 3, "spacing_um": 3300}},
            "sites lie outside their well: plate.sites (expected at most 3200 um from the centre"
            " of a well, got 3300 um)",
        ),
        (
            {"centres_um": {"A1": (0, 0, 5), "H12": (99_000, -63_000, 9)}},
            "z of the centres makes no plane",
        ),
        (
            {"centres_um": {"A1": (0, 0, 5), "H12": (99_000, -63_000)}},
            "z of the centres makes no plane",
        ),
    ],
)
def test_a_plate_that_is_not_clear_is_refused(plate: dict[str, Any], expected: str) -> None:
    with pytest.raises(ConfigError) as refused:
        positions(**plate)
    assert expected in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_square_well_holds_sites_in_its_corners() -> None:
    assert positions(type="384-well", sites={"rows": 2, "columns": 2, "spacing_um": 3300})
    with pytest.raises(ConfigError, match="sites lie outside their well"):
        positions(type="48-well", sites={"rows": 2, "columns": 2, "spacing_um": 10_000})


def test_rows_are_visited_there_and_back_by_default() -> None:
    wells = ["A1:C3"]
    labels = [each.label[:2] for each in positions(wells=wells, skip=["B*"]).positions]
    assert labels == ["A1", "A2", "A3", "C3", "C2", "C1"]
    labels = [each.label[:2] for each in positions(wells=wells, order="rows").positions]
    assert labels == ["A1", "A2", "A3", "B1", "B2", "B3", "C1", "C2", "C3"]


def test_focus_is_that_of_one_well_or_a_plane_through_three() -> None:
    assert {each.z_um for each in positions().positions} == {None}
    flat = positions(centres_um={"A1": (0, 0, 7.5)})
    assert {each.z_um for each in flat.positions} == {7.5}
    corners = {"A1": (0, 0, 10), "A12": (99_000, 0, 21), "H1": (0, -63_000, 3)}
    tilted = {each.label: each.z_um for each in positions(centres_um=corners).positions}
    assert tilted["A1_0000"] == pytest.approx(10)
    assert tilted["H12_0000"] == pytest.approx(14)
    assert tilted["C4_0000"] == pytest.approx(10 + 3 - 2)


def test_each_label_says_its_well_and_site() -> None:
    found = positions(type="1536-well", sites={"columns": 2, "spacing_um": 500})
    assert found.expected["A1_0000"] == ("A1", 0)
    assert found.expected["AF48_0001"] == ("AF48", 1)
    assert len(found.expected) == len(found.positions) == 3072


def test_the_sum_says_how_the_plate_lies() -> None:
    turn = math.radians(2)
    away = complex(99_000, -63_000) * complex(math.cos(turn), math.sin(turn))
    found = positions(
        centres_um={"A1": (10, 20), "H12": (10 + away.real, 20 + away.imag)},
        y_with_rows=None,
        sites=TWO_SITES,
    )
    assert found.summary == (
        "96-well, A1 at (10.0, 20.0) um, rotated by 2.00 degrees, y falls from row to row; 2 sites"
        " in each well"
    )
