"""The cost of reading a file name, for each layout, and of guessing the layout of a folder.

    python -m benchmarks.reading_names

Names are the layouts' examples below a folder, and one that fits no layout. Prints microseconds of
processor time per name, the best of some rounds.
"""

import argparse
import time
from collections.abc import Callable

from scopewatch.sources.layouts.guess import guess_layout
from scopewatch.sources.layouts.naming import NamePattern
from scopewatch.sources.layouts.registry import LAYOUTS

OTHER = "run8/2026-03-01/holiday/IMG 2031 with a long name_of_something.tif"
ROUNDS = 5


def best_us(work: Callable[[], object], names: int) -> float:
    """Return the processor time per name of the fastest round."""
    times = []
    for _ in range(ROUNDS):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return min(times) / names * 1e6


def main() -> None:
    """Print one row for each layout."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--names", type=int, default=20_000, help="read in each round")
    names = parser.parse_args().names
    print("| layout | us a name that fits | us one that does not |\n| --- | ---: | ---: |")
    for layout in LAYOUTS.values():
        read = NamePattern(layout.name).read
        own = [f"run8/2026-03-01/{each.path}" for each in layout.examples if each.never is None]
        sample = [own[index % len(own)] for index in range(names)]
        fits = best_us(lambda read=read, sample=sample: [read(each) for each in sample], names)
        other = best_us(lambda read=read: [read(OTHER) for _ in range(names)], names)
        print(f"| {layout.name} | {fits:.1f} | {other:.1f} |")
    plate = [
        f"phase/VID1_{row}{column}_{site}_{day:02}d{hour:02}h00m.tif"
        for row in "ABCDEFGH"
        for column in range(1, 13)
        for site in range(1, 3)
        for day in range(2)
        for hour in range(0, 24, 6)
    ]
    us = best_us(lambda: guess_layout(plate), len(plate))
    print(f"\nguessing the layout of {len(plate)} names: {us * len(plate) / 1e6:.2f} s")


if __name__ == "__main__":
    main()
