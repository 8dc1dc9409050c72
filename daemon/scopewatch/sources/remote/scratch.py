"""Folders for temporary copies, which go with the process; those of killed ones are swept."""

import os
import re
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

_PREFIX: Final = "scopewatch-cache-"


def make_scratch() -> Path:
    """Return a new folder of this process."""
    return Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-")).resolve()


def sweep() -> None:
    """Remove the folders of processes that were killed."""
    for left in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        number = re.fullmatch(rf"{_PREFIX}(\d+)-\w+", left.name)
        with suppress(OSError):
            if number is not None and _is_gone(int(number[1])) and left.stat().st_uid == _user():
                shutil.rmtree(left, ignore_errors=True)


def _user() -> int:
    return os.getuid() if hasattr(os, "getuid") else 0


def _is_gone(process: int) -> bool:
    if os.name == "nt":
        # There, signal 0 would end it.
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False
