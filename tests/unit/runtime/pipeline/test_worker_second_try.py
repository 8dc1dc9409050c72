"""An idle worker tries frames once more that were given up."""

from dataclasses import replace

import pytest

from scopewatch.core.errors import FrameError, StoreError
from scopewatch.core.tickets import FrameTicket
from scopewatch.runtime.pipeline import worker
from scopewatch.runtime.pipeline.outcome import FrameOutcome
from tests.unit.runtime.bench import Bench
from tests.unit.runtime.fakes import make_ticket

GIVEN_UP = make_ticket("given-up.tif", time_point=1)


@pytest.fixture
def idle(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """A worker that does not wait for new frames."""
    monkeypatch.setattr(worker, "IDLE_S", 0.0)
    return bench


def outcome(bench: Bench) -> FrameOutcome | None:
    report = bench.worker.work()
    return None if report is None else report.outcome


def test_it_is_scored_without_another_claim(idle: Bench) -> None:
    idle.store.given_up = [GIVEN_UP]
    assert outcome(idle) is FrameOutcome.SCORED
    assert (idle.store.claims, idle.store.commits) == ([], [GIVEN_UP])
    assert outcome(idle) is None


def test_waiting_frames_come_before_second_tries(idle: Bench) -> None:
    idle.store.given_up = [GIVEN_UP]
    other = make_ticket("late.tif", time_point=9)
    idle.inbox.offer(other)
    assert [outcome(idle), outcome(idle)] == [FrameOutcome.SCORED, FrameOutcome.SCORED]
    assert idle.store.commits == [other, GIVEN_UP]


def test_the_store_is_asked_again_only_after_a_frame_was_settled(idle: Bench) -> None:
    for _ in range(5):
        assert outcome(idle) is None
    assert idle.store.asked_for_given_up == 1
    idle.store.done.add(("known.tif", "1"))
    idle.inbox.offer(make_ticket("known.tif"))
    assert [outcome(idle), outcome(idle)] == [FrameOutcome.KNOWN, None]
    assert idle.store.asked_for_given_up == 1
    idle.source.failures["bad.tif"] = [FrameError("it is cut short")]
    for name in ("good.tif", "bad.tif"):
        idle.inbox.offer(make_ticket(name))
        outcome(idle)
        assert (outcome(idle), outcome(idle)) == (None, None)
    assert idle.store.asked_for_given_up == 3


def test_a_worker_that_is_to_wait_takes_up_none(idle: Bench) -> None:
    idle.store.given_up = [GIVEN_UP]
    idle.hold_s = lambda: 0.25
    assert outcome(idle) is None
    assert idle.store.asked_for_given_up == 0


def test_a_source_that_is_not_configured_any_more_is_not_asked(idle: Bench) -> None:
    gone = replace(GIVEN_UP, source="gone")
    idle.store.given_up = [gone]
    assert outcome(idle) is None
    assert idle.store.given_up == [gone]


def test_a_database_that_is_away_is_asked_again(
    idle: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    idle.store.given_up = [GIVEN_UP]
    idle.store.failures["second_try"] = [StoreError("database is locked")]
    with caplog.at_level("INFO"):
        assert outcome(idle) is None
    assert "frames that were given up wait for the database" in caplog.text
    assert outcome(idle) is FrameOutcome.SCORED


def test_a_retried_frame_that_fails_by_itself_is_treated_like_any_other(idle: Bench) -> None:
    def fail(_: FrameTicket) -> None:
        raise RuntimeError("it breaks everything")

    idle.store.given_up = [GIVEN_UP]
    idle.source.load = fail  # type: ignore[method-assign, assignment]
    assert outcome(idle) is FrameOutcome.PUT_BACK
    assert idle.store.claims == []
    idle.store.done.add(("given-up.tif", "1"))
    assert outcome(idle) is FrameOutcome.KNOWN, "the database has it as given up again"
