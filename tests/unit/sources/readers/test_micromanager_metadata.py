import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopewatch.sources.base.facts import PlaneFacts
from scopewatch.sources.readers.micromanager_metadata import (
    load_tags,
    read_series,
    tag_facts,
)
from scopewatch.sources.readers.micromanager_places import whole

NAME = "img_channel001_position002_time000000004_z000.tif"
SERIES_2: dict[str, Any] = {
    "Summary": {
        "ChNames": ["gfp", "phase"],
        "Frames": 20,
        "StagePositions": [{"label": "A1"}, {"label": "A2"}, {"Label": "B7-Site_1"}],
    },
    f"Coords-Default/{NAME}": {"time": 4, "channel": 1, "position": 2, "z": 0},
    f"Metadata-Default/{NAME}": {
        "PixelSizeUm": 0.65,
        "ReceivedTime": "2026-03-03 09:00:00.5 +0100",
        "UserData": {"nested": {"deep": [1, 2, 3]}},
    },
}
FACTS_2 = PlaneFacts(
    time_point=4,
    channel="phase",
    z=None,
    position="B7-Site_1",
    pixel_size_um=0.65,
    acquired_at=datetime(2026, 3, 3, 8, 0, 0, 500_000, tzinfo=UTC),
)
SERIES_1: dict[str, Any] = {
    "Summary": {"Frames": 2, "PixelSize_um": 1.3, "StartTime": "2016-02-11 09:00:00 -0800"},
    "FrameKey-1-0-0": {
        "FileName": "img_000000001_Cy5_000.tif",
        "FrameIndex": 1,
        "Channel": "Cy5",
        "PositionName": "Pos0",
        "PixelSizeUm": 0,
        "ElapsedTime-ms": 1500,
    },
}


def test_a_series_of_micromanager_2_is_read() -> None:
    assert read_series(json.dumps(SERIES_2)).of(NAME) == FACTS_2


def test_a_series_of_micromanager_1_is_read() -> None:
    assert read_series(json.dumps(SERIES_1)).of("img_000000001_Cy5_000.tif") == PlaneFacts(
        time_point=1,
        channel="Cy5",
        position="Pos0",
        pixel_size_um=1.3,
        acquired_at=datetime(2016, 2, 11, 17, 0, 1, 500_000, tzinfo=UTC),
    )


@pytest.mark.parametrize("ending", ["", ",\n", ',\n"Coords-Default/img', ', "FrameKey-1": {"a'])
def test_a_series_that_still_runs_has_no_closing_brace(ending: str) -> None:
    text = json.dumps(SERIES_2, indent=2).rstrip().removesuffix("}").rstrip() + ending
    assert read_series(text).of(NAME) == FACTS_2


@given(st.integers(0, len(json.dumps(SERIES_2))))
def test_a_series_cut_anywhere_yields_what_was_written_whole(length: int) -> None:
    cut = read_series(json.dumps(SERIES_2)[:length])
    assert set(cut.images) <= {NAME}
    for facts in cut.images.values():
        assert facts.time_point == 4


@given(st.text(max_size=200))
def test_no_text_breaks_the_series_reader(text: str) -> None:
    assert isinstance(read_series(text).images, dict)
    assert isinstance(read_series('{"Summary": ' + text).images, dict)


def test_deeply_nested_filler_is_survived() -> None:
    assert read_series('{"Summary": ' + "[" * 100_000).images == {}
    assert load_tags("[" * 100_000) is None


def test_metadata_of_a_stack_do_not_count_for_its_pages() -> None:
    keys = {f"FrameKey-{t}-0-0": {"FileName": "a.ome.tif", "FrameIndex": t} for t in (0, 1)}
    assert read_series(json.dumps(keys)).images == {}


def test_index_0_of_a_single_image_says_nothing() -> None:
    assert tag_facts({"FrameIndex": 0, "SliceIndex": 0}, {}).place == (None, None, None, None)
    assert tag_facts({"FrameIndex": 0}, {"Frames": 2}).time_point == 0
    assert tag_facts({"FrameIndex": 3}, {}).time_point == 3


@pytest.mark.parametrize("value", [0, -1, "none", None, [1], {"PropVal": 0}])
def test_an_uncalibrated_objective_gives_no_pixel_size(value: object) -> None:
    assert tag_facts({"PixelSizeUm": value}, {}).pixel_size_um is None


def test_values_wrapped_as_properties_are_unwrapped() -> None:
    wrapped = {"PropVal": 0.65, "PropType": "Double"}
    assert tag_facts({"PixelSizeUm": wrapped}, {}).pixel_size_um == 0.65


@pytest.mark.parametrize(
    ("tags", "summary"),
    [
        ({"PositionName": "B2-Site_1"}, {}),
        ({"Position": "B2-Site_1"}, {}),
        ({"PositionName": "Default", "mda_event": {"pos_name": "B2-Site_1"}}, {}),
        ({"PositionIndex": 1}, {"StagePositions": [{"Label": "A1"}, {"Label": "B2-Site_1"}]}),
        ({"PositionIndex": 1}, {"StagePositions": [{"label": "A1"}, {"label": "B2-Site_1"}]}),
        ({"PositionIndex": 0}, {"InitialPositionList": [{"Label": "B2-Site_1", "GridRow": 0}]}),
        (
            {"PositionIndex": 0},
            {"StagePositions": {"array": [{"Label": {"type": "STRING", "scalar": "B2-Site_1"}}]}},
        ),
        ({"PositionIndex": 0}, {"mda_sequence": {"stage_positions": [{"name": "B2-Site_1"}]}}),
    ],
)
def test_the_label_of_a_position_is_found_in_all_spellings(
    tags: dict[str, Any], summary: dict[str, Any]
) -> None:
    assert tag_facts(tags, summary).position == "B2-Site_1"


def test_a_position_outside_the_list_of_labels_keeps_its_number() -> None:
    assert tag_facts({"PositionIndex": 3}, {"StagePositions": [{"Label": "A1"}]}).position == 3
    assert tag_facts({"PositionIndex": 1}, {"StagePositions": ["A1", None]}).position == 1


@pytest.mark.parametrize(
    ("tags", "well", "site"),
    [
        ({"Well": "B3"}, "B3", None),
        ({"Well": 15, "Site": "2"}, "15", 2),
        ({"UserData": {"Well": {"type": "STRING", "scalar": "B3"}}}, "B3", None),
        ({"Well": "Default"}, None, None),
        ({"Site": 2}, None, None),
        ({"Well": "B3", "PositionIndex": 4}, "B3", 4),
        ({"Well": "B3", "PositionIndex": 4, "Site": 1}, "B3", 1),
    ],
)
def test_a_tag_names_the_well(tags: dict[str, Any], well: str | None, site: int | None) -> None:
    facts = tag_facts(tags, {})
    assert (facts.well, facts.site) == (well, site)


@pytest.mark.parametrize(
    ("value", "number"),
    [("007", 7), (" 3 ", 3), (-2, -2), ("-2", -2), (3.0, 3), (3.5, None), ("day 3", None)]
    + [(value, None) for value in (True, None, "", "3.5", "\u0663", 10**9, "1" * 10, [1], "1_0")],
)
def test_numbers_as_text_are_numbers(value: object, number: int | None) -> None:
    assert whole(value) == number


def test_planes_below_0_are_planes_and_no_other_index_is() -> None:
    facts = tag_facts({"SliceIndex": -2, "FrameIndex": -1, "PositionIndex": -3}, {})
    assert facts.place == (None, None, -2, None)


def test_an_elapsed_time_that_is_always_0_gives_no_moment() -> None:
    summary = {"StartTime": "2016-02-11 09:00:00 -0800", "Frames": 3}
    moments = [
        tag_facts({"FrameIndex": index, "ElapsedTime-ms": 0}, summary).acquired_at
        for index in range(3)
    ]
    assert moments == [datetime(2016, 2, 11, 17, tzinfo=UTC), None, None]
