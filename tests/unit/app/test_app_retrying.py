"""Each retry request of a person reaches its source once."""

import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from scopewatch.app.retrying import Retrier
from scopewatch.core.tickets import RetryRequest
from tests.unit.runtime.fakes import FakeSource

AT = datetime(2026, 3, 1, tzinfo=UTC)


def request(number: int, source: str = "folder", by: str = "mei") -> RetryRequest:
    return RetryRequest(
        number=number,
        source=source,
        locator=f"{number}.tif",
        fingerprint="1",
        seen_at=AT,
        asked_by=by,
        ticket=None,
    )


@dataclass
class FakeRetryRequests:
    open_ones: list[RetryRequest]
    closed: int = 0
    questions: int = 0

    def has_retry_requests(self) -> bool:
        self.questions += 1
        return bool(self.open_ones)

    def retry_requests(self, source: str, after: int, at_most: int) -> list[RetryRequest]:
        self.questions += 1
        found = [each for each in self.open_ones if each.source == source and each.number > after]
        return found[:at_most]

    def close_retry_requests(self) -> int:
        self.closed += 1
        return 0


@dataclass
class Kept:
    source: FakeSource = field(default_factory=FakeSource)
    watching: bool = True


def test_each_retry_request_is_passed_to_its_source_once() -> None:
    first, second = Kept(), Kept(FakeSource("camera"))
    requests = FakeRetryRequests([request(1), request(2, "camera"), request(3)])
    retrier = Retrier(requests, [first, second])
    for _ in range(3):
        retrier.look()
    assert [each.number for each in first.source.asked] == [1, 3]
    assert [each.number for each in second.source.asked] == [2]
    requests.open_ones.append(request(4))
    retrier.look()
    assert [each.number for each in first.source.asked] == [1, 3, 4]
    assert requests.closed == 4


def test_what_a_source_has_no_room_for_comes_again() -> None:
    kept = Kept()
    kept.source.room = 2
    retrier = Retrier(FakeRetryRequests([request(number) for number in range(1, 6)]), [kept])
    for _ in range(3):
        retrier.look()
    assert [each.number for each in kept.source.asked] == [1, 2, 3, 4, 5]


def test_a_source_that_is_away_is_asked_once_it_watches() -> None:
    kept = Kept(watching=False)
    retrier = Retrier(FakeRetryRequests([request(1)]), [kept])
    retrier.look()
    assert kept.source.asked == []
    kept.watching = True
    retrier.look()
    assert len(kept.source.asked) == 1


def test_where_nobody_asked_for_anything_one_question_is_all() -> None:
    requests = FakeRetryRequests([])
    Retrier(requests, [Kept(), Kept(FakeSource("camera"))]).look()
    assert (requests.questions, requests.closed) == (1, 0)


def test_the_log_says_who_asked_for_how_many(caplog: pytest.LogCaptureFixture) -> None:
    requests = FakeRetryRequests([request(1), request(2, by="API, 10.0.0.7"), request(3)])
    with caplog.at_level(logging.INFO, "scopewatch.app.retrying"):
        Retrier(requests, [Kept()]).look()
    assert [record.__dict__["event"] for record in caplog.records] == [
        {"source": "folder", "count": 2, "asked_by": "mei", "first": "1.tif"},
        {"source": "folder", "count": 1, "asked_by": "API, 10.0.0.7", "first": "2.tif"},
    ]
