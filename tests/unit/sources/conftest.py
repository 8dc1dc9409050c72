"""Fixtures for the tests of sources."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import FakeClock
from tests.unit.sources import time_lapse_scene
from tests.unit.sources.folder_scene import Make, Scene


@pytest.fixture
def make(tmp_path: Path, clock: FakeClock) -> Iterator[Make]:
    scenes: list[Scene] = []

    def build(**changes: Any) -> Scene:
        scenes.append(Scene(tmp_path, clock, **changes))
        return scenes[-1]

    yield build
    for scene in scenes:
        scene.source.stop()


@pytest.fixture
def scene(tmp_path: Path, clock: FakeClock) -> Iterator[time_lapse_scene.Scene]:
    """A time-lapse of 3 time points an hour apart; tests of other sources have their own scene."""
    made = time_lapse_scene.Scene(tmp_path, clock)
    yield made
    made.source.stop()
