"""Freed memory is returned to the system."""

import ctypes
from pathlib import Path

import pytest

from scopewatch.runtime.process.memory import find_trim, give_back

# Below the size from which glibc maps a block of its own, which is returned when freed.
BLOCK_BYTES = 32_768
BLOCKS = 2_000


def resident_mb() -> float:
    """Return the resident memory of this process that is not backed by files, in MB."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    (line,) = [line for line in lines if line.startswith("RssAnon:")]
    return int(line.split()[1]) / 1024


@pytest.mark.skipif(find_trim() is None, reason="needs glibc")
def test_holes_in_the_heap_go_back_to_the_system() -> None:
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    libc.free.argtypes = [ctypes.c_void_p]
    blocks = [libc.malloc(BLOCK_BYTES) for _ in range(BLOCKS)]
    for block in blocks:
        ctypes.memset(block, 1, BLOCK_BYTES)
    # One in ten stays, so that the heap cannot shrink from its end.
    for block in [block for index, block in enumerate(blocks) if index % 10]:
        libc.free(block)
    full_mb = resident_mb()

    give_back()

    given_mb = full_mb - resident_mb()
    for block in blocks[::10]:
        libc.free(block)
    assert given_mb > 0.7 * BLOCK_BYTES * BLOCKS / 2**20
