"""Fixtures of the ledger's tests."""

from pathlib import Path

import pytest

from tests.conftest import FakeClock
from tests.unit.store.ledger.judgements import Lives


@pytest.fixture
def lives(tmp_path: Path, clock: FakeClock) -> Lives:
    return Lives(folder=tmp_path, clock=clock)
