"""Each write of a log file meets a full disk once: it costs lines of the log and nothing else."""

import builtins
import errno
import logging
import os
from pathlib import Path

import pytest

from scopewatch.runtime.process.log_file import LogFile, RotatedLog
from tests.integration.full_disk import (
    NO_SPACE,
    fill,
    no_space_at,
    small_file_system,
)

LOG = "runtime/process/log_file.py"
LOGGED = {
    f"{LOG} RotatedLog._open mkdir": Path,
    f"{LOG} RotatedLog._open chmod": Path,
    f"{LOG} RotatedLog._open open": builtins,
    f"{LOG} _closed_to_others open": os,
}
# These places have tests of their own below.
SINGLE = {f"{LOG} RotatedLog RotatingFileHandler", f"{LOG} RotatedLog._open write"}
COVERED = {*LOGGED, *SINGLE}


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
