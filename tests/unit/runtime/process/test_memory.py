"""Freed memory is returned to the system."""

import ctypes
import gc
import subprocess
import sys
import weakref
from pathlib import Path

import pytest

from scopewatch.runtime.process.memory import find_trim, give_back, share_one_heap

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


HEAPS = """
import ctypes, threading
from pathlib import Path
from scopewatch.runtime.process.memory import share_one_heap

shared = {share}
if shared:
    assert share_one_heap()
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
places = []
held = threading.Barrier(4)

def take():
    held.wait()
    places.append(libc.malloc(100_000))
    held.wait()

threads = [threading.Thread(target=take) for _ in range(3)]
[thread.start() for thread in threads]
held.wait()
held.wait()
[thread.join() for thread in threads]
lines = Path("/proc/self/maps").read_text().splitlines()
(heap,) = [line.split()[0] for line in lines if line.endswith("[heap]")]
start, end = (int(part, 16) for part in heap.split("-"))
print(sum(start <= place < end for place in places))
"""


@pytest.mark.skipif(find_trim() is None, reason="needs glibc")
@pytest.mark.parametrize(("share", "within"), [(True, 3), (False, 0)])
def test_threads_take_their_memory_from_one_heap(share: bool, within: int) -> None:
    code = HEAPS.format(share=share)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) == within


def test_another_c_library_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    assert not share_one_heap()


class _Page:
    """What hangs in a cycle: it refers to itself."""

    def __init__(self) -> None:
        self.own = self


@pytest.mark.parametrize(("new", "freed"), [(False, False), (True, True)])
def test_cycles_are_freed_once_a_full_collection_is_due(new: bool, freed: bool) -> None:
    gc.collect()
    page = weakref.ref(_Page())
    if new:
        # Each collection of the second generation counts towards a full one, which Python itself
        # puts off for as long as few of all objects are new.
        for _ in range(gc.get_threshold()[2] + 1):
            gc.collect(1)
    give_back()
    assert (page() is None) is freed
    gc.collect()
