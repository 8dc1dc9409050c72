"""Fixtures for the tests of sources."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import FakeClock
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
