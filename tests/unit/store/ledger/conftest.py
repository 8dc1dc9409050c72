"""Fixtures for the tests of the ledger."""

from pathlib import Path

import pytest

from tests.conftest import FakeClock
from tests.unit.store.ledger.judgements import Restarts


@pytest.fixture
def restarts(tmp_path: Path, clock: FakeClock) -> Restarts:
    return Restarts(folder=tmp_path, clock=clock)
