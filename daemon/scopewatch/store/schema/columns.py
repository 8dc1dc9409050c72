"""What the tables are made of: times in UTC, the states of a frame, and how values are stored."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, ClassVar, TypeVar, cast

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Double,
    Enum,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator

_Item = TypeVar("_Item", Index, UniqueConstraint)


class Utc(TypeDecorator[datetime]):
    """Aware UTC times: no zone is stored with them, so it is put back on reading."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Refuse naive times; store others in UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"time without a zone: {value}")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Return it as UTC."""
        return None if value is None else value.replace(tzinfo=UTC)


def without_nul(value: Any) -> Any:
    """Return a text as PostgreSQL can store it, which has no character of number 0."""
    return value.replace("\0", "\ufffd") if isinstance(value, str) else value


class FrameState(StrEnum):
    """The state of a frame. The values are stored: never rename one.

    claimed --commit--> done (phase), measured (fluorescence)
            --quarantine, or too many attempts--> quarantined
    done, measured, quarantined --its content changed--> claimed
    quarantined, skipped --settings or model changed, a person's word--> claimed
    missed --it came after all--> claimed
    """

    CLAIMED = "claimed"
    SCORED = "done"
    MEASURED = "measured"
    QUARANTINED = "quarantined"
    SKIPPED = "skipped"
    MISSED = "missed"


# They have a result.
WITH_RESULT = (FrameState.SCORED, FrameState.MEASURED)
SETTLED = (FrameState.SCORED, FrameState.MEASURED, FrameState.QUARANTINED)
# Rows that count for no well: another channel, or a frame that was due and never came.
ASIDE = (FrameState.SKIPPED, FrameState.MISSED)


class Base(DeclarativeBase):
    """Base of all tables."""

    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: Utc,
        # Texts are in order as SQLite, too, has them: by their characters' numbers.
        str: String().with_variant(String(collation="C"), "postgresql"),
        # SQLite's integers have 64 bits anyhow, and only one of that very name numbers rows.
        int: BigInteger().with_variant(Integer(), "sqlite"),
        dict[str, Any]: JSON,
        list[Any]: JSON,
        float: Double,
        FrameState: Enum(
            FrameState,
            native_enum=False,
            length=16,
            values_callable=lambda states: [state.value for state in states],
        ),
    }


def table_of(kind: type[Base]) -> Table:
    """Return the table of a class, for statements that need none of its objects."""
    return cast("Table", kind.__table__)


def only_where(sqlite: str, postgresql: str | None = None) -> dict[str, Any]:
    """Return the settings of an index over the few rows for which a condition holds.

    Parameters
    ----------
    postgresql
        The condition there, where SQLite writes it otherwise: it has no truth values.
    """
    return {"sqlite_where": text(sqlite), "postgresql_where": text(postgresql or sqlite)}


def unique_texts(*columns: str, name: str) -> tuple[UniqueConstraint, ExcludeConstraint]:
    """Return what has columns unique together, however long their texts are.

    An entry of a B-tree of PostgreSQL holds 2,704 bytes, a path of Linux up to 4,096: there it is
    an index of hashes, by which whole values are compared. Names of which frames are named are
    bounded (`core.imaging.frame`), and need none of it.
    """
    together = ", ".join(f"CAST({each} AS TEXT)" for each in columns)
    hashed = ExcludeConstraint((text(f"(ARRAY[{together}])"), "="), using="hash", name=name)
    return (
        in_a_file(UniqueConstraint(*columns, name=name)),
        hashed.ddl_if(dialect="postgresql"),
    )


def in_a_file(item: _Item) -> _Item:
    """Return an index or a constraint that only SQLite has."""
    item.ddl_if(dialect="sqlite")
    return item


def by_hash(name: str, column: str) -> Index:
    """Return an index of a text of any length, which only PostgreSQL has, by its hash."""
    found = Index(name, column, postgresql_using="hash")
    found.ddl_if(dialect="postgresql")
    return found
