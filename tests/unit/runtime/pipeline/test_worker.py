from collections.abc import Callable
from dataclasses import replace

import pytest

from scopewatch.core.errors import FrameError, NoSpaceError, SourceError, StoreError
from scopewatch.core.faults import Fault
from scopewatch.core.imaging.frame import Frame
from scopewatch.core.imaging.overlay import OverlayFiles
from scopewatch.core.imaging.result import FrameResult
from scopewatch.core.tickets import FrameTicket
from scopewatch.messages.settled import Settled
from scopewatch.runtime.pipeline.outcome import FrameOutcome
from tests.unit.runtime.bench import Bench
from tests.unit.runtime.fakes import make_key, make_refusal, make_result, make_ticket

PICTURES = OverlayFiles(overlay="run/A1/x.jpg", stain=None)
FULL = StoreError("result database cannot be used: disk full; free some space")


def test_a_frame_is_claimed_loaded_analysed_drawn_and_committed(bench: Bench) -> None:
    bench.inbox.offer(make_ticket())
    assert bench.drain() == [FrameOutcome.SCORED]
    assert bench.store.claims == bench.store.commits == [make_ticket()]
    assert len(bench.overlays.drawn) == 1
    (report,) = bench.listener.reports
    assert set(report.steps_s) == {"claim", "load", "analyse", "draw", "commit"}
    assert report.latency_s == 2


def test_a_frame_that_is_settled_already_is_not_loaded(bench: Bench) -> None:
    bench.store.done.add(("a.tif", "1"))
    bench.inbox.offer(make_ticket())
    assert bench.drain() == [FrameOutcome.KNOWN]
    assert bench.store.commits == []
    assert bench.inbox.offer(make_ticket())


def test_a_settled_frame_whose_time_is_known_now_is_retimed_and_not_loaded(
    bench: Bench,
) -> None:
    bench.store.done.add(("a.tif", "1"))
    known = replace(make_ticket(), elapsed_s=43_200.0)
    for outcome in (FrameOutcome.RETIMED, FrameOutcome.KNOWN):
        assert bench.inbox.offer(known)
        assert bench.drain() == [outcome]
    assert bench.store.commits == []


def test_an_update_of_a_time_is_repeated_while_the_database_is_unavailable(bench: Bench) -> None:
    bench.store.done.add(("a.tif", "1"))
    bench.store.failures["retime"] = [FULL]
    bench.inbox.offer(replace(make_ticket(), elapsed_s=0.0))
    assert bench.drain() == [FrameOutcome.RETIMED]
    assert bench.pauses == [0.5]


def test_pictures_that_no_result_names_go_once_a_frame_is_settled(bench: Bench) -> None:
    bench.store.done.add(("given-up.tif", "1"))
    bench.source.failures["bad.tif"] = [FrameError("file is cut short: bad.tif; copy it again")]
    for number, name in enumerate(("given-up.tif", "bad.tif", "good.tif")):
        bench.inbox.offer(make_ticket(name, time_point=number))
    assert bench.drain() == [FrameOutcome.KNOWN, FrameOutcome.QUARANTINED, FrameOutcome.SCORED]
    assert bench.overlays.discarded == [make_key(time_point=number) for number in range(3)]
    assert bench.overlays.named == [None, None, PICTURES], "named by the result just committed"


def test_pictures_of_a_frame_that_its_commit_finds_given_up_are_named_by_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_up = Settled(key=make_key(), quarantined="failed 3 times", alerts=())
    monkeypatch.setattr(bench.store, "commit", lambda *_: given_up)
    bench.inbox.offer(make_ticket())
    bench.drain()
    assert bench.overlays.named == [None]


def test_a_picture_that_cannot_be_removed_holds_no_frame_up(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.overlays.stuck = StoreError("picture cannot be removed: x.jpg; give it the rights")
    bench.inbox.offer(make_ticket())
    assert bench.drain() == [FrameOutcome.SCORED]
    assert bench.worker.troubles() == ()
    assert "picture without a result stays" in caplog.text


def test_a_frame_that_cannot_be_read_is_quarantined_with_its_reason(bench: Bench) -> None:
    line = "file is cut short: a.tif; copy it again"
    bench.source.failures["a.tif"] = [FrameError(line)]
    bench.inbox.offer(make_ticket("a.tif"))
    bench.inbox.offer(make_ticket("b.tif"))
    assert bench.drain() == [FrameOutcome.QUARANTINED, FrameOutcome.SCORED]
    assert bench.store.quarantined == [("a.tif", "unreadable", line)]


def test_a_frame_that_cannot_be_judged_is_quarantined_with_its_fault(bench: Bench) -> None:
    bench.analyse = lambda frame: make_result(frame, Fault.BLANK)
    bench.inbox.offer(make_ticket())
    assert bench.drain() == [FrameOutcome.QUARANTINED]
    assert bench.store.quarantined == [("a.tif", "blank", "frame is blank")]


def test_how_a_frame_was_taken_is_stored_beside_its_fault(bench: Bench) -> None:
    load = bench.source.load
    bench.source.load = lambda ticket: replace(  # type: ignore[method-assign]
        load(ticket), note="focus failed: no contrast"
    )
    bench.analyse = lambda frame: make_result(frame, Fault.BLANK)
    bench.inbox.offer(make_ticket())
    assert bench.drain() == [FrameOutcome.QUARANTINED]
    line = "frame is blank; focus failed: no contrast"
    assert bench.store.quarantined == [("a.tif", "blank", line)]


def test_another_channel_is_recorded_but_not_scored(bench: Bench) -> None:
    bench.inbox.offer(make_ticket(channel="gfp"))
    assert bench.drain() == [FrameOutcome.SKIPPED]
    assert bench.store.skipped == [("a.tif", "not scored: channel gfp")]
    assert bench.store.claims == []


def test_a_refusal_is_recorded(bench: Bench) -> None:
    bench.inbox.refuse(make_refusal())
    assert bench.drain() == [FrameOutcome.REFUSED]
    assert bench.store.refused == [make_refusal()]
    assert bench.listener.reports[0].reason == "file name does not match"


def test_a_frame_that_was_missed_is_recorded_and_reported(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    missed = replace(make_refusal(), missed=make_key("A2", 3), reason="never acquired: no camera")
    bench.inbox.refuse(missed)
    assert bench.drain() == [FrameOutcome.MISSED]
    assert bench.store.refused == [missed]
    (record,) = [record for record in caplog.records if record.message == "frame was missed"]
    assert record.__dict__["event"]["key"] == "run 1/p1/A2/s0/t0003/phase"


def test_a_store_that_is_away_is_tried_again_with_growing_delays(bench: Bench) -> None:
    bench.store.failures["commit"] = [FULL] * 4
    bench.inbox.offer(make_ticket())
    assert bench.drain() == [FrameOutcome.SCORED]
    assert bench.pauses == [0.5, 1.0, 2.0, 4.0]
    assert bench.listener.failures == ["commit"] * 4
    assert len(bench.store.claims) == 1


def test_a_full_disk_is_reported_until_a_frame_gets_through(bench: Bench) -> None:
    reported: list[tuple[str, ...]] = []
    waited = bench.pause

    def pause(seconds: float) -> bool:
        reported.append(tuple(bench.worker.troubles()))
        return waited(seconds)

    bench.worker._wait = pause
    bench.store.failures["commit"] = [FULL]
    bench.inbox.offer(make_ticket())
    bench.drain()
    assert reported == [(f"worker: commit is repeated: {FULL}",)]
    assert bench.worker.troubles() == ()


def test_waiting_for_a_full_disk_is_no_stall(bench: Bench) -> None:
    bench.store.failures["commit"] = [FULL] * 4
    beats: list[dict[str, float]] = []
    waited = bench.pause

    def pause(seconds: float) -> bool:
        beats.append(bench.heartbeats.stalled())
        return waited(seconds)

    bench.worker._wait = pause
    bench.inbox.offer(make_ticket())
    bench.drain()
    assert beats == [{}] * 4


def test_a_disk_that_stays_full_never_quarantines_a_frame(bench: Bench) -> None:
    bench.inbox.offer(make_ticket("a.tif"))
    bench.inbox.offer(make_ticket("b.tif"))
    bench.store.broken = FULL
    for _ in range(20):
        bench.worker.work()
    assert {report.outcome for report in bench.listener.reports} == {FrameOutcome.PUT_BACK}
    bench.store.broken = None
    assert bench.drain() == [FrameOutcome.SCORED, FrameOutcome.SCORED]
    assert bench.store.quarantined == []


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [(NoSpaceError, FrameOutcome.SCORED), (StoreError, FrameOutcome.QUARANTINED)],
)
def test_a_disk_that_is_full_now_and_then_is_no_fault_of_a_frame(
    bench: Bench, kind: type[StoreError], outcome: FrameOutcome
) -> None:
    # The large picture never fits; smaller pictures of other frames fit in between.
    bench.stop_after = 0
    bench.overlays.failures[7] = [kind("file cannot be written")] * 6
    bench.inbox.offer(make_ticket("large.tif", time_point=7))
    for time_point in range(6):
        bench.inbox.offer(make_ticket(f"{time_point}.tif", time_point=time_point))
        for _ in range(bench.inbox.depth):
            bench.worker.work()
    bench.drain()
    (last,) = [
        each.outcome for each in bench.listener.reports if each.key == make_key(time_point=7)
    ][-1:]
    assert last is outcome
    assert (outcome is FrameOutcome.QUARANTINED) == bool(bench.store.quarantined)
    assert len(bench.store.commits) == (7 if outcome is FrameOutcome.SCORED else 6)


def test_a_full_overlay_disk_does_not_use_up_the_attempts_of_the_ledger(bench: Bench) -> None:
    bench.overlays.failures[0] = [FULL] * 40
    bench.inbox.offer(make_ticket())
    for _ in range(5):
        bench.worker.work()
    assert len(bench.store.claims) == 1
    bench.overlays.failures.clear()
    assert bench.drain() == [FrameOutcome.SCORED]
    assert len(bench.store.claims) == 1


def test_a_frame_that_alone_cannot_be_stored_is_quarantined(bench: Bench) -> None:
    line = "overlay cannot be written: name too long; shorten it"
    bench.overlays.failures[1] = [StoreError(line)] * 100
    bench.inbox.offer(make_ticket("bad.tif", time_point=1))
    outcomes = []
    for number in range(10):
        bench.inbox.offer(make_ticket(f"{number}.tif", time_point=2))
        outcomes.append(getattr(bench.worker.work(), "outcome", None))
    outcomes += bench.drain()
    assert outcomes.count(FrameOutcome.SCORED) == 10
    assert bench.store.quarantined == [("bad.tif", "failed", line)]


def test_a_share_that_is_away_is_waited_for(bench: Bench) -> None:
    bench.source.failures["a.tif"] = [SourceError("share is gone: /mnt; mount it")] * 3
    bench.inbox.offer(make_ticket())
    assert bench.drain() == [FrameOutcome.SCORED]
    assert bench.listener.failures == ["load"] * 3


def test_frames_of_a_lost_share_are_not_quarantined_though_those_of_another_source_pass(
    bench: Bench,
) -> None:
    lost = SourceError("share does not answer: /share; check it")
    bench.source.failures["far.tif"] = [lost] * 50
    bench.inbox.offer(make_ticket("far.tif", time_point=0))
    outcomes = []
    for number in range(1, 7):
        near = replace(make_ticket(f"near{number}.tif", time_point=number), source="here")
        bench.inbox.offer(near)
        outcomes += [bench.worker.work(), bench.worker.work()]
    assert [each.outcome for each in outcomes if each] == [
        FrameOutcome.PUT_BACK,
        FrameOutcome.SCORED,
    ] * 6
    assert bench.drain()[-1] is FrameOutcome.SCORED, "the share is back"


def test_a_frame_that_alone_cannot_be_read_from_a_share_is_quarantined(bench: Bench) -> None:
    bench.source.failures["bad.tif"] = [SourceError("no answer: /share; check it")] * 100
    bench.inbox.offer(make_ticket("bad.tif", time_point=0))
    for number in range(1, 5):
        bench.inbox.offer(make_ticket(f"good{number}.tif", time_point=number))
        bench.worker.work()
    assert bench.drain()[-1] is FrameOutcome.QUARANTINED


def test_an_unexpected_failure_is_tried_again_and_then_quarantined(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.source.failures["a.tif"] = [ZeroDivisionError("by zero")] * 5
    bench.inbox.offer(make_ticket("a.tif"))
    bench.inbox.offer(make_ticket("b.tif"))
    outcomes = bench.drain()
    assert outcomes.count(FrameOutcome.PUT_BACK) == 2
    assert outcomes.count(FrameOutcome.SCORED) == 1
    ((locator, fault, reason),) = bench.store.quarantined
    assert (locator, fault) == ("a.tif", "failed")
    assert reason.startswith("frame cannot be processed: a.tif (got ZeroDivisionError: by zero)")
    # The database counts each attempt as well, beyond the end of the process.
    assert [ticket.locator for ticket in bench.store.claims].count("a.tif") == 3
    assert "frame failed unexpectedly" in caplog.text


def test_a_changed_file_starts_with_a_clean_record(bench: Bench) -> None:
    bench.source.failures["a.tif"] = [ZeroDivisionError("by zero")] * 2
    bench.inbox.offer(make_ticket("a.tif"))
    bench.worker.work()
    bench.worker.work()
    bench.source.failures["a.tif"] = [ZeroDivisionError("by zero")] * 2
    bench.inbox.offer(make_ticket("a.tif", fingerprint="2"))
    assert bench.drain() == [FrameOutcome.PUT_BACK, FrameOutcome.PUT_BACK, FrameOutcome.SCORED]
    assert bench.store.quarantined == []


def test_a_frame_of_many_slow_steps_is_no_stall(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = []
    load = bench.source.load

    def load_slowly(ticket: FrameTicket) -> Frame:
        bench.clock.advance(50)
        return load(ticket)

    def analyse_slowly(frame: Frame) -> FrameResult:
        bench.clock.advance(50)
        silent.append(bench.heartbeats.stalled())
        return make_result(frame)

    monkeypatch.setattr(bench.source, "load", load_slowly)
    bench.analyse = analyse_slowly
    bench.inbox.offer(make_ticket())
    assert bench.drain() == [FrameOutcome.SCORED]
    assert silent == [{}]


def test_stopping_leaves_off_waiting_for_the_store(bench: Bench) -> None:
    bench.store.broken = FULL
    bench.stop_after = 1
    bench.inbox.offer(make_ticket())
    report = bench.worker.work()
    assert report is not None
    assert report.outcome is FrameOutcome.PUT_BACK
    assert bench.pauses == [0.5]


def test_the_thread_finishes_the_current_frame_and_ends(
    bench: Bench, eventually: Callable[..., None]
) -> None:
    for number in range(3):
        bench.inbox.offer(make_ticket(f"{number}.tif"))
    bench.worker.start()
    eventually(lambda: len(bench.store.commits) == 3)
    assert bench.worker.running()
    assert bench.worker.stop(5)
    assert not bench.worker.running()
    assert bench.heartbeats.stalled() == {}
