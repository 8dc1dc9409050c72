from hypothesis import given
from hypothesis import strategies as st

from scopewatch.sources.folder.file_stability import FileStability


def ready(stability: FileStability, now_s: float) -> list[str]:
    return [candidate.locator for candidate in stability.ready(now_s)]


def test_a_file_is_trusted_after_a_quiet_time() -> None:
    stability = FileStability(settle_s=2, give_up_s=60)
    stability.see("a", "1", 0, now_s=10)
    assert ready(stability, 11.9) == []
    assert ready(stability, 12.0) == ["a"]


def test_every_change_starts_the_quiet_time_again() -> None:
    stability = FileStability(settle_s=2, give_up_s=60)
    for second in range(10):
        stability.see("a", str(second), 0, now_s=second)
        assert ready(stability, second + 1) == []
    stability.see("a", "9", 0, now_s=10.5)
    assert ready(stability, 11.0) == ["a"]


def test_a_file_that_keeps_changing_is_opened_no_earlier_than_a_stable_one() -> None:
    stability = FileStability(settle_s=2, give_up_s=60)
    looks = []
    for second in range(10):
        stability.see("a", str(second), 0, now_s=second)
        for candidate in stability.changing(second):
            looks.append(second)
            stability.note_checked(candidate, second)
    assert looks == [2, 4, 6, 8]


def test_a_file_renamed_into_place_is_tried_at_once() -> None:
    stability = FileStability(settle_s=2, give_up_s=60)
    stability.see("a", "1", 0, now_s=0, in_one_piece=True)
    stability.see("b", "1", 0, now_s=0)
    stability.see("b", "1", 0, now_s=0, in_one_piece=True)
    assert ready(stability, 0) == ["a", "b"]


def test_the_oldest_file_comes_first() -> None:
    stability = FileStability(settle_s=0, give_up_s=60)
    for locator, mtime_ns in (("c", 3), ("a", 2), ("b", 1)):
        stability.see(locator, "1", mtime_ns, now_s=0)
    assert ready(stability, 0) == ["b", "a", "c"]


def test_a_broken_file_is_tried_less_and_less_often_and_given_up_in_time() -> None:
    stability = FileStability(settle_s=2, give_up_s=120)
    stability.see("a", "1", 0, now_s=0)
    tries, now_s = [], 0.0
    while len(stability):
        for candidate in stability.ready(now_s):
            tries.append(now_s)
            if stability.broken(candidate, now_s):
                stability.forget("a")
        now_s += 0.25
    assert tries == [2, 4, 6, 10, 18, 34, 66, 120]


def test_a_file_given_up_too_early_by_settings_is_still_tried_once() -> None:
    stability = FileStability(settle_s=10, give_up_s=1)
    stability.see("a", "1", 0, now_s=0)
    (candidate,) = stability.ready(10)
    assert stability.broken(candidate, 10)


def test_files_beyond_the_capacity_are_counted_and_left_for_the_next_walk() -> None:
    stability = FileStability(settle_s=0, give_up_s=60, capacity=2)
    for name in "abc":
        stability.see(name, "1", 0, now_s=0)
    assert (stability.locators(), stability.turned_away) == (["a", "b"], 1)
    stability.see("a", "2", 0, now_s=1)
    assert ready(stability, 1) == ["a", "b"]


@given(
    st.lists(st.tuples(st.floats(0.01, 5), st.booleans()), max_size=40),
    st.floats(0, 10),
)
def test_a_growing_file_is_never_ripe(steps: list[tuple[float, bool]], settle_s: float) -> None:
    stability = FileStability(settle_s=settle_s, give_up_s=1000)
    now_s = changed_s = 0.0
    size = 0
    stability.see("a", "0", 0, now_s)
    for pause_s, grows in steps:
        now_s += pause_s
        if grows:
            size, changed_s = size + 1, now_s
        stability.see("a", str(size), 0, now_s)
        is_ripe = bool(ready(stability, now_s))
        assert is_ripe == (now_s >= changed_s + settle_s)
