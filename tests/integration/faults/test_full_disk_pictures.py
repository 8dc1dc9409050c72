"""Each write of a picture or a proposal meets a full disk once, alone: nothing is lost."""

import os
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from scopewatch.config import OverlayConfig
from scopewatch.core.errors import StoreError
from scopewatch.core.estimation.recalibration import Proposal
from scopewatch.runtime.pipeline.outcome import FrameOutcome
from scopewatch.store.files.retention import retain
from scopewatch.store.write.proposing import proposal_path
from tests.conftest import FakeClock
from tests.integration.full_disk import (
    LAST,
    NO_SPACE,
    Bench,
    bench_in,
    no_space_at,
)
from tests.unit.store.scene import key

FILES = "files.py"
STATE_FILES = "store/files/whole_files.py"
# An atomic write has these steps; the last one syncs the folder.
STEPS = {
    f"{FILES} write_whole write_bytes": Path,
    f"{FILES} write_whole chmod": Path,
    f"{FILES} _sync open": os,
    f"{FILES} _sync fsync": os,
    f"{FILES} whole_file replace": Path,
    f"{FILES} whole_file unlink": Path,
}
FOLDERS = {f"{STATE_FILES} make_folder mkdir": Path, f"{STATE_FILES} make_folder chmod": Path}
SYNCED = {place: owner for place, owner in STEPS.items() if "_sync" in place}
# These places have tests of their own below.
SINGLE = {
    "store/write/proposing.py write_proposal unlink",
    "store/files/pictures.py remove_picture unlink",
}
COVERED = {*STEPS, *FOLDERS, *SINGLE}


@pytest.fixture
def bench(tmp_path: Path, clock: FakeClock) -> Iterator[Bench]:
    yield from bench_in(tmp_path, clock)


def expect_reported(bench: Bench, step: str) -> None:
    assert bench.troubles
    assert all(f"worker: {step} is repeated: " in line for line in bench.troubles), bench.troubles
    assert all(NO_SPACE in line for line in bench.troubles), bench.troubles


@pytest.mark.parametrize(
    ("what", "places"),
    [(".jpg", STEPS), (".ome.tif", STEPS), ("A", FOLDERS | SYNCED)],
    ids=["overlay", "stain", "the well's folder"],
)
def test_a_picture_without_room_is_reported_and_drawn_once_there_is_some(
    bench: Bench, what: str, places: dict[str, object]
) -> None:
    left: list[str] = []

    def relieve() -> None:
        left.extend(each for each in bench.on_disk() if each.endswith(".part"))
        full.relieve()

    for number, (place, owner) in enumerate(places.items()):
        bench.offer(key(f"A{number}"))
        bench.offer(key(f"B{number}"))
        raw = bench.raw_data()
        bench.troubles.clear()
        with no_space_at(place, owner, what) as full:
            bench.relief = relieve
            assert bench.work() == [FrameOutcome.SCORED] * 2, place
        assert full.struck == 1, place
        expect_reported(bench, "draw")
        assert len(bench.on_disk()) == 4 * (number + 1)
        bench.expect_all_in_order()
        assert bench.raw_data() == raw
        # Where the removal itself fails, the next attempt removes the file.
        assert left == [] or place.endswith("whole_file unlink"), place
        left.clear()


def score_a_run_that_departs(bench: Bench) -> None:
    """Score all but the last frame of the final day."""
    for well in ("A1", "A2", "A3", "A4"):
        assert bench.score(well, LAST, "gfp") == [FrameOutcome.MEASURED]
        if well != "A4":
            assert bench.score(well, LAST) == [FrameOutcome.SCORED]


def test_a_proposal_without_room_is_reported_and_written_once_there_is_some(bench: Bench) -> None:
    score_a_run_that_departs(bench)
    path = proposal_path(bench.state, "run 7")
    assert not path.parent.exists()
    for number, (place, owner) in enumerate((FOLDERS | STEPS).items()):
        what = "recalibration" if place in FOLDERS else ".json"
        bench.troubles.clear()
        with no_space_at(place, owner, what) as full:
            bench.relief = full.relieve
            bench.offer(key("A4", LAST), fingerprint=str(number))
            assert bench.work() == [FrameOutcome.SCORED], place
        assert full.struck == 1, place
        expect_reported(bench, "commit")
        assert len(Proposal.model_validate_json(path.read_text()).wells) == 4
        bench.expect_all_in_order()
        shutil.rmtree(path.parent)


def test_a_proposal_that_cannot_be_taken_back_is_reported_and_taken_back_later(
    bench: Bench,
) -> None:
    score_a_run_that_departs(bench)
    assert bench.score("A4", LAST) == [FrameOutcome.SCORED]
    path = proposal_path(bench.state, "run 7")
    assert path.exists()
    bench.fraction = 0.425
    with no_space_at("store/write/proposing.py write_proposal unlink", Path) as full:
        bench.relief = full.relieve
        for well in ("A1", "A2", "A3", "A4"):
            bench.offer(key(well, LAST), fingerprint="2")
        assert bench.work() == [FrameOutcome.SCORED] * 4
    assert full.struck == 1
    expect_reported(bench, "commit")
    assert not path.exists()
    bench.expect_all_in_order()


def test_a_picture_that_cannot_be_removed_is_reported_and_goes_at_the_next_start(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    # On some file systems even a removal needs space.
    assert bench.score("A1") == [FrameOutcome.SCORED]
    bench.overlays.discard(key("A1"))
    assert len(bench.on_disk()) == 2, "named by its result"
    bench.judge = lambda _: pytest.fail("it cannot be read")  # type: ignore[assignment,method-assign]
    with no_space_at("store/files/pictures.py remove_picture unlink", Path) as full:
        offered = bench.offer(key("A1"), fingerprint="2")
        assert bench.store.claim(offered)
        bench.store.quarantine(offered, "unreadable", "file is cut off")
        # Only the cleanup is left to the worker.
        assert bench.work() == [FrameOutcome.KNOWN]
    assert full.struck == 1
    assert "picture without a result stays" in caplog.text
    assert len(bench.on_disk()) == 2
    bench.close()
    bench.open()
    assert [bench.overlays.discard(name) for name in bench.reader.without_result()] == [2]
    bench.expect_all_in_order()


def test_retention_that_cannot_remove_raises_and_continues_at_its_next_round(bench: Bench) -> None:
    for time_point in range(2):
        assert bench.score("A1", time_point) == [FrameOutcome.SCORED]
    options = OverlayConfig(keep_days=1)
    later = bench.clock.now() + timedelta(days=40_000)
    with no_space_at("store/files/pictures.py remove_picture unlink", Path, "t0001") as full:
        with pytest.raises(StoreError, match=f"picture cannot be removed: .*{NO_SPACE}"):
            retain(bench.pictures, options, later)
        assert full.struck == 1
        full.relieve()
        before = len(bench.on_disk())
        assert retain(bench.pictures, options, later).files == before
    assert bench.on_disk() == set()
