"""Lists of values as SQL, which each kind of database reads from JSON in its own way."""

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import BigInteger, BindParameter, Select, String, bindparam, select
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator

from scopewatch.store.schema.columns import without_nul


def each_text(values: Iterable[str]) -> Select[tuple[str]]:
    """Return texts as a query whose own text is the same however many they are.

    SQLite keeps the last 128 statements of each connection prepared, PostgreSQL the last 100. With
    a parameter for every one each number of them is another statement, of up to 60 kB: tens of
    megabytes in the end.
    """
    return select(_value_of(values))


def each_text_of(parameter: str) -> Select[tuple[str]]:
    """Return the texts of a list that is given under this name when the statement is executed."""
    return select(_each(bindparam(parameter, type_=_Listed)))


def each_number(values: Iterable[int]) -> Select[tuple[int]]:
    """Return whole numbers as a query, as `each_text` does texts."""
    return select(_Number(_value_of(values)))


def _value_of(values: Iterable[object]) -> Any:
    return _each(bindparam("values", list(values), _Listed, unique=True))


def _each(packed: BindParameter[list[Any]]) -> Any:
    return _JsonEach(packed).table_valued("value", name="each").c.value


class _Listed(TypeDecorator[list[Any]]):
    """A list as a text of JSON."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: list[Any] | None, dialect: Dialect) -> str:
        """Write the list, with texts as the database has stored them."""
        values = value or []
        if dialect.name != "sqlite":
            values = [without_nul(each) for each in values]
        return json.dumps(values)


class _JsonEach(FunctionElement[Any]):
    """The values of a list in JSON, as the column `value` of a table."""

    name = "json_each"
    inherit_cache = True


class _Number(FunctionElement[int]):
    """A value of such a list that is a number; PostgreSQL has it as text."""

    name = "number"
    inherit_cache = True
    type = BigInteger()


@compiles(_JsonEach)
def _in_a_file(element: _JsonEach, compiler: SQLCompiler, **how: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **how)})"


@compiles(_JsonEach, "postgresql")
def _on_a_server(element: _JsonEach, compiler: SQLCompiler, **how: Any) -> str:
    return f"json_array_elements_text(CAST({compiler.process(element.clauses, **how)} AS JSON))"


@compiles(_Number)
def _as_it_is(element: _Number, compiler: SQLCompiler, **how: Any) -> str:
    return str(compiler.process(element.clauses, **how))


@compiles(_Number, "postgresql")
def _as_a_number(element: _Number, compiler: SQLCompiler, **how: Any) -> str:
    return f"CAST({compiler.process(element.clauses, **how)} AS BIGINT)"
