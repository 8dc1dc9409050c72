"""The history of `make bench`: ratios of earlier runs on this processor, and what became slower.

A run is compared with the best of the last ten of its kind. Compared with the last one alone, a
ratio could become 14 % worse from each run to the next, and no run would show it. What was made
slower on purpose is accepted after ten runs.

One file of JSON lines for each class of machine, since a ratio holds for its processor alone. The
files are measurements of one machine and are not committed; docs/performance.md has the figures
that are promised.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.paired.ratios import Ratio

# A ratio is worse when all of its interval lies beyond the lowest earlier median by this factor.
MOST = 1.15
# How many earlier measurements of a comparison count.
RECENT = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One comparison of one run.

    Parameters
    ----------
    at
        When, ISO 8601 with its zone.
    commit
        Of the tree that was measured, `+` after it where files were changed.
    processor
        With its vector instructions.
    comparison
        What was divided by what; only equal ones are compared.
    ratio
        Of CPU times; below 1 is faster.
    """

    at: str
    commit: str
    processor: str
    comparison: str
    ratio: Ratio


def history_file(folder: Path, processor: str) -> Path:
    """Return the file of a class of machines."""
    return folder / f"{re.sub(r'[^A-Za-z0-9]+', '-', processor).strip('-').lower()}.jsonl"


def read(path: Path) -> list[Entry]:
    """Return the entries of a file, oldest first; none where there is no file.

    Raises
    ------
    ValueError
        When a line is none of ours; it names file and line.
    """
    if not path.exists():
        return []
    entries = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            fields = json.loads(line)
            entries.append(Entry(**{**fields, "ratio": Ratio(**fields["ratio"])}))
        except (ValueError, TypeError, KeyError) as error:
            raise ValueError(f"{path}:{number}: no entry of make bench: {error}") from error
    return entries


def append(path: Path, entries: Iterable[Entry]) -> None:
    """Add entries at the end of a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(asdict(entry)) + "\n" for entry in entries)


def regressions(earlier: Sequence[Entry], now: Sequence[Entry], most: float = MOST) -> list[str]:
    """Return a line for each comparison that is slower than it was here at its recent best.

    The best is the lowest median of its `RECENT` last measurements on the same processor. Noise
    alone is no regression: the lower end of the interval counts.
    """
    measured: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    for entry in earlier:
        measured[entry.processor, entry.comparison].append(entry)
    lines = []
    for entry in now:
        recent = measured[entry.processor, entry.comparison][-RECENT:]
        best = min(recent, key=lambda each: each.ratio.median, default=None)
        if best is not None and entry.ratio.low > most * best.ratio.median:
            lines.append(
                f"slower than at {best.commit}, the best of the last {len(recent)}:"
                f" {entry.comparison}: {entry.ratio},"
                f" expected at most {most:g} x {best.ratio.median:.3g}"
            )
    return lines
