from datetime import timedelta

import pytest

from scopewatch.notify.breaker import Breaker, BreakerRule, Circuit
from tests.conftest import FakeClock

RULE = BreakerRule(after=3, rest_s=900)


def opened(clock: FakeClock) -> Breaker:
    breaker = Breaker()
    for _ in range(RULE.after):
        breaker = breaker.failed(RULE, clock.now())
    return breaker


def test_it_opens_after_the_set_number_of_failures_in_a_row(clock: FakeClock) -> None:
    breaker = Breaker()
    for _ in range(RULE.after - 1):
        breaker = breaker.failed(RULE, clock.now())
        assert breaker.circuit(clock.now()) is Circuit.CLOSED
    assert breaker.failed(RULE, clock.now()).circuit(clock.now()) is Circuit.OPEN


def test_an_answer_in_between_starts_the_count_again(clock: FakeClock) -> None:
    breaker = Breaker().failed(RULE, clock.now()).failed(RULE, clock.now()).answered()
    assert breaker.failed(RULE, clock.now()).circuit(clock.now()) is Circuit.CLOSED


def test_after_its_rest_it_is_half_open_and_an_answer_closes_it(clock: FakeClock) -> None:
    breaker = opened(clock)
    clock.advance(RULE.rest_s - 1)
    assert breaker.circuit(clock.now()) is Circuit.OPEN
    clock.advance(1)
    assert breaker.circuit(clock.now()) is Circuit.HALF_OPEN
    assert breaker.answered().circuit(clock.now()) is Circuit.CLOSED


def test_a_clock_that_is_set_back_lets_a_probe_go_and_does_not_lengthen_the_rest(
    clock: FakeClock,
) -> None:
    breaker = opened(clock)
    clock.advance(1)
    clock.set_by(-7200)
    assert breaker.circuit(clock.now()) is Circuit.HALF_OPEN
    again = breaker.failed(RULE, clock.now())
    assert again.circuit(clock.now()) is Circuit.OPEN
    clock.advance(RULE.rest_s)
    assert again.circuit(clock.now()) is Circuit.HALF_OPEN


def test_one_failed_probe_opens_it_again(clock: FakeClock) -> None:
    breaker = opened(clock)
    clock.advance(RULE.rest_s)
    assert breaker.failed(RULE, clock.now(), 0.5).open_until == clock.now() + timedelta(
        seconds=RULE.rest_s / 2
    )


@pytest.mark.parametrize("wrong", [{"after": 0}, {"rest_s": 0.0}])
def test_a_breaker_that_never_opens_or_never_rests_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="after is >= 1 and rest_s > 0"):
        BreakerRule(**wrong)  # type: ignore[arg-type]
