from scopewatch.core.delays import doubling_s


def test_each_delay_is_twice_the_one_before_up_to_the_limit() -> None:
    assert [doubling_s(count, first_s=1.5, most_s=10) for count in range(5)] == [1.5, 3, 6, 10, 10]


def test_weeks_of_failures_still_give_the_longest_delay() -> None:
    assert doubling_s(1_000_000, first_s=0.5, most_s=900) == 900


def test_a_first_delay_beyond_the_limit_is_cut_to_it() -> None:
    assert doubling_s(0, first_s=60, most_s=30) == 30
