"""Position lists of Micro-Manager become positions, or a refusal that names the obstacle."""

import json
from collections.abc import Callable, Iterable

import pytest

from scopewatch.config import PositionConfig
from scopewatch.core.errors import ConfigError
from scopewatch.sources.micromanager.plans.imported import Imported
from scopewatch.sources.micromanager.plans.pos_list import is_pos_list, read_pos_list
from tests.unit.sources.micromanager.pos_lists import Marked, version_1_4, version_2

Write = Callable[[Iterable[Marked]], str]
both = pytest.mark.parametrize("write", [version_2, version_1_4])

A1 = Marked("A1-Site_0", {"Z": (12.5,), "XY": (-400, 1.25)})


def read(text: str) -> Imported:
    raw = json.loads(text)
    assert is_pos_list(raw)
    return read_pos_list(raw, "a.pos")


@both
def test_each_position_is_where_its_stages_stood(write: Write) -> None:
    found = read(write([A1, Marked("B12-Site_3", {"XY": (99_000.5, -9000), "Z": (-3,)})]))
    assert found.positions == (
        PositionConfig(label="A1-Site_0", x_um=-400, y_um=1.25, z_um=12.5),
        PositionConfig(label="B12-Site_3", x_um=99_000.5, y_um=-9000, z_um=-3),
    )
    assert (found.xy_stage, found.z_stage) == ("XY", "Z")
    assert (found.channels, found.interval_s, found.time_points) == ((), None, None)


@both
def test_a_list_without_focus_moves_none(write: Write) -> None:
    found = read(write([Marked("A1", {"XY": (1, 2)}, z_stage=""), Marked("A2", {"XY": (3, 4)})]))
    assert [each.z_um for each in found.positions] == [None, None]
    assert found.z_stage == ""


@both
def test_an_unnamed_xy_stage_is_the_only_one_with_two_axes(write: Write) -> None:
    found = read(write([Marked("A1", {"TIXYDrive": (1, 2)}, xy_stage="", z_stage="")]))
    assert found.xy_stage == "TIXYDrive"


@both
def test_what_people_note_at_positions_is_no_obstacle(write: Write) -> None:
    noted = Marked("A1", {"XY": (1, 2)}, properties={"OverlapUmX": "10", "AUTOFOCUS": "none"})
    assert len(read(write([noted])).positions) == 1


@both
@pytest.mark.parametrize(
    ("position", "expected"),
    [
        (
            Marked("A1", {"XY": (1, 2), "Z": (3,), "TIPFSOffset": (120,)}),
            "a.pos: A1 (expected a place of one XY stage, and of the focus drive or none, got"
            " places of further stages, TIPFSOffset)",
        ),
        (
            Marked("A1", {"XY": (1, 2), "TIPFSOffset": (120,)}, z_stage=""),
            "places of further stages, TIPFSOffset",
        ),
        (Marked("A1", {"Z": (3,)}), "no place of an XY stage"),
        (
            Marked("A1", {"one": (1, 2), "other": (3, 4)}, xy_stage=""),
            "no place of an XY stage",
        ),
        (
            Marked("A1", {"XY": (1, 2)}, properties={"AUTOFOCUS": "full"}),
            "autofocus 'full' at the position",
        ),
    ],
)
def test_a_position_that_asks_for_more_is_refused_by_name(
    write: Write, position: Marked, expected: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        read(write([A1, position]))
    assert expected in str(refused.value)
    assert "\n" not in str(refused.value)


@both
def test_a_list_for_two_stages_is_refused(write: Write) -> None:
    with pytest.raises(ConfigError, match="more than one XY stage"):
        read(write([A1, Marked("A2", {"XY2": (1, 2)}, xy_stage="XY2")]))
    with pytest.raises(ConfigError, match="more than one focus drive"):
        read(write([A1, Marked("A2", {"XY": (1, 2), "Piezo": (1,)}, z_stage="Piezo")]))


@both
def test_an_empty_list_is_refused(write: Write) -> None:
    with pytest.raises(ConfigError, match="holds no position"):
        read(write([]))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (version_2([A1]).replace('"major_version": 2', '"major_version": 3'), "of version 3"),
        (version_2([A1]).replace("StagePositions", "Positions"), "no StagePositions"),
        (version_2([A1]).replace("12.5", '"high"'), "a place of"),
        (version_2([A1]).replace('"Label"', '"Name"'), "no Label"),
        (version_1_4([A1]).replace('"VERSION": 3', '"VERSION": 1'), "version 1"),
        (version_1_4([A1]).replace('"AXES": 1', '"AXES": 3'), "a stage of 3 axes"),
        (version_1_4([A1]).replace('"LABEL"', '"NAME"'), "without LABEL"),
        (version_1_4([A1]).replace("12.5", "1e400"), "a place of"),
    ],
)
def test_a_list_that_cannot_be_read_says_why(text: str, expected: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read(text)
    assert str(refused.value).startswith("position list cannot be read: a.pos (got ")
    assert expected in str(refused.value)
