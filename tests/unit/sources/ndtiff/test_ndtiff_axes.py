from datetime import UTC, datetime
from typing import Any

import pytest

from scopewatch.core.errors import FrameError
from scopewatch.sources.base.facts import PlaneFacts, merged
from scopewatch.sources.ndtiff.axes import image_statements, refuse_axes


def reported(axes: dict[str, Any], tags: dict[str, Any], summary: dict[str, Any]) -> PlaneFacts:
    return merged(image_statements(axes, tags, summary))


@pytest.mark.parametrize(
    ("axes", "summary", "channel"),
    [
        ({"channel": "phase"}, {}, "phase"),
        ({"channel": 1}, {"ChNames": ["gfp", "phase"]}, "phase"),
        ({"channel": 5}, {"ChNames": ["gfp"]}, "BF"),
        ({}, {}, "BF"),
    ],
)
def test_ndtiff_channels_are_named(
    axes: dict[str, Any], summary: dict[str, Any], channel: str
) -> None:
    assert reported(axes, {"Channel": "BF"}, summary).channel == channel


def test_an_unnamed_channel_index_keeps_its_number() -> None:
    assert reported({"channel": 2}, {"Channel": "Default"}, {}).channel == "channel2"


def test_axes_count_even_where_they_are_0() -> None:
    facts = reported({"time": 0, "z": 0, "position": "A1"}, {"FrameIndex": 9}, {})
    assert facts.place == (0, None, 0, "A1")


def test_indices_in_the_tags_count_for_nothing_since_they_are_always_0() -> None:
    facts = reported({"position": 3}, {"FrameIndex": 0, "SliceIndex": 0, "PositionIndex": 0}, {})
    assert facts.place == (None, None, None, 3)


def test_numbers_on_the_axes_may_be_text() -> None:
    facts = reported({"time": "007", "z": "-2", "channel": 1}, {}, {"ChNames": ["gfp", "phase"]})
    assert facts.place == (7, "phase", -2, None)


def test_what_nothing_says_is_not_stated() -> None:
    assert image_statements({}, {}, {}) == ()
    assert [each.by for each in image_statements({"time": 1}, {}, {"PixelSize_um": 1.3})] == [
        "NDTiff axes",
        "NDTiff summary",
    ]


def test_an_elapsed_time_of_0_in_every_image_gives_no_moment() -> None:
    summary = {"DateAndTime": "2026/03/01 09:00:00"}
    first, second = (reported({"time": time}, {"ElapsedTime-ms": 0}, summary) for time in (0, 1))
    assert (first.wall_time, first.since_wall_s) == (datetime(2026, 3, 1, 9), 0)
    assert (second.wall_time, second.acquired_at) == (None, None)
    later = reported(
        {"time": 1}, {"ElapsedTime-ms": 500}, {"StartTime": "2026-03-01 09:00:00 +0000"}
    )
    assert later.acquired_at == datetime(2026, 3, 1, 9, 0, 0, 500_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("axes", "got"),
    [
        ({"time": "day 3"}, 'a whole number on the axis time, got "day 3")'),
        ({"time": -1}, "a whole number on the axis time, got -1)"),
        ({"time": 1.5}, "a whole number on the axis time, got 1.5)"),
        ({"time": None}, "a whole number on the axis time, got null)"),
        ({"z": "top"}, 'a whole number on the axis z, got "top")'),
        ({"position": [1]}, "a whole number on the axis position, got [1])"),
        ({"channel": True}, "a whole number on the axis channel, got true)"),
        ({"time": 0, "camera": "left"}, "expected time, position, channel, z, got camera)"),
        ({"row": 1}, "expected time, position, channel, z, got row)"),
    ],
)
def test_an_axis_without_a_number_is_refused_by_name(axes: dict[str, Any], got: str) -> None:
    with pytest.raises(FrameError) as caught:
        refuse_axes(axes, "HES7_1")
    assert got in str(caught.value)


@pytest.mark.parametrize(
    "axes",
    [
        {},
        {"time": 2, "position": 0, "channel": 1, "z": -3},
        {"time": "2", "position": "B2", "channel": "phase", "z": "3", "camera": 0, "row": "0"},
    ],
)
def test_names_and_numbers_on_the_axes_are_taken(axes: dict[str, Any]) -> None:
    refuse_axes(axes, "HES7_1")
