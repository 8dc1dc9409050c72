"""Plans that would image another place or plane than planned are refused, with both names."""

from pathlib import Path
from typing import Any

import pytest

from scopewatch.config import ChannelConfig, PositionConfig
from scopewatch.core.errors import ConfigError
from scopewatch.sources.base.reading import reading_settings
from scopewatch.sources.micromanager.plan import check_plan
from tests.unit.sources.images import RUN
from tests.unit.sources.time_lapse_scene import settings


def positions(*labels: str, z_um: float | None = None) -> tuple[PositionConfig, ...]:
    return tuple(
        PositionConfig(label=label, x_um=9000 * number, y_um=0, z_um=z_um)
        for number, label in enumerate(labels)
    )


def channels(*presets: tuple[str, str]) -> tuple[ChannelConfig, ...]:
    return tuple(
        ChannelConfig(group=group, preset=preset, exposure_ms=5) for group, preset in presets
    )


def problems(path: Path, **changes: Any) -> list[str]:
    config = settings(path, **changes)
    try:
        check_plan(config, reading_settings(config, RUN))
    except ConfigError as error:
        return str(error).splitlines()
    return []


@pytest.mark.parametrize("z_um", [None, 0, 12.5])
def test_a_focus_for_all_positions_or_for_none_is_in_order(
    tmp_path: Path, z_um: float | None
) -> None:
    assert problems(tmp_path, positions=positions("A1", "A2", z_um=z_um)) == []


@pytest.mark.parametrize("order", [1, -1])
def test_positions_with_and_without_a_focus_are_refused(tmp_path: Path, order: int) -> None:
    mixed = (*positions("A1"), *positions("B1", z_um=12.5))[::order]
    assert problems(tmp_path, positions=mixed) == [
        "positions with and without z_um: those without would be imaged where the one before left"
        " the focus: positions of the source 'micromanager' (expected z_um for all positions or for"
        " none, got none for 'A1'); give each its z_um, or none where a focus lock holds the focus"
    ]


def test_many_positions_without_a_focus_are_counted(tmp_path: Path) -> None:
    mixed = (*positions(*(f"A{column}" for column in range(1, 9))), *positions("B1", z_um=1))
    (line,) = problems(tmp_path, positions=mixed)
    assert "got none for 'A1', 'A2', 'A3', 'A4', 'A5' and 3 more)" in line


@pytest.mark.parametrize(
    ("labels", "changes", "expected"),
    [
        (("A1", "B1", "A1"), {}, "two positions have one label|'A1' as position 1 and as position"),
        (
            ("A1", "a01"),
            {},
            "two positions are read as one well and site|'A1' and 'a01', both well",
        ),
        (
            ("A1", "A1-Site_0"),
            {},
            "two positions are read as one well and site|'A1' and 'A1-Site_0",
        ),
        (("A1_s1", "A1-f1"), {}, "two positions are read as one well and site|'A1_s1' and 'A1-f1'"),
        (("A1", "none"), {}, "two positions are read as one well and site|'A1' and 'none', both"),
        (("A1", ""), {}, "two positions are read as one well and site|'A1' and '', both well A1"),
        (
            ("1", "A1"),
            {"plate_wells": 96},
            "two positions are read as one well and site|'1' and 'A1'",
        ),
        (
            ("X", "Y"),
            {"wells": {"X": "B2", "Y": "b02"}},
            "two positions are read as|'X' and 'Y', both",
        ),
        (("97", "A1"), {"plate_wells": 96}, "well number lies outside the plate|got 97"),
    ],
)
def test_labels_that_are_one_place_are_refused_with_both_names(
    tmp_path: Path, labels: tuple[str, ...], changes: dict[str, Any], expected: str
) -> None:
    (line,) = problems(tmp_path, positions=positions(*labels), **changes)
    what, both = expected.split("|")
    assert line.startswith(what)
    assert both in line


@pytest.mark.parametrize(
    ("labels", "changes"),
    [
        (("A1", "A2", "A12"), {}),
        (("A1_s0", "A1_s1"), {}),
        (("left", "right"), {}),
        (("A1", "P2_A1"), {"position": r"(?:(?P<plate>P\d)_)?(?P<well>[A-P]\d+)"}),
    ],
)
def test_labels_of_places_of_their_own_are_in_order(
    tmp_path: Path, labels: tuple[str, ...], changes: dict[str, Any]
) -> None:
    assert problems(tmp_path, positions=positions(*labels), **changes) == []


@pytest.mark.parametrize(
    ("presets", "changes", "expected"),
    [
        (
            (("Channel", "BF"), ("Objective", "BF")),
            {},
            "two channels have one preset name|'BF' of group 'Channel' and of group 'Objective'",
        ),
        ((("Channel", "BF"), ("Channel", "BF")), {}, "two channels have one preset name|'BF' of"),
        (
            (("Channel", "phase"), ("Channel", "Phase")),
            {},
            "two channels are read as one|'phase' and",
        ),
        (
            (("Channel", "phase"), ("Channel", "Default")),
            {},
            "two channels are read as one|'Default'",
        ),
        (
            (("Channel", "BF"), ("Channel", "BF2")),
            {"channel_names": {"BF2": "BF"}},
            "two channels are read as one|'BF' and 'BF2', both channel 'BF'",
        ),
    ],
)
def test_presets_that_are_one_channel_are_refused_with_both_names(
    tmp_path: Path, presets: tuple[tuple[str, str], ...], changes: dict[str, Any], expected: str
) -> None:
    (line,) = problems(tmp_path, channels=channels(*presets), **changes)
    what, both = expected.split("|")
    assert line.startswith(what)
    assert both in line


def test_every_problem_of_a_plan_is_reported_at_once(tmp_path: Path) -> None:
    mixed = (*positions("A1", "A1", "B1", "b01"), *positions("C1", z_um=3))
    lines = problems(tmp_path, positions=mixed)
    assert [line.split(":")[0] for line in lines] == [
        "positions with and without z_um",
        "two positions have one label",
        "two positions are read as one well and site",
    ]
