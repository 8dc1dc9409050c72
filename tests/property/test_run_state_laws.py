"""Laws of the state of a run, for any known facts."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from scopewatch.core.phrases import Language
from scopewatch.messages.translator import say_phrase
from scopewatch.monitoring.policy import STALE_TIME_POINTS, RunPolicy
from scopewatch.monitoring.run_facts import (
    DaemonSeen,
    FrameTally,
    RefusedSeen,
    RunFacts,
    RunSeen,
    WellSeen,
)
from scopewatch.monitoring.run_state import assess
from scopewatch.monitoring.state import Level

NOW = datetime(2026, 3, 7, 9, tzinfo=UTC)
NAMES = ("A1", "A2", "B1", "{B2}", "C12")
FAULTS = ("blank", "out-of-domain", "unreadable", "some-day")


moments = st.none() | st.floats(0, 400).map(lambda hours: NOW - timedelta(hours=hours))
counts = st.integers(0, 40)


@st.composite
def wells(draw: st.DrawFn) -> WellSeen:
    judged_at = draw(moments)
    judged = judged_at is not None and draw(st.booleans())
    return WellSeen(
        plate=draw(st.sampled_from(("P1", "P2"))),
        well=draw(st.sampled_from(NAMES)),
        judged_at=judged_at,
        time_point=draw(st.integers(0, 25)) if judged else None,
        day=draw(st.floats(0, 12)) if judged else None,
        efficiency=draw(st.floats(0, 1)) if judged else None,
        unfit_at=draw(moments),
        other_at=draw(moments),
        worked_on_since=draw(moments),
    )


@st.composite
def facts(draw: st.DrawFn) -> RunFacts:
    return RunFacts(
        now=NOW,
        policy=RunPolicy(
            run="run 7",
            interval_h=draw(st.sampled_from((0.5, 12, 24))),
            final_day=10,
            sites_per_well=draw(st.integers(1, 3)),
            phase_channel="phase",
        ),
        run=RunSeen(
            name="run 7",
            began_at=draw(moments),
            wells=tuple(draw(st.lists(wells(), max_size=6))),
            frames=FrameTally(
                scored=draw(counts),
                unfit=draw(st.dictionaries(st.sampled_from(FAULTS), st.integers(1, 40))),
                other_channels=draw(
                    st.dictionaries(st.sampled_from(("PH", "{gfp}")), st.integers(1, 40))
                ),
            ),
            refused=RefusedSeen(count=draw(counts), reason="no well: x.tif"),
        ),
        daemon=DaemonSeen(
            ready=draw(st.booleans()),
            complaints=tuple(draw(st.lists(st.just("mail rests"), max_size=1))),
            waiting=draw(counts),
            pausing=draw(st.sampled_from(("", "scoring waits"))),
            started_at=draw(moments),
        ),
        target=draw(st.none() | st.floats(0, 1)),
        named_wells=tuple(draw(st.lists(st.sampled_from(("A1", "H12")), max_size=1))),
    )


@given(facts())
def test_an_all_clear_means_that_every_expected_well_was_judged_lately(known: RunFacts) -> None:
    if not assess(known).all_clear:
        return
    run, policy = known.run, known.policy
    assert run.wells
    assert known.daemon.ready
    assert not known.daemon.complaints
    assert set(known.named_wells) <= {well.well for well in run.wells}
    for well in run.wells:
        assert well.judged_at is not None
        assert well.time_point is not None
        assert known.now - well.judged_at <= policy.recent
        newest = max(
            other.time_point
            for other in run.wells
            if other.plate == well.plate and other.time_point is not None
        )
        assert newest - well.time_point < STALE_TIME_POINTS
    assert run.frames.n_unfit < run.frames.scored or not run.frames.n_unfit
    assert known.daemon.waiting <= len(run.wells) * policy.sites_per_well


@given(facts())
def test_a_state_has_a_text_in_every_language_with_what_to_do(known: RunFacts) -> None:
    state = assess(known)
    for language in Language:
        for phrase in (state.sentence, *state.details, *filter(None, (state.advice,))):
            assert say_phrase(phrase, language).strip()
    if state.level is Level.DEGRADED and known.daemon.waiting == 0:
        assert state.advice is not None
    if state.level is Level.FINISHED:
        assert any(well.time_point is not None for well in known.run.wells)


@given(facts())
def test_nothing_judged_is_never_called_finished_or_clear(known: RunFacts) -> None:
    if any(well.judged_at is not None for well in known.run.wells):
        return
    assert assess(known).level not in (Level.CLEAR, Level.FINISHED)
