"""A message before it is text: its parts, and the two ways to write them.

Plain text goes to chats and phones, HTML to mail. Every value is escaped there: names of runs,
plates and files may hold anything. Styles stand in the elements, since mail programs drop style
sheets, and nothing is loaded from anywhere.
"""

from dataclasses import dataclass
from html import escape
from typing import Final

from scopewatch.core.alerts.state_machine import Severity

_ACCENT: Final = {
    Severity.INFO: "#0b57a4",
    Severity.WARNING: "#b35c00",
    Severity.CRITICAL: "#9b1c1c",
}
_GOOD: Final = "#1a6b3c"
_MOST_ITEMS: Final = 96

_PAGE: Final = (
    '<div lang="{lang}" style="max-width:40em;font:16px/1.5 sans-serif;color:#1b1f24">{body}</div>'
)
_HEAD: Final = (
    '<h2 style="margin:0 0 .6em;padding:.4em .7em;font-size:1.15em;color:#ffffff;'
    'background:{accent}">{title}</h2>'
)
_LABEL: Final = "display:inline-block;min-width:9em;color:#57606a"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """What a message says.

    Parameters
    ----------
    language
        Code of the language it is written in (`ja`).
    title
        One line: the subject of a mail.
    lead
        What is the case, in a sentence or two.
    facts
        Label and value, line by line.
    items, items_title
        A list, such as the wells that fail, and what it is.
    rows, rows_title
        Further lines of label and value, and what they are; the title stands alone where there
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
    parts = [_HEAD.format(accent=accent, title=escape(mail.title)), _paragraph(mail.lead)]
    parts.append(_table(mail.facts))
    if mail.items:
        listed = f"<strong>{escape(mail.items_title)}:</strong> {escape(_listed(mail.items))}"
        parts.append(f"<p>{listed}</p>")
    if mail.rows_title:
        parts.append(f'<h3 style="margin:1em 0 .4em">{escape(mail.rows_title)}</h3>')
        parts.append(_table(mail.rows))
    if mail.advice:
        parts.append(
            f'<p style="padding:.6em .8em;background:#f3f5f7;border-left:4px solid {accent}">'
            f"<strong>{escape(mail.advice_title)}:</strong> {escape(mail.advice)}</p>"
        )
    if mail.link:
        parts.append(
            f'<p><a href="{escape(mail.link, quote=True)}" style="color:#0b57a4">'
            f"{escape(mail.link_title)}: {escape(mail.link)}</a></p>"
        )
    if mail.note:
        parts.append(f"<p><em>{escape(mail.note)}</em></p>")
    return _PAGE.format(lang=escape(mail.language, quote=True), body="".join(parts))


def _paragraph(text: str) -> str:
    return f"<p>{escape(text)}</p>" if text else ""


def _table(rows: tuple[tuple[str, str], ...]) -> str:
    """Write a line for each: no table, since what mail programs make of one as text is unlike."""
    written = "".join(_row(label, value) for label, value in rows)
    return f'<div style="margin:0 0 1em">{written}</div>' if rows else ""


def _lines(rows: tuple[tuple[str, str], ...]) -> list[str]:
    return [f"{_line(label)}: {_line(value)}" for label, value in rows]


def _row(label: str, value: str) -> str:
    return (
        f'<p style="margin:0"><span style="{_LABEL}">{escape(label)}:</span>'
        f" <span>{escape(value)}</span></p>"
    )


def _listed(items: tuple[str, ...]) -> str:
    shown = ", ".join(map(_line, items[:_MOST_ITEMS]))
    return shown + (f", +{len(items) - _MOST_ITEMS}" if len(items) > _MOST_ITEMS else "")


def _line(value: str) -> str:
    """Keep a value on its line: a newline in a name would look like another fact."""
    return " ".join(value.split())
