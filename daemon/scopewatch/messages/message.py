"""A message that is ready to deliver, and how messages are written."""

from dataclasses import dataclass, replace
from html import escape
from typing import Final

from scopewatch.core.alerts.rules import Severity
from scopewatch.core.phrases import Language
from scopewatch.messages.alert_texts import PICTURES_LEFT_OUT
from scopewatch.messages.chart_data import ChartData
from scopewatch.messages.translator import translator

SIMULATED_MARK: Final = "[SIMULATED] "


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
