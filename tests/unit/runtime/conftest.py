"""Fixtures for the tests of the runtime."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import FakeClock
from tests.unit.runtime.bench import Bench
from tests.unit.runtime.supervised import Daemon
from tests.unit.runtime.watch import Watch, open_watch


@pytest.fixture
def bench(clock: FakeClock) -> Bench:
    return Bench(clock=clock)


@pytest.fixture
def watch(tmp_path: Path, clock: FakeClock) -> Iterator[Watch]:
    with open_watch(tmp_path / "state", clock) as opened:
        yield opened


@pytest.fixture
def daemon(clock: FakeClock) -> Daemon:
    return Daemon(clock=clock)
