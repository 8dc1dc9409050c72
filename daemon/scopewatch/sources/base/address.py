"""Where a frame belongs, as far as one witness (a name, or metadata) says.

Names, `metadata.txt`, tags within the file and position labels each tell a part. An `Address`
holds what one of them says; `over` lays a better witness over a lesser one; `key` fills what
none of them says with documented defaults.

Defaults: plate `plate`, well `A1`, site 0, time point 0, the configured phase channel.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields

from scopewatch.config import ExperimentConfig
from scopewatch.core.errors import ConfigError, FrameError, complaint
from scopewatch.core.frame import FrameKey

DEFAULT_PLATE = "plate"
DEFAULT_WELL = "A1"
_WELL = re.compile(r"([A-Pa-p])0*(\d{1,2})")
# What Micro-Manager writes where nobody named a position or a channel.
_NAMELESS = frozenset({"", "default", "undefined", "null", "none"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """What one witness says about a frame; None where it is silent."""

    experiment: str | None = None
    plate: str | None = None
    well: str | None = None
    site: int | None = None
    time_point: int | None = None
    channel: str | None = None
    z: int | None = None

    def over(self, lesser: "Address") -> "Address":
        """Return this address, completed by a lesser witness."""
        return Address(
            **{
                field.name: mine if (mine := getattr(self, field.name)) is not None else theirs
                for field in fields(self)
                for theirs in (getattr(lesser, field.name),)
            }
        )

    def key(self, experiment: ExperimentConfig) -> FrameKey:
        """Return the frame key, with the defaults for what is not known.

        A channel is compared with the configured phase channel without regard to case, since
        `Phase` and `phase` are one illumination to everyone but a computer.
        """
        for text in (self.experiment, self.plate, self.well, self.channel):
            if text is not None and not is_text(text):
                raise FrameError(
                    complaint(
                        "name or metadata holds characters that are no text",
                        where=text.encode("utf-8", "backslashreplace").decode("utf-8"),
                        do="rename the file, the position or the channel",
                    )
                )
        channel = self.channel if self.channel is not None else experiment.phase_channel
        if channel.casefold() == experiment.phase_channel.casefold():
            channel = experiment.phase_channel
        return FrameKey(
            experiment=self.experiment or experiment.name,
            plate=self.plate if self.plate is not None else DEFAULT_PLATE,
            well=self.well if self.well is not None else DEFAULT_WELL,
            site=self.site if self.site is not None else 0,
            time_point=self.time_point if self.time_point is not None else 0,
            channel=channel,
        )


def is_text(text: str) -> bool:
    """Tell whether a text can be stored: file names on Linux, and JSON, may hold any bytes."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def named(text: object) -> str | None:
    """Return a label somebody chose; None for what software writes where nobody did."""
    if not isinstance(text, str) or text.strip().casefold() in _NAMELESS:
        return None
    return text.strip()


def spell_well(well: str) -> str:
    """Spell a well the usual way (`a01` is `A1`); other names stay as they are."""
    match = _WELL.fullmatch(well.strip())
    return f"{match[1].upper()}{int(match[2])}" if match else well.strip()


class PositionPattern:
    """Reads plate, well and site from the labels of stage positions.

    The whole label must match. A label that does not is the name of its own well: positions
    are never merged on a guess, and the operator sees the label they gave. A position that is
    only a number is called `Pos` and that number, as Micro-Manager calls it.

    Raises
    ------
    ConfigError
        When the pattern is no regular expression, or names none of plate, well and site.
    """

    def __init__(self, pattern: str) -> None:
        try:
            self._pattern = re.compile(pattern)
        except re.error as error:
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
            raise ConfigError(
                complaint(
                    "position pattern has the wrong named groups",
                    where=pattern,
                    expected="some of plate, well, site",
                    got=", ".join(sorted(found)) or "none",
                    do="name the groups like (?P<well>[A-P]\\d+)",
                )
            )

    def read(self, label: object) -> Address:
        """Return what a position label says; nothing where there is none."""
        matched = self.match(label)
        if matched is not None:
            return matched
        text = _label(label)
        return Address() if text is None else Address(well=spell_well(text))

    def match(self, label: object) -> Address | None:
        """Return what a label that fits the pattern says; None for any other."""
        text = _label(label)
        match = self._pattern.fullmatch(text) if text is not None else None
        return None if match is None else address_of(match.groupdict())


def _label(label: object) -> str | None:
    if isinstance(label, int) and not isinstance(label, bool):
        return f"Pos{label}"
    return named(label)


def address_of(groups: Mapping[str, str | None]) -> Address:
    """Turn matched named groups into an address; numbers are at most 9 digits."""

    def number(name: str) -> int | None:
        text = groups.get(name)
        return int(text) if text and text.isdecimal() and len(text) <= 9 else None

    well = groups.get("well")
    return Address(
        plate=groups.get("plate"),
        well=spell_well(well) if well else None,
        site=number("site"),
        time_point=number("time_point"),
        channel=groups.get("channel"),
        z=number("z"),
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
