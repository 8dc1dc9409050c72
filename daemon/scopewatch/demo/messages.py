"""The messages that the demo's alerts would have sent, written into its folder.

The demo's daemon has no channel. The same function that composes real messages writes them from
the recorded evidence.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from scopewatch.app.results import message_style
from scopewatch.config import Config
from scopewatch.core.alerts.observation import Observation
from scopewatch.core.alerts.state_machine import Change, Transition
from scopewatch.messages.alert_message import compose
from scopewatch.notify.written import write_message
from scopewatch.store.read.reader import Reader
from scopewatch.store.read.records.alerts import AlertRow

_MOST_SHOTS = 200


def write_messages(
    folder: Path, config: Config, alerts: Sequence[AlertRow], reader: Reader, overlays: Path
) -> list[Path]:
    """Write the message of each alert as it was raised, oldest first.

    Returns
    -------
    The text of each, in that order; its page and its pictures lie beside it.

    Raises
    ------
    DeliveryError
        When the folder cannot be written to.
    """
    rules = {rule.name: rule for rule in config.stepped_rules()}
    style = message_style(config)
    texts = []
    for number, alert in enumerate(sorted(alerts, key=lambda alert: alert.alert), start=1):
        raised = Transition(
            rule=rules[alert.rule],
            change=Change.RAISED,
            severity=rules[alert.rule].severity,
            observation=Observation(
                at=alert.raised_at, day=alert.day, score=None, evidence=alert.evidence
            ),
            at=alert.raised_at,
        )
        message = compose(
            alert.subject,
            raised,
            style=style,
            key=f"demo-{alert.alert}",
            overlay=_overlay_then(reader, alert),
        )
        about = alert.subject.well or alert.subject.plate or "monitor"
        stem = re.sub(r"[^A-Za-z0-9]+", "-", f"{number:02d} {about} {alert.rule}")
        texts.append(write_message(message, folder, stem, overlay_folder=overlays)[0])
    return texts


def _overlay_then(reader: Reader, alert: AlertRow) -> str | None:
    """Return the newest picture of the well on the day its alert was raised."""
    if alert.well is None or alert.day is None:
        return None
    shots = reader.shots(alert.well, _MOST_SHOTS)
    return next((shot.overlay for shot in shots if shot.day <= alert.day + 1e-6), None)
