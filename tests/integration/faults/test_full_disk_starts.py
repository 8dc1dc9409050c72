"""Each file of a start, a check and a support bundle meets a full disk once, alone."""

import os
import tempfile
import zipfile
from pathlib import Path

import pytest

from scopewatch.app.checking.checks import run_checks
from scopewatch.cli.main import run
from scopewatch.core.errors import StoreError
from scopewatch.runtime.pipeline.outcome import FrameOutcome
from scopewatch.runtime.process.lock import InstanceLock
from scopewatch.store.files.whole_files import sweep
from tests.conftest import FakeClock
from tests.integration.full_disk import (
    NO_SPACE,
    Bench,
    no_space_at,
)
from tests.unit.app.test_app_support import CONFIG

FILES = "files.py"
STATE_FILES = "store/files/whole_files.py"
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
# These places have tests of their own below.
SINGLE = {f"{STATE_FILES} sweep unlink", "app/checking/folders.py check_writable TemporaryFile"}
COVERED = {*BUNDLED, *STARTED, *SINGLE}


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
