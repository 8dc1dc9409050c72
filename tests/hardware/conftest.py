"""Fixtures of the tests over a real core."""

import threading
from collections.abc import Iterator

import pytest


@pytest.fixture
def threads() -> Iterator[None]:
    """No thread of the acquisition engine outlives a source."""
    before = set(threading.enumerate())
    yield
    assert {thread.name for thread in set(threading.enumerate()) - before} == set()
