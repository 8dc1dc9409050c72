"""All errors that scopewatch raises on purpose.

Each message is one line for a biologist: what is wrong, where, what was expected, what was
found, and what to do. `complaint` writes such a line so that all of them read alike.
"""


class ScopewatchError(Exception):
    """Base of all errors raised on purpose; its text is fit to show to the operator."""


class ConfigError(ScopewatchError):
    """The configuration, or the call, is wrong. The process exits with 2."""


class FrameError(ScopewatchError):
    """One frame cannot be read or judged. It is quarantined; the daemon goes on."""


class ModelError(ScopewatchError):
    """The model bundle is missing, damaged, of another schema, or does not fit its card."""


class StoreError(ScopewatchError):
    """The result database or the overlay folder cannot be used."""


class NoSpaceError(StoreError):
    """The disk is full: nothing that was to be written is to blame, and later there may be room."""


class SourceError(ScopewatchError):
    """A folder, data set or microscope cannot be watched."""


class ClusterError(ScopewatchError):
    """A cluster cannot be reached, does not fit this process, or was lost."""


class DeliveryError(ScopewatchError):
    """An alert could not be delivered.

    Parameters
    ----------
    message
        The one line for the log.
    permanent
        True when trying again cannot help (a malformed address, a refused credential).
    """

    def __init__(self, message: str, *, permanent: bool) -> None:
        super().__init__(message)
        self.permanent = permanent


def complaint(
    what: str, *, where: object, expected: object = None, got: object = None, do: str
) -> str:
    """Write the one line every error carries.

    >>> complaint("frame is RGB", where="a.tif", expected="grey", got="RGB", do="export grey")
    'frame is RGB: a.tif (expected grey, got RGB); export grey'
    """
    sides = (("expected", expected), ("got", got))
    facts = [f"{word} {fact}" for word, fact in sides if fact is not None]
    line = f"{what}: {where}" + (f" ({', '.join(facts)})" if facts else "") + f"; {do}"
    # Names on a share may hold newlines: an operator's log line must stay one line.
    return " ".join(line.split())
