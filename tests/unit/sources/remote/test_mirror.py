"""The cache of a remote folder: whole files, those of this call, and nothing beyond its folder."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fsspec.implementations.local import LocalFileSystem

from scopewatch.core.errors import ConfigError, FrameError
from scopewatch.sources.remote import connections
from scopewatch.sources.remote.connections import open_filesystem
from scopewatch.sources.remote.entries import Entry, entry_of
from scopewatch.sources.remote.mirror import Mirror, close_mirror, mirror_of
from scopewatch.sources.remote.urls import RemoteFolder, check_url

NAME = "P1_A1_s0_t0000_phase.tif"


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    folder = tmp_path / "raw"
    folder.mkdir()
    (folder / NAME).write_bytes(b"first")
    return folder


def remote_of(raw: Path) -> RemoteFolder:
    return RemoteFolder(url=f"file://{raw}", cache_bytes=1000)


def read(mirror: Mirror) -> bytes:
    with mirror.file(NAME):
        return (mirror.root / NAME).read_bytes()


def test_each_call_fetches_again_though_size_and_time_are_the_same(raw: Path) -> None:
    first = remote_of(raw)
    os.utime(raw / NAME, (1e9, 1e9))
    assert read(mirror_of(first)) == b"first"
    (raw / NAME).write_bytes(b"other")
    os.utime(raw / NAME, (1e9, 1e9))
    assert read(mirror_of(first)) == b"first", "as it was listed in this call"
    assert read(mirror_of(remote_of(raw))) == b"other"


def test_what_was_fetched_goes_with_the_call(raw: Path) -> None:
    remote = remote_of(raw)
    mirror = mirror_of(remote)
    read(mirror)
    close_mirror(remote)
    assert not mirror.root.exists()
    close_mirror(remote)


def test_a_file_that_changes_while_it_is_fetched_is_fetched_again(
    raw: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch, fetched = LocalFileSystem.get_file, []

    def get_file(files: LocalFileSystem, there: str, here: str) -> None:
        fetch(files, there, here)
        fetched.append(there)
        if len(fetched) == 1:
            Path(there).write_bytes(b"much longer")

    monkeypatch.setattr(LocalFileSystem, "get_file", get_file)
    assert read(mirror_of(remote_of(raw))) == b"much longer"
    assert len(fetched) == 2


def test_a_file_that_arrives_in_part_is_refused_in_one_line(
    raw: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def get_file(_files: LocalFileSystem, _there: str, here: str) -> None:
        Path(here).write_bytes(b"fir")

    monkeypatch.setattr(LocalFileSystem, "get_file", get_file)
    mirror = mirror_of(remote_of(raw))
    with pytest.raises(FrameError) as caught:
        read(mirror)
    assert str(caught.value) == (
        f"file cannot be fetched whole: file://{raw}/{NAME} (expected 5 bytes that stay the same,"
        " got 3 bytes, or other ones each time); wait until nobody writes it, and give the same"
        " call again"
    )
    assert not list(mirror.root.iterdir())


def test_a_key_that_leads_out_of_its_folder_writes_nothing(
    raw: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror = mirror_of(remote_of(raw))
    outside = {"name": f"{raw}/../../x.json", "size": 1, "type": "file"}
    monkeypatch.setattr(LocalFileSystem, "find", lambda *_, **__: {"x": outside})
    with pytest.raises(FrameError, match="path leads out of its folder"), mirror.tree(""):
        pass
    assert not list(mirror.root.parent.parent.glob("x.json"))


def test_a_file_whose_listed_size_is_unknown_counts_with_its_own(raw: Path) -> None:
    mirror = mirror_of(RemoteFolder(url=f"file://{raw}", cache_bytes=9))
    unknown = Entry(path=NAME, is_folder=False)
    mirror.want(unknown)
    assert read(mirror) == b"first"
    (raw / "second.tif").write_bytes(b"second")
    with mirror.file("second.tif"):
        assert not (mirror.root / NAME).exists(), "both are 11 bytes"


def test_threads_that_begin_at_once_share_one_mirror(
    raw: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = threading.Event()
    opened = []

    def open_slowly(url: str, *_options: object) -> Any:
        opened.append(url)
        if len(opened) > 1:
            second.set()
        second.wait(0.1)
        return open_filesystem(url)

    monkeypatch.setattr(connections, "open_filesystem", open_slowly)
    remote = remote_of(raw)
    with ThreadPoolExecutor(2) as threads:
        one, other = threads.map(mirror_of, [remote, remote])
    assert one is other
    assert len(opened) == 1


def test_a_data_set_is_listed_once(raw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find, listed = LocalFileSystem.find, []

    def count(files: LocalFileSystem, place: str, **more: Any) -> Any:
        listed.append(place)
        return find(files, place, **more)

    monkeypatch.setattr(LocalFileSystem, "find", count)
    mirror = mirror_of(remote_of(raw))
    for _ in range(3):
        with mirror.tree(""):
            assert (mirror.root / NAME).read_bytes() == b"first"
    assert len(listed) == 1


def test_a_file_that_was_overwritten_within_a_second_is_seen_by_its_tag(
    raw: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info, tag = LocalFileSystem.info, ["1"]
    monkeypatch.setattr(
        LocalFileSystem, "info", lambda *of, **how: {**info(*of, **how), "ETag": tag[0], "mtime": 9}
    )

    def time_ns() -> int:
        mirror = mirror_of(remote_of(raw))
        read(mirror)
        return (mirror.root / NAME).stat().st_mtime_ns

    first = time_ns()
    assert first // 10**9 == 9
    assert time_ns() == first
    tag[0] = "2"
    assert time_ns() != first


def test_a_server_of_pages_gives_times_as_text() -> None:
    facts = {"name": "raw/a.tif", "size": 5, "type": "file"}
    moment = {"Last-Modified": "Thu, 01 Jan 1970 00:01:00 GMT"}
    assert entry_of(facts | moment, "raw").copied_ns == 60 * 10**9
    assert entry_of(facts | {"Last-Modified": "yesterday"}, "raw").copied_ns is None
    tagged = entry_of(facts | {"ETag": "1"}, "raw")
    assert tagged.copied_ns == entry_of(facts | {"ETag": "1"}, "raw").copied_ns is not None


def test_another_tag_is_another_content_also_of_the_same_size_and_time() -> None:
    facts = {"name": "raw/a.tif", "size": 5, "type": "file", "mtime": 1e9, "ETag": '"1"'}
    entry = entry_of(facts, "raw")
    assert entry.path == "a.tif"
    assert entry.is_same(replace(entry, modified_s=1e9 + 0.5))
    assert not entry.is_same(replace(entry, tag='"2"'))
    assert not entry.is_same(replace(entry, tag="", modified_s=1e9 + 2))


@pytest.mark.parametrize(
    "url",
    [
        "https://host/raw?X-Amz-Signature=secret",
        "https://secret@host/raw",
        "sftp://me:se#secret@host/raw",
        "s3://secret@raw/plate",
    ],
)
def test_no_kind_of_credentials_in_a_url_is_taken_or_repeated(url: str) -> None:
    with pytest.raises(ConfigError, match="URL holds credentials") as caught:
        check_url(url)
    assert "secret" not in str(caught.value)


def test_the_name_of_a_user_is_no_secret() -> None:
    assert check_url("sftp://me@host/raw/") == "sftp://me@host/raw"
