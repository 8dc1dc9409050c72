"""Which frames were listed is remembered on disk: memory does not grow with an archive."""

import sqlite3
from collections import deque

import pytest

from scopewatch.core.errors import NoSpaceError
from scopewatch.store.archive.first_places import FirstPlaces


def test_the_first_place_of_a_key_stays_whatever_its_name_holds() -> None:
    odd = "/raw/\udce4\n.tif"
    with FirstPlaces() as places:
        assert places.of("run/p/A1", odd) == odd
        assert places.of("run/p/A1", "/raw/b.tif") == odd
        assert places.of("run/p/A1", odd) == odd
        assert places.of("run/p/A2", "/raw/b.tif") == "/raw/b.tif"


def test_a_full_folder_for_temporary_files_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    connect = sqlite3.connect

    def small(*of: object, **how: object) -> sqlite3.Connection:
        opened: sqlite3.Connection = connect(*of, **how)  # type: ignore[call-overload]
        opened.execute("PRAGMA max_page_count = 4")
        return opened

    monkeypatch.setattr(sqlite3, "connect", small)
    with FirstPlaces() as places, pytest.raises(NoSpaceError) as full:
        deque((places.of(f"key {each}", f"/raw/{each:0100}.tif") for each in range(1000)), maxlen=0)
    line = str(full.value)
    assert line.startswith("it cannot be remembered which frames were listed: folder for temporary")
    assert "make room there, or set TMPDIR to another disk" in line
