import os
from pathlib import Path
from stat import S_IMODE

import pytest

from scopewatch.core.errors import StoreError
from scopewatch.store.files.whole_files import sweep, whole_file, write_whole


def test_a_file_is_written_with_its_folders_and_closed_to_others(tmp_path: Path) -> None:
    path = tmp_path / "run" / "well" / "a.jpg"
    write_whole(path, b"picture")
    assert path.read_bytes() == b"picture"
    assert S_IMODE(path.stat().st_mode) == 0o640
    assert S_IMODE(path.parent.stat().st_mode) == 0o750
    assert list(path.parent.iterdir()) == [path]


def test_an_older_file_is_replaced_in_one_piece(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    write_whole(path, b"old")
    with path.open("rb") as reader:
        write_whole(path, b"new")
        assert reader.read() == b"old"
    assert path.read_bytes() == b"new"


def test_a_failure_leaves_the_older_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    write_whole(path, b"old")

    def fail() -> None:
        with whole_file(path) as begun:
            begun.write_bytes(b"half")
            raise OSError(28, "No space left on device")

    with pytest.raises(
        StoreError, match=r"file cannot be written: .*a\.jpg \(got No space left on device\)"
    ):
        fail()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_was_written_is_on_the_disk_before_it_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.jpg"
    synced: list[tuple[str, bool]] = []
    fsync = os.fsync

    def note(handle: int) -> None:
        synced.append((Path(f"/proc/self/fd/{handle}").readlink().name, path.exists()))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", note)
    write_whole(path, b"picture")
    assert synced == [(".a.jpg.part", False), (tmp_path.name, True)]


def test_what_a_crash_left_is_swept_and_all_else_stays(tmp_path: Path) -> None:
    kept = tmp_path / "run" / "part.jpg"
    write_whole(kept, b"picture")
    (kept.parent / ".b.jpg.part").write_bytes(b"half")
    (tmp_path / ".c.tif.part").write_bytes(b"")
    assert sweep(tmp_path) == 2
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [kept]


def test_sweeping_a_folder_that_is_not_there_yet_does_nothing(tmp_path: Path) -> None:
    assert sweep(tmp_path / "none") == 0


def test_a_folder_that_cannot_be_made_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"folder cannot be made: .*file \(got "):
        write_whole(tmp_path / "file" / "a.jpg", b"")
