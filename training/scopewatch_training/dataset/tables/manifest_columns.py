"""The columns of a manifest, and what is wrong with those of a table."""

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from scopewatch.core.errors import complaint
from scopewatch.sources.base.address import DEFAULT_PLATE
from scopewatch_training.dataset.tables.other_words import own_word
from scopewatch_training.dataset.tables.problems import raise_problems

COLUMNS: Final = ("run", "plate", "well", "site", "time_point", "phase", "fluorescence")
# Of columns that a table lacks: one plate, one field of each well, one time point.
ASSUMED: Final = {"plate": DEFAULT_PLATE, "site": "0", "time_point": "0"}
OPTIONAL: Final = ("um_per_px", "day")
_REQUIRED: Final = tuple(name for name in COLUMNS if name not in ASSUMED)
_MOST_LETTERS: Final = 120


def check_columns(path: Path, columns: Sequence[str]) -> None:
    """Refuse a table whose columns are not those of a manifest.

    Raises
    ------
    ConfigError
        Column that is missing, unknown or there twice: one line for each.
    """
    known = COLUMNS + OPTIONAL
    free = [name for name in known if name not in columns]
    problems, missing = [], [name for name in _REQUIRED if name not in columns]
    # A file without any of the names is no manifest, and its words are no misspelt columns.
    meant = {own_word(name) for name in columns}
    is_one = len(missing) < len(_REQUIRED) or len(meant.intersection(known)) > 1
    for name in columns if is_one else ():
        if name in known:
            continue
        near = _nearest(name, free)
        # A misspelt column gives one line, and no second one because it is missing.
        missing = [each for each in missing if each != near]
        problems.append(
            complaint(
                f"manifest has an unknown column {name!r}",
                where=path,
                expected=",".join(known),
                do=f"rename it to {near}, or remove it" if near else "rename or remove it",
            )
        )
    if missing:
        problems.append(
            complaint(
                f"manifest has no column {', '.join(missing)}",
                where=path,
                expected=f"a first line with {','.join(COLUMNS)}",
                got=_shorten(",".join(columns)) or "an empty file",
                do="add it" if is_one else "add a first line",
            )
        )
    problems += [
        complaint(f"manifest has column {name} twice", where=path, do="remove one")
        for name in sorted({name for name in columns if list(columns).count(name) > 1})
    ]
    raise_problems(problems)


def _nearest(name: str, candidates: Sequence[str]) -> str | None:
    """Return the candidate that is spelt most like a name; None where none is like it."""
    found = get_close_matches(own_word(name), candidates, n=1)
    return found[0] if found else None


def _shorten(text: str) -> str:
    return text if len(text) <= _MOST_LETTERS else f"{text[:_MOST_LETTERS]}..."
