"""Turns statements about a plane into a frame: its key, scale and moment, with their witnesses.

All sources use one order of trust (`facts.Origin`), and so do `score`, `explain` and `check`: a
trial and the run never differ. Pure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo
from types import MappingProxyType
from zoneinfo import ZoneInfo

from scopewatch.config import ReadingConfig, RunConfig
from scopewatch.core.imaging.frame import FrameKey
from scopewatch.sources.base.address import (
    PositionPattern,
    frame_key,
    named,
    refuse_other_planes,
    refuse_projection,
)
from scopewatch.sources.base.evidence import (
    Claim,
    Contradiction,
    Evidence,
    StatedValue,
    stated_value,
)
from scopewatch.sources.base.facts import Origin, PlaneFacts, Statement
from scopewatch.sources.base.moments import read_moment
from scopewatch.sources.base.wells import number_well, spell_well

_SCALE_TOLERANCE = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingSettings:
    """Settings of a source that decide how its frames are read.

    Parameters
    ----------
    z
        Plane that is scored, as the program counts; None: the first, or the sharpest.
    sharpest
        Whether all planes are read, and the sharpest of a stack is scored.
    um_per_px
        Pixel size that replaces the one in files.
    zone
        Zone of times without one; None: the zone of this machine.
    channels, wells
        Names by code or label; channels without regard to case.
    plate_wells
        Number of wells of the plate, where wells are plain numbers; None: a number stays a label.
    """

    run: RunConfig
    position: PositionPattern
    z: int | None = None
    sharpest: bool = False
    um_per_px: float | None = None
    zone: tzinfo | None = None
    channels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    wells: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    plate_wells: int | None = None


def reading_settings(config: ReadingConfig, run: RunConfig) -> ReadingSettings:
    """Return the reading settings in the configuration of a source.

    Raises
    ------
    ConfigError
        When the position pattern is wrong.
    """
    return ReadingSettings(
        run=run,
        position=PositionPattern(config.position),
        z=config.z if isinstance(config.z, int) else None,
        sharpest=config.z == "sharpest",
        um_per_px=config.um_per_px,
        zone=None if config.clock_zone is None else ZoneInfo(config.clock_zone),
        channels=config.channel_names,
        # Also in the spelling of this project: `A_1` in a name is looked up as A1.
        wells={**{spell_well(label): well for label, well in config.wells.items()}, **config.wells},
        plate_wells=config.plate_wells,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameReading:
    """Result of reading the statements about a plane.

    Parameters
    ----------
    acquired_at
        Aware UTC; None where no moment is known.
    elapsed_s
        Seconds since the start of the run, where that is known and no moment is.
    z, z_planes
        Of a plane of a stack of which the sharpest is scored: its number, and how many planes the
        metadata declare (0: unknown). None for any other frame.
    accepted
        Accepted value of each fact (plate, well, site, time_point, channel, z, um_per_px, moment).
    contradictions
        Facts on which two statements differ.
    """

    key: FrameKey
    pixel_size_um: float | None
    acquired_at: datetime | None
    elapsed_s: float | None
    accepted: Mapping[str, StatedValue]
    contradictions: tuple[Contradiction, ...] = ()
    z: int | None = None
    z_planes: int = 0


def read_frame(
    statements: Sequence[Statement], settings: ReadingSettings, where: object
) -> FrameReading:
    """Decide which frame a plane is.

    Parameters
    ----------
    statements
        All statements about it; within one origin the first is trusted most.
    where
        The file or image, for error messages.

    Raises
    ------
    FrameError
        When it is another plane of a z-stack, or its time does not fit the interval of the run.
    """
    evidence = Evidence([_with_label(each, settings) for each in statements])
    run = settings.run
    z = evidence.take("z")
    if not settings.sharpest:
        first_z = next((each.value for each in evidence.claims("first_z")), 0)
        refuse_other_planes(z, first_z if settings.z is None else settings.z, where)
    refuse_projection(evidence.take("projection"), where)
    moment = read_moment(evidence, run, settings.zone, where)
    facts = PlaneFacts(
        run=evidence.take("run"),
        plate=evidence.take("plate"),
        well=_well(evidence, settings),
        site=evidence.take("site"),
        time_point=moment.time_point,
        channel=_channel(evidence, settings),
    )
    pixel_size_um = _pixel_size(evidence, settings)
    key = frame_key(facts, run)
    for name in ("plate", "well", "site", "time_point", "channel"):
        evidence.accepted.setdefault(
            name, StatedValue(value=str(getattr(key, name)), origin=Origin.DEFAULT, by="default")
        )
    return FrameReading(
        key=key,
        pixel_size_um=pixel_size_um,
        acquired_at=moment.acquired_at,
        elapsed_s=moment.elapsed_s,
        accepted=MappingProxyType(evidence.accepted),
        contradictions=tuple(evidence.contradictions),
        z=z if settings.sharpest else None,
        z_planes=max((each.value for each in evidence.claims("z_planes")), default=0),
    )


def _with_label(statement: Statement, settings: ReadingSettings) -> Statement:
    """Return a statement with its position label split into plate, well and site if possible."""
    facts = statement.facts
    mapped = settings.wells.get(str(facts.position)) if facts.position is not None else None
    label = PlaneFacts(well=mapped) if mapped else settings.position.match(facts.position)
    if label is None:
        return statement
    return replace(statement, facts=replace(facts, position=None).over(label))


def _well(evidence: Evidence, settings: ReadingSettings) -> str | None:
    """Decide the well: a name ranks before a label that names no well, a label before an index."""
    all_claims = evidence.claims("well")
    claims = [each for each in all_claims if each.statement.origin is not Origin.DEFAULT]
    for other in claims[1:]:
        mine, theirs = (_spelt(str(each.value), settings) for each in (claims[0], other))
        if mine != theirs:
            evidence.contradict("well", (mine, claims[0].statement), (theirs, other.statement))
    positions = evidence.claims("position")
    labels = [each for each in positions if isinstance(each.value, str) and named(each.value)]
    numbers = [
        Claim(f"Pos{each.value}", each.statement)
        for each in positions
        if isinstance(each.value, int)
    ]
    chosen = next(iter(claims or labels or numbers or all_claims), None)
    if chosen is None:
        return None
    well = _spelt(str(chosen.value), settings)
    evidence.accepted["well"] = stated_value(well, chosen.statement)
    return well


def _spelt(well: str, settings: ReadingSettings) -> str:
    mapped = settings.wells.get(well)
    if mapped is not None:
        return spell_well(mapped)
    if well.isdecimal() and settings.plate_wells is not None:
        return number_well(int(well), settings.plate_wells)
    return spell_well(well)


def _channel(evidence: Evidence, settings: ReadingSettings) -> str | None:
    """Decide the channel: a name ranks before a code; either can select the scored channel."""
    # Codes are other names of the channel; another name from a less trusted statement is a rival.
    claims = [*evidence.claims("channel")[:1], *evidence.claims("channel_code")]
    if not claims:
        return None
    names = {code.casefold(): name for code, name in settings.channels.items()}
    mapped = [(names.get(str(each.value).casefold()), each.statement) for each in claims]
    for name, statement in mapped:
        if name is not None:
            evidence.accepted["channel"] = StatedValue(
                value=name, origin=Origin.SETTING, by=f"channels, of {statement.by}"
            )
            return name
    for wanted in settings.run.channels:
        for each in claims:
            if str(each.value).casefold() == wanted.casefold():
                evidence.accepted["channel"] = stated_value(wanted, each.statement)
                return wanted
    evidence.accepted["channel"] = stated_value(claims[0].value, claims[0].statement)
    return str(claims[0].value)


def _pixel_size(evidence: Evidence, settings: ReadingSettings) -> float | None:
    claims = evidence.claims("pixel_size_um")
    if settings.um_per_px is not None:
        setting = Statement(origin=Origin.SETTING, by="um_per_px", facts=PlaneFacts())
        claims = [Claim(settings.um_per_px, setting), *claims]
    if not claims:
        return None
    first = claims[0]
    size_um = float(first.value)
    for other in claims[1:]:
        theirs = float(other.value)
        # Any program fills in a plain tag: a difference to it is no contradiction.
        if other.statement.origin < Origin.TAG and abs(theirs / size_um - 1) > _SCALE_TOLERANCE:
            evidence.contradict(
                "um/px", (f"{size_um:g}", first.statement), (f"{theirs:g}", other.statement)
            )
    evidence.accepted["um_per_px"] = stated_value(f"{size_um:.6g}", first.statement)
    return size_um
