"""A stack that was preallocated at full size: frames as they are written, and never the holes.

The files are sparse: they take only the disk space that was written.
"""

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.unit.sources.folder_scene import Make
from tests.unit.sources.mmstacks import StackWriter, tags

SIDE_PX = 2048
IMAGES = 6
# Size of a classic TIFF as Micro-Manager preallocates it; a BigTIFF has no such limit.
CLASSIC, BIG = 2**32, 6 * 2**30
MOST_MB = 200

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def image(time: int) -> NDArray[np.uint16]:
    """Return a frame with structure at its top, its middle and its very end."""
    rng = np.random.default_rng(time)
    pixels = np.full((SIDE_PX, SIDE_PX), 500 + time, np.uint16)
    for row in (0, SIDE_PX // 2, SIDE_PX - 1):
        pixels[row] = rng.integers(100, 4000, SIDE_PX)
    return pixels


def read_mb() -> float:
    """Return how much this process has read so far, from any file, in all its threads."""
    found = re.search(r"^rchar: (\d+)$", Path("/proc/self/io").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1]) / 1e6


def memory_mb(name: str) -> float:
    found = re.search(rf"^{name}:\s+(\d+) kB$", Path("/proc/self/status").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1]) / 1e3


def peak_growth_mb(do: Callable[[], None]) -> float:
    """Return by how much the resident set grew at its peak."""
    before = memory_mb("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")
    do()
    return memory_mb("VmHWM") - before


@linux
@pytest.mark.parametrize(("size", "big"), [(CLASSIC, False), (BIG, True)], ids=["4 GB", "6 GB"])
def test_a_stack_preallocated_at_full_size_is_followed_without_reading_its_holes(
    tmp_path: Path, make: Make, size: int, big: bool
) -> None:
    scene = make(settle_s=1).start()
    path = tmp_path / "run_MMStack.ome.tif"
    frame_bytes = 2 * SIDE_PX**2
    gap = (size - 8192) // IMAGES - frame_bytes - 4096
    stack = StackWriter(path, {"Frames": 1000}, size, gap=gap, big=big)
    assert path.stat().st_size == size
    assert path.stat().st_blocks * 512 < 1e6, "the file system here does not keep holes"
    scene.later(0)
    scene.later(60)
    assert scene.inbox.keys == [], "nothing but a hole yet"
    read_before = read_mb()

    def grow() -> None:
        for time in range(IMAGES):
            stack.add(image(time), tags(time), last=time == IMAGES - 1)
            scene.later(0)
            scene.later(600)
            keys = [f"HES7/plate/B3/s1/t{t:04d}/phase" for t in range(time + 1)]
            assert scene.inbox.keys == keys
            scene.ledger.settle(*scene.inbox.tickets)
        assert stack.at > size - size // IMAGES, "the last one lies near the end"

    grown_mb = peak_growth_mb(grow)
    # Each is decoded when it is found, and once more until the ledger knows it: that is 0.1 GB.
    # What is between and after them is not read.
    assert read_mb() - read_before < 2.2 * IMAGES * frame_bytes / 1e6
    assert grown_mb < MOST_MB

    stack.close()
    scene.later(0)
    scene.later(600)
    assert len(scene.inbox.tickets) == IMAGES, "its end is no news"
    assert scene.inbox.refusals == []
    for time in (0, IMAGES - 1):
        frame: Any = scene.source.load(scene.inbox.tickets[time])
        assert np.array_equal(frame.pixels, image(time))


@linux
def test_looking_again_at_a_stack_that_rests_reads_its_directories_only(
    tmp_path: Path, make: Make
) -> None:
    stack = StackWriter(tmp_path / "run_MMStack.ome.tif", {"Frames": 1000}, CLASSIC)
    for time in range(2):
        stack.add(image(time), tags(time))
    scene = make(settle_s=1).start()
    scene.later(0)
    scene.later(600)
    assert len(scene.inbox.tickets) == 2
    scene.ledger.settle(*scene.inbox.tickets)

    def look() -> float:
        """Rescan twenty times within twenty minutes; return how much that read, in MB."""
        before = read_mb()
        for _ in range(20):
            os.utime(stack.path)
            scene.later(0)
            scene.later(60)
        return read_mb() - before

    # Once more each, until the ledger was asked; after that their pixels are not read.
    assert look() < 2.2 * 2 * 2 * SIDE_PX**2 / 1e6
    assert look() < 2
    assert len(scene.inbox.tickets) == 2
