"""The connections of all that reads the result database."""

from typing import Self

from sqlalchemy import Engine

from scopewatch.store.schema.engine import open_reader
from scopewatch.store.schema.place import Place


class DatabaseReader:
    """Connections to the database that cannot write."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @classmethod
    def open(cls, place: Place, *, statement_s: float | None = None) -> Self:
        """Open the results of a place. Raises StoreError where there are none.

        Parameters
        ----------
        statement_s
            Longest time of a question on a server; None: what is usual.
        """
        return cls(open_reader(place, statement_s=statement_s))

    def close(self) -> None:
        """Close every connection; idempotent."""
        self._engine.dispose()
