"""Distinguishes failures of a share or disk from failures of a single file."""

import errno
import os
import stat
from pathlib import Path

from scopewatch.core.errors import SourceError, complaint
from scopewatch.core.source import KnownFolder, Ledger

# Errors of a lost share, an unplugged disk or a server that does not answer. A missing or
# unreadable file gives other errors.
_AWAY = frozenset(
    {
        errno.EIO,
        errno.ENXIO,
        errno.ENODEV,
        errno.ESTALE,
        errno.ETIMEDOUT,
        errno.ENOTCONN,
        errno.ESHUTDOWN,
        errno.ECONNABORTED,
        errno.ECONNREFUSED,
        errno.ECONNRESET,
        errno.EHOSTDOWN,
        errno.EHOSTUNREACH,
        errno.ENETDOWN,
        errno.ENETRESET,
        errno.ENETUNREACH,
        errno.EREMOTEIO,
    }
)
Identity = tuple[int, int]


def identify(root: Path) -> Identity | None:
    """Return the device and inode of the folder at a path; None where there is none."""
    try:
        state = root.stat()
    except OSError:
        return None
    return state.st_dev, state.st_ino


class Presence:
    """Whether the folder of a source is there, was never there yet, or is gone.

    The ledger keeps what is known over restarts: `recall` reads it, `record` writes it.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._known: Identity | None = None
        # How the folder was when it was last there; None: it was never seen.
        self._seen: KnownFolder | None = None
        self._recorded: KnownFolder | None = None
        self._recalled = False

    def recall(self, source: str, ledger: Ledger) -> None:
        """Read, once, whether the folder was there before this process began. Raises StoreError."""
        if self._recalled:
            return
        kept = ledger.known_folder(source, str(self._root))
        self._recalled = True
        if kept is not None:
            self._seen = self._recorded = kept

    def record(self, source: str, ledger: Ledger) -> None:
        """Record a folder that is there; writes only what changed. Raises StoreError."""
        # What was recorded of a share must not be replaced by its bare mount point.
        self.recall(source, ledger)
        if self.is_there() and self._seen is not None and self._seen != self._recorded:
            ledger.record_folder(source, str(self._root), self._seen)
            self._recorded = self._seen

    def is_there(self) -> bool:
        """Return whether the folder is there now; an empty mount point does not count."""
        now = identify(self._root) if self._root.is_dir() else None
        if now is None or self._is_bare_mount_point(now):
            return False
        self._known = now
        above = identify(self._root.parent)
        self._seen = KnownFolder(mounted=above is not None and above[0] != now[0])
        return True

    def look(self) -> Identity:
        """Return the identity of the folder.

        Raises
        ------
        OSError
            When it is not there, with the reason.
        """
        if not stat.S_ISDIR(self._root.stat().st_mode):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        if not self.is_there() or self._known is None:
            raise OSError(errno.ENODEV, "nothing is mounted on it")
        return self._known

    def is_gone(self) -> bool:
        """Return whether the folder was there once and is not there now."""
        return not self.is_there() and self._seen is not None

    def is_awaited(self) -> bool:
        """Return whether the folder was never there but can still appear."""
        return not self.is_there() and self._seen is None and self._root.parent.is_dir()

    def _is_bare_mount_point(self, now: Identity) -> bool:
        """Return whether another disk was mounted here before and only the mount point is left."""
        above = identify(self._root.parent)
        if self._seen is None or not self._seen.mounted or above is None or now[0] != above[0]:
            return False
        try:
            with os.scandir(self._root) as entries:
                return next(entries, None) is None
        except OSError:
            return False


def blame_share(cause: BaseException | None, root: Path, known: Identity | None = None) -> None:
    """Raise SourceError where a frame could not be read because its share or disk is away.

    Parameters
    ----------
    cause
        Why the frame could not be read; only an OSError can be the fault of the share.
    root
        The folder that the source watches.
    known
        Identity of that folder when the frame was found; None where it is not known.

    Raises
    ------
    SourceError
        The worker tries again later; the frame is not quarantined.
    """
    if not isinstance(cause, OSError):
        return
    now = identify(root)
    moved = isinstance(cause, FileNotFoundError) and known is not None and now != known
    if cause.errno in _AWAY or now is None or moved:
        raise SourceError(
            complaint(
                "share or disk of the source does not answer",
                where=root,
                got=cause.strerror or str(cause),
                do="check the share, its server and the network; frames are read once it is back",
            )
        ) from cause
