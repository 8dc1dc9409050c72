"""Lists of values as SQL; this is where the SQL of SQLite is, and of no other database."""

import json
from collections.abc import Iterable
from typing import TypeVar

from sqlalchemy import Select, func, select

_Value = TypeVar("_Value", str, int)


def each_of(values: Iterable[_Value]) -> Select[tuple[_Value]]:
    """Return texts or numbers as a query whose own text is the same however many they are.

    SQLite keeps the last 128 statements of each connection prepared. With a parameter for every
    one each number of them is another statement, of up to 60 kB: tens of megabytes in the end.
    """
    return select(func.json_each(json.dumps(list(values))).table_valued("value").c.value)
