"""A place for copies of pictures behind a URL: an object store, a server or a folder."""

import errno
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Any, Final
from uuid import uuid4

from scopewatch.core.errors import ConfigError, StoreError, complaint
from scopewatch.sources.remote.connections import Connections, scheme_of
from scopewatch.sources.remote.urls import reason_of

OWNER: Final = "scopewatch-owner.txt"
MOST_BYTES: Final = 32 * 1024 * 1024
"""No picture is read that is larger."""
_MOST_OWNER_BYTES: Final = 200
_UPLOAD_S: Final = 60.0
# A place that is away is to be noticed; what is repeated is repeated by us.
_OPTIONS: Final[dict[str, dict[str, Any]]] = {
    "s3": {
        "config_kwargs": {
            "connect_timeout": 5,
            "read_timeout": 20,
            "retries": {"max_attempts": 0},
        },
        "tries": 1,
    },
}
_CONTENT: Final = {".jpg": "image/jpeg", ".tif": "image/tiff"}


class RemotePictures:
    """Reads, writes and removes files below a URL; thread-safe. Libraries are loaded at first use.

    Parameters
    ----------
    url
        Without credentials, which the libraries take from environment, profile or keys.

    Raises
    ------
    StoreError
        By each method, where the place cannot be used; its line repeats no words of a library.
    ConfigError
        Where a library is not installed.
    FileNotFoundError
        Where a file is not there, or the whole place: a bucket that does not exist.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._scheme = scheme_of(url)
        self._lock = threading.Lock()
        self._connections: Connections | None = None

    def read(self, path: str, most_bytes: int = MOST_BYTES) -> bytes:
        """Return a file of no more than so many bytes."""
        found = self._ask("cat_file", path, start=0, end=most_bytes + 1)
        if len(found) > most_bytes:
            raise StoreError(
                complaint(
                    "file is larger than any picture",
                    where=f"{self.url}/{path}",
                    expected=f"at most {most_bytes / 1e6:g} MB",
                    do="look who else writes there",
                )
            )
        return bytes(found)

    def is_there(self, path: str) -> bool:
        """Return whether there is such a file."""
        try:
            self._ask("info", path)
        except FileNotFoundError:
            return False
        return True

    def write(self, path: str, data: bytes) -> None:
        """Write a file whole, in place of one of that name: no reader sees half of it."""
        if self._scheme == "s3":
            kind = _CONTENT.get(PurePosixPath(path).suffix, "text/plain")
            # No other time limit ends an upload to a server that takes nothing.
            self._ask("pipe_file", path, data, ContentType=kind, timeout=_UPLOAD_S)
            return
        folder, _, name = path.rpartition("/")
        part = f"{folder}/.{name}.part".lstrip("/")
        self._ask("makedirs", folder, exist_ok=True)
        self._ask("pipe_file", part, data)
        if self._scheme == "smb":
            # There a rename replaces nothing.
            with suppress(FileNotFoundError):
                self._ask("rm_file", path)
        with self._described(path):
            server = self._server()
            server.ask("mv", server.path_of(part), server.path_of(path))

    def remove(self, path: str) -> None:
        """Remove a file, where it is there."""
        with suppress(FileNotFoundError):
            self._ask("rm_file", path)

    def _ask(self, method: str, path: str, *arguments: object, **more: object) -> Any:
        with self._described(path):
            server = self._server()
            return server.ask(method, server.path_of(path), *arguments, **more)

    def _described(self, path: str) -> "_Described":
        return _Described(f"{self.url}/{path}".rstrip("/"))

    def _server(self) -> Connections:
        with self._lock:
            if self._connections is None:
                self._connections = Connections(self.url, _OPTIONS.get(self._scheme, {}))
            return self._connections


class _Described:
    """Turns what a library raises into one line of ours."""

    def __init__(self, where: str) -> None:
        self._where = where

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        known = ConfigError | StoreError | FileNotFoundError
        if error is None or isinstance(error, known) or not isinstance(error, Exception):
            return
        if getattr(error, "errno", None) == errno.ENOENT:
            # smbprotocol has an error of its own for it.
            raise FileNotFoundError(errno.ENOENT, "no such file", self._where) from error
        raise unusable(self._where, reason_of(error)) from error


def unusable(where: str, why: str) -> StoreError:
    """Return the error about a place that cannot be used."""
    return StoreError(
        complaint(
            "place of copies cannot be used",
            where=where,
            got=why,
            do="check the URL, the network, the rights there, and the credentials in environment or"
            " profile",
        )
    )


class CopiesPlace:
    """Implements `runtime.copying.copier.CopyPlace`: pictures of one daemon, copied to a URL.

    Parameters
    ----------
    folder
        Of the pictures here.
    owner
        Returns the name of this history of results; a place of another one is not written to.
    """

    def __init__(self, remote: RemotePictures, folder: Path, owner: Callable[[], str]) -> None:
        self._remote = remote
        self._folder = folder
        self._owner = owner

    def claim(self) -> None:
        """Mark the place as ours. Raises StoreError where it is another's, or cannot be used."""
        ours = self._owner()
        if not self._read_owner():
            self._in_place(lambda: self._remote.write(OWNER, f"{ours}\n".encode()))
        self.check_owner()

    def check_owner(self) -> None:
        """Refuse a place that is another's. Raises StoreError."""
        found = self._read_owner()
        if found and found != self._owner():
            raise StoreError(
                complaint(
                    "another scopewatch copies its pictures there, or this one with results that"
                    " are gone",
                    where=self._remote.url,
                    do="set another overlays.copy_to, or store.daemon; or, where nobody else"
                    f" copies there, delete {OWNER}",
                )
            )

    def _read_owner(self) -> str:
        """Return whose the place is; '' where it is nobody's yet."""
        try:
            return self._remote.read(OWNER, _MOST_OWNER_BYTES).decode("ascii", "replace").strip()
        except FileNotFoundError:
            return ""

    def copy(self, path: str) -> bool:
        """Copy a picture as it is now; False where it is gone."""
        try:
            data = (self._folder / path).read_bytes()
        except FileNotFoundError:
            if self._folder.is_dir():
                return False
            raise self._unread(path, "its folder is away") from None
        except OSError as error:
            raise self._unread(path, error.strerror or type(error).__name__) from error
        self._in_place(lambda: self._remote.write(path, data))
        return True

    def remove(self, path: str) -> None:
        """Remove a copy, where there is one."""
        self._remote.remove(path)

    def try_out(self) -> None:
        """Write, read and remove a file."""
        name = f"scopewatch-check-{uuid4().hex[:8]}.txt"
        data = b"scopewatch check\n"
        self._in_place(lambda: self._remote.write(name, data))
        try:
            found = self._remote.read(name)
        finally:
            self._remote.remove(name)
        if found != data:
            raise unusable(f"{self._remote.url}/{name}", "other content than was written")

    def _in_place(self, write: Callable[[], None]) -> None:
        try:
            write()
        except FileNotFoundError as error:
            raise unusable(self._remote.url, "no such bucket, share or folder") from error

    def _unread(self, path: str, why: str) -> StoreError:
        return StoreError(
            complaint(
                "picture cannot be read",
                where=self._folder / path,
                got=why,
                do="check the folder of pictures, and its disk",
            )
        )
