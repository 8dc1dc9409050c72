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
class Letter:
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


def as_text(letter: Letter) -> str:
    """Write a letter as plain text, without its title."""
    parts = [letter.lead]
    parts.append("\n".join(_lines(letter.facts)))
    if letter.items:
        parts.append(f"{letter.items_title}: {_listed(letter.items)}")
    if letter.rows_title:
        parts.append("\n".join((letter.rows_title, *_lines(letter.rows))))
    if letter.advice:
        parts.append(f"{letter.advice_title}: {letter.advice}")
    if letter.link:
        parts.append(f"{letter.link_title}: {letter.link}")
    parts.append(letter.note)
    return "\n\n".join(part for part in parts if part)


def as_html(letter: Letter) -> str:
    """Write a letter as HTML with its title as heading."""
    accent = _GOOD if letter.good else _ACCENT[letter.severity]
    parts = [_HEAD.format(accent=accent, title=escape(letter.title)), _paragraph(letter.lead)]
    parts.append(_table(letter.facts))
    if letter.items:
        listed = f"<strong>{escape(letter.items_title)}:</strong> {escape(_listed(letter.items))}"
        parts.append(f"<p>{listed}</p>")
    if letter.rows_title:
        parts.append(f'<h3 style="margin:1em 0 .4em">{escape(letter.rows_title)}</h3>')
        parts.append(_table(letter.rows))
    if letter.advice:
        parts.append(
            f'<p style="padding:.6em .8em;background:#f3f5f7;border-left:4px solid {accent}">'
            f"<strong>{escape(letter.advice_title)}:</strong> {escape(letter.advice)}</p>"
        )
    if letter.link:
        parts.append(
            f'<p><a href="{escape(letter.link, quote=True)}" style="color:#0b57a4">'
            f"{escape(letter.link_title)}: {escape(letter.link)}</a></p>"
        )
    if letter.note:
        parts.append(f"<p><em>{escape(letter.note)}</em></p>")
    return _PAGE.format(lang=escape(letter.language, quote=True), body="".join(parts))


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
