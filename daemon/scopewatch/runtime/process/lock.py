"""A lock on the state folder: two daemons would score every frame twice."""

import sys
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from scopewatch.core.errors import ConfigError, StoreError, complaint

LOCK_FILE = "scopewatch.lock"


class InstanceLock:
    """Holds a lock on a file in the state folder until it is released or the process ends.

    The operating system drops the lock with the process, so that a crash leaves none behind;
    the file itself stays and has no meaning.

    Parameters
    ----------
    folder
        The state folder, which must exist.

    Raises
    ------
    ConfigError
        When another process holds it.
    StoreError
        When the folder cannot be written to.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / LOCK_FILE
        self._file: BinaryIO | None = None
        try:
            self._file = path.open("ab")
            # Whatever the umask: the group may see the lock, others may not.
            path.chmod(0o640)
        except OSError as error:
            self.release()
            raise StoreError(
                complaint(
                    "state folder cannot be written to",
                    where=path,
                    got=error.strerror,
                    do="give the daemon's user the right to write there, or set state.folder",
                )
            ) from error
        try:
            _lock(self._file)
        except OSError as error:
            self.release()
            raise ConfigError(
                complaint(
                    "another scopewatch works in this state folder",
                    where=folder,
                    do="stop it first, or set another state.folder",
                )
            ) from error

    def release(self) -> None:
        """Release the lock; idempotent."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def __enter__(self) -> Self:
        """Hold it."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Release it."""
        self.release()


def is_held(folder: Path) -> bool | None:
    """Return whether a daemon uses a state folder; None where that cannot be tried."""
    if not (folder / LOCK_FILE).exists():
        return False
    try:
        InstanceLock(folder).release()
    except ConfigError:
        return True
    except StoreError:
        return None
    return False


if sys.platform == "win32":
    import msvcrt

    def _lock(file: BinaryIO) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(file: BinaryIO) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
