"""File name patterns: from a relative path to plate, well, site, time point and channel.

A pattern is a regular expression searched for in the file's path relative to the watched
folder, with `/` between its parts, so that folder names can take part. Its named groups are

- plate, well, site, time_point, channel: as they are;
- position: a label that the position pattern reads (`A1-Site_0`); z: the plane of a stack;
- days, hours, minutes: time since the start of the run; year, month, day with hours, minutes:
  the local time of day. Either gives the time of acquisition and, with `interval_h` of the
  experiment, the time point.

Presets carry the names common programs write. Their sites keep the number the program gave;
time points that count from 1 are counted from 0 here.
"""

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType

from scopewatch.core.errors import ConfigError, FrameError, complaint
from scopewatch.sources.base.address import address_of
from scopewatch.sources.base.facts import NOTHING, Origin, PlaneFacts, Statement

_FIELDS = ("plate", "well", "site", "time_point", "channel", "position", "z")
_TIMES = ("days", "hours", "minutes", "year", "month", "day")
_GROUPS = frozenset(_FIELDS + _TIMES)
_WELL = r"(?P<well>[A-Pa-p]\d{1,2})"
# A folder is a position only where it looks like one: the acquisition's own folder is not.
_POSITION = r"(?:(?P<position>Pos[^/]*|[^/]*-Pos[^/]*|[A-P]\d{1,2}[^/]*)/)?(?<![^/])"


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """How a program names its files: patterns, the first that fits is taken.

    `first_time_point` is the number the program begins to count with.
    """

    patterns: tuple[str, ...]
    first_time_point: int = 0


PRESETS = MappingProxyType(
    {
        # plate_A1_s0_t0003_phase.tif
        "scopewatch": Preset(
            patterns=(
                rf"(?<![^/])(?P<plate>[^/]+?)_{_WELL}_s(?P<site>\d+)_t(?P<time_point>\d+)"
                r"_(?P<channel>[^/_.]+)\.[^/]+$",
            )
        ),
        # 2.0: A1-Site_0/img_channel000_position000_time000000000_z000.tif, where the channel's
        # name stands in the metadata. 1.4: A1-Site_0/img_000000000_Phase_000.tif
        "micromanager": Preset(
            patterns=(
                rf"{_POSITION}img_channel\d+_position\d+_time(?P<time_point>\d+)_z(?P<z>\d+)"
                r"\.[^/]+$",
                rf"{_POSITION}img_(?P<time_point>\d{{9}})_(?P<channel>[^/]+)_(?P<z>\d{{3}})"
                r"\.[^/]+$",
            )
        ),
        # VID1234_A1_1_00d12h30m.tif, VID1234_A1_1_2026y03m01d_12h30m.tif
        "incucyte": Preset(
            patterns=(
                rf"(?<![^/])(?P<plate>[^/]+?)_{_WELL}_(?P<site>\d+)_"
                r"(?:(?P<year>\d{4})y(?P<month>\d\d)m(?P<day>\d\d)d_|(?P<days>\d{1,3})d)"
                r"(?P<hours>\d\d)h(?P<minutes>\d\d)m\.[^/]+$",
            )
        ),
        # run_XY01_T0001_CH1.tif, Image_T0001_XY01_CH1.tif: XY01 is taken for the well
        "keyence": Preset(
            patterns=(
                r"(?<![^/])(?:(?P<plate>[^/]+?)_)?(?P<well>XY\d+)_T(?P<time_point>\d{3,})_"
                r"(?:Z(?P<z>\d+)_)?(?P<channel>CH\d+)\.[^/]+$",
                r"(?<![^/])(?:(?P<plate>[^/]+?)_)?T(?P<time_point>\d{3,})_(?P<well>XY\d+)_"
                r"(?:Z(?P<z>\d+)_)?(?P<channel>CH\d+)\.[^/]+$",
            ),
            first_time_point=1,
        ),
        # scan_t0001_A01f00d0.tif, scan_Plate_R_p00_0_A01f00d0.tif: field 00, channel d0
        "evos": Preset(
            patterns=(
                r"(?<![^/])(?P<plate>[^/]+?)_(?:t(?P<time_point>\d+)_)?(?:p\d+_\d+_)?"
                rf"{_WELL}f(?P<site>\d+)(?P<channel>d\d+)\.[^/]+$",
            )
        ),
    }
)


class NamePattern:
    """A preset or a regular expression, ready to read names.

    Parameters
    ----------
    pattern
        Name of a preset, or a regular expression with named groups.

    Raises
    ------
    ConfigError
        When it is neither a preset nor a regular expression with known named groups.
    """

    def __init__(self, pattern: str) -> None:
        self._name = pattern if pattern in PRESETS else "pattern"
        preset = PRESETS.get(pattern) or Preset(patterns=(pattern,))
        try:
            self._patterns = tuple(re.compile(each) for each in preset.patterns)
        except re.error as error:
            raise ConfigError(
                complaint(
                    "file name pattern is not a regular expression",
                    where=pattern,
                    expected=f"a preset ({', '.join(PRESETS)}) or a regular expression",
                    got=error,
                    do="correct `pattern` of the source",
                )
            ) from error
        found = {group for each in self._patterns for group in each.groupindex}
        if not found or not found <= _GROUPS:
            raise ConfigError(
                complaint(
                    "file name pattern has the wrong named groups",
                    where=pattern,
                    expected=f"a preset ({', '.join(PRESETS)}) or named groups among"
                    f" {', '.join(sorted(_GROUPS))}",
                    got=", ".join(sorted(found - _GROUPS)) or "none",
                    do="correct `pattern` of the source",
                )
            )
        self._first = preset.first_time_point

    @property
    def who(self) -> str:
        """How the witness is called in what is shown to the operator."""
        return f"file name ({self._name})"

    def statements(self, relative_path: str) -> tuple[Statement, ...]:
        """Return what a name says; none where the pattern does not fit.

        Raises
        ------
        FrameError
            When the name fits but holds no date where one is meant.
        """
        facts = self.read(relative_path)
        if facts is None:
            return ()
        return (Statement(origin=Origin.NAME, who=self.who, facts=facts),)

    def read(self, relative_path: str) -> PlaneFacts | None:
        """Read a path relative to the watched folder; None where the pattern does not fit.

        Raises
        ------
        FrameError
            When the name fits but holds no date where one is meant.
        """
        matches = (each.search(relative_path) for each in self._patterns)
        match = next((match for match in matches if match is not None), None)
        if match is None:
            return None
        groups = match.groupdict()
        facts = replace(address_of(groups), position=groups.get("position"), first_z=self._first)
        if facts.time_point is not None and self._first:
            facts = replace(facts, time_point=max(0, facts.time_point - self._first))
        return facts.over(_times(groups, relative_path))


def _times(groups: dict[str, str | None], where: str) -> PlaneFacts:
    """Read a date, or the time since the start where any part of one is there."""
    number = {name: int(groups.get(name) or 0) for name in ("days", "hours", "minutes")}
    if not groups.get("year"):
        if not any(groups.get(name) for name in number):
            return NOTHING
        return PlaneFacts(elapsed_s=timedelta(**number).total_seconds())
    try:
        moment = datetime(  # noqa: DTZ001 - without a zone, which the source's clock_zone gives
            int(groups["year"] or 0),
            int(groups.get("month") or 0),
            int(groups.get("day") or 0),
            number["hours"],
            number["minutes"],
        )
    except ValueError as error:
        raise FrameError(
            complaint("file name holds no date", where=where, got=error, do="rename the file")
        ) from error
    return PlaneFacts(wall_time=moment)
