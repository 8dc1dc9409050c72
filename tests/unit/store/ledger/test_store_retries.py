"""What a person wants tried again: a frame, a reason, a well, all of it."""

import logging
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from scopewatch.app.recording.store import Store
from scopewatch.core.alerts.rules import AlertRule, RuleKind
from scopewatch.core.imaging.frame import FrameKey
from scopewatch.core.tickets import Mark, Refusal, RetryRequest
from scopewatch.store.read.judging import Judging, SourceSettings
from scopewatch.store.read.reader import Reader
from scopewatch.store.read.records.quarantine import RetryAnswer, RetrySelection
from tests.conftest import FakeClock
from tests.unit.store.scene import START, Scene, key, open_store, ticket

JUDGING = Judging(sources={"folder": SourceSettings(names="n", reading="r")}, model="m")
SOURCES = ("folder",)
ALL = RetrySelection()
BLANK, DAMAGED = key("A1", 0), key("B2", 0)


@pytest.fixture
def scene(tmp_path: Path, clock: FakeClock) -> Iterator[Scene]:
    """A1 holds a blank frame and a scored one, B2 a damaged frame; one file has no key."""
    store = open_store(tmp_path, clock, judging=JUDGING, max_attempts=2)
    scene = Scene(store=store, folder=tmp_path)
    spoil(scene, BLANK, "blank")
    scene.score(key("A1", 1), 0.7)
    spoil(scene, DAMAGED, "unreadable")
    refuse(scene, "odd.tif")
    yield scene
    store.close()


def spoil(scene: Scene, frame: FrameKey, fault: str, reason: str = "it is so") -> None:
    offered = ticket(frame)
    assert scene.store.claim(offered)
    scene.store.quarantine(offered, fault, reason)


def refuse(scene: Scene, locator: str, reason: str = "its name does not fit") -> None:
    scene.store.refuse(
        Refusal(source="folder", locator=locator, fingerprint="1", reason=reason, seen_at=START)
    )


def ask(scene: Scene, wanted: RetrySelection = ALL, by: str = "mei") -> RetryAnswer:
    return scene.store.ask_again(wanted, SOURCES, by)


def retry_requests(store: Store, after: int = 0) -> list[RetryRequest]:
    return store.retry_requests("folder", after, 10)


def is_open(scene: Scene, locator: str) -> bool:
    return locator not in scene.store.settled("folder", [Mark(locator, "1")])


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (ALL, {"A1", "B2", "odd.tif"}),
        (RetrySelection(run="run 7"), {"A1", "B2", "odd.tif"}),
        (RetrySelection(run="another"), {"odd.tif"}),
        (RetrySelection(fault="blank"), {"A1"}),
        (RetrySelection(fault="refused"), {"odd.tif"}),
        (RetrySelection(well="B2"), {"B2"}),
        (RetrySelection(plate="p1", well="A1"), {"A1"}),
        (RetrySelection(plate="p2"), set()),
        (RetrySelection(what="odd.tif"), {"odd.tif"}),
        (RetrySelection(what=str(DAMAGED)), {"B2"}),
        (RetrySelection(what=f"/raw/{DAMAGED}.tif"), {"B2"}),
        (RetrySelection(what="/raw"), {"A1", "B2"}),
        (RetrySelection(what="/ra"), set()),
        (RetrySelection(what="odd.tif", source="another"), set()),
        (RetrySelection(what=str(key("A1", 1))), set()),
    ],
)
def test_what_is_selected_is_open_again_and_nothing_else(
    scene: Scene, wanted: RetrySelection, expected: set[str]
) -> None:
    answer = ask(scene, wanted)
    places = {f"/raw/{BLANK}.tif": "A1", f"/raw/{DAMAGED}.tif": "B2", "odd.tif": "odd.tif"}
    assert {name for place, name in places.items() if is_open(scene, place)} == expected
    assert {places[each.locator] for each in retry_requests(scene.store)} == expected
    assert answer == RetryAnswer(asked=len(expected), waiting=0)
    assert not is_open(scene, f"/raw/{key('A1', 1)}.tif"), "it is scored"


def test_planes_of_a_file_are_asked_for_with_it(scene: Scene) -> None:
    for place in ("stack.tif", "stack.tif#page=4", "stack.tif2", "stack.tif#1.tif"):
        refuse(scene, place)
    assert ask(scene, RetrySelection(what="stack.tif")).asked == 2
    assert [each.locator for each in retry_requests(scene.store)] == [
        "stack.tif",
        "stack.tif#page=4",
    ]


def test_a_frame_tried_again_is_scored_once_and_keeps_when_it_was_seen(
    scene: Scene, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    when = "SELECT seen_at, state, attempts FROM frames WHERE fault IS NOT NULL OR time_point = 0"
    (before, *_), _ = scene.rows(when)
    ask(scene, RetrySelection(well="A1"), by="mei, command line")
    clock.advance(86_400)
    (request,) = retry_requests(scene.store)
    assert request.ticket is not None
    with caplog.at_level(logging.INFO, "scopewatch.store.write.claims"):
        assert scene.store.claim(request.ticket)
    assert [record.__dict__["event"]["asked_by"] for record in caplog.records] == [
        "mei, command line"
    ]
    scene.commit(request.ticket, 0.7)
    assert not scene.store.claim(request.ticket), "it is scored"
    assert scene.rows(when)[0] == (before, "done", 1)
    assert scene.rows("SELECT count(*) FROM results") == [(2,)]
    assert scene.store.close_retry_requests() == 1
    assert retry_requests(scene.store) == []
    assert ask(scene, RetrySelection(well="A1")) == RetryAnswer(asked=0, waiting=0)


def test_a_frame_that_is_unfit_again_returns_with_its_new_reason(scene: Scene) -> None:
    ask(scene, RetrySelection(fault="blank"))
    (request,) = retry_requests(scene.store)
    assert request.ticket is not None
    assert scene.store.claim(request.ticket)
    scene.store.quarantine(request.ticket, "out-of-focus", "it is blurred")
    assert not is_open(scene, request.locator)
    assert scene.store.close_retry_requests() == 1
    rows = scene.rows("SELECT fault, reason FROM frames WHERE state = 'quarantined' ORDER BY id")
    assert rows[0] == ("out-of-focus", "it is blurred")


def test_a_refused_file_that_is_refused_again_is_settled_with_its_new_reason(scene: Scene) -> None:
    ask(scene, RetrySelection(fault="refused"))
    refuse(scene, "odd.tif", "it is gone")
    assert scene.store.close_retry_requests() == 1
    assert scene.rows("SELECT reason, judged_under FROM refusals") == [("it is gone", "n/r/m")]


def test_a_refused_file_that_has_a_key_now_is_scored_and_keeps_when_it_was_seen(
    scene: Scene, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    clock.advance(3 * 86_400)
    ask(scene, RetrySelection(what="odd.tif"), by="dashboard, 127.0.0.1")
    offered = ticket(key("C3", 9), locator="odd.tif")
    with caplog.at_level(logging.INFO, "scopewatch.store.write.claims"):
        assert scene.store.claim(offered)
    assert "asked_by" in caplog.records[-1].__dict__["event"]
    scene.commit(offered, 0.7)
    assert scene.rows("SELECT count(*) FROM refusals") == [(0,)]
    ((seen_at,),) = scene.rows("SELECT seen_at FROM frames WHERE locator = 'odd.tif'")
    assert seen_at.startswith(f"{START:%Y-%m-%d %H:%M:%S}")
    assert scene.store.close_retry_requests() == 1


def test_asking_twice_asks_once(scene: Scene) -> None:
    assert ask(scene) == RetryAnswer(asked=3, waiting=0)
    assert ask(scene, by="another") == RetryAnswer(asked=0, waiting=3)
    assert {each.asked_by for each in retry_requests(scene.store)} == {"mei"}


def test_a_retry_in_progress_is_not_requested_a_second_time(scene: Scene) -> None:
    ask(scene, RetrySelection(well="A1"))
    (request,) = retry_requests(scene.store)
    assert request.ticket is not None
    assert scene.store.claim(request.ticket)
    assert ask(scene, RetrySelection(well="A1")) == RetryAnswer(asked=0, waiting=0)
    assert scene.store.close_retry_requests() == 0, "it has no outcome yet"


def test_a_frame_that_was_given_up_has_one_attempt_when_asked_for(scene: Scene) -> None:
    offered = ticket(key("C3", 0))
    assert [scene.store.claim(offered) for _ in range(3)] == [True, True, False]
    ask(scene, RetrySelection(fault="failed"))
    (request,) = retry_requests(scene.store)
    assert request.ticket is not None
    # The process ends during the retry, and finds the request again.
    assert [scene.store.claim(request.ticket) for _ in range(2)] == [True, False]
    assert scene.store.close_retry_requests() == 1


def test_a_number_is_never_given_twice(scene: Scene) -> None:
    ask(scene, RetrySelection(what="odd.tif"))
    (first,) = retry_requests(scene.store)
    refuse(scene, "odd.tif", "once more")
    scene.store.close_retry_requests()
    ask(scene, RetrySelection(what="odd.tif"))
    assert [each.locator for each in retry_requests(scene.store, after=first.number)] == ["odd.tif"]


def test_what_no_source_reads_any_more_stays_as_it_is(scene: Scene) -> None:
    answer = scene.store.ask_again(ALL, ("another",), "mei")
    assert answer == RetryAnswer(asked=0, waiting=0, unwatched=("folder",))
    assert not is_open(scene, "odd.tif")


def test_a_frame_that_was_never_taken_cannot_be_tried_again(scene: Scene) -> None:
    missed = key("D4", 0)
    scene.store.refuse(
        Refusal(
            source="folder",
            locator="nothing",
            fingerprint="missed",
            reason="camera off",
            seen_at=START,
            missed=missed,
        )
    )
    assert ask(scene, RetrySelection(well="D4")) == RetryAnswer(asked=0, waiting=0, missed=1)


def test_quarantine_says_what_waits_and_sums_up_its_reasons(scene: Scene, clock: FakeClock) -> None:
    clock.advance(60)
    spoil(scene, key("B2", 1), "unreadable", "cut off")
    ask(scene, RetrySelection(well="B2"))
    with closing(Reader.open(scene.folder)) as reader:
        rows = {row.what: row.asked_again for row in reader.quarantined(None, 10)}
        reasons = reader.reasons()
        of_another = reader.reasons("another")
    assert rows == {
        str(BLANK): False,
        str(DAMAGED): True,
        str(key("B2", 1)): True,
        "odd.tif": False,
    }
    assert [(each.fault, each.count, each.asked_again) for each in reasons] == [
        ("unreadable", 2, 2),
        ("blank", 1, 0),
        ("refused", 1, 0),
    ]
    assert (reasons[0].what, reasons[0].reason) == (str(key("B2", 1)), "cut off")
    assert [each.fault for each in of_another] == ["refused"]


def test_another_process_may_ask(scene: Scene, clock: FakeClock) -> None:
    with closing(open_store(scene.folder, clock)) as other:
        other.ask_again(RetrySelection(fault="blank"), SOURCES, "mei")
    assert is_open(scene, f"/raw/{BLANK}.tif")
    assert len(retry_requests(scene.store)) == 1


def test_an_alert_of_frames_that_cannot_be_judged_ends_with_the_one_that_can(
    tmp_path: Path, clock: FakeClock
) -> None:
    unfit = AlertRule(name="unfit", kind=RuleKind.UNFIT_FRAMES, consecutive=2)
    with closing(open_store(tmp_path, clock, judging=JUDGING)) as store:
        scene = Scene(store=store, folder=tmp_path, rules=(unfit,))
        for time_point in range(2):
            offered = ticket(key("A1", time_point))
            assert store.claim(offered)
            store.quarantine(offered, "unreadable", "cut off")
        assert scene.rows("SELECT count(*) FROM alerts WHERE resolved_at IS NULL") == [(1,)]
        ask(scene, RetrySelection(well="A1"))
        for request in retry_requests(store):
            assert request.ticket is not None
            assert store.claim(request.ticket)
            scene.commit(request.ticket, 0.7)
        assert scene.rows("SELECT count(*) FROM alerts WHERE resolved_at IS NULL") == [(0,)]
        assert scene.rows("SELECT count(*) FROM well_estimates") == [(2,)]
        assert store.close_retry_requests() == 2
