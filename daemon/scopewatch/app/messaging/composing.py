"""Composes the messages of alert changes for the channels that carry them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scopewatch.core.alerts.observation import Subject
from scopewatch.core.alerts.routing import Route
from scopewatch.core.alerts.state_machine import Transition
from scopewatch.messages.alert_message import compose
from scopewatch.messages.message import Message, Style


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageComposer:
    """Implements `app.recording.announcing.Composer`.

    Parameters
    ----------
    style
        How messages are written.
    routes
        Name of each channel and what it carries.
    """

    style: Style
    routes: Mapping[str, Route]

    def compose(
        self, subject: Subject, transition: Transition, *, key: str, overlay: str | None
    ) -> Message:
        """Return the message of a change; `overlay` is the newest picture of its well."""
        return compose(subject, transition, style=self.style, key=key, overlay=overlay)

    def channels(self, message: Message, run: str) -> Sequence[str]:
        """Return the names of the channels that carry a message about a run."""
        return [name for name, route in self.routes.items() if route.takes(message.severity, run)]
