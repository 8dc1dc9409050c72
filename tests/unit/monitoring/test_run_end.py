"""A finished run has a state of its own, with its result."""

from scopewatch.monitoring.run_facts import FrameTally
from scopewatch.monitoring.state import Cause, Level
from tests.unit.monitoring.run_scene import ago, all_of, judged, lines, plate, state_of


def test_a_run_beyond_its_final_day_is_finished_however_long_no_frame_came() -> None:
    wells = plate(judged_at=ago(days=4), time_point=20, day=10.0)
    state = state_of(wells, FrameTally())
    assert (state.level, state.cause) == (Level.FINISHED, Cause.FINISHED)
    assert str(state.sentence) == "The run is finished: day 10.0, 12 of 12 wells judged."
    assert "another experiment.name" in str(state.advice)
    assert not state.needs_somebody
    assert not state.all_clear


def test_its_summary_says_which_wells_stayed_below_the_target_the_weakest_first() -> None:
    end = {"judged_at": ago(days=1), "time_point": 20, "day": 10.0}
    weak = [judged("B1", **end, efficiency=0.31), judged("C2", **end, efficiency=0.06)]
    state = state_of(plate(*weak, **end), FrameTally(), target=0.5)
    assert lines(state) == [
        "10 of 12 wells reached the target of 50%.",
        "Below the target of 50%: C2 (6%), B1 (31%)",
    ]
    without = state_of(plate(*weak, **end), FrameTally())
    assert lines(without) == []


def test_the_last_time_point_need_not_be_to_the_minute_on_the_final_day() -> None:
    assert state_of(plate(day=9.76, time_point=20)).level is Level.FINISHED
    assert state_of(plate(day=9.74, time_point=20)).level is Level.CLEAR


def test_the_wells_of_the_last_time_point_are_waited_for() -> None:
    first = judged("A1", day=10.0, time_point=20)
    wells = plate(first, day=9.5, time_point=19, judged_at=ago(hours=12))
    assert state_of(wells).level is Level.CLEAR
    later = plate(
        judged("A1", day=10.0, time_point=20, judged_at=ago(hours=7)),
        day=9.5,
        time_point=19,
        judged_at=ago(hours=19),
    )
    state = state_of(later)
    assert str(state.sentence) == "The run is finished: day 10.0, 1 of 12 wells judged."
    assert lines(state)[-1].startswith("Not judged at the last time point: A2, A3")


def test_a_run_whose_final_day_passed_without_frames_is_over_and_says_how_far_it_came() -> None:
    def after(days: float) -> Level:
        return state_of(plate(judged_at=ago(days=days)), FrameTally()).level

    # Day 6 was judged; day 10 and an interval have passed four and a half days later.
    assert after(4.4) is Level.FAILING
    assert after(4.6) is Level.FINISHED
    state = state_of(plate(judged_at=ago(days=5)), FrameTally())
    assert str(state.sentence) == (
        "The final day 10 has passed; the newest judged frame is of day 6.0."
    )


def test_a_run_of_which_nothing_was_ever_judged_does_not_end() -> None:
    wells = all_of(other_at=ago(days=40))
    state = state_of(wells, FrameTally(other_channels={"PH": 3}))
    assert state.cause is Cause.OTHER_CHANNEL
