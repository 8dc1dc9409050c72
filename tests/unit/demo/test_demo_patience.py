"""The demo waits as long as frames are being settled, and no longer."""

from scopewatch.demo.run import Patience


def test_a_count_that_grows_is_waited_for_without_end() -> None:
    patience = Patience(60)
    assert not any(patience.is_over(count, 59.0 * count) for count in range(100))


def test_a_count_that_stops_is_given_up() -> None:
    patience = Patience(60)
    assert [patience.is_over(7, now_s) for now_s in (0, 30, 60, 61)] == [False, False, False, True]


def test_progress_restarts_the_wait() -> None:
    patience = Patience(60)
    assert not patience.is_over(7, 0)
    assert not patience.is_over(8, 59)
    assert not patience.is_over(8, 100)
    assert patience.is_over(8, 120)
