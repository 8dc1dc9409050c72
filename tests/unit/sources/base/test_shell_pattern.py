"""Shell patterns and templates where a regular expression is expected."""

import re

import pytest

from scopewatch.core.errors import ConfigError
from scopewatch.sources.base.address import PositionPattern
from scopewatch.sources.base.shell_pattern import GROUP_PATTERNS, meant_by
from scopewatch.sources.layouts.layout import GROUPS
from scopewatch.sources.layouts.naming import NamePattern

MEANT = {
    "*_{well}_*.tif": ("P1_B3_phase.tif", {"well": "B3"}),
    "*_<well>_*.tif": ("P1_B3_phase.tif", {"well": "B3"}),
    "{plate}_{well}_s{site}_t{time}_{channel}.tif": (
        "P1_B3_s2_t0004_phase.tif",
        {"plate": "P1", "well": "B3", "site": "2", "time_point": "4", "channel": "phase"},
    ),
    "{well}_{time_point:04d}.png": ("B3_0004.png", {"well": "B3", "time_point": "4"}),
    "**/{well}/*.tif": ("day 1/B3/img.tif", {"well": "B3"}),
    r"*_(?P<well>[A-H]\d+)_*.tif": ("P1_B3_phase.tif", {"well": "B3"}),
    "{well}_f??.tif": ("B3_f01.tif", {"well": "B3"}),
    "[PQ]1_{well}.tif": ("Q1_B3.tif", {"well": "B3"}),
}


@pytest.mark.parametrize("pattern", MEANT)
def test_the_proposed_pattern_reads_the_names_it_was_meant_for(pattern: str) -> None:
    name, expected = MEANT[pattern]
    with pytest.raises(ConfigError, match="file name pattern is a shell pattern") as caught:
        NamePattern(pattern)
    written = re.search(r"write pattern: '(.*)'$", str(caught.value))
    assert written is not None
    facts = NamePattern(written[1]).read(name)
    assert facts is not None
    found = {part: str(getattr(facts, part)) for part in expected}
    assert found == expected


@pytest.mark.parametrize("pattern", ["*.tif", "*_A1_*.tif", "*", "image?.png", "phase/*.tif"])
def test_one_without_names_says_that_files_are_found_and_shows_how_parts_are_named(
    pattern: str,
) -> None:
    with pytest.raises(ConfigError, match="file name pattern is a shell pattern") as caught:
        NamePattern(pattern)
    assert "image files are found anyway" in str(caught.value)
    assert "(?P<well>" in str(caught.value)
    assert "scopewatch init" in str(caught.value)


@pytest.mark.parametrize("pattern", ["{well}_s{site}", "{well}-Site_*", "*"])
def test_a_position_pattern_is_recognised_too(pattern: str) -> None:
    with pytest.raises(ConfigError, match="position pattern is a shell pattern") as caught:
        PositionPattern(pattern)
    written = re.search(r"write position: '(.*)'$", str(caught.value))
    assert written is not None
    label = "B3-Site_2" if "Site" in pattern else "B3_s2"
    read = PositionPattern(written[1]).match(label)
    assert read is not None
    assert read.well == "B3"


@pytest.mark.parametrize(
    ("pattern", "stated"),
    [
        ("(", "is not a regular expression"),
        ("incucite", "has the wrong named groups"),
        (r"A\d+_.*\.tif", "has the wrong named groups"),
        (r"(?P<wel>[A-H]\d+)", "has the wrong named groups"),
        ("{well}_{well}.tif", "has the wrong named groups"),
        ("{wellness}.tif", "has the wrong named groups"),
    ],
)
def test_what_is_no_shell_pattern_is_refused_as_before(pattern: str, stated: str) -> None:
    with pytest.raises(ConfigError, match=stated):
        NamePattern(pattern)


@pytest.mark.parametrize(
    "pattern", [r"_(?P<well>[A-H]\d+)_", r"^(?P<well>\w+)_.*\.tif$", r"(?P<well>[A-H]\d+) *\.tif"]
)
def test_a_regular_expression_is_none(pattern: str) -> None:
    NamePattern(pattern)


def test_each_group_that_a_pattern_may_name_can_be_suggested() -> None:
    assert set(GROUP_PATTERNS) == GROUPS
    for name in GROUP_PATTERNS:
        assert meant_by(f"*_{{{name}}}.tif") is not None
