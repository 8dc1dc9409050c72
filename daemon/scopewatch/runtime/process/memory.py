"""Memory that was freed goes back to the system.

glibc keeps what was freed for whoever asks next. Frames are large and what is kept of them is
small, so that over ten thousands of frames a heap comes to be full of holes that nobody fills.
"""

import ctypes
import sys
from collections.abc import Callable
from typing import Final

GIVE_BACK_S: Final = 60.0


def find_trim() -> Callable[[int], int] | None:
    """Return glibc's `malloc_trim`; None where the C library is another (musl, Windows, macOS)."""
    if not sys.platform.startswith("linux"):
        return None
    found: Callable[[int], int] | None = getattr(ctypes.CDLL(None), "malloc_trim", None)
    return found


_TRIM: Final = find_trim()


def give_back() -> None:
    """Give free memory back, from the middle of the heaps too; does nothing without glibc."""
    if _TRIM is not None:
        _TRIM(0)
