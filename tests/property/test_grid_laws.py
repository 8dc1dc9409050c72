"""Laws of any plan of a time-lapse: its grid, its changes, inserted time points."""

from datetime import UTC, datetime, timedelta

from hypothesis import assume, given
from hypothesis import strategies as st

from scopewatch.sources.micromanager.schedule.grid import Grid, Step
from scopewatch.sources.micromanager.schedule.planned import (
    Image,
    Planned,
    begun,
    put_between,
    take_up,
)

T0 = datetime(2026, 3, 1, 9, tzinfo=UTC)
IMAGES: tuple[Image, ...] = (("A1", "BF"), ("A1", "GFP"))
INTERVALS_S = st.floats(0.5, 1e5, allow_nan=False)


@st.composite
def steps(draw: st.DrawFn) -> tuple[Step, ...]:
    since = draw(st.sets(st.integers(1, 40), max_size=4))
    return tuple(Step(since=each, interval_s=draw(INTERVALS_S)) for each in sorted(since))


GRIDS = st.builds(
    Grid,
    first=st.integers(0, 30),
    first_at=st.integers(0, 10**7).map(lambda seconds: T0 + timedelta(seconds=seconds)),
    interval_s=INTERVALS_S,
    then=steps(),
)
PLANS = st.builds(
    lambda grid, time_points: begun(
        Grid(first=0, first_at=T0, interval_s=grid.interval_s, then=grid.then),
        time_points,
        IMAGES,
        {"GFP": 3},
    ),
    GRIDS,
    st.integers(1, 60),
)


@given(grid=GRIDS, ahead=st.integers(0, 60))
def test_a_time_point_is_due_from_its_moment_until_the_next_one(grid: Grid, ahead: int) -> None:
    index = grid.first + ahead
    moment = grid.time_of(index)
    assert grid.at(moment) == index
    assert grid.at(moment - timedelta(microseconds=1)) == index - 1
    assert grid.at(grid.time_of(index + 1) - timedelta(microseconds=1)) == index


@given(grid=GRIDS, index=st.integers(0, 80))
def test_time_points_lie_as_far_apart_as_their_phase_says(grid: Grid, index: int) -> None:
    apart = (grid.time_of(index + 1) - grid.time_of(index)).total_seconds()
    assert abs(apart - grid.interval_of(index)) < 1e-5


@given(grid=GRIDS)
def test_before_its_first_time_point_nothing_of_a_grid_is_due(grid: Grid) -> None:
    assert grid.at(grid.first_at - timedelta(days=1)) == grid.first - 1


@given(plan=PLANS, seconds=st.integers(0, 10**6), over=st.integers(-1, 40))
def test_the_same_plan_taken_up_again_is_the_same(plan: Planned, seconds: int, over: int) -> None:
    now = T0 + timedelta(seconds=seconds)
    assume(over <= plan.grid.at(now))
    again = take_up(
        plan,
        interval_s=plan.grid.interval_s,
        then=plan.grid.then,
        time_points=plan.time_points,
        images=IMAGES,
        periods=plan.periods,
        taken=frozenset((index, IMAGES[0]) for index in range(over + 1)),
        now=now,
    )
    assert again == plan


@given(plan=PLANS, seconds=st.integers(0, 10**6))
def test_an_inserted_time_point_is_due_now_and_moves_no_other_one(
    plan: Planned, seconds: int
) -> None:
    now = T0 + timedelta(seconds=seconds)
    index = plan.grid.at(now) + 1
    between = put_between(plan, now)
    assert between.grid.at(now) == index
    assert between.time_points == plan.time_points + 1
    for later in range(index, index + 50):
        assert abs(between.grid.time_of(later + 1) - plan.grid.time_of(later)) < timedelta(
            milliseconds=1
        )


@given(plan=PLANS, moments=st.lists(st.integers(0, 10**6), max_size=4))
def test_inserted_time_points_remove_no_planned_one(plan: Planned, moments: list[int]) -> None:
    between = plan
    for seconds in sorted(moments):
        now = T0 + timedelta(seconds=seconds)
        if between.grid.at(now) + 1 < between.time_points:
            between = put_between(between, now)
    for image in IMAGES:
        planned = sum(plan.has(index, image) for index in range(plan.time_points))
        extra = len(between.extra) if image[1] == "BF" else 0
        kept = sum(between.has(index, image) for index in range(between.time_points))
        assert kept == planned + extra


@given(
    plan=PLANS,
    moments=st.lists(st.integers(0, 10**6), max_size=3),
    seconds=st.integers(0, 10**6),
)
def test_a_plan_with_inserted_time_points_is_read_back_as_it_was(
    plan: Planned, moments: list[int], seconds: int
) -> None:
    between, now = plan, T0
    for each in sorted(moments):
        now = T0 + timedelta(seconds=each)
        if between.grid.at(now) + 1 < between.time_points:
            between = put_between(between, now)
    now += timedelta(seconds=seconds)
    again = take_up(
        between,
        interval_s=plan.grid.interval_s,
        then=plan.grid.then,
        time_points=plan.time_points,
        images=IMAGES,
        periods=plan.periods,
        taken=frozenset((index, IMAGES[0]) for index in range(between.grid.first)),
        now=now,
    )
    assert again == between


@given(
    plan=PLANS,
    interval_s=INTERVALS_S,
    then=steps(),
    time_points=st.integers(1, 60),
    seconds=st.integers(0, 10**6),
    taken=st.integers(0, 20),
)
def test_a_changed_plan_continues_after_past_time_points_and_never_before_now(
    plan: Planned,
    interval_s: float,
    then: tuple[Step, ...],
    time_points: int,
    seconds: int,
    taken: int,
) -> None:
    now = T0 + timedelta(seconds=seconds)
    assume(taken - 1 <= plan.grid.at(now))
    after = take_up(
        plan,
        interval_s=interval_s,
        then=then,
        time_points=time_points,
        images=IMAGES,
        periods=plan.periods,
        taken=frozenset((index, IMAGES[0]) for index in range(taken)),
        now=now,
    )
    assert after.began_at == plan.began_at
    if after.grid != plan.grid:
        assert after.grid.first >= taken
        assert after.grid.first_at >= now
