"""Spelling of wells and labels, and the frame key with its documented defaults.

Defaults: plate `plate`, well `A1`, site 0, time point 0, the configured phase channel.
"""

import re
from collections.abc import Mapping

from scopewatch.config import RunConfig
from scopewatch.core.errors import ConfigError, FrameError, complaint
from scopewatch.core.imaging.frame import FrameKey
from scopewatch.sources.base.facts import NOTHING, PlaneFacts
from scopewatch.sources.base.shell_pattern import meant_by
from scopewatch.sources.base.wells import (
    spell_well,
)

DEFAULT_PLATE = "plate"
DEFAULT_WELL = "A1"
# What Micro-Manager writes where nobody named a position or a channel.
_NAMELESS = frozenset({"", "default", "undefined", "null", "none"})


def frame_key(facts: PlaneFacts, run: RunConfig) -> FrameKey:
    """Return the frame key, with the defaults for unknown facts.

    The channel is compared with the configured phase channel without regard to case, since
    `Phase` and `phase` name the same illumination.

    Raises
    ------
    FrameError
        When a name is not valid text.
    """
    for text in (facts.run, facts.plate, facts.well, facts.channel):
        if text is not None and not is_text(text):
            raise FrameError(
                complaint(
                    "name or metadata holds characters that are no text",
                    where=text.encode("utf-8", "backslashreplace").decode("utf-8"),
                    do="rename the file, the position or the channel",
                )
            )
    channel = facts.channel if facts.channel is not None else run.phase_channel
    if channel.casefold() == run.phase_channel.casefold():
        channel = run.phase_channel
    return FrameKey(
        run=facts.run or run.name,
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
                do="set `z` of the source to the plane that is in focus, or to sharpest",
            )
        )
