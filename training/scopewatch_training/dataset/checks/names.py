"""Names that differ only in case or zeros: `Run1` and `run1`, wells `A1` and `A01`."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from scopewatch_training.dataset.doubts import Doubt, DoubtKind, Weight
from scopewatch_training.dataset.pairs.record import Pair

_ZEROS: Final = re.compile(r"0+(?=\d)")


def find_twin_names(pairs: Sequence[Pair]) -> list[Doubt]:
    """Return a doubt for each name of a run, plate or well that has a twin.

    Names count as twins when they are equal without regard to case, leading zeros of numbers and
    surrounding blanks; plates within a run, wells within a plate.
    """
    doubts = []
    for names, run in (*_twins(("run", (pair.run,)) for pair in pairs), *_below(pairs)):
        kind, texts = names
        doubts.append(
            Doubt(
                kind=DoubtKind.TWIN_NAMES,
                weight=Weight.STOP if kind == "run" else Weight.LOOK,
                run=run,
                pair=None,
                measured=f"{kind}s {' and '.join(texts)}",
                expected=f"one spelling for each {kind}",
                do="write one name in all rows if they are the same, else rename one",
            )
        )
    return doubts


def fold_name(name: str) -> str:
    """Return a name without case, leading zeros and surrounding blanks."""
    return _ZEROS.sub("", name.strip().casefold())


def _below(pairs: Sequence[Pair]) -> list[tuple[tuple[str, tuple[str, ...]], str]]:
    plates = _twins(("plate", (pair.run, pair.plate)) for pair in pairs)
    wells = _twins(("well", (pair.run, pair.plate, pair.well)) for pair in pairs)
    return [*plates, *wells]


def _twins(
    paths: Iterable[tuple[str, tuple[str, ...]]],
) -> list[tuple[tuple[str, tuple[str, ...]], str]]:
    """Group paths whose last part has twins: ((kind, spellings), run)."""
    found: dict[tuple[str, ...], dict[str, str]] = {}
    kinds = {}
    for kind, path in paths:
        key = (kind, *path[:-1], fold_name(path[-1]))
        found.setdefault(key, {})[path[-1]] = path[0]
        kinds[key] = kind
    return [
        ((kinds[key], tuple(sorted(names))), min(names.values()))
        for key, names in found.items()
        if len(names) > 1
    ]
