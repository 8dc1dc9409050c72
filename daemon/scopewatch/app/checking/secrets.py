"""Checks where secrets are kept, and who can read them."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from scopewatch.config import Config
from scopewatch.config.secrets import plain_secrets, secret_files


def advise_on_secrets(config: Config, path: Path) -> Iterator[str]:
    """Return which secrets are in the file itself, and which files others can read.

    Parameters
    ----------
    config
        As it was read, with references unresolved.
    path
        The file it was read from.
    """
    plain = plain_secrets(config)
    if plain:
        now = f"others can read it now: chmod o-rwx {path}" if _is_open(path) else "it is not now"
        yield (
            f"{', '.join(plain)} stand in {path} itself, which should not be readable by others"
            f" ({now}); or write env:NAME, file:/path or credential:NAME there"
        )
    for file in secret_files(config):
        if _is_open(file):
            yield f"others can read the secret in {file}: chmod o-rwx {file}"


def _is_open(path: Path) -> bool:
    """Whether its mode lets everybody read it; Windows keeps no such mode."""
    try:
        return os.name == "posix" and bool(path.stat().st_mode & stat.S_IROTH)
    except OSError:
        return False
