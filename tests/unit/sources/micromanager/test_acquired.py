"""The images that a time-lapse has to acquire, and those on disk already."""

from pathlib import Path

import pytest

from scopewatch.sources.base.reading import reading_settings
from scopewatch.sources.micromanager.acquired import data_set_name, own_data_set, survey
from scopewatch.sources.micromanager.events import Axes
from scopewatch.sources.micromanager.images import events_of, place_of
from scopewatch.sources.readers.planes import DEFAULT_LIMITS
from tests.unit.sources.images import RUN
from tests.unit.sources.time_lapse_scene import settings


def test_events_visit_each_position_once_with_all_its_channels(tmp_path: Path) -> None:
    events = events_of(settings(tmp_path), 4)
    assert list(events) == [(4, "A1", "BF"), (4, "A1", "GFP"), (4, "A2", "BF"), (4, "A2", "GFP")]
    assert events[(4, "A2", "GFP")] == {
        "axes": {"time": 4, "position": "A2", "channel": "GFP"},
        "x": 9000,
        "y": 0,
        "z": 50,
        "exposure": 500,
        "config_group": ["Channel", "GFP"],
    }


def test_without_channels_the_microscope_is_left_as_it_is(tmp_path: Path) -> None:
    events = events_of(settings(tmp_path, channels=()), 0)
    assert list(events) == [(0, "A1", None), (0, "A2", None)]
    assert events[(0, "A1", None)] == {
        "axes": {"time": 0, "position": "A1"},
        "x": 0,
        "y": 0,
        "z": 20,
    }


@pytest.mark.parametrize("axes", [{}, {"time": "x", "position": "A1"}, {"time": 1, "position": 2}])
def test_images_of_other_plans_have_no_place(axes: Axes) -> None:
    assert place_of(axes) is None


def test_data_sets_are_named_by_the_run() -> None:
    assert data_set_name("HES 7 / March") == "HES_7_March"
    assert data_set_name("///") == "experiment"
    assert own_data_set("HES 7", "HES_7_12")
    assert not own_data_set("HES 7", "HES_7")
    assert not own_data_set("HES 7", "HES_71_1")


def test_a_survey_of_a_folder_that_is_not_there_is_empty(tmp_path: Path) -> None:
    reading = reading_settings(settings(tmp_path), RUN)
    found = survey(settings(tmp_path / "gone"), reading, DEFAULT_LIMITS)
    assert (found.planes, found.began_at) == ({}, None)
