"""Composes the message of a changed alert."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from html import escape
from typing import Final

from scopewatch.core.alerts.observation import Cause, Evidence, Reading, Subject
from scopewatch.core.alerts.rules import RuleKind, Severity
from scopewatch.core.alerts.state_machine import Change, Transition
from scopewatch.core.phrases import Language
from scopewatch.messages.alert_texts import (
    CAUSES,
    CHANGES,
    GRAVER,
    NAMES,
    NOTHING_TO_DO,
    PICTURES_LEFT_OUT,
    SEVERITIES,
    SIMULATED,
    WORDING,
)
from scopewatch.messages.chart_data import ChartData, Trend, thinned
from scopewatch.messages.links import alerts_link, well_link
from scopewatch.messages.mail import Mail, as_html, as_text
from scopewatch.messages.summary import name_fault, why_silent
from scopewatch.messages.translator import Say, translator

SIMULATED_MARK: Final = "[SIMULATED] "
UNKNOWN: Final = "?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message ready to deliver.

    Parameters
    ----------
    idempotency_key
        Equal for every attempt at the same message, so that a receiver can drop repeats.
    body, html
        The words as plain text and, for channels that show it, as HTML; '' where there is none.
    language
        What it is written in.
    attachments
        Paths of files to attach, as text; those that are gone by then are left out.
    figures
        Pictures that are drawn when it is sent.
    """

    idempotency_key: str
    severity: Severity
    title: str
    body: str
    html: str = ""
    language: Language = Language.ENGLISH
    attachments: tuple[str, ...] = ()
    figures: tuple[ChartData, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxItem:
    """One message on its way to one channel."""

    row: int
    channel: str
    message: Message
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How messages are written, from the configuration.

    Parameters
    ----------
    dashboard
        Address of the dashboard as its readers reach it; '' where there is none.
    final_day
        Day of the run on which it ends; None where it is not configured.
    """

    language: Language = Language.ENGLISH
    dashboard: str = ""
    final_day: float | None = None
    simulated: bool = False


def compose(
    subject: Subject, transition: Transition, *, style: Style, key: str, overlay: str | None = None
) -> Message:
    """Write the message for a transition of one subject."""
    say = translator(style.language)
    evidence = transition.observation.evidence
    mail = _write(subject, transition, style, say)
    trend = _trend(subject, transition, style)
    return Message(
        idempotency_key=key,
        severity=transition.severity,
        title=mail.title,
        body=as_text(mail),
        html=as_html(mail),
        language=style.language,
        attachments=(overlay,) if overlay and evidence.now is not None else (),
        figures=(trend,) if trend else (),
    )


def without_pictures(message: Message) -> Message:
    """Return the message without its pictures, but with a note on them."""
    note = translator(message.language)(PICTURES_LEFT_OUT)
    return replace(
        message,
        body=f"{message.body}\n\n{note}",
        html=f"{message.html}<p>{escape(note)}</p>" if message.html else "",
        attachments=(),
        figures=(),
    )


def _write(subject: Subject, transition: Transition, style: Style, say: Say) -> Mail:
    rule, seen = transition.rule, transition.observation
    resolved = transition.change is Change.RESOLVED
    wording = WORDING[rule.kind]
    fields = _fields(subject, seen.day, seen.evidence, style, say)
    over = resolved and bool(wording.over_title and seen.evidence.detail)
    gone_title = wording.over_title if over else wording.gone_title
    gone_lead = wording.over_lead if over else wording.gone_lead
    title = say(gone_title if resolved else wording.title).format_map(fields)
    title = say(CHANGES[transition.change]).format(title=title)
    lead = say(gone_lead if resolved else wording.lead).format_map(fields)
    if transition.change is Change.ESCALATED:
        lead = f"{say(GRAVER)} {lead}"
    link = ""
    if style.dashboard and subject.plate is not None and subject.well is not None:
        link = well_link(style.dashboard, subject.run, subject.plate, subject.well)
    elif style.dashboard:
        link = alerts_link(style.dashboard)
    return Mail(
        language=style.language.value,
        severity=transition.severity,
        title=(SIMULATED_MARK if style.simulated else "") + " ".join(title.split()),
        lead=lead,
        facts=_facts(subject, transition, style, fields, say),
        items=seen.evidence.wells,
        items_title=say("Wells"),
        advice=say(NOTHING_TO_DO) if resolved else say(wording.do),
        advice_title=say("What to do"),
        link=link,
        link_title=say("Dashboard"),
        note=say(SIMULATED) if style.simulated else "",
        good=resolved and not over,
    )


def _facts(
    subject: Subject,
    transition: Transition,
    style: Style,
    fields: Mapping[str, str],
    say: Say,
) -> tuple[tuple[str, str], ...]:
    seen = transition.observation
    evidence = seen.evidence
    lines = [(_kind_of(subject, say), str(subject))]
    if seen.day is not None:
        final_day = evidence.final_day or style.final_day
        day = fields["day"]
        if final_day is not None and final_day > seen.day:
            day = say("{day}, {left} days left until day {final_day}").format(
                day=day, left=f"{final_day - seen.day:.1f}", final_day=f"{final_day:g}"
            )
        lines.append((say("Day"), day))
    if evidence.now is not None:
        lines.append((say("Now"), write_reading(evidence.now, say)))
    if evidence.trend_per_day is not None:
        points = f"{evidence.trend_per_day * 100:+.1f}".replace("-", "\N{MINUS SIGN}")
        lines.append((say("Trend"), say("{points} points per day").format(points=points)))
    if evidence.forecast is not None:
        forecast = say("{reading} on day {final_day}").format(
            reading=write_reading(evidence.forecast, say), final_day=fields["final_day"]
        )
        lines.append((say("Forecast"), forecast))
    elif evidence.cannot_forecast:
        reason = why_silent(evidence.cannot_forecast, evidence.silence, style.language)
        none = say("none: {reason}").format(reason=reason)
        lines.append((say("Forecast"), none))
    if evidence.probability is not None:
        lines.append((say("Probability of ending below the target"), fields["probability"]))
    if evidence.target is not None:
        lines.append((say("Target"), fields["target"]))
    # A plate's evidence counts its wells by what is wrong with them.
    lines += [
        (say(NAMES[kind]), f"{evidence.measures[kind.value]:.0f}")
        for kind in RuleKind
        if kind.value in evidence.measures
    ]
    rule = f"{transition.rule.name} ({say(SEVERITIES[transition.severity])})"
    return (*lines, (say("Rule"), rule))


def _kind_of(subject: Subject, say: Say) -> str:
    if subject.well is not None:
        return say("Well")
    return say("Plate") if subject.plate is not None else say("Experiment")


def _fields(
    subject: Subject, day: float | None, evidence: Evidence, style: Style, say: Say
) -> Mapping[str, str]:
    measures = evidence.measures
    final_day = evidence.final_day if evidence.final_day is not None else style.final_day
    newest = evidence.points[-1].efficiency if evidence.points else None
    known = {
        "subject": str(subject),
        "where": subject.well or subject.plate or subject.run,
        "count": str(len(evidence.wells)),
        "out_of": str(evidence.out_of),
        "detail": name_fault(evidence.detail, style.language),
        "cause": say(CAUSES[evidence.cause or Cause.CHANGE]),
        "day": _write_number(day, ".1f"),
        "last_day": _write_number(measures.get("last_day"), ".1f"),
        "final_day": _write_number(final_day, "g"),
        "newest": _write_number(newest, ".0%"),
        "target": _write_number(evidence.target, ".0%"),
        "median": _write_number(measures.get("median"), ".0%"),
        "free_gb": _write_number(measures.get("free_gb"), ".1f"),
        "in_a_row": _write_number(measures.get("in_a_row"), ".0f"),
    }
    for name in ("silent", "interval", "down", "dead"):
        known[name] = _write_hours(measures.get(f"{name}_h"), say)
    for name, reading in (("now", evidence.now), ("forecast", evidence.forecast)):
        value, low, high = (reading.value, reading.low, reading.high) if reading else [None] * 3
        known[name] = _write_number(value, ".0%")
        known[f"{name}_low"] = _write_number(low, ".0%")
        known[f"{name}_high"] = _write_number(high, ".0%")
    chance = evidence.probability
    known["probability"] = UNKNOWN if chance is None else _chance(chance)
    return known


def _write_number(value: float | None, form: str) -> str:
    """Write a number; an unknown one is a question mark."""
    return UNKNOWN if value is None else format(value, form)


def _write_hours(hours: float | None, say: Say) -> str:
    if hours is None:
        return UNKNOWN
    if hours < 2:
        return say("{count} minutes").format(count=f"{hours * 60:.0f}")
    return say("{count} hours").format(count=f"{hours:.1f}".removesuffix(".0"))


def _trend(subject: Subject, transition: Transition, style: Style) -> Trend | None:
    seen = transition.observation
    evidence = seen.evidence
    if not evidence.points or seen.day is None:
        return None
    return Trend(
        name=str(subject),
        points=thinned(evidence.points),
        day=seen.day,
        now=evidence.now,
        forecast=evidence.forecast,
        final_day=evidence.final_day or style.final_day,
        target=evidence.target,
        simulated=style.simulated,
    )


def write_reading(reading: Reading, say: Say) -> str:
    """Write an efficiency with its interval."""
    return say("{value} ({low} to {high})").format(
        value=percent(reading.value), low=percent(reading.low), high=percent(reading.high)
    )


def percent(value: float) -> str:
    """Write a fraction as whole percent: `46%`."""
    return f"{value:.0%}"


def _chance(probability: float) -> str:
    """Write a probability; never as 0% or 100%, which would claim certainty."""
    if probability < 0.01:
        return "<1%"
    return ">99%" if probability > 0.99 else percent(probability)
