"""Names that seem to mean the same, and runs that seem to be parts of one.

`Run1` and `run1`, wells `A1` and `A01`, runs `1` and `1.0`, `2026-03-07` and `07.03.2026` are one
thing written twice; `march_A1` and `march_A2` are wells of one run.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Final

from scopewatch_training.dataset.doubts import Doubt, DoubtKind, Weight
from scopewatch_training.dataset.pairs.record import Pair, group_by_run

_ZEROS: Final = re.compile(r"0+(?=\d)")
_BETWEEN: Final = re.compile(r"[\s_-]+")
_WHOLE: Final = re.compile(r"(\d+)[.,]0+")
_YEAR_FIRST: Final = re.compile(r"(\d{4})([-./_ ]?)(\d{1,2})\2(\d{1,2})")
_YEAR_LAST: Final = re.compile(r"(\d{1,2})([-./_ ])(\d{1,2})\2(\d{4}|\d{2})")
_PART: Final = re.compile(
    r"(?i)(?<![a-z0-9])(?:(?P<word>well|site|field|fov|pos(?:ition)?|day|plate)[\s_-]?\d{1,3}"
    r"|[a-z]{1,2}[\s_-]?\d{1,2})(?![a-z0-9])"
)
"""Words of a name that may say which well, field, day or plate is meant.

Passages, donors and replicates are called `p3`, `d1`, `N2`: a letter with a number counts only
where the pair is of the well of that name.
"""
_MOST_NAMED: Final = 4
_FEWEST_WELLS: Final = 3


def find_twin_names(pairs: Sequence[Pair]) -> list[Doubt]:
    """Return a doubt for each name of a run, plate or well that has a twin.

    Names count as twins when they are equal without regard to case, leading zeros of numbers and
    what separates words, and when both are the same date or whole number; plates within a
    run, wells within a plate.
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


def find_split_runs(pairs: Sequence[Pair]) -> list[Doubt]:
    """Return a doubt for runs whose names differ in a well, field, day or plate alone.

    Wells, days and plates of one differentiation that are called runs are held out from each other,
    which flatters every figure.
    """
    stems: dict[str, list[str]] = {}
    wells = {
        run: {fold_name(pair.well) for pair in members}
        for run, members in group_by_run(pairs).items()
    }
    for run, names in wells.items():
        stem = _stem(run, names)
        if stem is not None:
            stems.setdefault(stem, []).append(run)
    return [
        Doubt(
            kind=DoubtKind.SPLIT_RUN,
            weight=Weight.LOOK,
            run=runs[0],
            pair=None,
            measured=f"{len(runs)} runs that differ in a well, field, day or plate:"
            f" {', '.join(runs[:_MOST_NAMED])}{', ...' if len(runs) > _MOST_NAMED else ''}",
            expected="a run for each differentiation: all that shares a start and a pair of hands",
            do="write one name in column run, and well, site, time_point and plate in theirs: held"
            " out from each other, such runs flatter",
        )
        for runs in stems.values()
        if len(runs) > 1
    ] or _find_wells_of_one_plate(pairs)


def _find_wells_of_one_plate(pairs: Sequence[Pair]) -> list[Doubt]:
    """Return a doubt where each run is one well, another of the same plate and folder in each."""
    runs = group_by_run(pairs)
    places = {(pair.plate, fold_name(pair.well)) for pair in pairs}
    alone = all(len({fold_name(pair.well) for pair in members}) == 1 for members in runs.values())
    if len(runs) < _FEWEST_WELLS or len(places) < len(runs) or not alone:
        return []
    folders = {str(Path(pair.phase).parent) for pair in pairs}
    if len({plate for plate, _ in places}) > 1 or len(folders) > 1:
        return []
    named = [f"{run} ({members[0].well})" for run, members in runs.items()]
    return [
        Doubt(
            kind=DoubtKind.SPLIT_RUN,
            weight=Weight.LOOK,
            run=next(iter(runs)),
            pair=None,
            measured=f"{len(runs)} runs of one well each, all on plate {pairs[0].plate}:"
            f" {', '.join(named[:_MOST_NAMED])}{', ...' if len(named) > _MOST_NAMED else ''}",
            expected="a run for each differentiation: all that shares a start and a pair of hands",
            do="write one name in column run where these are wells of one plate (a spreadsheet"
            " counts up a name that is filled down), or name each run's own plate",
        )
    ]


def _stem(run: str, wells: set[str]) -> str | None:
    """Return a run's name without the well, field, day or plate in it; None where it has none."""
    plates_alone = True
    rest, end = [], 0
    for found in _PART.finditer(run):
        word = (found["word"] or "").lower()
        if not word and wells != {fold_name(found[0])}:
            continue
        plates_alone &= word == "plate"
        rest.append(run[end : found.start()])
        end = found.end()
    if end == 0:
        return None
    stem = _BETWEEN.sub("_", fold_name("_".join([*rest, run[end:]]))).strip("_")
    # Runs that are called plate1, plate2 may well be one plate each.
    return None if not stem and plates_alone else stem


def fold_name(name: str) -> str:
    """Return a name without case, leading zeros and surrounding blanks, one mark between words."""
    plain = _BETWEEN.sub("_", name.strip().casefold())
    whole = _WHOLE.fullmatch(plain)
    return _ZEROS.sub("", whole[1] if whole else plain)


def readings(name: str) -> frozenset[str]:
    """Return what a name may mean: the folded name, or each day that it may be the date of."""
    text = name.strip()
    days = []
    if match := _YEAR_FIRST.fullmatch(text):
        days.append((match[1], match[3], match[4]))
    elif match := _YEAR_LAST.fullmatch(text):
        year = match[4] if len(match[4]) > 2 else f"20{match[4]}"
        days += [(year, match[3], match[1]), (year, match[1], match[3])]
    found = frozenset(day for each in days if (day := _day(*each)) is not None)
    return found or frozenset({fold_name(name)})


def _day(year: str, month: str, day: str) -> str | None:
    try:
        return date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        return None


def _below(pairs: Sequence[Pair]) -> list[tuple[tuple[str, tuple[str, ...]], str]]:
    plates = _twins(("plate", (pair.run, pair.plate)) for pair in pairs)
    wells = _twins(("well", (pair.run, pair.plate, pair.well)) for pair in pairs)
    return [*plates, *wells]


def _twins(
    paths: Iterable[tuple[str, tuple[str, ...]]],
) -> list[tuple[tuple[str, tuple[str, ...]], str]]:
    """Group paths whose last part has twins: ((kind, spellings), run)."""
    found: dict[tuple[str, ...], dict[str, str]] = {}
    for kind, path in paths:
        found.setdefault((kind, *path[:-1]), {})[path[-1]] = path[0]
    twins = []
    for (kind, *_), names in found.items():
        groups: list[set[str]] = []
        # The same spelling comes once, so that most tables compare a few names.
        folded = {name: readings(name) for name in names}
        by_reading: dict[str, set[str]] = {}
        for name, meant in folded.items():
            for each in meant:
                by_reading.setdefault(each, set()).add(name)
        for group in by_reading.values():
            if len(group) > 1 and group not in groups:
                groups.append(group)
        twins += [
            ((kind, tuple(sorted(group))), min(names[name] for name in group)) for group in groups
        ]
    return twins
