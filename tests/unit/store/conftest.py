"""A store in an empty folder, and the scene that fills it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import FakeClock
from tests.unit.store.scene import Scene, open_store


@pytest.fixture
def scene(tmp_path: Path, clock: FakeClock) -> Iterator[Scene]:
    store = open_store(tmp_path / "state", clock)
    yield Scene(store=store, folder=tmp_path / "state")
    store.close()
