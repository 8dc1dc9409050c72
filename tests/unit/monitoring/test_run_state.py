"""The conditions of an all-clear, and the texts of other states."""

from dataclasses import replace
from datetime import timedelta

import pytest

from scopewatch.core.phrases import Language
from scopewatch.messages.translator import say_phrase
from scopewatch.monitoring.run_facts import DaemonSeen, FrameTally, RefusedSeen, RunSeen
from scopewatch.monitoring.run_state import assess
from scopewatch.monitoring.state import Cause, Level, database_away
from tests.unit.monitoring.run_scene import (
    NOW,
    POLICY,
    ago,
    all_of,
    facts,
    judged,
    lines,
    plate,
    state_of,
    unjudged,
)

NOTHING = RunSeen(name="run 7")
OUT_OF_DOMAIN = FrameTally(
    scored=12,
    unfit={"out-of-domain": 24},
    examples={"out-of-domain": ("frame looks unlike ... (expected contrast <= 0.2, got 0.5)",)},
)


def test_an_all_clear_needs_a_frame_judged_recently_in_every_well() -> None:
    state = state_of()
    assert (state.level, state.cause) == (Level.CLEAR, Cause.JUDGED)
    assert state.all_clear
    assert not state.needs_somebody
    assert str(state.sentence) == "All wells (12) were judged within the last 12 min."


def test_frames_of_another_channel_alone_are_no_all_clear() -> None:
    state = state_of(
        all_of(other_at=ago(minutes=5)), FrameTally(other_channels={"PH": 36}), now=NOW
    )
    assert (state.level, state.cause) == (Level.FAILING, Cause.OTHER_CHANNEL)
    assert str(state.sentence) == (
        "36 frames are of channel PH, but phase_channel is 'phase': nothing is scored"
    )
    assert str(state.advice).startswith("Set experiment.phase_channel")


def test_a_single_frame_of_another_channel_is_counted_in_good_english() -> None:
    state = state_of((unjudged(other_at=ago(minutes=5)),), FrameTally(other_channels={"PH": 1}))
    assert str(state.sentence).startswith("A frame is of channel PH, but")


def test_several_other_channels_are_named_the_most_frequent_first() -> None:
    frames = FrameTally(other_channels={"GFP": 12, "PH": 24})
    state = state_of(all_of(other_at=ago(minutes=5)), frames)
    assert str(state.sentence).startswith("36 frames are of channel PH, GFP, but")


def test_the_channel_is_still_reported_after_a_weekend() -> None:
    frames = FrameTally(other_channels={"PH": 36})
    assert state_of(all_of(other_at=ago(days=3)), frames).cause is Cause.OTHER_CHANNEL


def test_a_channel_that_is_renamed_in_the_middle_is_reported() -> None:
    wells = plate(judged_at=ago(hours=20), other_at=ago(hours=1))
    state = state_of(wells, FrameTally(other_channels={"PH": 12}))
    assert state.cause is Cause.OTHER_CHANNEL


def test_another_channel_beside_the_scored_one_is_no_trouble() -> None:
    frames = FrameTally(scored=12, other_channels={"gfp": 12})
    assert state_of(plate(other_at=ago(minutes=11)), frames).all_clear


def test_a_well_whose_other_channel_is_saved_first_is_waited_for() -> None:
    first = unjudged("C4", other_at=ago(seconds=20))
    assert state_of(plate(first), FrameTally(scored=11, other_channels={"gfp": 1})).all_clear
    late = state_of(plate(unjudged("C4", other_at=ago(minutes=3))))
    assert (late.level, late.cause) == (Level.DEGRADED, Cause.WELLS_MISSING)


def test_most_frames_out_of_domain_are_one_sentence_with_figures_below() -> None:
    wells = plate(*(unjudged(name, unfit_at=ago(minutes=9)) for name in ("A1", "A2", "B1")))
    state = state_of(wells, OUT_OF_DOMAIN)
    assert (state.level, state.cause) == (Level.FAILING, Cause.UNFIT)
    assert str(state.sentence) == "24 of 36 frames: the model does not fit this microscope"
    assert "needs a model of its own" in str(state.advice)
    assert lines(state) == [
        "3 of 12 wells: their frames cannot be judged: A1, A2, B1",
        "frame looks unlike ... (expected contrast <= 0.2, got 0.5)",
    ]


def test_most_frames_unfit_are_reported_though_every_well_has_a_judged_one() -> None:
    assert state_of(plate(unfit_at=ago(minutes=9)), OUT_OF_DOMAIN).cause is Cause.UNFIT


def test_the_faults_of_frames_are_listed_by_frequency() -> None:
    frames = FrameTally(scored=1, unfit={"blank": 2, "out-of-focus": 5, "novel": 1})
    state = state_of(plate(unfit_at=ago(minutes=9)), frames)
    assert str(state.sentence) == "5 of 9 frames: they are out of focus"
    assert lines(state) == [
        "2 of 9 frames: they show nothing",
        "1 of 9 frames: they cannot be judged",
    ]


def test_a_few_unfit_frames_are_mentioned_beside_the_all_clear() -> None:
    state = state_of(plate(unfit_at=ago(hours=13)), FrameTally(scored=33, unfit={"blank": 3}))
    assert state.all_clear
    assert lines(state) == ["3 of 36 frames could not be judged."]


def test_nothing_arrived_yet_is_calm_until_a_frame_is_overdue() -> None:
    def after(hours: float) -> tuple[Level, Cause]:
        daemon = DaemonSeen(started_at=ago(hours=hours))
        state = state_of(run=NOTHING, daemon=daemon)
        return state.level, state.cause

    assert after(18) == (Level.WAITING, Cause.NO_FRAME_YET)
    assert after(18.1) == (Level.FAILING, Cause.NO_FRAMES)
    assert state_of(run=NOTHING).cause is Cause.NO_FRAME_YET


def test_refused_files_alone_are_reported_with_the_reason_of_the_newest() -> None:
    refused = RefusedSeen(count=36, reason="name does not match: x.tif")
    state = state_of(run=replace(NOTHING, refused=refused))
    assert (state.level, state.cause) == (Level.FAILING, Cause.REFUSED)
    assert str(state.sentence) == "No file became a frame (36 refused): nothing is scored."
    assert lines(state) == ["name does not match: x.tif"]


def test_silence_of_the_whole_run_asks_for_the_acquisition() -> None:
    state = state_of(plate(judged_at=ago(hours=20)), FrameTally())
    assert (state.level, state.cause) == (Level.FAILING, Cause.NO_FRAMES)
    assert str(state.sentence) == "No frame for 20 h: is the acquisition running?"


def test_files_that_are_refused_instead_of_frames_explain_the_silence() -> None:
    run = RunSeen(
        name="run 7",
        wells=plate(judged_at=ago(hours=20)),
        refused=RefusedSeen(count=24, reason="name does not match"),
    )
    state = state_of(run=run)
    assert state.cause is Cause.REFUSED
    assert "24 refused files" in str(state.sentence)
    assert "`pattern`" in str(state.advice)


def test_wells_that_fell_silent_are_named() -> None:
    silent = [judged(name, judged_at=ago(hours=31), time_point=10) for name in ("B2", "A3")]
    state = state_of(plate(*silent))
    assert (state.level, state.cause) == (Level.DEGRADED, Cause.WELLS_MISSING)
    assert str(state.sentence) == "2 of 12 wells: no judged frame for 31 h: A3, B2"
    assert state.advice is not None
    assert state.needs_somebody


def test_a_well_two_time_points_behind_its_plate_is_missing_however_recent() -> None:
    state = state_of(plate(judged("C4", time_point=10)))
    assert str(state.sentence) == "1 of 12 wells are behind their plate: C4"
    assert state_of(plate(judged("C4", time_point=11))).all_clear


def test_another_plate_that_is_further_on_leaves_no_well_behind() -> None:
    assert state_of((*plate(), judged("A1", plate="P2", time_point=99))).all_clear


def test_the_largest_group_of_missing_wells_is_the_sentence_the_others_are_details() -> None:
    unfit = [
        judged(name, judged_at=ago(hours=13), time_point=9, unfit_at=ago(minutes=10))
        for name in ("A1", "A2")
    ]
    state = state_of(plate(*unfit, judged("B1", judged_at=ago(hours=31))))
    assert str(state.sentence) == "2 of 12 wells: their frames cannot be judged: A1, A2"
    assert lines(state) == ["1 of 12 wells: no judged frame for 31 h: B1"]


def test_a_long_row_of_wells_is_cut_and_counted() -> None:
    wells = tuple(
        judged(f"{row}{column}", judged_at=ago(hours=30) if row < "C" else ago(hours=1))
        for row in "ABCD"
        for column in range(1, 13)
    )
    sentence = str(state_of(wells).sentence)
    assert sentence.endswith("A10, A11, A12 and 12 more")


def test_wells_of_several_plates_are_named_with_their_plate() -> None:
    wells = (judged("A1"), judged("A1", plate="P2", judged_at=ago(hours=30)))
    assert str(state_of(wells).sentence).endswith(": P2/A1")


def test_wells_that_the_configuration_names_are_expected() -> None:
    state = state_of(named_wells=("A1", "H11", "H12"))
    assert (state.level, state.cause) == (Level.DEGRADED, Cause.WELLS_MISSING)
    assert str(state.sentence).endswith("well_groups names: H11, H12")
    assert state_of(named_wells=("A1",)).all_clear


def test_while_frames_are_scored_what_is_missing_may_still_come() -> None:
    wells = plate(judged("C4", time_point=9, judged_at=ago(minutes=1)))
    state = state_of(wells, daemon=DaemonSeen(waiting=7, pausing="scoring waits"))
    assert (state.level, state.cause) == (Level.WAITING, Cause.SCORING)
    assert str(state.sentence) == "Frames that wait to be scored: 7."
    assert lines(state) == ["scoring waits"]
    assert not state.all_clear
    assert not state.needs_somebody


def test_a_frame_that_is_being_worked_on_is_waited_for_as_well() -> None:
    wells = (unjudged("A1", worked_on_since=ago(seconds=3)),)
    assert state_of(wells, FrameTally()).cause is Cause.SCORING
    stuck = state_of((unjudged("A1", worked_on_since=ago(minutes=11)),), FrameTally())
    assert stuck.level is Level.FAILING
    assert str(stuck.sentence) == "1 of 1 wells: no frame was ever judged: A1"


def test_frames_that_wait_without_progress_are_no_excuse() -> None:
    wells = plate(judged_at=ago(hours=20))
    state = state_of(wells, FrameTally(), daemon=DaemonSeen(waiting=30))
    assert (state.level, state.cause) == (Level.FAILING, Cause.SCORING)


def test_more_than_a_time_point_that_waits_is_no_all_clear() -> None:
    assert state_of(daemon=DaemonSeen(waiting=12)).all_clear
    behind = state_of(daemon=DaemonSeen(waiting=13))
    assert (behind.level, behind.cause) == (Level.WAITING, Cause.SCORING)
    more_sites = replace(POLICY, sites_per_well=2)
    assert state_of(daemon=DaemonSeen(waiting=13), policy=more_sites).all_clear


@pytest.mark.parametrize("began", [timedelta(seconds=30), timedelta(hours=1)])
def test_at_the_very_beginning_frames_that_wait_may_be_of_the_scored_channel(
    began: timedelta,
) -> None:
    run = RunSeen(
        name="run 7",
        began_at=NOW - began,
        wells=all_of(other_at=ago(seconds=2)),
        frames=FrameTally(other_channels={"gfp": 3}),
    )
    state = state_of(run=run, daemon=DaemonSeen(waiting=9))
    early = began < timedelta(minutes=2)
    assert state.cause is (Cause.SCORING if early else Cause.OTHER_CHANNEL)


def test_a_daemon_that_is_not_well_gives_no_all_clear() -> None:
    state = state_of(daemon=DaemonSeen(complaints=("source in: the share is gone",)))
    assert (state.level, state.cause) == (Level.FAILING, Cause.DAEMON)
    assert str(state.sentence) == "scopewatch is not well"
    assert lines(state) == ["source in: the share is gone"]


def test_faults_outside_the_daemon_are_reported_as_well() -> None:
    state = state_of(
        all_of(other_at=ago(minutes=5)),
        FrameTally(other_channels={"PH": 36}),
        daemon=DaemonSeen(complaints=("mail rests",)),
    )
    assert lines(state)[0] == "mail rests"
    assert lines(state)[1].startswith("36 frames are of channel PH")


def test_a_daemon_that_starts_is_waited_for_unless_it_cannot() -> None:
    starting = state_of(run=NOTHING, daemon=DaemonSeen(ready=False))
    assert (starting.level, starting.cause) == (Level.WAITING, Cause.STARTING)
    cannot = state_of(daemon=DaemonSeen(ready=False, complaints=("source in: no such folder",)))
    assert cannot.level is Level.FAILING
    assert str(cannot.sentence) == "scopewatch is starting"


def test_a_database_that_cannot_be_read_is_a_state_of_its_own() -> None:
    state = database_away("database is locked")
    assert (state.level, state.cause) == (Level.FAILING, Cause.DATABASE)
    assert lines(state) == ["database is locked"]


def test_the_japanese_text_of_a_state_holds_all_its_figures() -> None:
    state = state_of(all_of(unfit_at=ago(minutes=9)), FrameTally(unfit={"out-of-domain": 24}))
    text = say_phrase(state.sentence, Language.JAPANESE)
    assert "24" in text
    assert text != str(state.sentence)
    assert "frames" not in text
    assert "model" not in text


def test_braces_in_names_are_text() -> None:
    run = RunSeen(name="x", refused=RefusedSeen(count=1, reason="{no} field {0}: a.tif"))
    assert lines(state_of(run=run)) == ["{no} field {0}: a.tif"]
    channel = state_of(all_of(other_at=ago(minutes=5)), FrameTally(other_channels={"{PH}": 2}))
    assert "{PH}" in str(channel.sentence)


def test_the_state_follows_from_the_facts_alone() -> None:
    same = facts(plate(judged("C4", time_point=9)))
    assert assess(same) == assess(same)


def test_a_well_that_is_marked_dead_is_not_waited_for_and_named() -> None:
    dead = judged("B2", judged_at=ago(days=3), time_point=6, marked_dead=True)
    state = state_of(plate(dead))
    assert (state.level, state.cause) == (Level.CLEAR, Cause.JUDGED)
    assert str(state.sentence) == "All wells (11) were judged within the last 12 min."
    assert lines(state) == ["Marked dead, not imaged and not judged: B2"]
    assert not state_of(plate(replace(dead, marked_dead=False))).all_clear


def test_a_dead_well_hides_no_other_that_is_missing() -> None:
    dead = judged("B2", judged_at=ago(days=3), marked_dead=True)
    state = state_of(plate(dead, judged("C3", judged_at=ago(days=2))))
    assert (state.level, state.cause) == (Level.DEGRADED, Cause.WELLS_MISSING)
    assert "C3" in str(state.sentence)
    assert lines(state) == ["Marked dead, not imaged and not judged: B2"]


def test_where_all_wells_are_dead_there_is_no_all_clear() -> None:
    state = state_of(plate(marked_dead=True))
    assert (state.level, state.all_clear) == (Level.DEGRADED, False)
    assert state.line.startswith("All wells (12) are marked dead: nothing is imaged or judged; ")
