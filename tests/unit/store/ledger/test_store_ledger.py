import logging

import pytest

from scopewatch.core.errors import StoreError
from scopewatch.core.imaging.overlay import OverlayFiles
from scopewatch.core.tickets import Mark, Refusal
from tests.conftest import FakeClock
from tests.unit.store.scene import (
    START,
    Scene,
    frame_of,
    judged,
    key,
    open_store,
    ticket,
)


def test_a_claim_is_on_disk_before_the_work_begins(scene: Scene) -> None:
    assert scene.store.claim(ticket(key()))
    assert scene.rows("SELECT state, attempts FROM frames") == [("claimed", 1)]


def test_a_frame_that_never_ends_is_given_up_after_its_attempts(scene: Scene) -> None:
    offered = ticket(key())
    assert [scene.store.claim(offered) for _ in range(4)] == [True, True, True, False]
    assert scene.rows("SELECT state, fault, reason FROM frames") == [
        ("quarantined", "failed", "failed 3 times: it took the daemon down, or never ended")
    ]
    assert scene.store.settled("folder", [Mark(offered.locator, "1")]) == {offered.locator}


def test_a_scored_frame_is_not_claimed_again(scene: Scene) -> None:
    scene.score(key(), 0.4)
    assert not scene.store.claim(ticket(key()))
    assert scene.rows("SELECT state, attempts FROM frames") == [("done", 1)]


def test_a_frame_whose_file_changed_is_scored_again_and_its_result_replaced(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    scene.score(key(), 0.4)
    with caplog.at_level(logging.WARNING):
        scene.score(key(), 0.8, fingerprint="2")
    assert "frame changed since it was seen, scored again" in caplog.text
    assert scene.rows("SELECT positive_fraction FROM results") == [(0.8,)]
    assert scene.rows("SELECT count(*) FROM tile_scores") == [(1,)]
    assert scene.rows("SELECT efficiency FROM well_estimates") == [(1.0,)]
    assert scene.rows("SELECT attempts, fingerprint FROM frames") == [(1, "2")]


def test_a_frame_that_was_spoilt_later_loses_its_result(scene: Scene) -> None:
    scene.score(key(), 0.4)
    scene.spoil(key(), "it is truncated", fingerprint="2")
    assert scene.rows("SELECT state, reason FROM frames") == [("quarantined", "it is truncated")]
    assert scene.rows("SELECT count(*) FROM results") == [(0,)]
    assert scene.rows("SELECT count(*) FROM well_estimates") == [(0,)]


def test_a_second_file_of_a_scored_frame_is_refused_as_its_duplicate(scene: Scene) -> None:
    scene.score(key(), 0.4, locator="/raw/a.tif")
    copy = ticket(key(), locator="/raw/copy of a.tif")
    assert not scene.store.claim(copy)
    assert scene.rows("SELECT locator, fault, reason FROM refusals") == [
        (
            "/raw/copy of a.tif",
            "duplicate",
            "duplicate of /raw/a.tif: both are run 7/p1/A1/s0/t0000/phase",
        )
    ]
    assert scene.store.settled("folder", [Mark(copy.locator, "1")]) == {copy.locator}
    assert scene.rows("SELECT locator FROM frames") == [("/raw/a.tif",)]


def test_a_good_file_takes_over_from_a_bad_one_of_the_same_frame(scene: Scene) -> None:
    scene.spoil(key(), "it is truncated", locator="/raw/bad.tif")
    scene.score(key(), 0.4, locator="/raw/good.tif")
    assert scene.rows("SELECT locator, state, fault FROM frames") == [
        ("/raw/good.tif", "done", None)
    ]
    assert scene.rows("SELECT locator, reason FROM refusals") == [
        ("/raw/bad.tif", "replaced by /raw/good.tif: it is truncated")
    ]


def test_two_bad_files_of_one_frame_do_not_take_turns_for_ever(scene: Scene) -> None:
    scene.spoil(key(), locator="/raw/bad.tif")
    scene.spoil(key(), locator="/raw/worse.tif")
    found = [Mark("/raw/bad.tif", "1"), Mark("/raw/worse.tif", "1")]
    assert scene.store.settled("folder", found) == {"/raw/bad.tif", "/raw/worse.tif"}
    assert not scene.store.claim(ticket(key(), locator="/raw/bad.tif"))


def test_two_files_of_one_frame_that_both_crash_share_their_attempts(scene: Scene) -> None:
    one, other = (ticket(key(), locator=f"/raw/{name}.tif") for name in "ab")
    claims = [scene.store.claim(offered) for offered in (one, other, one, other)]
    assert claims == [True, True, True, False]


def test_only_settled_frames_of_the_same_content_and_source_need_no_work(scene: Scene) -> None:
    scene.score(key(time_point=0), 0.4, locator="/raw/0.tif")
    scene.spoil(key(time_point=1), locator="/raw/1.tif")
    scene.store.claim(ticket(key(time_point=2), locator="/raw/2.tif"))
    found = [Mark(f"/raw/{index}.tif", "1") for index in range(4)]
    assert scene.store.settled("folder", found) == {"/raw/0.tif", "/raw/1.tif"}
    assert scene.store.settled("folder", [Mark("/raw/0.tif", "2")]) == set()
    assert scene.store.settled("ndtiff", found) == set()


def test_thousands_of_files_are_asked_for_at_once(scene: Scene) -> None:
    scene.score(key(), 0.4, locator="/raw/1234.tif")
    found = [Mark(f"/raw/{index}.tif", "1") for index in range(40_000)]
    assert scene.store.settled("folder", found) == {"/raw/1234.tif"}


def test_a_skipped_frame_is_offered_again_once_its_channel_is_scored(
    scene: Scene, clock: FakeClock
) -> None:
    offered = ticket(key(channel="gfp"))
    scene.store.skip(offered, "not scored: channel gfp")
    assert scene.rows("SELECT state, reason FROM frames") == [
        ("skipped", "not scored: channel gfp")
    ]
    found = [Mark(offered.locator, offered.fingerprint)]
    assert scene.store.settled("folder", found) == {offered.locator}
    scene.store.close()
    other = open_store(scene.folder, clock, phase_channel="gfp")
    try:
        assert other.settled("folder", found) == set()
        assert other.claim(offered)
    finally:
        other.close()


def test_a_refused_file_is_known_until_it_changes(scene: Scene) -> None:
    refusal = Refusal(
        source="folder", locator="/raw/x", fingerprint="1", reason="no well", seen_at=START
    )
    scene.store.refuse(refusal)
    scene.store.refuse(refusal)
    assert scene.rows("SELECT locator, fault, reason FROM refusals") == [
        ("/raw/x", "refused", "no well")
    ]
    assert scene.store.settled("folder", [Mark("/raw/x", "1")]) == {"/raw/x"}
    assert scene.store.settled("folder", [Mark("/raw/x", "2")]) == set()
    scene.score(key(), 0.4, locator="/raw/x", fingerprint="2")
    assert scene.rows("SELECT count(*) FROM refusals") == [(0,)]


def test_a_commit_without_a_claim_is_refused_and_writes_nothing(scene: Scene) -> None:
    with pytest.raises(StoreError, match=r"frame is not claimed by this file: run 7/p1/A1.*no cl"):
        scene.commit(ticket(key()), 0.4)
    assert scene.rows("SELECT count(*) FROM frames") == [(0,)]


def test_a_commit_for_another_content_than_the_claimed_one_is_refused(scene: Scene) -> None:
    scene.store.claim(ticket(key(), fingerprint="1"))
    with pytest.raises(StoreError, match="frame is not claimed by this file"):
        scene.commit(ticket(key(), fingerprint="2"), 0.4)


def test_a_result_of_another_frame_cannot_be_committed(scene: Scene) -> None:
    offered = ticket(key())
    scene.store.claim(offered)
    files = OverlayFiles(overlay="a.jpg", stain=None)
    other = key("B2")
    with pytest.raises(ValueError, match="do not belong to run 7/p1/A1"):
        scene.store.commit(offered, frame_of(other), judged(other, 0.4), files)


def test_a_quarantine_without_a_claim_is_recorded(scene: Scene) -> None:
    scene.store.quarantine(ticket(key()), "unreadable", "it is empty")
    assert scene.rows("SELECT state, fault, reason, attempts FROM frames") == [
        ("quarantined", "unreadable", "it is empty", 1)
    ]
