"""Fixtures of the tests over a real core."""

import threading
from collections.abc import Iterator

import pytest


@pytest.fixture
def threads() -> Iterator[None]:
    """Assert that a source leaves no thread of the acquisition engine behind."""
    before = set(threading.enumerate())
    yield
    assert {thread.name for thread in set(threading.enumerate()) - before} == set()
