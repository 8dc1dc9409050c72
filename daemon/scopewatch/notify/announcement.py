"""Test messages: they show before the first alert how alerts arrive and look."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from html import escape

from scopewatch.core.alerts.observation import Evidence, Observation, Reading, Subject
from scopewatch.core.alerts.rules import AlertRule, RuleKind, Severity
from scopewatch.core.alerts.state_machine import Change, Transition
from scopewatch.core.errors import DeliveryError
from scopewatch.core.estimation.smoothing import WellPoint
from scopewatch.messages.alert_message import compose
from scopewatch.messages.digest import Digest, DigestWell, OpenAlert, compose_digest
from scopewatch.messages.message import Message, Style
from scopewatch.messages.translator import translator
from scopewatch.notify.outbox import Notifier

_TARGET = 0.5
_FINAL_DAY = 10.0
_PLATE = "P1"


def announce_test(
    notifier: Notifier, channels: Iterable[str], messages: Sequence[Message]
) -> dict[str, str | None]:
    """Send test messages to each channel at once, past the outbox.

    Returns
    -------
    For each channel None, or the line why a message was not delivered.
    """
    outcome: dict[str, str | None] = {}
    for channel in channels:
        try:
            for message in messages:
                notifier.send(channel, message)
        except DeliveryError as error:
            outcome[channel] = str(error)
        else:
            outcome[channel] = None
    return outcome


def write_test(
    run: str, now: datetime, *, style: Style, overlay: str | None, digest: bool
) -> list[Message]:
    """Write an alert, and a digest where they are sent, of a plate that does not exist.

    Parameters
    ----------
    overlay
        Path of a picture to attach, relative to the overlay folder; None for none.
    """
    style = replace(style, final_day=style.final_day or _FINAL_DAY)
    messages = [_alert(run, now, style, overlay)]
    if digest:
        messages.append(compose_digest(_digest(run, now), style=style))
    return [_mark(message, run, f"{number} {now}") for number, message in enumerate(messages)]


def _alert(run: str, now: datetime, style: Style, overlay: str | None) -> Message:
    points = tuple(
        WellPoint(day=4 + step / 2, efficiency=value, half_width=0.08)
        for step, value in enumerate((0.03, 0.05, 0.08, 0.12, 0.15, 0.19, 0.24))
    )
    evidence = Evidence(
        now=Reading(value=0.23, low=0.15, high=0.31),
        trend_per_day=0.08,
        target=_TARGET,
        forecast=Reading(value=0.34, low=0.21, high=0.46),
        final_day=style.final_day,
        probability=0.97,
        points=points,
    )
    transition = Transition(
        rule=AlertRule(name="test", kind=RuleKind.WEAK_FORECAST, target=_TARGET),
        change=Change.RAISED,
        severity=Severity.WARNING,
        observation=Observation(at=now, day=points[-1].day, score=0.97, evidence=evidence),
        at=now,
    )
    subject = Subject(run=run, plate=_PLATE, well="B3")
    return compose(subject, transition, style=style, key="test", overlay=overlay)


def _digest(run: str, now: datetime) -> Digest:
    values = (0.62, 0.58, 0.66, 0.71, 0.55, 0.49, 0.34, 0.60, 0.57, 0.63, 0.12, 0.68)
    wells = tuple(
        DigestWell(
            plate=_PLATE,
            well=f"{'ABC'[index // 4]}{index % 4 + 1}",
            now=Reading(value=value * 0.7, low=value * 0.6, high=value * 0.8),
            forecast=Reading(value=value, low=max(value - 0.13, 0), high=value + 0.13),
            alerts=(_open(value),) if value < 0.4 else (),
        )
        for index, value in enumerate(values)
    )
    return Digest(
        run=run,
        on=now.astimezone().date(),
        day=7.0,
        frames=84,
        quarantined=1,
        wells=wells,
        target=_TARGET,
    )


def _open(value: float) -> OpenAlert:
    severity = Severity.CRITICAL if value < 0.2 else Severity.WARNING
    return OpenAlert(kind=RuleKind.WEAK_FORECAST, severity=severity, name="test")


def _mark(message: Message, run: str, what: str) -> Message:
    """Put a notice first that it is a test: nobody must go and look for the well."""
    say = translator(message.language)
    notice = say("This is a test of the messages for {experiment}: nothing has happened.").format(
        experiment=run
    )
    return replace(
        message,
        idempotency_key=hashlib.sha256(f"test {run} {what}".encode()).hexdigest()[:32],
        title=say("TEST: {title}").format(title=message.title),
        body=f"{notice}\n\n{message.body}",
        html=f"<p><strong>{escape(notice)}</strong></p>{message.html}",
    )
