from scopewatch.runtime.backoff import Backoff


def test_delays_double_up_to_the_limit_and_start_over_after_a_success() -> None:
    backoff = Backoff(first_s=1, most_s=5)
    assert [backoff.next_s() for _ in range(5)] == [1, 2, 4, 5, 5]
    backoff.reset()
    assert backoff.next_s() == 1


def test_a_thousand_failures_still_give_the_longest_delay() -> None:
    backoff = Backoff(first_s=1, most_s=60)
    assert {backoff.next_s() for _ in range(2000)} == {1, 2, 4, 8, 16, 32, 60}
    assert backoff.failures == 2000
