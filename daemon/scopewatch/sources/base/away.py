"""Whether a failure to read is the file's own, or that of the share or disk that it lies on."""

import errno
from pathlib import Path

from scopewatch.core.errors import SourceError, complaint

# What a lost share, an unplugged disk or a server that does not answer give. A file that is gone,
# or that may not be read, gives others.
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
    """Return which folder lies at a path now; None where there is none."""
    try:
        state = root.stat()
    except OSError:
        return None
    return state.st_dev, state.st_ino


def blame_share(cause: BaseException | None, root: Path, known: Identity | None = None) -> None:
    """Raise another error where a frame could not be read since its share or disk is away.

    Parameters
    ----------
    cause
        Why the frame could not be read; anything but an OSError is its own fault.
    root
        The folder that the source watches.
    known
        Which folder lay there when the frame was found; None where nobody looked.

    Raises
    ------
    SourceError
        The worker tries again later; a frame is not blamed for it.
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
