import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scopewatch.app.oneshot.frame_scoring import FrameScoring
from scopewatch.app.oneshot.items import Listed, Unlisted
from scopewatch.app.oneshot.lines import Screening
from scopewatch.app.oneshot.scoring import Scoring
from scopewatch.config import RunConfig
from scopewatch.core.errors import FrameError, ModelError, StoreError
from scopewatch.core.faults import Fault
from scopewatch.core.imaging.frame import Frame
from scopewatch.core.imaging.overlay import OverlayFiles
from scopewatch.core.imaging.result import FrameResult
from scopewatch.store.archive.first_places import FirstPlaces
from tests.conftest import FakeClock
from tests.unit.runtime.fakes import make_frame, make_result, make_ticket


class FakePictures:
    """Pictures that are not written."""

    def __init__(self, failure: StoreError | None = None) -> None:
        self.days: list[float] = []
        self.failure = failure

    def write(self, frame: Frame, result: FrameResult, day: float) -> OverlayFiles:
        if self.failure is not None:
            raise self.failure
        self.days.append(day)
        return OverlayFiles(overlay="run/A1/x.jpg", stain=None)


def listed(
    place: str, time_point: int = 0, channel: str = "phase", failure: FrameError | None = None
) -> Listed:
    ticket = make_ticket(place, time_point=time_point, channel=channel)

    def load() -> Frame:
        if failure is not None:
            raise failure
        return make_frame(ticket)

    return Listed(place=place, key=ticket.key, load=load)


def run(
    *items: Listed | Unlisted,
    analyse: Callable[[Frame], FrameResult] = make_result,
    pictures: FakePictures | None = None,
) -> list[dict[str, Any]]:
    frames = FrameScoring(
        analyse=analyse,
        pictures=pictures,
        run=RunConfig(name="score", interval_h=12),
        monotonic=FakeClock().monotonic,
    )
    with FirstPlaces() as places:
        scoring = Scoring(frames=frames, screening=Screening("phase", places))
        return list(scoring.run(items))


def test_each_frame_has_a_line_in_its_order() -> None:
    lines = run(*(listed(f"{number}.tif", number) for number in range(5)))
    assert [line["path"] for line in lines] == [f"{number}.tif" for number in range(5)]
    first = lines[0]
    assert first["key"] == "run 1/p1/A1/s0/t0000/phase"
    assert (first["verdict"], first["reason"]) == ("judged", "")
    assert (first["efficiency"], first["low"], first["high"]) == (0.6, 0.5, 0.7)
    assert first["timings_ms"] == {"load": 0, "normalise": 1, "score": 2, "analyse": 3}
    assert first["overlay"] is None


def test_what_cannot_be_read_or_judged_has_its_reason() -> None:
    def analyse(frame: Frame) -> FrameResult:
        if frame.key.time_point == 2:
            raise ModelError("frame does not fit the memory budget: 9000 px; raise it")
        return make_result(frame, Fault.BLANK)

    lines = run(
        Unlisted(place="a.tif", reason="file is no TIFF: a.tif; write it again"),
        listed("b.tif", failure=FrameError("file is cut off: b.tif; copy it again")),
        listed("c.tif", 1),
        listed("d.tif", 2),
        listed("e.tif", channel="gfp"),
        analyse=analyse,
    )
    assert [(line["verdict"], line["reason"].split(":")[0]) for line in lines] == [
        ("unreadable", "file is no TIFF"),
        ("unreadable", "file is cut off"),
        ("blank", "frame is blank"),
        ("failed", "frame does not fit the memory budget"),
        ("not-scored", "not scored"),
    ]
    assert lines[0]["key"] is None
    assert {line["efficiency"] for line in lines} == {None}


def test_a_second_file_of_the_same_key_is_a_duplicate() -> None:
    lines = run(listed("a.tif"), listed("b.tif"), listed("a.tif"))
    assert [line["verdict"] for line in lines] == ["judged", "duplicate", "judged"]
    assert lines[1]["reason"] == "duplicate of a.tif: both are run 1/p1/A1/s0/t0000/phase"


def test_pictures_are_drawn_for_judged_frames_on_their_day() -> None:
    pictures = FakePictures()
    lines = run(listed("a.tif", 3), listed("b.tif", channel="gfp"), pictures=pictures)
    assert [line["overlay"] for line in lines] == ["run/A1/x.jpg", None]
    assert pictures.days == [1.5]
    assert lines[0]["timings_ms"]["draw"] == 0


def test_a_disk_that_is_full_ends_it() -> None:
    full = StoreError("file cannot be written: x (got disk full); make space")
    pictures = FakePictures(full)
    with pytest.raises(StoreError, match="disk full"):
        run(listed("a.tif"), pictures=pictures)


def test_only_the_callers_thread_uses_the_model() -> None:
    threads = set()

    def analyse(frame: Frame) -> FrameResult:
        threads.add(threading.current_thread())
        return make_result(frame)

    run(*(listed(f"{number}.tif", number) for number in range(4)), analyse=analyse)
    assert threads == {threading.current_thread()}


def test_frames_are_read_no_further_ahead_than_one(tmp_path: Path) -> None:
    read: list[str] = []
    scored: list[str] = []
    ahead: list[int] = []

    def items() -> Any:
        for number in range(20):
            yield counted(f"{number}.tif", number)

    def counted(place: str, number: int) -> Listed:
        item = listed(place, number)

        def load() -> Frame:
            read.append(place)
            return item.load()

        return Listed(place=place, key=item.key, load=load)

    def analyse(frame: Frame) -> FrameResult:
        ahead.append(len(read) - len(scored))
        scored.append(str(frame.key))
        return make_result(frame)

    run(*items(), analyse=analyse)
    assert len(scored) == 20
    assert max(ahead) <= 2
