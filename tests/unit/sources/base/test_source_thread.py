"""A trouble of a source lasts while what failed is not tried again, and is logged once."""

import queue

import pytest

from scopewatch.core.errors import StoreError
from scopewatch.sources.base.source_thread import TROUBLE_LASTS_S, SourceThread


class Away:
    """A ledger that is asked in each second step; `is_away` says whether it answers."""

    def __init__(self) -> None:
        self.is_away, self.steps, self.now_s = True, 0, 100.0
        self.thread = SourceThread("folder", self._step, lambda: 1.0, lambda: self.now_s)

    def _step(self, full: bool) -> None:
        self.steps += 1
        if self.is_away and (full or self.steps % 2):
            raise StoreError("the server does not answer")

    def step(self, times: int, *, full: bool = False) -> set[str]:
        """Step at each second; return the troubles after each."""
        seen = set()
        for _ in range(times):
            self.now_s += 1.0
            self.thread.step(full=full)
            seen.add(self.thread.trouble)
        return seen


def test_steps_without_a_task_do_not_end_a_trouble(caplog: pytest.LogCaptureFixture) -> None:
    away = Away()
    assert away.step(20) == {"the server does not answer"}
    assert caplog.text.count("source has trouble") == 1


def test_a_trouble_ends_when_steps_succeed_for_a_while() -> None:
    away = Away()
    away.step(1)
    away.is_away = False
    assert away.step(int(TROUBLE_LASTS_S) - 1) == {"the server does not answer"}
    assert away.step(1) == {""}


def test_a_scan_that_succeeds_ends_a_trouble_at_once() -> None:
    away = Away()
    away.step(1)
    away.is_away = False
    assert away.step(1, full=True) == {""}


def test_a_rest_ends_when_something_comes() -> None:
    steps: queue.SimpleQueue[bool] = queue.SimpleQueue()
    thread = SourceThread("folder", steps.put, lambda: 0.0, rest_s=lambda: 60.0)
    thread.start()
    try:
        assert steps.get(timeout=30) is False
        with pytest.raises(queue.Empty):
            steps.get(timeout=0.1)
        thread.wake()
        assert steps.get(timeout=30) is False
    finally:
        thread.stop()
    assert not thread.alive()
