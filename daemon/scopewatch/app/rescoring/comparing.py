"""Compares two versions of the results of the same frames, well by well."""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import StatisticsError, correlation, fmean
from typing import Any, TypeAlias

from scopewatch.core.errors import ConfigError, complaint

_PARTS = ("experiment", "plate", "well", "site", "time_point", "channel")

Key: TypeAlias = tuple[str, str, str, int, int, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How far new efficiencies lie from old ones, over the frames that have both.

    Parameters
    ----------
    bias
        Mean of new minus old; fractions of 0 to 1.
    mae
        Mean of the absolute differences.
    r
        Pearson's coefficient; None for fewer than three frames, or without any variation.
    """

    frames: int
    bias: float
    mae: float
    r: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two versions of results.

    Parameters
    ----------
    wells
        By experiment, plate and well, in this order; those of the new version.
    only_old, only_new
        Frames with an efficiency in one of them alone.
    by_run
        Whether experiments were compared by name; False where the two name them otherwise.
    """

    overall: Agreement | None
    wells: Mapping[tuple[str, str, str], Agreement]
    only_old: int
    only_new: int
    by_run: bool


def compare(old: Mapping[Key, float], new: Mapping[Key, float]) -> Comparison:
    """Compare efficiencies by the keys of their frames.

    Where no key of the new version is among the old ones, experiments are left out of the keys, if
    those still name one frame each: a folder and a daemon's experiment have different names.
    """
    by_run = bool(old.keys() & new.keys())
    if not by_run:
        plain_old, plain_new = _without_runs(old), _without_runs(new)
        if plain_old is not None and plain_new is not None:
            pairs = {key: (plain_old[key[1:]], new[key]) for key in new if key[1:] in plain_old}
            return _comparison(pairs, len(old), len(new), by_run=False)
    pairs = {key: (old[key], new[key]) for key in new if key in old}
    return _comparison(pairs, len(old), len(new), by_run=True)


def read_old(path: Path) -> dict[Key, float]:
    """Read efficiencies from an `export` (.csv) or from lines of `score` (.jsonl).

    Raises
    ------
    ConfigError
        When it is neither, or cannot be read.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            if path.suffix == ".csv":
                return efficiencies(csv.DictReader(file))
            return efficiencies(json.loads(line) for line in file if line.strip())
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            complaint(
                "old results cannot be read",
                where=path,
                expected="an export of scopewatch (.csv), or lines of scopewatch score (.jsonl)",
                got=f"{type(error).__name__}: {error}",
                do="name another file, or a version of the archive",
            )
        ) from error


def efficiencies(lines: Iterable[Mapping[str, Any]]) -> dict[Key, float]:
    """Return the efficiency of each frame that has one."""
    return dict(_each(lines))


def _each(lines: Iterable[Mapping[str, Any]]) -> Iterator[tuple[Key, float]]:
    for line in lines:
        value = line["efficiency"]
        if value is None or value == "":
            continue
        run, plate, well, site, time_point, channel = (line[part] for part in _PARTS)
        yield (
            (str(run), str(plate), str(well), int(site), int(time_point), str(channel)),
            float(value),
        )


def _without_runs(values: Mapping[Key, float]) -> dict[tuple[Any, ...], float] | None:
    plain = {key[1:]: value for key, value in values.items()}
    return plain if len(plain) == len(values) else None


def _comparison(
    pairs: Mapping[Key, tuple[float, float]], old: int, new: int, *, by_run: bool
) -> Comparison:
    wells: dict[tuple[str, str, str], list[tuple[float, float]]] = {}
    for key in sorted(pairs):
        wells.setdefault(key[:3], []).append(pairs[key])
    return Comparison(
        overall=_agreement(list(pairs.values())) if pairs else None,
        wells={well: _agreement(values) for well, values in wells.items()},
        only_old=old - len(pairs),
        only_new=new - len(pairs),
        by_run=by_run,
    )


def _agreement(pairs: list[tuple[float, float]]) -> Agreement:
    differences = [new - old for old, new in pairs]
    return Agreement(
        frames=len(pairs),
        bias=fmean(differences),
        mae=fmean(map(abs, differences)),
        r=_pearson(pairs),
    )


def _pearson(pairs: list[tuple[float, float]]) -> float | None:
    if len(pairs) < 3:
        return None
    try:
        return correlation(*zip(*pairs, strict=True))
    except StatisticsError:
        # One of the two never changes.
        return None
