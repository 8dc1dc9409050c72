"""Composes the message of a changed alert."""

from collections.abc import Mapping

from scopewatch.core.alerts.observation import Cause, Evidence, Subject
from scopewatch.core.alerts.rules import RuleKind
from scopewatch.core.alerts.state_machine import Change, Transition
from scopewatch.messages.alert_texts import (
    CAUSES,
    CHANGES,
    GRAVER,
    NAMES,
    NOTHING_TO_DO,
    SEVERITIES,
    SIMULATED,
    WORDING,
)
from scopewatch.messages.chart_data import Trend, thinned
from scopewatch.messages.links import alerts_link, well_link
from scopewatch.messages.mail import Mail, as_html, as_text
from scopewatch.messages.message import SIMULATED_MARK, Message, Style
from scopewatch.messages.numbers import (
    write_hours,
    write_number,
    write_probability,
    write_reading,
)
from scopewatch.messages.summary import name_fault, why_silent
from scopewatch.messages.translator import Say, translator


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
        "day": write_number(day, ".1f"),
        "last_day": write_number(measures.get("last_day"), ".1f"),
        "final_day": write_number(final_day, "g"),
        "newest": write_number(newest, ".0%"),
        "target": write_number(evidence.target, ".0%"),
        "median": write_number(measures.get("median"), ".0%"),
        "free_gb": write_number(measures.get("free_gb"), ".1f"),
        "in_a_row": write_number(measures.get("in_a_row"), ".0f"),
    }
    for name in ("silent", "interval", "down", "dead"):
        known[name] = write_hours(measures.get(f"{name}_h"), say)
    for name, reading in (("now", evidence.now), ("forecast", evidence.forecast)):
        value, low, high = (reading.value, reading.low, reading.high) if reading else [None] * 3
        known[name] = write_number(value, ".0%")
        known[f"{name}_low"] = write_number(low, ".0%")
        known[f"{name}_high"] = write_number(high, ".0%")
    known["probability"] = write_probability(evidence.probability)
    return known


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
