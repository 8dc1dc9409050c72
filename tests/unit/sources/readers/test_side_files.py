"""The cache of side files, which describe many images."""

import logging
import os
from pathlib import Path
from typing import BinaryIO

import pytest

from scopewatch.sources.readers.planes import DEFAULT_LIMITS, ReadLimits
from scopewatch.sources.readers.side_files import SideFiles, version_of
from tests.conftest import FakeClock


class Parser:
    """Reads a file as words; counts its calls, and takes its time."""

    def __init__(self, clock: FakeClock, takes_s: float = 0.0) -> None:
        self._clock, self._takes_s = clock, takes_s
        self.asked = 0

    def __call__(self, file: BinaryIO, _: Path) -> list[str]:
        self.asked += 1
        self._clock.advance(self._takes_s)
        text = file.read().decode()
        if not text.endswith("."):
            raise ValueError("no full stop")
        return text.split()


def never(_: list[str]) -> bool:
    return False


@pytest.fixture
def parse(clock: FakeClock) -> Parser:
    return Parser(clock)


def test_a_file_is_read_once_for_each_of_its_versions(tmp_path: Path, parse: Parser) -> None:
    files, side = SideFiles(DEFAULT_LIMITS), tmp_path / "side"
    assert files.read(side, parse, never) == (None, None)
    side.write_text("a b.")
    for _ in range(3):
        assert files.read(side, parse, never) == (version_of(side), ["a", "b."])
    assert parse.asked == 1
    side.write_text("a b c.")
    assert files.read(side, parse, never)[1] == ["a", "b", "c."]
    assert parse.asked == 2


def test_a_file_that_is_being_rewritten_keeps_what_it_stated(tmp_path: Path, parse: Parser) -> None:
    files, side = SideFiles(DEFAULT_LIMITS), tmp_path / "side"
    side.write_text("a b.")
    files.read(side, parse, never)
    for half in ("", "a b"):
        side.write_text(half)
        for _ in range(3):
            assert files.read(side, parse, never)[1] == ["a", "b."]
    assert parse.asked == 3, "a version that is not whole is tried once"
    side.write_text("a b c.")
    assert files.read(side, parse, never)[1] == ["a", "b", "c."]


def test_a_large_file_that_grows_is_not_read_again_for_what_it_reported_already(
    tmp_path: Path, clock: FakeClock
) -> None:
    parse = Parser(clock, takes_s=1)
    files, side = SideFiles(DEFAULT_LIMITS, monotonic=clock.monotonic), tmp_path / "side"
    side.write_text("a.")
    files.read(side, parse, never)
    side.write_text("a b.")
    assert files.read(side, parse, lambda words: "a." in words)[1] == ["a."]
    assert files.read(side, parse, lambda words: "b." in words)[1] == ["a", "b."]
    side.write_text("a b c.")
    clock.advance(11)
    assert files.read(side, parse, lambda words: "a" in words)[1] == ["a", "b", "c."]


def test_a_file_beyond_the_limit_is_left_alone_and_reported(
    tmp_path: Path, parse: Parser, caplog: pytest.LogCaptureFixture
) -> None:
    files, side = SideFiles(ReadLimits(max_text_bytes=10)), tmp_path / "side"
    side.write_text("much too long.")
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert files.read(side, parse, never)[1] is None
    assert parse.asked == 0
    (record,) = caplog.records
    assert record.message == "side file is too large, it is not read"


def test_only_the_last_files_are_kept(tmp_path: Path, parse: Parser) -> None:
    files = SideFiles(DEFAULT_LIMITS, kept=3)
    for index in range(10):
        side = tmp_path / str(index)
        side.write_text("a.")
        files.read(side, parse, never)
    assert len(files) == 3


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read_says_nothing(tmp_path: Path, parse: Parser) -> None:
    side = tmp_path / "side"
    side.write_text("a.")
    side.chmod(0)
    assert SideFiles(DEFAULT_LIMITS).read(side, parse, never) == (version_of(side), None)
