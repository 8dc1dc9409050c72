"""What only SQLite understands is in `store.schema`: another database takes one package to add."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import scopewatch

PACKAGE = Path(scopewatch.__file__).parent
SCHEMA = PACKAGE / "store" / "schema"
# A file beside raw data, by its format a database of SQLite, and never a daemon's.
ARCHIVE = PACKAGE / "store" / "archive"
# In the SQL standard, and in PostgreSQL and SQLite alike.
PORTABLE = {"coalesce", "count", "max", "min", "row_number", "sum"}
# Of SQLAlchemy: text passes SQL on as it is, and prefixes and options are those of a dialect.
RAW = {"exec_driver_sql", "prefix_with", "suffix_with", "text", "with_hint", "with_statement_hint"}
WORDS = re.compile(
    r"\b(PRAGMA|AUTOINCREMENT|VACUUM|WITHOUT ROWID|INSERT OR|OR (REPLACE|IGNORE)|BEGIN IMMEDIATE"
    r"|sqlite_master|json_each)\b"
)


def sql_of_sqlite(source: str, name: str) -> Iterator[str]:
    """Name each place of a module that no other database, or not every one, understands."""
    tree = ast.parse(source)
    knows_sql = "sqlalchemy" in source
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if id(node) not in docstrings and (found := _only_sqlite(node, knows_sql=knows_sql)):
            yield f"{name}:{getattr(node, 'lineno', 0)}: {found}"


def _only_sqlite(node: ast.AST, *, knows_sql: bool) -> str:
    found = ""
    match node:
        case ast.Import(names=names):
            found = ", ".join(each.name for each in names if each.name == "sqlite3")
        case ast.ImportFrom(module=str(module), names=names) if module.startswith("sqlalchemy"):
            dialect = [module] if "dialects" in module else []
            found = ", ".join([*dialect, *(each.name for each in names if each.name in RAW)])
        case ast.ImportFrom(module="sqlite3"):
            found = "sqlite3"
        case ast.Attribute(value=ast.Name(id="func"), attr=name) if knows_sql:
            found = "" if name in PORTABLE else f"func.{name}"
        case ast.Call(func=ast.Attribute(attr=name)) if knows_sql and name in RAW:
            found = name
        case ast.keyword(arg=str(name)) if name.startswith("sqlite_"):
            found = name
        case ast.Constant(value=str(text)) if words := WORDS.search(text):
            found = words.group()
    return found


def test_no_module_outside_the_schema_holds_sql_that_only_sqlite_understands() -> None:
    modules = [
        path
        for path in PACKAGE.rglob("*.py")
        if not (path.is_relative_to(SCHEMA) or path.is_relative_to(ARCHIVE))
    ]
    assert len(modules) > 200
    found = [
        place
        for path in modules
        for place in sql_of_sqlite(path.read_text(encoding="utf-8"), str(path.relative_to(PACKAGE)))
    ]
    assert found == []


def test_what_only_sqlite_understands_is_found() -> None:
    source = """
import sqlite3
from sqlalchemy import func, insert, text
from sqlalchemy.dialects.sqlite import insert as upsert
one = insert(table).prefix_with("OR REPLACE")
two = select(func.json_each(values), func.max(column))
three = Index("name", sqlite_where=condition)
four = connection.exec_driver_sql("PRAGMA user_version")
"""
    found = [place.split(": ")[1] for place in sql_of_sqlite(source, "made up")]
    assert sorted(found) == sorted(
        [
            *("sqlite3", "text", "sqlalchemy.dialects.sqlite", "prefix_with", "OR REPLACE"),
            *("func.json_each", "sqlite_where", "exec_driver_sql", "PRAGMA"),
        ]
    )


def test_the_schema_is_where_it_is_kept() -> None:
    found = [
        place
        for path in SCHEMA.rglob("*.py")
        for place in sql_of_sqlite(path.read_text(encoding="utf-8"), path.name)
    ]
    assert any("PRAGMA" in place for place in found)
    assert any("json_each" in place for place in found)
