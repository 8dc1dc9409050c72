"""A whole history copied from one database to another, and compared row by row.

It is one transaction of the target: after a failure, whichever it was, nothing is there, and it can
be begun again. The source is only read.
"""

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Final

from sqlalchemy import JSON, Connection, Row, Table, func, insert, null, select

from scopewatch.core.errors import StoreError, complaint
from scopewatch.store.schema import (
    alert_tables,  # noqa: F401 - enters its tables
    picture_tables,  # noqa: F401
    postgresql,
    sqlite,
    tables,  # noqa: F401
    well_tables,  # noqa: F401
)
from scopewatch.store.schema.columns import Base, without_nul
from scopewatch.store.schema.engine import as_store_errors, open_reader, open_writer, transaction
from scopewatch.store.schema.place import Place, Server, name_of

_BATCH: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A table that was copied, and compared."""

    table: str
    rows: int


def move_history(
    source: Place, target: Place, progress: Callable[[str, int], None]
) -> tuple[Moved, ...]:
    """Copy all tables into a database that has none yet, or empty ones.

    No daemon may be at work in either of them.

    Parameters
    ----------
    progress
        Called with the name of a table and how many of its rows are written, or compared again.

    Raises
    ------
    StoreError
        Where the source has no results, the target has some already, a daemon is at work on a
        server, or a row differs afterwards.
    """
    with ExitStack() as held:
        reader = open_reader(source)
        held.callback(reader.dispose)
        if isinstance(source, Server):
            # Before anything is read. A daemon that came meanwhile would write what stays behind.
            held.callback(open_writer(source, alone=True).dispose)
        writer = open_writer(target, alone=True)
        held.callback(writer.dispose)
        with transaction(reader) as reading, transaction(writer) as writing:
            return _move(reading.connection(), writing.connection(), source, target, progress)


def _move(
    old: Connection,
    new: Connection,
    source: Place,
    target: Place,
    progress: Callable[[str, int], None],
) -> tuple[Moved, ...]:
    every = Base.metadata.sorted_tables
    for table in every:
        _expect_empty(new, table, target)
    with as_store_errors(target):
        for table in every:
            written = 0
            with closing(_batches(old, table)) as batches:
                for batch in batches:
                    new.execute(insert(table), batch)
                    written += len(batch)
                    progress(table.name, written)
        # Before they are compared: a number that was given is not given again.
        _go_on_numbering(new, target, _last_numbers(old, source))
    return tuple(
        Moved(table=table.name, rows=_compare(old, new, table, target, progress)) for table in every
    )


def _expect_empty(connection: Connection, table: Table, target: Place) -> None:
    count = connection.scalar(select(func.count()).select_from(table))
    if count:
        raise StoreError(
            complaint(
                "there are results already, and nothing is written over or between them",
                where=f"{name_of(target)}, table {table.name}",
                expected="an empty database",
                got=f"{count} rows",
                do="choose another store.daemon, or remove what is there after a backup",
            )
        )


def _batches(
    connection: Connection, table: Table
) -> Generator[Sequence[dict[str, Any]], None, None]:
    # Else nothing would be written as a `null` of JSON, which is not the same.
    nothing = {
        column.name: null()
        for column in table.columns
        if isinstance(column.type, JSON) and column.nullable
    }
    with connection.execute(select(table).execution_options(yield_per=_BATCH)) as found:
        for rows in found.partitions():
            yield [_values(row, nothing) for row in rows]


def _values(row: Row[Any], nothing: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: nothing.get(name) if value is None else value for name, value in row._mapping.items()
    }


def _in_order(connection: Connection, table: Table) -> Generator[Row[Any], None, None]:
    ordered = select(table).order_by(*table.primary_key.columns)
    with connection.execute(ordered.execution_options(yield_per=_BATCH)) as found:
        yield from found


def _compare(
    old: Connection,
    new: Connection,
    table: Table,
    target: Place,
    progress: Callable[[str, int], None],
) -> int:
    """Compare a table row by row; return the number of rows."""
    with closing(_in_order(old, table)) as first, closing(_in_order(new, table)) as second:
        return _compare_rows(zip_longest(first, second), table, target, progress)


def _compare_rows(
    pairs: Iterable[tuple[Row[Any] | None, Row[Any] | None]],
    table: Table,
    target: Place,
    progress: Callable[[str, int], None],
) -> int:
    count = 0
    for before, after in pairs:
        if before is None or after is None or not _alike(before, after, target):
            raise StoreError(
                complaint(
                    "a row is not what it was, so that nothing was moved",
                    where=f"{name_of(target)}, table {table.name}, row {count + 1}",
                    expected=_shown(before),
                    got=_shown(after),
                    do="report it: your results are where they were",
                )
            )
        count += 1
        if count % _BATCH == 0:
            progress(table.name, count)
    return count


def _alike(before: Row[Any], after: Row[Any], target: Place) -> bool:
    if isinstance(target, Server):
        # What a server cannot store in a text is replaced there.
        return [without_nul(value) for value in before] == list(after)
    return list(before) == list(after)


def _shown(row: Row[Any] | None) -> str:
    return "no row" if row is None else f"{dict(row._mapping)!r:.200}"


def _last_numbers(connection: Connection, source: Place) -> Mapping[str, int]:
    """Return the last number that each table with numbered rows has given."""
    if isinstance(source, Server):
        return postgresql.last_numbers(connection, _numbered())
    return sqlite.last_numbers(connection, _numbered())


def _go_on_numbering(connection: Connection, target: Place, last: Mapping[str, int]) -> None:
    if isinstance(target, Server):
        postgresql.go_on_numbering(connection, last)
    else:
        sqlite.go_on_numbering(connection, last)


def _numbered() -> list[str]:
    return [
        table.name
        for table in Base.metadata.sorted_tables
        if table.autoincrement_column is not None
    ]
