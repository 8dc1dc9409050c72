"""The state of these tests has a small file system of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import FakeClock
from tests.integration.full_disk import Bench, bench_in, small_file_system
from tests.integration.full_state import FullDisk


@pytest.fixture
def bench(tmp_path: Path, clock: FakeClock) -> Iterator[Bench]:
    (tmp_path / "state").mkdir()
    with small_file_system(tmp_path / "state", 6):
        yield from bench_in(tmp_path, clock)


@pytest.fixture
def disk(bench: Bench) -> FullDisk:
    return FullDisk(bench)
