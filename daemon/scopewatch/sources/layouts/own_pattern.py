"""Checks a user's own file name pattern and makes a layout of it."""

import re

from scopewatch.core.errors import ConfigError, complaint
from scopewatch.sources.base.shell_pattern import meant_by
from scopewatch.sources.layouts.layout import GROUPS, Layout
from scopewatch.sources.layouts.registry import LAYOUTS


def own_layout(pattern: str) -> Layout:
    """Return the layout of a user's own regular expression."""
    try:
        found = set(re.compile(pattern).groupindex)
    except re.error as error:
        _refuse_shell_pattern(pattern)
        raise ConfigError(
            complaint(
                "file name pattern is not a regular expression",
                where=pattern,
                expected=f"a preset ({', '.join(LAYOUTS)}) or a regular expression",
                got=error,
                do="correct `pattern` of the source",
            )
        ) from error
    wrong = found - GROUPS or ({"none"} if not found else _halves(found))
    if wrong:
        if not found:
            _refuse_shell_pattern(pattern)
        raise ConfigError(
            complaint(
                "file name pattern has the wrong named groups",
                where=pattern,
                expected=f"a preset ({', '.join(LAYOUTS)}) or named groups among"
                f" {', '.join(sorted(GROUPS))}",
                got=", ".join(sorted(wrong)),
                do="correct `pattern` of the source",
            )
        )
    return Layout(name="pattern", program="your own pattern", patterns=(pattern,))


def _refuse_shell_pattern(pattern: str) -> None:
    meant = meant_by(pattern)
    if meant is None:
        return
    do = f"write pattern: '{meant}'"
    if "(?P<" not in meant:
        example = meant_by("{well}_s{site}_t{time_point}_{channel}.tif")
        do = (
            "image files are found anyway; name the parts that give the wells, like"
            f" pattern: '{example}', or let `scopewatch init FOLDER` guess it"
        )
    raise ConfigError(
        complaint(
            "file name pattern is a shell pattern",
            where=pattern,
            expected=f"a preset ({', '.join(LAYOUTS)}) or a regular expression",
            do=do,
        )
    )


def _halves(found: set[str]) -> set[str]:
    """Return groups that are of use only together with one that is missing."""
    for together in ({"row", "column"}, {"year", "month", "day"}):
        if found & together and not together <= found:
            return {f"{' and '.join(sorted(found & together))} alone"}
    return set()
