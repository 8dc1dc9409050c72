"""File name patterns: from a relative path to plate, well, site, time point and channel.

A pattern is a layout by its name, or a regular expression with the groups that `layout` describes.
The result is normalised: wells are A1, time points count from 0. Site, plane and channel keep the
number or name that the program gave.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from scopewatch.config.sources import Counted
from scopewatch.core.errors import FrameError, complaint
from scopewatch.sources.base.facts import Origin, PlaneFacts, Statement
from scopewatch.sources.base.wells import numbered_well, spell_well
from scopewatch.sources.layouts.layout import Pages
from scopewatch.sources.layouts.own_pattern import own_layout
from scopewatch.sources.layouts.registry import LAYOUTS
from scopewatch.sources.readers.planes import Contents

# Numbers have at most this many digits.
_DIGITS = 9
_CENTURY = 2000
_TIMES = frozenset({"days", "hours", "minutes", "seconds", "year"})


class NamePattern:
    """A layout or a regular expression that reads names.

    Parameters
    ----------
    pattern
        Name of a layout, or a regular expression with named groups.
    counts_from
        The number at which time_point, z, row or column begin in names; replaces the one of the
        layout.

    Raises
    ------
    ConfigError
        When it is neither a layout nor a regular expression with known named groups.
    """

    def __init__(self, pattern: str, counts_from: Mapping[Counted, int] | None = None) -> None:
        known = LAYOUTS.get(pattern)
        self._name = pattern if known is not None else "pattern"
        self.layout = known or own_layout(pattern)
        # Whether a pattern contains a time; kept since a hundred thousand names are read in a
        # second.
        self._patterns = tuple(
            (each.search, not _TIMES.isdisjoint(each.groupindex))
            for each in map(re.compile, self.layout.patterns)
        )
        self._never = tuple((re.compile(each.pattern), each.reason) for each in self.layout.never)
        begins: dict[Counted, int] = {**self.layout.counts_from, **(counts_from or {})}
        self._first_time_point = begins.get("time_point", 0)
        self._first_z = begins.get("z", 0)
        self._first_row, self._first_column = begins.get("row", 1), begins.get("column", 1)

    @property
    def by(self) -> str:
        """Name of this witness in what is shown to the operator."""
        return f"file name ({self._name})"

    def left_out(self, relative_path: str) -> str | None:
        """Return the kind of a file that by its name is never a frame; None for any other."""
        for pattern, reason in self._never:
            if pattern.search(relative_path) is not None:
                return reason
        return None

    def never(self, relative_path: str) -> FrameError | None:
        """Return the refusal of a file that by its name is never a frame; None for any other."""
        reason = self.left_out(relative_path)
        if reason is None:
            return None
        return FrameError(
            complaint(
                "file is never a frame",
                where=relative_path,
                got=reason,
                do="export single fields and channels in grey, or ignore it",
            )
        )

    def trusted(self, statements: Iterable[Statement]) -> tuple[Statement, ...]:
        """Return statements of a file without the plain tags that its program fills in wrongly."""
        return tuple(map(self._trusted, statements))

    def frames_of(self, contents: Contents) -> Contents:
        """Return the contents of a file without the pages that are never frames."""
        if self.layout.pages is Pages.ALL or not contents.planes or contents.planes[0].page != 0:
            return contents
        return Contents(planes=contents.planes[:1])

    def statements(self, relative_path: str) -> tuple[Statement, ...]:
        """Return the statements of a name; none where the pattern does not fit.

        Raises
        ------
        FrameError
            When the name fits but holds no date, or an impossible number.
        """
        facts = self.read(relative_path)
        if facts is None:
            return ()
        return (Statement(origin=Origin.NAME, by=self.by, facts=facts),)

    def read(self, relative_path: str) -> PlaneFacts | None:
        """Read a path relative to the watched folder; None where the pattern does not fit.

        Raises
        ------
        FrameError
            When the name fits but holds no date, or an impossible number.
        """
        for search, timed in self._patterns:
            match = search(relative_path)
            if match is not None:
                return self._facts(match.groupdict(), relative_path, timed=timed)
        return None

    def _trusted(self, statement: Statement) -> Statement:
        wrong = self.layout.distrusts
        if statement.origin is not Origin.TAG or not wrong:
            return statement
        return replace(statement, facts=replace(statement.facts, **dict.fromkeys(wrong)))

    def _facts(self, groups: dict[str, str | None], where: str, *, timed: bool) -> PlaneFacts:
        elapsed_s, wall_time = _time(groups, where) if timed else (None, None)
        position = groups.get("position")
        return PlaneFacts(
            plate=groups.get("plate"),
            well=self._well(groups, where),
            site=_site(groups.get("site")),
            time_point=self._time_point(groups.get("time_point"), where),
            channel=(groups.get("channel") or "").strip() or None,
            channel_code=groups.get("channel_code"),
            z=_number(groups.get("z")),
            first_z=self._first_z,
            position=int(position) if position and position.isdecimal() else position,
            wall_time=wall_time,
            elapsed_s=elapsed_s,
        )

    def _time_point(self, text: str | None, where: str) -> int | None:
        number = _number(text)
        if number is None or number >= self._first_time_point:
            return None if number is None else number - self._first_time_point
        raise FrameError(
            complaint(
                "time point in the file name lies before the first",
                where=where,
                expected=f"{self._first_time_point} or more",
                got=number,
                do="set `counts_from: {time_point: 0}` of the source, where its program does so",
            )
        )

    def _well(self, groups: dict[str, str | None], where: str) -> str | None:
        well = groups.get("well")
        if well:
            return str(int(well)) if well.isdecimal() else spell_well(well)
        row, column = groups.get("row"), groups.get("column")
        if row is None or column is None:
            return None
        column_number = (_number(column) or 0) - self._first_column + 1
        row_number = _number(row)
        if row_number is None:
            return spell_well(f"{row.upper()}{column_number}")
        numbered = numbered_well(row_number + 1 - self._first_row, column_number)
        if numbered is not None:
            return numbered
        raise FrameError(
            complaint(
                "row and column in the file name are no well",
                where=where,
                got=f"row {row}, column {column}",
                do="correct `pattern` or `counts_from` of the source",
            )
        )


def _site(text: str | None) -> int | None:
    """Return the number of a site; a tile of a grid in rows A, B ... is 100 x row + column."""
    if text and text[0].isalpha() and text[1:].isdecimal():
        return 100 * (ord(text[0].upper()) - ord("A")) + int(text[1:])
    return _number(text)


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() and len(text) <= _DIGITS else None


def _time(groups: dict[str, str | None], where: str) -> tuple[float | None, datetime | None]:
    """Return the time since the start where any part of one is given, or a date."""
    year = groups.get("year")
    days, hours = groups.get("days"), groups.get("hours")
    minutes, seconds = groups.get("minutes"), groups.get("seconds")
    if year is None:
        if not (days or hours or minutes or seconds):
            return None, None
        return (
            86_400.0 * (_number(days) or 0)
            + 3_600 * (_number(hours) or 0)
            + 60 * (_number(minutes) or 0)
            + (_number(seconds) or 0)
        ), None
    try:
        return None, datetime(  # noqa: DTZ001 - without a zone, which the source's clock_zone gives
            int(year) + (_CENTURY if len(year) == 2 else 0),
            int(groups.get("month") or 0),
            int(groups.get("day") or 0),
            _number(hours) or 0,
            _number(minutes) or 0,
            _number(seconds) or 0,
        )
    except (ValueError, OverflowError) as error:
        raise FrameError(
            complaint("file name holds no date", where=where, got=error, do="rename the file")
        ) from error
