"""A folder of 100,000 files: the time of a walk, and the memory that the source needs.

python benchmarks/soak/soak_folder.py            # 100,000 files
python benchmarks/soak/soak_folder.py --short    # 10,000 files
"""

import argparse
import os
import resource
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import tifffile
from counting import Counting

from scopewatch.config import FolderSourceConfig, RunConfig
from scopewatch.sources.folder.source import FolderSource

# Promises: seconds of a walk over known files, and megabytes for 100,000 of them.
WALK_S = 10.0
GROWN_MB = 200.0


class Clock:
    """The system clocks."""

    def now(self) -> datetime:
        """Return the time of day."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds that never jump."""
        return time.monotonic()

    def steady(self) -> float:
        """Return the monotonic seconds: the machine does not sleep meanwhile."""
        return time.monotonic()


def resident_mb() -> float:
    """Return the resident memory of this process now."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * resource.getpagesize() / 1e6


def main() -> int:
    """Run, print the figures, and report whether a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--short", action="store_true", help="10,000 files")
    files = 10_000 if parser.parse_args().short else 100_000
    with tempfile.TemporaryDirectory(prefix="soak-folder-") as name:
        folder = Path(name)
        first = folder / "P1_A1_s0_t000000_phase.tif"
        tifffile.imwrite(first, np.full((4, 4), 500, np.uint16), metadata=None)
        content = first.read_bytes()
        for at in range(1, files):
            (folder / f"P1_A1_s0_t{at:06d}_phase.tif").write_bytes(content)
        counting, before_mb = Counting(settles=False), resident_mb()
        config = FolderSourceConfig(kind="folder", path=folder, settle_s=0)
        source = FolderSource(config, RunConfig(name="run 1"), Clock())
        began_s = time.monotonic()
        source.start(counting, counting)
        while len(counting.taken) < files and time.monotonic() - began_s < 1200:
            source.scan()
        found_s = time.monotonic() - began_s
        walks_s = []
        for _ in range(5):
            began_s = time.monotonic()
            source.scan()
            walks_s.append(time.monotonic() - began_s)
        grown_mb = resident_mb() - before_mb
        source.stop()
    twice = sum(times != 1 for times in counting.taken.values())
    print(f"files {files}, offered {len(counting.taken)}, not exactly once {twice}")
    print(f"all found in {found_s:.1f} s; a walk over known files {max(walks_s):.2f} s at most")
    print(f"memory grew by {grown_mb:.0f} MB (with the soak's own counts); cpus {os.cpu_count()}")
    broken = len(counting.taken) != files or twice or max(walks_s) > WALK_S or grown_mb > GROWN_MB
    print("a promise was broken" if broken else "0 broken promises")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
