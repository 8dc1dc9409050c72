"""Detects by its control file that a program is still filling a file.

Some programs fetch a file in several pieces at once, directly under its final name and with its
final size. Until the last piece has come they keep a control file beside it that lists the missing
ones, also while they do not run: as long as it exists, the fetched file must not be trusted.
"""

from pathlib import Path

from scopewatch.core.errors import FrameError, complaint

# Suffixes of control files: of aria2, of lftp's pget, of axel.
CONTROL_SUFFIXES = (".aria2", ".lftp-pget-status", ".st")


def refuse_unfinished(path: Path) -> None:
    """Refuse a file that is fetched in pieces and misses some.

    Raises
    ------
    FrameError
        Naming the control file.
    """
    for suffix in CONTROL_SUFFIXES:
        control = path.with_name(path.name + suffix)
        if control.exists():
            raise FrameError(
                complaint(
                    "image file is still being fetched",
                    where=path,
                    got=f"{control.name} beside it",
                    do="let that program finish; or remove its file if this one is complete",
                )
            )
