"""Spelling of wells and labels, and the frame key with its documented defaults.

Defaults: plate `plate`, well `A1`, site 0, time point 0, the configured phase channel.
"""

import re
from collections.abc import Mapping

from scopewatch.config import ExperimentConfig
from scopewatch.core.errors import ConfigError, FrameError, complaint
from scopewatch.core.imaging.frame import FrameKey
from scopewatch.sources.base.facts import NOTHING, PlaneFacts
from scopewatch.sources.base.shell_pattern import meant_by

DEFAULT_PLATE = "plate"
DEFAULT_WELL = "A1"
# Number of wells of a plate, and number of its columns.
PLATE_COLUMNS = {6: 3, 12: 4, 24: 6, 48: 8, 96: 12, 384: 24, 1536: 48}
# Rows A to Z and AA to AF, as on a plate of 1536 wells. `Z_1` is a plane, not a well.
_WELL = re.compile(
    r"((?:[A-P]|A[A-F]|[a-p])(?=[-_ ]?\d)|[Q-Z](?=\d))[-_ ]?0*([1-9]|[1-3]\d|4[0-8])"
)
_NUMBERED = re.compile(r"[Rr](\d\d)[-_ ]?[Cc](\d\d)")
_LETTERS = 26
_ROWS, _COLUMNS = 32, 48
# What Micro-Manager writes where nobody named a position or a channel.
_NAMELESS = frozenset({"", "default", "undefined", "null", "none"})


def frame_key(facts: PlaneFacts, experiment: ExperimentConfig) -> FrameKey:
    """Return the frame key, with the defaults for unknown facts.

    The channel is compared with the configured phase channel without regard to case, since
    `Phase` and `phase` name the same illumination.

    Raises
    ------
    FrameError
        When a name is not valid text.
    """
    for text in (facts.experiment, facts.plate, facts.well, facts.channel):
        if text is not None and not is_text(text):
            raise FrameError(
                complaint(
                    "name or metadata holds characters that are no text",
                    where=text.encode("utf-8", "backslashreplace").decode("utf-8"),
                    do="rename the file, the position or the channel",
                )
            )
    channel = facts.channel if facts.channel is not None else experiment.phase_channel
    if channel.casefold() == experiment.phase_channel.casefold():
        channel = experiment.phase_channel
    return FrameKey(
        experiment=facts.experiment or experiment.name,
        plate=facts.plate if facts.plate is not None else DEFAULT_PLATE,
        well=facts.well if facts.well is not None else DEFAULT_WELL,
        site=facts.site if facts.site is not None else 0,
        time_point=facts.time_point if facts.time_point is not None else 0,
        channel=channel,
    )


def is_text(text: str) -> bool:
    """Return whether a text is valid UTF-8; file names on Linux and JSON may hold other bytes."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def named(text: object) -> str | None:
    """Return a label that a person chose; None for the defaults that programs write."""
    if not isinstance(text, str) or text.strip().casefold() in _NAMELESS:
        return None
    return text.strip()


def spell_well(well: str) -> str:
    """Return a well in the usual spelling; other names stay as they are.

    >>> spell_well("a01"), spell_well("A_1"), spell_well("r02c03"), spell_well("XY01")
    ('A1', 'A1', 'B3', 'XY01')
    """
    match = _WELL.fullmatch(well.strip())
    if match is not None:
        return f"{match[1].upper()}{int(match[2])}"
    match = _NUMBERED.fullmatch(well.strip())
    numbered = numbered_well(int(match[1]), int(match[2])) if match is not None else None
    return numbered or well.strip()


def number_well(number: int, plate_wells: int) -> str:
    """Return the well with a number that counts from 1, row by row.

    >>> number_well(13, 96), number_well(1, 384)
    ('B1', 'A1')

    Raises
    ------
    FrameError
        When the plate has no such well.
    """
    columns = PLATE_COLUMNS.get(plate_wells, 0)
    if not 1 <= number <= plate_wells or not columns:
        raise FrameError(
            complaint(
                "well number lies outside the plate",
                where=f"well {number}",
                expected=f"1 to {plate_wells}",
                got=number,
                do="correct `plate_wells` of the source",
            )
        )
    return well_at(*divmod(number - 1, columns))


def well_at(row: int, column: int) -> str:
    """Return the well at a row and a column that count from 0.

    >>> well_at(1, 2), well_at(31, 47)
    ('B3', 'AF48')
    """
    return f"{row_name(row + 1)}{column + 1}"


def numbered_well(row: int | None, column: int | None) -> str | None:
    """Return the well at a row and a column that count from 1; None where no plate has it.

    >>> numbered_well(2, 3), numbered_well(33, 1)
    ('B3', None)
    """
    if row is None or column is None or not (1 <= row <= _ROWS and 1 <= column <= _COLUMNS):
        return None
    return well_at(row - 1, column - 1)


def row_name(number: int) -> str:
    """Return the letters of a row; rows count from 1.

    >>> row_name(1), row_name(26), row_name(27)
    ('A', 'Z', 'AA')
    """
    second, first = divmod(number - 1, _LETTERS)
    return (chr(ord("A") + second - 1) if second else "") + chr(ord("A") + first)


def _refuse_shell_pattern(pattern: str) -> None:
    meant = meant_by(pattern, anchored=False)
    if meant is None:
        return
    example = meant_by("{well}_s{site}", anchored=False)
    write = meant if "(?P<" in meant else example
    raise ConfigError(
        complaint(
            "position pattern is a shell pattern",
            where=pattern,
            expected="a regular expression with some of the groups plate, well, site",
            do=f"write position: '{write}'",
        )
    )


class PositionPattern:
    """Reads plate, well and site from the labels of stage positions.

    The whole label must match. A label that does not match is used as the name of its own well:
    positions are never merged on a guess, and the operator sees the label they gave. A position
    that is only a number is called `Pos` and that number, as in Micro-Manager.

    Raises
    ------
    ConfigError
        When the pattern is no regular expression, or has none of the groups plate, well and site.
    """

    def __init__(self, pattern: str) -> None:
        try:
            self._pattern = re.compile(pattern)
        except re.error as error:
            _refuse_shell_pattern(pattern)
            raise ConfigError(
                complaint(
                    "position pattern is not a regular expression",
                    where=pattern,
                    got=error,
                    do="correct `position` of the source",
                )
            ) from error
        known = {"plate", "well", "site"}
        found = set(self._pattern.groupindex)
        if not found or not found <= known:
            if not found:
                _refuse_shell_pattern(pattern)
            raise ConfigError(
                complaint(
                    "position pattern has the wrong named groups",
                    where=pattern,
                    expected="some of plate, well, site",
                    got=", ".join(sorted(found)) or "none",
                    do="name the groups like (?P<well>[A-P]\\d+)",
                )
            )

    def read(self, label: object) -> PlaneFacts:
        """Return the facts of a position label; `NOTHING` where there is no label."""
        matched = self.match(label)
        if matched is not None:
            return matched
        text = _label(label)
        return NOTHING if text is None else PlaneFacts(well=spell_well(text))

    def match(self, label: object) -> PlaneFacts | None:
        """Return the facts of a label that fits the pattern; None for any other."""
        text = _label(label)
        match = self._pattern.fullmatch(text) if text is not None else None
        return None if match is None else address_of(match.groupdict())


def _label(label: object) -> str | None:
    if isinstance(label, int) and not isinstance(label, bool):
        return f"Pos{label}"
    return named(label)


def address_of(groups: Mapping[str, str | None]) -> PlaneFacts:
    """Return the facts in matched named groups; numbers have at most 9 digits."""

    def number(name: str) -> int | None:
        text = groups.get(name)
        return int(text) if text and text.isdecimal() and len(text) <= 9 else None

    well = groups.get("well")
    return PlaneFacts(
        plate=groups.get("plate"),
        well=spell_well(well) if well else None,
        site=number("site"),
        time_point=number("time_point"),
        channel=groups.get("channel"),
        z=number("z"),
    )


def refuse_projection(method: str | None, where: object) -> None:
    """Refuse an image that was computed from the planes of a z-stack.

    Raises
    ------
    FrameError
        When `method` names how it was computed.
    """
    if method is not None:
        raise FrameError(
            complaint(
                "frame is a projection of a z-stack",
                where=where,
                expected="a plane as acquired",
                got=f"projection {method!r}",
                do="let the program save the planes, or acquire a single plane",
            )
        )


def refuse_other_planes(z: int | None, wanted: int, where: object) -> None:
    """Refuse planes of a z-stack other than the one that is scored.

    Raises
    ------
    FrameError
        Naming the setting that chooses the plane.
    """
    if z is not None and z != wanted:
        raise FrameError(
            complaint(
                "frame is another plane of a z-stack",
                where=where,
                expected=f"plane {wanted}",
                got=f"plane {z}",
                do="set `z` of the source to the plane that is in focus",
            )
        )
