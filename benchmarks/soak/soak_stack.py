"""A stack of 4 GB, preallocated as by Micro-Manager, that is filled image by image.

python benchmarks/soak/soak_stack.py              # images of 2048 x 2048 until it is full
python benchmarks/soak/soak_stack.py --short      # a quarter of it

The file is sparse: pixels that are not written are zero, and need no disk space. Times are those of
the processor, so other processes do not count.
"""

import argparse
import json
import re
import struct
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from counting import Counting

from scopewatch.config import FolderSourceConfig, RunConfig
from scopewatch.sources.folder.source import FolderSource

SIZE = 2**32
SIDE_PX = 2048
IMAGE_BYTES = 2 * SIDE_PX**2
LOOKS = 8
# Promises for the whole stack, and for each new image.
GROWN_MB = 200.0
IMAGE_S = 0.5


class Clock:
    """A clock that the script sets."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        """Return the time of day."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return the seconds that were set."""
        return self.seconds

    def steady(self) -> float:
        """Return the seconds that were set."""
        return self.seconds


def begin(path: Path) -> int:
    """Preallocate the file; return the offset of its first directory."""
    with path.open("wb") as file:
        file.truncate(SIZE)
        file.write(struct.pack("<2sHI", b"II", 42, 40))
    return 40


def add(path: Path, at: int, time_point: int) -> int:
    """Write directory and tags of an image at an offset; return the offset of the next image."""
    tags = {"FrameIndex": time_point, "Channel": "phase", "PositionName": "B3-Site_1"}
    text = json.dumps(tags).encode()
    data = at + 2 + 10 * 12 + 4
    following = data + IMAGE_BYTES + len(text) + len(text) % 2
    longs = {256: SIDE_PX, 257: SIDE_PX, 273: data, 278: SIDE_PX, 279: IMAGE_BYTES}
    shorts = {258: 16, 259: 1, 262: 1, 277: 1}
    fields = [(tag, 4, 1, value) for tag, value in longs.items()]
    fields += [(tag, 3, 1, value) for tag, value in shorts.items()]
    fields.append((51123, 2, len(text), data + IMAGE_BYTES))
    head = b"".join(struct.pack("<HHII", *field) for field in sorted(fields))
    with path.open("r+b") as file:
        file.seek(data + IMAGE_BYTES)
        file.write(text)
        file.seek(at)
        file.write(struct.pack("<H", len(fields)) + head + struct.pack("<I", following))
    return following


def read_figure(path: str, name: str) -> int:
    """Return a figure of this process from /proc."""
    found = re.search(rf"^{name}:\s+(\d+)", Path(path).read_text("ascii"), re.MULTILINE)
    return int(found[1]) if found else 0


def main() -> int:
    """Run, print the figures, and report whether a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--short", action="store_true", help="a quarter of the images")
    images = (SIZE - 1024) // (IMAGE_BYTES + 512) // (4 if parser.parse_args().short else 1)
    clock, counting, looks_s = Clock(), Counting(settles=True), []
    with tempfile.TemporaryDirectory(prefix="soak-stack-") as name:
        path = Path(name) / "run_MMStack.ome.tif"
        at = begin(path)
        config = FolderSourceConfig(kind="folder", path=Path(name), settle_s=0)
        source = FolderSource(config, RunConfig(name="run 1"), clock)
        source.start(counting, counting)
        before_mb = read_figure("/proc/self/status", "VmRSS") / 1e3
        read_before = read_figure("/proc/self/io", "rchar")
        Path("/proc/self/clear_refs").write_text("5", "ascii")
        for look in range(1, LOOKS + 1):
            for time_point in range(images * (look - 1) // LOOKS, images * look // LOOKS):
                at = add(path, at, time_point)
            began_s = time.process_time()
            clock.seconds += 100
            source.scan()
            looks_s.append(time.process_time() - began_s)
        grown_mb = read_figure("/proc/self/status", "VmHWM") / 1e3 - before_mb
        read_gb = (read_figure("/proc/self/io", "rchar") - read_before) / 1e9
        began_s = time.process_time()
        clock.seconds += 100
        source.scan()
        known_s = time.process_time() - began_s
        source.stop()
    whole = counting.taken == Counter(range(images))
    print(f"images {images} up to byte {at} of {SIZE}; each found once: {whole}")
    looks = ", ".join(f"{look:.1f}" for look in looks_s)
    print(f"looks, an eighth of them new each: {looks} s")
    print(f"read {read_gb:.2f} GB, {images * IMAGE_BYTES / 1e9:.2f} GB of pixels were new")
    print(f"memory grew by {grown_mb:.0f} MB at most; a look at what is known {known_s:.2f} s")
    broken = not whole or grown_mb > GROWN_MB or max(looks_s) > IMAGE_S * images / LOOKS
    print("a promise was broken" if broken else "0 broken promises")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
