"""Problems of a table: one line for each kind, with the lines of the table that have it."""

import re
from collections.abc import Sequence
from typing import Final

from scopewatch.core.errors import ConfigError

_MOST_LINES: Final = 20
_MOST_NUMBERS: Final = 5
_WORDS: Final = 3
_LINE: Final = re.compile(r" line (\d+)\b")


def raise_problems(problems: Sequence[str]) -> None:
    """Raise ConfigError with one line for each kind of problem, at most twenty; none, no error.

    Problems are of one kind when their first words, up to the colon, and what to do begin alike.
    """
    if not problems:
        return
    kinds: dict[tuple[str, str], list[str]] = {}
    for text in problems:
        head, advice = text.partition(": ")[0], text.rpartition("; ")[2]
        kinds.setdefault((head, " ".join(advice.split()[:_WORDS])), []).append(text)
    shown = [_sum_up(texts) for texts in kinds.values()]
    if len(shown) > _MOST_LINES:
        shown = [*shown[:_MOST_LINES], f"and {len(shown) - _MOST_LINES} more problems like these"]
    raise ConfigError("\n".join(shown))


def _sum_up(texts: Sequence[str]) -> str:
    """Return the first of some problems, and where the others are."""
    first, *others = texts
    if not others:
        return first
    numbers = [match[1] for text in others if (match := _LINE.search(text))]
    if len(numbers) < len(others):
        return f"{first} ({len(others)} more like it)"
    more = len(numbers) - _MOST_NUMBERS
    rest = f" and {more} more" if more > 0 else ""
    lines = "line" if len(numbers) == 1 else "lines"
    return f"{first} (likewise {lines} {', '.join(numbers[:_MOST_NUMBERS])}{rest})"
