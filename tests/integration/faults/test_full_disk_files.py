"""Each file write meets a full disk once, alone: nothing is lost.

This long module is not split: `test_full_disk_places` compares its tables with the source.
"""

import builtins
import errno
import logging
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, nullcontext
from datetime import timedelta
from pathlib import Path

import pytest

from scopewatch.app.checking.checks import run_checks
from scopewatch.cli.main import run
from scopewatch.config import MicroManagerSourceConfig, OverlayConfig, PositionConfig
from scopewatch.core.errors import SourceError, StoreError
from scopewatch.core.estimation.recalibration import Proposal
from scopewatch.runtime.pipeline.outcome import FrameOutcome
from scopewatch.runtime.process.lock import InstanceLock
from scopewatch.runtime.process.log_file import LogFile, RotatedLog
from scopewatch.sources.micromanager.examining import examine
from scopewatch.sources.micromanager.plan_file import read_kept
from scopewatch.store.files.retention import retain
from scopewatch.store.files.whole_files import sweep
from scopewatch.store.write.proposing import proposal_path
from tests.conftest import FakeClock
from tests.integration.full_disk import (
    LAST,
    NO_SPACE,
    Bench,
    Full,
    bench_in,
    fill,
    no_space_at,
    small_file_system,
)
from tests.unit.app.test_app_support import CONFIG
from tests.unit.sources.time_lapse_scene import Scene as TimeLapse
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
LOG = "runtime/process/log_file.py"
LOGGED = {
    f"{LOG} RotatedLog._open mkdir": Path,
    f"{LOG} RotatedLog._open chmod": Path,
    f"{LOG} RotatedLog._open open": builtins,
    f"{LOG} _closed_to_others open": os,
}
BUNDLE = "app/support.py write_bundle"
BUNDLED = {
    f"{BUNDLE} touch": Path,
    f"{BUNDLE} ZipFile": zipfile,
    f"{BUNDLE} writestr": zipfile.ZipFile,
    f"{BUNDLE} write": zipfile.ZipFile,
    f"{BUNDLE} chmod": Path,
    f"{FILES} _sync fsync": os,
    f"{FILES} whole_file replace": Path,
}
STARTED = {
    "runtime/process/lock.py InstanceLock.__init__ open": Path,
    "runtime/process/lock.py InstanceLock.__init__ chmod": Path,
    "store/schema/sqlite.py _make_file open": os,
    "store/schema/sqlite.py _make_file chmod": Path,
    f"{STATE_FILES} make_folder mkdir": Path,
    f"{STATE_FILES} make_folder chmod": Path,
}
PLAN = "sources/micromanager/plan_file.py write_plan"
PLANNED = {
    f"{PLAN} touch": Path,
    f"{PLAN} write_text": Path,
    f"{FILES} _sync fsync": os,
    f"{FILES} whole_file replace": Path,
}
QUIET = "sources/micromanager/examining.py _quiet_setup"
EXAMINED = {f"{QUIET} TemporaryDirectory": tempfile, f"{QUIET} write_text": Path}
# These places have tests of their own below.
SINGLE = {
    "store/write/proposing.py write_proposal unlink",
    "store/files/pictures.py remove_picture unlink",
    f"{STATE_FILES} sweep unlink",
    f"{LOG} RotatedLog RotatingFileHandler",
    f"{LOG} RotatedLog._open write",
    "app/checking/folders.py check_writable TemporaryFile",
    "sources/micromanager/acquired.py make_folder mkdir",
}
COVERED = {*STEPS, *FOLDERS, *LOGGED, *BUNDLED, *STARTED, *PLANNED, *EXAMINED, *SINGLE}


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


def test_leftovers_that_cannot_be_removed_refuse_the_start_until_they_can(tmp_path: Path) -> None:
    left = tmp_path / ".p1_t0000_s0.jpg.part"
    left.touch()
    with no_space_at(f"{STATE_FILES} sweep unlink", Path) as full:
        with pytest.raises(StoreError, match=f"file cannot be written: .*{NO_SPACE}"):
            sweep(tmp_path)
        assert full.struck == 1
        full.relieve()
        assert sweep(tmp_path) == 1
    assert not left.exists()


@pytest.mark.parametrize(("place", "owner"), STARTED.items())
def test_a_start_without_room_is_one_line_and_the_next_one_succeeds(
    tmp_path: Path, clock: FakeClock, place: str, owner: object
) -> None:
    if place.startswith("runtime/process/lock.py"):
        with no_space_at(place, owner) as full:
            with pytest.raises(StoreError, match=f"cannot be written to: .*{NO_SPACE}"):
                InstanceLock(tmp_path)
            assert full.struck == 1
            full.relieve()
            with InstanceLock(tmp_path):
                return
    with no_space_at(place, owner) as full:
        with pytest.raises(StoreError, match=NO_SPACE) as caught:
            Bench(tmp_path, clock)
        assert full.struck == 1
        assert len(str(caught.value).splitlines()) == 1
        full.relieve()
        (tmp_path / "raw").rmdir()
        bench = Bench(tmp_path, clock)
    assert bench.score() == [FrameOutcome.SCORED]
    bench.expect_all_in_order()
    assert (bench.state / "scopewatch.db").stat().st_mode & 0o007 == 0
    assert bench.state.stat().st_mode & 0o027 == 0
    bench.close()


def record(text: str) -> logging.LogRecord:
    return logging.LogRecord("scopewatch.test", logging.INFO, "", 0, text, None, None)


def write_log(handler: RotatedLog, *lines: str) -> None:
    for line in lines:
        handler.handle(record(line))


@pytest.mark.parametrize(("place", "owner"), LOGGED.items())
def test_a_log_file_that_finds_no_room_costs_its_lines_and_nothing_else(
    tmp_path: Path, place: str, owner: object, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "logs/scopewatch.log"
    handler = RotatedLog(LogFile(path=path, max_bytes=1_000_000, keep=2))
    with no_space_at(place, owner) as full:
        write_log(handler, "lost", "lost too")
        assert full.struck == 2
        full.relieve()
        write_log(handler, "kept")
    handler.close()
    assert [record.message for record in caplog.records] == [
        "log file cannot be written", "log file is written again"
    ]  # fmt: skip
    assert path.read_text() == "kept\n"


def test_a_log_file_on_a_full_disk_is_turned_over_and_loses_only_its_lines(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with small_file_system(tmp_path, 1) as disk:
        path = disk / "scopewatch.log"
        handler = RotatedLog(LogFile(path=path, max_bytes=20_000, keep=2))
        write_log(handler, "a" * 15_000)
        ballast = fill(disk)
        # The first line fills the last page, the next ones pass the size at which the file rotates.
        write_log(handler, *("b" * 6000 for _ in range(3)))
        assert handler.lost == 3
        ballast.unlink()
        write_log(handler, "c" * 6000, "d")
        handler.close()
        logged = [record.message for record in caplog.records]
        assert logged == ["log file cannot be written", "log file is written again"]
        assert sorted(each.name for each in disk.iterdir())[0] == "scopewatch.log"
        lines = path.read_text().splitlines()
        assert lines[-2:] == ["c" * 6000, "d"]
        assert "a" * 15_000 in "".join(each.read_text() for each in disk.glob("scopewatch.log*"))


def test_the_end_of_a_cut_line_that_finds_no_room_is_written_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "scopewatch.log"
    path.write_text("cut o")
    real = builtins.open

    class Stream:
        """A stream that takes no line end, as a disk does whose last page is full."""

        def write(self, _: str) -> None:
            raise OSError(errno.ENOSPC, NO_SPACE)

        def close(self) -> None:
            """Close."""

    handler = RotatedLog(LogFile(path=path, max_bytes=1_000_000, keep=2))
    with monkeypatch.context() as patch:
        patch.setattr(builtins, "open", lambda *_, **__: Stream())
        write_log(handler, "lost")
    assert builtins.open is real
    write_log(handler, "kept")
    handler.close()
    assert path.read_text() == "cut o\nkept\n"


def test_a_bundle_without_room_is_one_line_and_leaves_the_earlier_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(CONFIG + "state: {folder: state}\n", encoding="utf-8")
    picture = tmp_path / "state/overlays/run 1/A1/p1_t0000_s0.jpg"
    picture.parent.mkdir(parents=True)
    picture.write_bytes(b"a picture")
    out = tmp_path / "trouble.zip"
    out.write_bytes(b"an earlier one")
    call = ["support-bundle", "-c", str(config), "--out", str(out), "--with-images", "3"]
    for place, owner in BUNDLED.items():
        with no_space_at(place, owner) as full:
            assert run(call) == 1, place
        assert full.struck == 1, place
        (line,) = capsys.readouterr().err.splitlines()
        assert NO_SPACE in line
        assert out.read_bytes() == b"an earlier one"
        assert {path.name for path in tmp_path.iterdir()} == {"config.yaml", "state", "trouble.zip"}
    assert run(call) == 0
    with zipfile.ZipFile(out) as bundle:
        assert bundle.read("images/0000-p1_t0000_s0.jpg") == b"a picture"


def test_a_check_of_a_full_disk_says_so_and_is_no_reason_to_refuse_a_start(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(CONFIG, encoding="utf-8")
    with no_space_at("app/checking/folders.py check_writable TemporaryFile", tempfile) as full:
        found = [each for each in run_checks(config, {}) if NO_SPACE in each.text]
    assert full.struck == 1
    assert [(each.subject, each.failed, each.lasting) for each in found] == [
        ("state folder", True, False)
    ]


def test_a_time_lapse_without_a_folder_for_it_is_reported_and_started_again(
    tmp_path: Path, clock: FakeClock
) -> None:
    lapse = TimeLapse(tmp_path / "data", clock)
    with no_space_at("sources/micromanager/acquired.py make_folder mkdir", Path) as full:
        with pytest.raises(SourceError, match=f"folder for the data sets .*{NO_SPACE}"):
            lapse.start()
        assert full.struck == 1
        full.relieve()
        lapse.start()
    lapse.at(0)
    assert lapse.acquired == [0]
    lapse.source.stop()


@pytest.mark.parametrize("place", PLANNED)
@pytest.mark.parametrize("and_removing", [False, True])
def test_a_plan_that_cannot_be_kept_costs_no_image_and_is_kept_later(
    tmp_path: Path, clock: FakeClock, place: str, and_removing: bool
) -> None:
    lapse = TimeLapse(tmp_path / "data", clock).start()
    with ExitStack() as held:
        full = held.enter_context(no_space_at(place, PLANNED[place]))
        unlinks = no_space_at(f"{FILES} whole_file unlink", Path)
        left = held.enter_context(unlinks if and_removing else nullcontext(Full()))
        lapse.at(0)
        assert full.struck >= 1
        assert left.struck == and_removing
        assert lapse.acquired == [0]
        assert read_kept(tmp_path / "data", "HES 7") is None
    lapse.at(1)
    kept = read_kept(tmp_path / "data", "HES 7")
    assert kept is not None
    assert kept.planned.over == 1
    lapse.source.stop()


@pytest.mark.parametrize("place", EXAMINED)
def test_a_core_that_cannot_be_queried_for_want_of_space_is_reported(
    tmp_path: Path, place: str
) -> None:
    setup = tmp_path / "scope.cfg"
    setup.write_text("Property,Core,Initialize,1\n", encoding="utf-8")
    config = MicroManagerSourceConfig(
        kind="micromanager",
        mode="acquire",
        path=tmp_path / "data",
        mm_app_path=tmp_path,
        mm_config=setup,
        positions=(PositionConfig(label="A1", x_um=0, y_um=0),),
    )
    with no_space_at(place, EXAMINED[place]) as full:
        with pytest.raises(SourceError, match=f"cannot be copied .*{NO_SPACE}"):
            examine(config)
        assert full.struck == 1
