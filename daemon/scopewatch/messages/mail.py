"""A mail: its parts, and writing them as plain text and as HTML.

Plain text goes to chats and phones, HTML to mail. `templates/mail.html.j2` writes the HTML and
escapes every value: names of runs, plates and files may hold anything. It loads nothing from
anywhere.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from scopewatch.core.alerts.rules import Severity

_ACCENT: Final = {
    Severity.INFO: "#0b57a4",
    Severity.WARNING: "#b35c00",
    Severity.CRITICAL: "#9b1c1c",
}
_GOOD: Final = "#1a6b3c"
_MOST_ITEMS: Final = 96


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """The parts of a message.

    Parameters
    ----------
    language
        Code of the language it is written in (`ja`).
    title
        One line: the subject of a mail.
    lead
        What happened, in a sentence or two.
    facts
        Label and value, line by line.
    items, items_title
        A list, such as the wells that fail, and what it is.
    rows, rows_title
        Further lines of label and value, and what they are; the title is alone where there
        are none.
    advice, advice_title
        What to do, and the heading above it; '' where there is nothing to do.
    link, link_title
        Where to look further, and what is there; '' without one.
    note
        A last line; '' for none.
    good
        Whether it is good news.
    """

    language: str
    severity: Severity
    title: str
    lead: str
    facts: tuple[tuple[str, str], ...] = ()
    items: tuple[str, ...] = ()
    items_title: str = ""
    rows: tuple[tuple[str, str], ...] = ()
    rows_title: str = ""
    advice: str = ""
    advice_title: str = ""
    link: str = ""
    link_title: str = ""
    note: str = ""
    good: bool = False


def as_text(mail: Mail) -> str:
    """Write a mail as plain text, without its title."""
    parts = [mail.lead]
    parts.append("\n".join(_lines(mail.facts)))
    if mail.items:
        parts.append(f"{mail.items_title}: {_listed(mail.items)}")
    if mail.rows_title:
        parts.append("\n".join((mail.rows_title, *_lines(mail.rows))))
    if mail.advice:
        parts.append(f"{mail.advice_title}: {mail.advice}")
    if mail.link:
        parts.append(f"{mail.link_title}: {mail.link}")
    parts.append(mail.note)
    return "\n\n".join(part for part in parts if part)


def as_html(mail: Mail) -> str:
    """Write a mail as HTML with its title as heading."""
    accent = _GOOD if mail.good else _ACCENT[mail.severity]
    return _template().render(mail=mail, accent=accent, items=_listed(mail.items))


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("scopewatch.messages"),
        autoescape=True,
        auto_reload=False,
        undefined=StrictUndefined,
    )
    return environment.get_template("mail.html.j2")


def _lines(rows: tuple[tuple[str, str], ...]) -> list[str]:
    return [f"{_line(label)}: {_line(value)}" for label, value in rows]


def _listed(items: tuple[str, ...]) -> str:
    shown = ", ".join(map(_line, items[:_MOST_ITEMS]))
    return shown + (f", +{len(items) - _MOST_ITEMS}" if len(items) > _MOST_ITEMS else "")


def _line(value: str) -> str:
    """Keep a value on its line: a newline in a name would look like another fact."""
    return " ".join(value.split())
