"""Files that are whole or not there, however the writing ends."""

import errno
import os
from pathlib import Path
from stat import S_IMODE

import pytest

from scopewatch.files import list_parts, whole_file, write_whole


def test_a_file_is_written_with_the_mode_that_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_whole(path, b"{}", mode=0o600)
    assert path.read_bytes() == b"{}"
    assert S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_any_failure_leaves_the_older_file_and_no_temporary_one(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_whole(path, b"old")

    def fail() -> None:
        with whole_file(path) as part:
            part.write_bytes(b"half")
            raise RuntimeError("broken off")

    with pytest.raises(RuntimeError, match="broken off"):
        fail()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_several_processes_write_has_a_temporary_name_for_each(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    with whole_file(path, shared=True) as part:
        assert part.name == f".a.npy.{os.getpid()}.part"
        part.write_bytes(b"mine")
    assert path.read_bytes() == b"mine"


def test_the_file_is_synced_before_it_has_its_name_and_its_folder_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.json"
    synced: list[tuple[str, bool]] = []
    fsync = os.fsync

    def note(handle: int) -> None:
        synced.append((Path(f"/proc/self/fd/{handle}").readlink().name, path.exists()))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", note)
    write_whole(path, b"{}")
    assert synced == [(".a.json.part", False), (tmp_path.name, True)]


@pytest.mark.parametrize(
    ("code", "refused"), [(errno.EINVAL, False), (errno.ENOTSUP, False), (errno.EIO, True)]
)
def test_a_file_system_that_syncs_no_folders_is_written_to_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, *, refused: bool
) -> None:
    path = tmp_path / "a.json"
    fsync = os.fsync

    def sync(handle: int) -> None:
        if Path(f"/proc/self/fd/{handle}").readlink() == tmp_path:
            raise OSError(code, os.strerror(code))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", sync)
    if refused:
        with pytest.raises(OSError, match=os.strerror(code)):
            write_whole(path, b"{}")
    else:
        write_whole(path, b"{}")
    assert path.read_bytes() == b"{}"


def test_what_a_killed_process_left_is_listed_and_nothing_else(tmp_path: Path) -> None:
    left = tmp_path / "run" / ".b.jpg.part"
    left.parent.mkdir()
    left.write_bytes(b"half")
    (tmp_path / "run" / "part.jpg").write_bytes(b"whole")
    assert list(list_parts(tmp_path)) == [left]
