"""Where each frame of a call was listed first, however many frames there are."""

import sqlite3
from hashlib import blake2b
from typing import Final, Self

from scopewatch.core.errors import NoSpaceError, StoreError, complaint

_DIGEST: Final = 16


class FirstPlaces:
    """Remembers a place for each key, in a file of its own that nobody else sees.

    SQLite keeps some 2 MB of it in memory, and removes the file with the connection, also where the
    process is killed. It lies in the folder for temporary files: some 150 bytes a frame.
    """

    def __init__(self) -> None:
        # Of the thread that lists, which may not be this one.
        self._places = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._places.execute(
            "CREATE TABLE places (key BLOB PRIMARY KEY, place TEXT NOT NULL) WITHOUT ROWID"
        )
        self._places.execute("PRAGMA journal_mode = OFF")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._places.close()

    def of(self, key: str, place: str) -> str:
        """Return where a key was listed first: here, unless it was listed before.

        Raises
        ------
        StoreError
            When the folder for temporary files has no room.
        """
        digest = blake2b(key.encode("utf-8", "surrogatepass"), digest_size=_DIGEST).digest()
        try:
            new = self._places.execute(
                "INSERT OR IGNORE INTO places VALUES (?, ?)",
                (digest, place.encode("utf-8", "surrogatepass")),
            )
            if new.rowcount == 1:
                return place
            query = self._places.execute("SELECT place FROM places WHERE key = ?", (digest,))
            (first,) = query.fetchone()
        except sqlite3.Error as error:
            full = error.sqlite_errorcode == sqlite3.SQLITE_FULL
            raise (NoSpaceError if full else StoreError)(
                complaint(
                    "it cannot be remembered which frames were listed",
                    where="folder for temporary files",
                    got=error,
                    do="make room there, or set TMPDIR to another disk",
                )
            ) from error
        return str(first.decode("utf-8", "surrogatepass"))
