"""The log file: rotated, closed to others, without secrets; a failed write stops nothing."""

import io
import json
import logging
import os
import stat
from collections.abc import Iterator
from io import TextIOWrapper
from pathlib import Path

import pytest

from scopewatch.runtime.process.log_file import LogFile, RotatedLog, files_of
from scopewatch.runtime.process.logs import set_up_logs

log = logging.getLogger("scopewatch.test")


class Bench:
    """A log in a file and in memory."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.stream = io.StringIO()

    def set_up(self, *, max_bytes: int = 1_000_000, keep: int = 3) -> RotatedLog:
        set_up_logs(
            level="info",
            as_json=True,
            stream=self.stream,
            secrets=("hunter2",),
            file=LogFile(path=self.path, max_bytes=max_bytes, keep=keep),
        )
        (file,) = (each for each in logging.getLogger().handlers if isinstance(each, RotatedLog))
        return file

    def in_file(self) -> list[str]:
        lines = self.path.read_text(encoding="utf-8").splitlines()
        return [json.loads(line)["message"] for line in lines]

    def in_stream(self) -> list[str]:
        return [json.loads(line)["message"] for line in self.stream.getvalue().splitlines()]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield Bench(tmp_path / "state/logs/scopewatch.log")
    for handler in root.handlers:
        if isinstance(handler, RotatedLog):
            handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)


def test_every_line_goes_to_the_file_as_well_without_secrets(bench: Bench) -> None:
    bench.set_up()
    log.info("frame scored", extra={"event": {"why": "hunter2"}})
    assert bench.path.read_text(encoding="utf-8") == bench.stream.getvalue()
    assert "hunter2" not in bench.stream.getvalue()
    assert bench.in_file() == ["frame scored"]


@pytest.mark.skipif(os.name != "posix", reason="file modes are those of POSIX")
def test_it_is_closed_to_others_with_the_folders_that_it_needed(bench: Bench) -> None:
    before = os.umask(0)
    try:
        bench.set_up(max_bytes=200, keep=2)
        for number in range(9):
            log.info("line %d", number)
    finally:
        os.umask(before)
    files = list(files_of(bench.path, 2))
    assert [path.name for path in files] == [
        "scopewatch.log", "scopewatch.log.1", "scopewatch.log.2"
    ]  # fmt: skip
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o640}
    folders = (bench.path.parent, bench.path.parent.parent)
    assert {stat.S_IMODE(path.stat().st_mode) for path in folders} == {0o750}


def test_the_log_file_rotates_by_size_and_old_ones_are_removed(bench: Bench) -> None:
    bench.set_up(max_bytes=500, keep=2)
    for number in range(40):
        log.info("line %d", number)
    assert len(list(bench.path.parent.iterdir())) == 3
    newest_first = [path.read_text(encoding="utf-8") for path in files_of(bench.path, 9)]
    assert all(len(text) <= 500 for text in newest_first)
    lines = "".join(reversed(newest_first)).splitlines()
    assert [json.loads(line)["message"] for line in lines][-3:] == ["line 37", "line 38", "line 39"]


class FullDisk(TextIOWrapper):
    """A file on a disk without space."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8")

    def flush(self) -> None:
        raise OSError(28, "No space left on device")


def test_a_full_disk_is_reported_once_and_what_was_lost_is_counted(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = bench.set_up()
    log.info("before")
    with monkeypatch.context() as patch:
        patch.setattr(file, "_open", FullDisk)
        file.close()
        for number in range(3):
            log.info("lost %d", number)
        assert file.lost == 3
    assert bench.in_stream().count("log file cannot be written") == 1
    assert '"event.why": "No space left on device"' in bench.stream.getvalue()
    log.info("after")
    assert bench.in_file() == ["before", "after", "log file is written again"]
    assert json.loads(bench.stream.getvalue().splitlines()[-1])["event.lost"] == 3
    assert [line for line in bench.in_stream() if line.startswith("lost")] == [
        "lost 0", "lost 1", "lost 2"
    ]  # fmt: skip
    with monkeypatch.context() as patch:
        patch.setattr(file, "_open", FullDisk)
        file.close()
        log.info("lost again")
    assert bench.in_stream().count("log file cannot be written") == 2


def test_a_place_where_no_file_can_be_is_reported_and_the_log_goes_on(bench: Bench) -> None:
    bench.path.parent.parent.write_text("a file where the folder should be", encoding="utf-8")
    bench.set_up()
    log.info("ready")
    assert bench.in_stream() == ["ready", "log file cannot be written"]


def test_a_line_that_was_cut_off_does_not_spoil_the_next(bench: Bench) -> None:
    bench.path.parent.mkdir(parents=True)
    bench.path.write_text('{"message": "cut', encoding="utf-8")
    bench.set_up()
    log.info("after")
    assert bench.path.read_text(encoding="utf-8").splitlines()[0] == '{"message": "cut'
    assert json.loads(bench.path.read_text(encoding="utf-8").splitlines()[1])["message"] == "after"
