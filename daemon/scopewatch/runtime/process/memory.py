"""Gives freed memory back to the system.

glibc keeps freed memory for later requests. Frames are large and what is kept of them is small, so
that after tens of thousands of frames the heap is fragmented.
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
