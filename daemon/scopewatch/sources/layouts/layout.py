"""Description of a program's files: their names, their side files, which are never a frame.

A layout is data. Its patterns are searched for in the path of a file below the watched folder, with
`/` between its parts; the first that fits is used. Their named groups:

- plate, well, site, time_point, z: as they are; row and column: the well by two numbers, or a
  letter and a number; position: a label that the position pattern of the source reads;
- channel: a descriptive name; channel_code: the program's code in names (`ch6`, `d0`, `w1`), whose
  name may be known from elsewhere;
- days, hours, minutes, seconds: time since the start of the run, by any of them; with year, month
  and day: the local time of day.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from types import MappingProxyType

from scopewatch.config.sources import Counted
from scopewatch.sources.base.shell_pattern import GROUP_PATTERNS
from scopewatch.sources.layouts.beside import SideFile

GROUPS = frozenset(GROUP_PATTERNS)
# Plain tags of exported files mostly hold the time of the export.
EXPORTED = frozenset({"wall_time", "acquired_at"})
_GROUP = re.compile(r"\(\?P<(\w+)>")


class Pages(Enum):
    """Which pages of a file are frames."""

    ALL = "all"
    FIRST = "first"


@dataclass(frozen=True, slots=True, kw_only=True)
class Never:
    """Files that are never a frame.

    Parameters
    ----------
    pattern
        Searched for in the path below the watched folder.
    reason
        Description for the operator: `a thumbnail`.
    """

    pattern: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A real file name and its expected facts; None for facts that the name does not hold.

    Parameters
    ----------
    channel
        Name of the channel, or its code where the layout knows only that.
    elapsed_h
        Hours since the start of the run, to the minute.
    moment
        Wall time without a zone.
    never
        Why it is never a frame; then all other fields are None.
    """

    path: str
    plate: str | None = None
    well: str | None = None
    site: int | None = None
    position: str | int | None = None
    time_point: int | None = None
    elapsed_h: float | None = None
    moment: datetime | None = None
    channel: str | None = None
    z: int | None = None
    never: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How one program names its files.

    Parameters
    ----------
    name
        Value of `pattern` of a source that selects it.
    program
        The instrument or program in words.
    counts_from
        Numbers at which the program begins to count, where they are not the usual ones.
    never
        Files that are never a frame.
    pages
        Which pages of a file are frames.
    sides
        Its side files.
    distrusts
        Facts that plain tags of its files state wrongly: names of `PlaneFacts`.
    examples
        Real names; the tests read each.
    """

    name: str
    program: str
    patterns: tuple[str, ...]
    counts_from: Mapping[Counted, int] = field(default_factory=lambda: MappingProxyType({}))
    never: tuple[Never, ...] = ()
    pages: Pages = Pages.ALL
    sides: tuple[SideFile, ...] = ()
    distrusts: frozenset[str] = frozenset()
    examples: tuple[Example, ...] = ()

    def __post_init__(self) -> None:
        """Check the groups of the patterns, so that a mistake in one shows at import.

        Patterns are compiled by whoever reads names with them: all of them take a tenth of what
        the daemon needs to start, and a run has files of one or two programs.
        """
        found = {group for each in self.patterns for group in _GROUP.findall(each)}
        if not found or not found <= GROUPS:
            raise ValueError(f"layout {self.name}: groups {sorted(found - GROUPS) or 'none'}")
