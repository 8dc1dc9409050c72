"""Fixtures for the tests of sources."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import FakeClock
from tests.unit.sources import time_lapse_scene
from tests.unit.sources.folder_scene import Make, Scene
from tests.unit.sources.scenes import making


@pytest.fixture
def make(tmp_path: Path, clock: FakeClock) -> Iterator[Make]:
    with making(Scene, tmp_path, clock) as build:
        yield build


@pytest.fixture
def scene(tmp_path: Path, clock: FakeClock) -> Iterator[time_lapse_scene.Scene]:
    """A time-lapse of 3 time points an hour apart; tests of other sources have their own scene."""
    made = time_lapse_scene.Scene(tmp_path, clock)
    yield made
    made.source.stop()
