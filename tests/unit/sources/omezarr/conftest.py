from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import FakeClock
from tests.unit.sources.omezarr_scene import Make, Scene
from tests.unit.sources.scenes import making


@pytest.fixture
def make(tmp_path: Path, clock: FakeClock) -> Iterator[Make]:
    with making(Scene, tmp_path, clock) as build:
        yield build
