"""Whether a program is still filling a file, by the control file that it keeps beside it.

Some programs fetch a file in several pieces at once, straight under its final name and with its
final size. Until the last piece is there they keep a file beside it that says which are missing,
also while they do not run: as long as that lies there, what they fetched must not be trusted.
"""

from pathlib import Path

from scopewatch.core.errors import FrameError, complaint

# What is appended to the name: of aria2, of lftp's pget, of axel.
CONTROL_SUFFIXES = (".aria2", ".lftp-pget-status", ".st")


def refuse_unfinished(path: Path) -> None:
    """Refuse a file that is fetched in pieces and of which some are missing.

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
                    do="let that program finish; or remove its file where this one is whole",
                )
            )
