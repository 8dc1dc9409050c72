"""Many runs in one database: a recorded run, copied in bulk under other names and later times.

Each copy is what the store would hold had the same frames been recorded under the name of the copy,
so many days later: the statements copy rows from table to table with other keys, names and times.
Names of runs are equally long, and all times of the recorded run are whole seconds.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Select,
    String,
    Table,
    func,
    insert,
    literal_column,
    select,
)

from scopewatch.store.schema.alert_tables import Alert, OutboxRow, RuleState
from scopewatch.store.schema.columns import Base, Utc
from scopewatch.store.schema.engine import open_writer
from scopewatch.store.schema.tables import (
    FrameRow,
    JournalRow,
    RefusalRow,
    Result,
    Run,
    TileScoresRow,
    Well,
)
from scopewatch.store.schema.well_tables import (
    FluorescenceRow,
    MeasuredWell,
    WellEstimate,
    WellOutlook,
)

# Rows that one statement of SQL copies; and those whose JSON holds names and times.
BY_SQL: Final[tuple[type[Base], ...]] = (
    *(Run, Well, FrameRow, Result, TileScoresRow, WellEstimate, WellOutlook),
    *(FluorescenceRow, MeasuredWell, RefusalRow, JournalRow),
)
BY_ROW: Final[tuple[type[Base], ...]] = (RuleState, Alert, OutboxRow)
# The key of a row is that of another table.
_OWNERS: Final = {"frame_id": "frames", "well_id": "wells", "run_id": "runs", "alert_id": "alerts"}
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?")
# Keys that are left free after each run: what is recorded after a copy does not meet the next one.
ROOM: Final = 5_000
# Names and times of one run are not looked for in these: most of the bytes of a row.
_PLAIN: Final = frozenset({"measures", "errors", "filter", "model_id", "fingerprint", "content"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A copy of the one run of a database.

    Parameters
    ----------
    name
        As long as that of the recorded run.
    days
        Whole days between the recorded run and the copy.
    number
        From 1: keys are counted on from those of the copies before.
    """

    of: str
    name: str
    days: int
    number: int

    def __post_init__(self) -> None:
        if len(self.of) != len(self.name):
            raise ValueError(f"{self.name!r} is not as long as {self.of!r}")


def copy_runs(
    folder: Path, copies: Iterable[Copy], progress: Callable[[Copy], None] = lambda _: None
) -> None:
    """Add copies of the one run of the database in a state folder, each in a transaction."""
    engine = open_writer(folder)
    try:
        spans: dict[str, int] = {}
        for copy in copies:
            if not spans:
                with engine.connect() as connection:
                    spans = _spans(connection, copy.of)
            with engine.begin() as connection:
                for kind in BY_SQL:
                    _copy_by_sql(connection, _table_of(kind), copy, spans)
                for kind in BY_ROW:
                    _copy_by_row(connection, _table_of(kind), copy, spans)
            progress(copy)
    finally:
        engine.dispose()


def _table_of(kind: type[Base]) -> Table:
    return Base.metadata.tables[kind.__tablename__]


def _spans(connection: Connection, run: str) -> dict[str, int]:
    """Return by table how far the keys of a copy lie behind those of the one before."""
    number = connection.scalar(select(Run.id).where(Run.name == run))
    of_run = select(Well.id).where(Well.run_id == number)
    alerts = select(Alert.id).where(Alert.experiment == run)
    newest: dict[str, Select[int]] = {
        "runs": select(func.max(Run.id)).where(Run.name == run),
        "wells": select(func.max(Well.id)).where(Well.run_id == number),
        "frames": select(func.max(FrameRow.id)).where(FrameRow.well_id.in_(of_run)),
        "alerts": select(func.max(Alert.id)).where(Alert.experiment == run),
        "outbox": select(func.max(OutboxRow.id)).where(OutboxRow.alert_id.in_(alerts)),
        "refusals": select(func.max(RefusalRow.id)).where(RefusalRow.locator.contains(run)),
        "acquisition_journal": select(func.max(JournalRow.id)).where(JournalRow.run == run),
    }
    return {table: ROOM + (connection.scalar(found) or 0) for table, found in newest.items()}


def _copy_by_sql(
    connection: Connection, table: Table, copy: Copy, spans: Mapping[str, int]
) -> None:
    columns = list(table.columns)
    values = [_copied(column, copy, spans).label(column.name) for column in columns]
    connection.execute(
        insert(table).from_select(columns, select(*values).where(_is_first(table, spans)))
    )


def _is_first(table: Table, spans: Mapping[str, int]) -> ColumnElement[bool]:
    """Return the condition for rows of the recorded run."""
    key = next(iter(table.primary_key.columns))
    owner = _OWNERS.get(key.name, table.name)
    return key <= spans[owner]


def _copied(column: Column[Any], copy: Copy, spans: Mapping[str, int]) -> ColumnElement[Any]:
    """Return what a copy has in a column."""
    owner = column.table.name if column.name == "id" else _OWNERS.get(column.name)
    if owner is not None:
        return column + literal_column(str(copy.number * spans[owner]))
    if isinstance(column.type, Utc):
        # As SQLAlchemy writes it: with microseconds, which are none.
        days: ColumnElement[str] = literal_column(f"'+{copy.days} days'")
        moved = func.strftime("%Y-%m-%d %H:%M:%S", column, days, type_=String())
        return moved + literal_column("'.000000'")
    if isinstance(column.type, String) and column.name not in _PLAIN:
        return func.replace(column, copy.of, copy.name)
    return column


def _copy_by_row(
    connection: Connection, table: Table, copy: Copy, spans: Mapping[str, int]
) -> None:
    recorded = select(table)
    if "experiment" in table.c:
        recorded = recorded.where(table.c.experiment == copy.of)
    else:
        recorded = recorded.where(_is_first(table, spans))
    rows = [
        {name: _of_copy(table, name, value, copy, spans) for name, value in row.items()}
        for row in connection.execute(recorded).mappings()
    ]
    if rows:
        connection.execute(insert(table), rows)


def _of_copy(table: Table, name: str, value: Any, copy: Copy, spans: Mapping[str, int]) -> Any:
    owner = table.name if name == "id" else _OWNERS.get(name)
    found = value
    if value is None:
        pass
    elif owner is not None:
        found = value + copy.number * spans[owner]
    elif isinstance(value, datetime):
        found = value + timedelta(days=copy.days)
    elif name == "idempotency_key":
        found = hashlib.sha256(f"{copy.name} {value}".encode()).hexdigest()[:32]
    elif isinstance(value, str):
        found = value.replace(copy.of, copy.name)
    elif isinstance(value, dict | list):
        text = json.dumps(value).replace(copy.of, copy.name)
        found = json.loads(_TIME.sub(lambda time: _moved(time.group(), copy.days), text))
    return found


def _moved(written: str, days: int) -> str:
    """Return a time as it was written, so many days later."""
    later = datetime.fromisoformat(written) + timedelta(days=days)
    found = later.isoformat(sep=written[10])
    return found.replace("+00:00", "Z") if written.endswith("Z") else found
