"""The daily digest: the state of the run, and the wells that need a look first."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from scopewatch.core.alerts.observation import Reading
from scopewatch.core.alerts.rules import RuleKind, Severity
from scopewatch.core.alerts.scope import well_order
from scopewatch.core.phrases import Phrase
from scopewatch.messages.alert_texts import NAMES, SEVERITIES, SIMULATED
from scopewatch.messages.chart_data import PlateMap, PlateWell
from scopewatch.messages.mail import Mail, as_html, as_text
from scopewatch.messages.message import SIMULATED_MARK, Message, Style
from scopewatch.messages.numbers import percent, write_reading
from scopewatch.messages.translator import Say, say_phrase, translator

# Nobody reads a mail that lists a whole plate; the picture shows the rest.
MOST_LISTED = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAlert:
    """An alert that is raised now; of a well, or of more (`well` is None then)."""

    kind: RuleKind
    severity: Severity
    name: str
    acknowledged: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestWell:
    """A well at the time of the digest.

    Parameters
    ----------
    now, forecast
        Its running estimate, and what is expected on the final day; None where there is none.
    alerts
        Those that are raised for it.
    stale
        Whether it has no recent frame.
    neutral
        Whether there is neither a target nor an expectation to compare it with yet.
    """

    plate: str
    well: str
    now: Reading | None = None
    forecast: Reading | None = None
    alerts: tuple[OpenAlert, ...] = ()
    stale: bool = False
    neutral: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """The contents of the digest of one day and run.

    Parameters
    ----------
    on
        The local day it is of.
    day
        Of the differentiation run, of its newest frame; None before the first.
    frames, quarantined
        In all so far.
    alerts
        Those raised for a plate or the run as a whole.
    complaints
        What is wrong with scopewatch itself, line by line.
    state, advice, details
        State of the run, what to do, and further lines; None and empty where that is not known.
    judged
        Whether all wells were judged lately, so that no alert means that all is well.
    missing
        Whether somebody has to see why not.
    """

    run: str
    on: date
    day: float | None
    frames: int
    quarantined: int
    wells: tuple[DigestWell, ...]
    alerts: tuple[OpenAlert, ...] = ()
    complaints: tuple[str, ...] = ()
    target: float | None = None
    state: Phrase | None = None
    advice: Phrase | None = None
    details: tuple[Phrase, ...] = ()
    judged: bool = True
    missing: bool = False


def compose_digest(digest: Digest, *, style: Style) -> Message:
    """Write the digest. Its key is that of the day, so that each day has one."""
    say = translator(style.language)
    first = look_first(digest.wells)
    mark = SIMULATED_MARK if style.simulated else ""
    title = say("{experiment}, {date}: wells that need a look: {count}").format(
        experiment=digest.run, date=digest.on.isoformat(), count=len(first)
    )
    if digest.missing and digest.state is not None:
        title = say("{experiment}, {date}: {state}").format(
            experiment=digest.run,
            date=digest.on.isoformat(),
            state=say_phrase(digest.state, style.language),
        )
    mail = Mail(
        language=style.language.value,
        severity=_gravest(digest),
        title=mark + " ".join(title.split()),
        lead=_lead(digest, style, say),
        facts=tuple(_facts(digest, style, say)),
        rows=tuple(_rows(first[:MOST_LISTED], say)),
        rows_title=_rows_title(digest, first, say),
        advice="" if digest.advice is None else say_phrase(digest.advice, style.language),
        advice_title=say("What to do"),
        link=style.dashboard,
        link_title=say("Dashboard"),
        note=say(SIMULATED) if style.simulated else "",
        good=digest.judged and not first and not digest.alerts and not digest.complaints,
    )
    return Message(
        idempotency_key=f"digest {digest.on.isoformat()} {digest.run}",
        severity=Severity.INFO,
        title=mail.title,
        body=as_text(mail),
        html=as_html(mail),
        language=style.language,
        figures=tuple(_maps(digest, simulated=style.simulated)),
    )


def look_first(wells: tuple[DigestWell, ...]) -> list[DigestWell]:
    """Return the wells with an alert: unacknowledged critical ones first, then the weakest."""

    def rank(well: DigestWell) -> tuple[int, bool, float, tuple[int, int, str]]:
        gravest = max(alert.severity.rank for alert in well.alerts)
        seen = all(alert.acknowledged for alert in well.alerts)
        reading = well.forecast or well.now
        return -gravest, seen, reading.value if reading else 0.0, well_order(well.well)

    return sorted((well for well in wells if well.alerts), key=rank)


def _gravest(digest: Digest) -> Severity:
    raised = [*digest.alerts, *(alert for well in digest.wells for alert in well.alerts)]
    grades = [alert.severity for alert in raised]
    if digest.missing:
        grades.append(Severity.WARNING)
    return max(grades, key=lambda grave: grave.rank, default=Severity.INFO)


def _rows_title(digest: Digest, first: list[DigestWell], say: Say) -> str:
    if first:
        return say("Look at these first")
    if digest.judged:
        return say("No well needs a look.")
    return say("No well has an alert, but not all wells were judged lately.")


def _lead(digest: Digest, style: Style, say: Say) -> str:
    if digest.day is None:
        return say("No frame has been judged yet.")
    day = f"{digest.day:.1f}"
    if style.final_day is None or style.final_day <= digest.day:
        return say("The run is on day {day}.").format(day=day)
    return say("The run is on day {day}, {left} days before day {final_day}.").format(
        day=day, left=f"{style.final_day - digest.day:.1f}", final_day=f"{style.final_day:g}"
    )


def _facts(digest: Digest, style: Style, say: Say) -> Iterator[tuple[str, str]]:
    if digest.state is not None:
        yield say("State"), say_phrase(digest.state, style.language)
    for line in digest.details[:MOST_LISTED]:
        yield say("State"), say_phrase(line, style.language)
    judged = [well for well in digest.wells if well.now is not None]
    yield (
        say("Wells"),
        say("{judged} of {wells} judged").format(judged=len(judged), wells=len(digest.wells)),
    )
    yield (
        say("Frames"),
        say("{scored} scored, {quarantined} in quarantine").format(
            scored=digest.frames, quarantined=digest.quarantined
        ),
    )
    if digest.target is not None:
        yield say("Target"), percent(digest.target)
    silent = sum(well.stale for well in digest.wells)
    if silent:
        yield say("Wells without new frames"), str(silent)
    for alert in digest.alerts:
        yield alert.name, _name(alert, say)
    for complaint in digest.complaints:
        yield say("scopewatch is not well"), complaint


def _rows(wells: list[DigestWell], say: Say) -> Iterator[tuple[str, str]]:
    for well in wells:
        lines = [_name(alert, say) for alert in well.alerts]
        if well.now is not None:
            lines.append(say("now {reading}").format(reading=write_reading(well.now, say)))
        if well.forecast is not None:
            lines.append(
                say("expected {reading}").format(reading=write_reading(well.forecast, say))
            )
        yield f"{well.plate} / {well.well}", "; ".join(lines)


def _name(alert: OpenAlert, say: Say) -> str:
    name = f"{say(NAMES[alert.kind])} ({say(SEVERITIES[alert.severity])})"
    return say("{alert}, acknowledged").format(alert=name) if alert.acknowledged else name


def _maps(digest: Digest, *, simulated: bool) -> Iterator[PlateMap]:
    for plate in dict.fromkeys(well.plate for well in digest.wells):
        yield PlateMap(
            plate=f"{digest.run} / {plate}",
            target=digest.target,
            simulated=simulated,
            wells=tuple(_plate_well(well) for well in digest.wells if well.plate == plate),
        )


def _plate_well(well: DigestWell) -> PlateWell:
    reading = well.forecast or well.now
    return PlateWell(
        well=well.well,
        value=None if reading is None else reading.value,
        foretold=well.forecast is not None,
        flagged=bool(well.alerts),
        stale=well.stale,
        neutral=well.neutral,
    )
