"""What a time-lapse is to do by itself, and that each act is wanted once."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopewatch.core.acquisition.journal import JournalEntry
from scopewatch.core.acquisition.orders import Act, Target
from scopewatch.core.alerts.rules import AlertRule
from scopewatch.core.estimation.forecast import WellForecast
from scopewatch.monitoring.acts import (
    ActFacts,
    ActPolicy,
    ExpectedWell,
    FlaggedWell,
    UnfitFrame,
    Wish,
    decide,
)

NOW = datetime(2026, 3, 7, 9, tzinfo=UTC)
ALL = ActPolicy(reimage=True, refocuses=True, fluorescence=True, most=8)
WELL = Target(plate="p1", well="B3")
IMAGE = replace(WELL, site=0, time_point=4, channel="phase")
BLURRED = UnfitFrame(target=IMAGE, fault="out-of-focus", reason="frame is out of focus")
WEAK = FlaggedWell(target=WELL, rule="weak", raised_at=NOW - timedelta(minutes=1))
FACTS = ActFacts(now=NOW, time_point=4, unfit=(BLURRED,), flagged=(WEAK,))


def entry(wish: Wish, *, at: datetime = NOW, done: bool | None = None) -> JournalEntry:
    return JournalEntry(
        number=1,
        source="scope",
        run="run 7",
        act=wish.act,
        by="scopewatch",
        at=at,
        done=done,
        target=wish.target,
    )


def acts(policy: ActPolicy = ALL, **changes: object) -> list[tuple[Act, Target]]:
    wishes = decide(policy, replace(FACTS, **changes))  # type: ignore[arg-type]
    return [(each.act, each.target) for each in wishes]


def test_an_unfit_frame_is_taken_again_and_a_flagged_well_in_fluorescence() -> None:
    fluorescence, again = decide(ALL, FACTS)
    assert (fluorescence.act, fluorescence.target) == (Act.FLUORESCENCE, WELL)
    assert fluorescence.reason == "flagged by the rule weak"
    assert (again.act, again.target) == (Act.REIMAGE, IMAGE)
    assert again.reason == "frame is out of focus"


def test_nothing_is_wanted_that_is_switched_off() -> None:
    assert acts(ActPolicy()) == []
    assert acts(replace(ALL, fluorescence=False)) == [(Act.REIMAGE, IMAGE)]
    assert acts(replace(ALL, reimage=False)) == [(Act.FLUORESCENCE, WELL)]


def test_nothing_is_wanted_while_nothing_is_acquired() -> None:
    assert acts(time_point=None) == []


@pytest.mark.parametrize("fault", ["wrong-scale", "wrong-shape", "failed", "out-of-domain"])
def test_what_another_image_would_not_mend_is_left(fault: str) -> None:
    assert (Act.REIMAGE, IMAGE) not in acts(unfit=(replace(BLURRED, fault=fault),))


def test_out_of_focus_is_left_where_no_focus_is_found_and_blank_is_not() -> None:
    policy = replace(ALL, refocuses=False, fluorescence=False)
    assert acts(policy) == []
    assert acts(policy, unfit=(replace(BLURRED, fault="blank"),)) == [(Act.REIMAGE, IMAGE)]


def test_frames_of_another_time_point_are_left() -> None:
    assert (Act.REIMAGE, IMAGE) not in acts(time_point=5)


def test_a_flag_of_another_day_is_left() -> None:
    old = replace(WEAK, raised_at=NOW - timedelta(days=1, minutes=1))
    assert (Act.FLUORESCENCE, WELL) not in acts(flagged=(old,))


def test_a_flag_that_is_raised_once_more_is_taken_once_more() -> None:
    done = entry(decide(ALL, FACTS)[0], at=NOW - timedelta(minutes=5), done=True)
    assert (Act.FLUORESCENCE, WELL) in acts(asked=(done,))
    assert (Act.FLUORESCENCE, WELL) not in acts(asked=(replace(done, at=NOW),))


def test_a_dead_well_is_left() -> None:
    assert acts(dead=frozenset({("p1", "B3")})) == []


frames = st.builds(
    lambda well, site, time_point, fault: UnfitFrame(
        target=Target(plate="p1", well=well, site=site, time_point=time_point, channel="phase"),
        fault=fault,
        reason=fault,
    ),
    st.sampled_from(["A1", "A2", "B3"]),
    st.integers(0, 2),
    st.integers(3, 5),
    st.sampled_from(["blank", "saturated", "out-of-focus", "wrong-scale"]),
)
flags = st.builds(
    lambda well, hours: FlaggedWell(
        target=Target(plate="p1", well=well), rule="weak", raised_at=NOW - timedelta(hours=hours)
    ),
    st.sampled_from(["A1", "A2", "B3"]),
    st.integers(0, 30),
)


@given(
    unfit=st.lists(frames, max_size=12),
    flagged=st.lists(flags, max_size=5),
    most=st.integers(1, 4),
    looks=st.integers(1, 6),
    outcome=st.sampled_from([None, True, False]),
)
def test_each_act_is_wanted_once_and_a_time_point_has_no_more_than_its_most(
    unfit: list[UnfitFrame],
    flagged: list[FlaggedWell],
    most: int,
    looks: int,
    outcome: bool | None,
) -> None:
    policy = replace(ALL, most=most)
    asked: list[JournalEntry] = []
    for look in range(looks):
        at = NOW + timedelta(seconds=look)
        facts = replace(
            FACTS, now=at, unfit=tuple(unfit), flagged=tuple(flagged), asked=tuple(asked)
        )
        for wish in decide(policy, facts):
            made = entry(wish, at=at, done=outcome)
            asked.append(replace(made, time_point=4 if outcome is not None else None))
    assert len(asked) <= most
    subjects = [(each.act, each.target) for each in asked]
    assert len(subjects) == len(set(subjects))
    assert all(
        each.target is not None and each.target.time_point == 4
        for each in asked
        if each.act is Act.REIMAGE
    )


def expected(well: str, below: float, goal: float = 0.5) -> ExpectedWell:
    """Return a well whose probability of ending below the target is known."""
    errors = tuple(-0.01 if each < 100 * below else 0.01 for each in range(100))
    forecast = WellForecast(
        made_on_day=5,
        final_day=10,
        value=goal,
        low=goal - 0.2,
        high=goal + 0.2,
        coverage=0.9,
        half_width=0.2,
        errors=errors,
    )
    return ExpectedWell(target=Target(plate="p1", well=well), forecast=forecast)


DOUBT = ActPolicy(doubt=0.2, most_wells=2, rules=(AlertRule(name="weak", target=0.5),))


def doubted(*wells: ExpectedWell, **changes: object) -> list[str]:
    facts = ActFacts(now=NOW, time_point=4, expected=wells)
    wishes = decide(DOUBT, replace(facts, **changes))  # type: ignore[arg-type]
    assert all(each.act is Act.MORE_SITES for each in wishes)
    return [each.target.well for each in wishes]


def test_wells_in_doubt_get_further_sites_the_nearest_to_even_first() -> None:
    wells = [expected("A1", 0.35), expected("A2", 0.9), expected("A3", 0.5), expected("A4", 0.6)]
    assert doubted(*wells) == ["A3", "A4"]
    (wish, *_) = decide(DOUBT, ActFacts(now=NOW, time_point=4, expected=[wells[2]]))
    assert wish.reason == "in doubt: 50% probable to end below 50%"
    assert doubted(*wells, dead=frozenset({("p1", "A3")})) == ["A4", "A1"]


def test_a_well_gets_further_sites_once_and_no_more_wells_than_allowed() -> None:
    wells = [expected("A1", 0.5), expected("A2", 0.5), expected("A3", 0.5)]
    first = decide(DOUBT, ActFacts(now=NOW, time_point=4, expected=wells))
    begun = [entry(each, done=True) for each in first]
    assert doubted(*wells, sites=begun) == []
    dropped = replace(begun[0], act=Act.PLANNED_SITES)
    assert doubted(*wells, sites=[*begun, dropped]) == ["A3"]
    assert doubted(*wells, sites=[entry(each) for each in first]) == [], "they wait"


def test_without_a_rule_with_a_target_no_well_is_in_doubt() -> None:
    facts = ActFacts(now=NOW, time_point=4, expected=[expected("A1", 0.5)])
    assert decide(replace(DOUBT, rules=()), facts) == ()
    assert decide(replace(DOUBT, doubt=None), facts) == ()
