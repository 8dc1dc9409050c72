"""Results of one version of an archive: a database of its own beside no daemon's.

`scopewatch rescore` writes it. Its journal is a rollback journal, since archives lie on shares, on
which SQLite's write-ahead log does not work.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import (
    Engine,
    Index,
    Select,
    String,
    bindparam,
    create_engine,
    delete,
    func,
    select,
)
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.pool import QueuePool

from scopewatch.store.files.whole_files import make_folder
from scopewatch.store.schema.engine import as_store_errors

RESULTS: Final = "results.db"
_BUSY_S: Final = 30.0
_PIECE: Final = 1000


class _Base(DeclarativeBase):
    """Tables of an archive."""


class _Row(_Base):
    """A file, page or plane, and its line of `score` without timings."""

    __tablename__ = "frames"
    __table_args__ = (Index("ix_frames_key", "key"),)

    path: Mapped[str] = mapped_column(String, primary_key=True)
    key: Mapped[str | None]
    fingerprint: Mapped[str]
    content: Mapped[str]
    line: Mapped[str]


_FRAMES: Final = select(_Row.__table__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Archived:
    """A result that is kept.

    Parameters
    ----------
    fingerprint
        Changes when the file changes; '' for what never became a frame.
    content
        Names the pixels and their scale; '' where they could not be read.
    line
        As `scopewatch score` writes it, without timings.
    moved_from
        Where the file lay before, and no longer is: what is kept of that place goes.
    """

    path: str
    key: str | None
    fingerprint: str
    content: str
    line: Mapping[str, Any]
    moved_from: str = ""


class ArchiveResults:
    """The results of one version; one process writes them at a time.

    Parameters
    ----------
    folder
        Of the version; made where it is missing.

    Raises
    ------
    StoreError
        When the disk or the database refuses.
    """

    def __init__(self, folder: Path, *, make: bool = True) -> None:
        self._path = folder / RESULTS
        if make:
            make_folder(folder)
        self._engine = _open(self._path, "rwc" if make else "ro")
        if make:
            with as_store_errors(self._path):
                _Base.metadata.create_all(self._engine)

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    def at(self, path: str) -> Archived | None:
        """Return what is kept for a place."""
        return self._first(_FRAMES.where(_Row.path == path))

    def of(self, key: str, content: str | None = None) -> Archived | None:
        """Return the judged frame of a key, wherever its file lay; with this content, if given."""
        query = _FRAMES.where(_Row.key == key, _Row.content != "")
        if content is not None:
            query = query.where(_Row.content == content)
        return self._first(query.order_by(_Row.path).limit(1))

    def keep(self, results: Iterable[Archived]) -> None:
        """Write results, all or none, in place of those of the same path, or that were moved."""
        results = list(results)
        gone = [{"left": each.moved_from} for each in results if each.moved_from]
        rows = [
            {
                "path": each.path,
                "key": each.key,
                "fingerprint": each.fingerprint,
                "content": each.content,
                "line": json.dumps(each.line, ensure_ascii=False, sort_keys=True),
            }
            for each in results
        ]
        if not rows:
            return
        adding = insert(_Row)
        renewed = {name: adding.excluded[name] for name in rows[0] if name != "path"}
        adding = adding.on_conflict_do_update(index_elements=["path"], set_=renewed)
        with as_store_errors(self._path), self._engine.begin() as connection:
            if gone:
                connection.execute(delete(_Row).where(_Row.path == bindparam("left")), gone)
            connection.execute(adding, rows)

    def clashes(self) -> frozenset[str]:
        """Return the keys of frames that several files with other pixels have a result for."""
        query = (
            select(_Row.key)
            .where(_Row.content != "")
            .group_by(_Row.key)
            .having(func.min(_Row.content) < func.max(_Row.content))
        )
        with as_store_errors(self._path), self._engine.connect() as connection:
            return frozenset(str(key) for (key,) in connection.execute(query))

    def lines(self) -> Iterator[dict[str, Any]]:
        """Yield all lines, by key and path: in one order, whenever each was written."""
        query = select(_Row.line).order_by(_Row.key, _Row.path).execution_options(yield_per=_PIECE)
        with as_store_errors(self._path), self._engine.connect() as connection:
            for (line,) in connection.execute(query):
                yield json.loads(line)

    def _first(self, query: Select[Any]) -> Archived | None:
        with as_store_errors(self._path), self._engine.connect() as connection:
            row = connection.execute(query).first()
        if row is None:
            return None
        return Archived(
            path=row.path,
            key=row.key,
            fingerprint=row.fingerprint,
            content=row.content,
            line=json.loads(row.line),
        )


def _open(path: Path, mode: str) -> Engine:
    uri = f"{path.resolve().as_uri()}?mode={mode}"

    def connect() -> sqlite3.Connection:
        # Not by SQLAlchemy's URL, which does not escape names.
        connection = sqlite3.connect(uri, uri=True, timeout=_BUSY_S, check_same_thread=False)
        connection.execute("PRAGMA synchronous = FULL")
        return connection

    return create_engine("sqlite://", creator=connect, poolclass=QueuePool)
