"""A state on a small file system of its own that fills up; raw data and pictures have room."""

import sqlite3
from contextlib import closing
from pathlib import Path

from scopewatch.app.recording.store import Store
from scopewatch.core.source import SourceHealth
from scopewatch.store.schema.place import DATABASE
from tests.integration.full_disk import Bench, fill

FULL = "database or disk is full"


class FullDisk:
    """Fill the disk of the state, the space reserved before included."""

    def __init__(self, bench: Bench) -> None:
        self._state = bench.state
        self._ballast: Path | None = None

    def fill(self) -> None:
        if self._ballast is None:
            with closing(sqlite3.connect(self._state / DATABASE)) as other:
                assert other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
            self._ballast = fill(self._state)

    def relieve(self) -> None:
        if self._ballast is not None:
            self._ballast.unlink()
            self._ballast = None


def expect_whole(bench: Bench) -> None:
    with closing(sqlite3.connect(bench.state / DATABASE)) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
    bench.expect_all_in_order()


def transaction_of(method: str) -> str:
    """Return the place of a method of `Store`, which inherits some from its parent."""
    (owner,) = (each for each in Store.__mro__ if method in vars(each))
    file = "/".join(owner.__module__.split(".")[1:])
    return f"{file}.py {owner.__name__}.{method} write_unit"


class Healthy:
    """A source without a fault."""

    name = "folder"

    def health(self) -> SourceHealth:
        return SourceHealth(name="folder", alive=True, detail="watching", found=0, waiting=0)
