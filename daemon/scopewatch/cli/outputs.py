"""Where commands write: `-` is standard output where lines are written, and refused elsewhere."""

from pathlib import Path
from typing import Final

from scopewatch.core.errors import ConfigError, complaint

STDOUT: Final = Path("-")


def refuse_stdout(path: Path | None, option: str, *, what: str, do: str) -> None:
    """Refuse `-` where no lines are written.

    Parameters
    ----------
    what
        What the command writes: a folder of pictures, say.

    Raises
    ------
    ConfigError
        With what to do.
    """
    if path is not None and path == STDOUT:
        raise ConfigError(
            complaint(
                f"{what} cannot go to standard output",
                where=f"{option} -",
                expected="a path",
                do=do,
            )
        )
