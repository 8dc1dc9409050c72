"""Has threads share one heap, and gives freed memory back to the system.

glibc keeps freed memory for later requests. Frames are large and what is kept of them is small, so
that after tens of thousands of frames the heap is fragmented.
"""

import ctypes
import gc
import sys
from collections.abc import Callable
from typing import Final

GIVE_BACK_S: Final = 60.0
# malloc.h of glibc.
_ARENA_MAX: Final = -8


def find_trim() -> Callable[[int], int] | None:
    """Return glibc's `malloc_trim`; None where the C library is another (musl, Windows, macOS)."""
    if not sys.platform.startswith("linux"):
        return None
    found: Callable[[int], int] | None = getattr(ctypes.CDLL(None), "malloc_trim", None)
    return found


_TRIM: Final = find_trim()


def give_back() -> None:
    """Free what only reference cycles hold, and give free memory back, from gaps of heaps too.

    Without glibc the second is left to the C library.
    """
    # Python puts a full collection off until a quarter of all its objects are new, and a daemon has
    # a quarter of a million: the history of a page that was shown would stay for long.
    if gc.get_count()[2] > gc.get_threshold()[2]:
        gc.collect()
    if _TRIM is not None:
        _TRIM(0)


def share_one_heap() -> bool:
    """Have all threads take their memory from one heap; call it before the first one is started.

    By itself glibc gives threads heaps of their own, and what one has let go of, another cannot
    use: the frame of the source then lies beside that of the worker for good.

    Returns
    -------
    False where the C library is another one, which is left as it is.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt: Callable[[int, int], int] | None = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and bool(mallopt(_ARENA_MAX, 1))
