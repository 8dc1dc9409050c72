"""Fixtures for the tests of the runtime."""

import pytest

from tests.conftest import FakeClock
from tests.unit.runtime.bench import Bench


@pytest.fixture
def bench(clock: FakeClock) -> Bench:
    return Bench(clock=clock)
