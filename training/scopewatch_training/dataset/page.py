"""Layout that all reports share: one self-contained HTML page, with its PNGs as files too."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from scopewatch.core.errors import ConfigError, complaint


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A table row; `kind` styles it: empty, `all` (a total) or `base` (a baseline)."""

    cells: tuple[str, ...]
    kind: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table with one heading for each column."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PagePicture:
    """A PNG: its file name, what it shows in words, its bytes."""

    name: str
    alt: str
    png: bytes

    @property
    def base64(self) -> str:
        """The bytes in base64, which the page embeds."""
        return b64encode(self.png).decode("ascii")


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading with text, facts, tables and pictures, in that order."""

    title: str
    text: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    tables: tuple[Table, ...] = ()
    pictures: tuple[PagePicture, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A report."""

    title: str
    subtitle: str
    simulated: bool
    sections: Sequence[Section]
    warnings: Sequence[str] = field(default_factory=tuple)


def write_page(folder: Path, page: Page, now: datetime) -> Path:
    """Write `index.html` and the PNGs into a folder; returns the page's path.

    Raises
    ------
    ConfigError
        When the folder cannot be written.
    """
    html = render(
        "report.html",
        now,
        title=page.title,
        subtitle=page.subtitle,
        simulated=page.simulated,
        warnings=page.warnings,
        sections=page.sections,
    )
    pictures = {
        f"{picture.name}.png": picture.png
        for section in page.sections
        for picture in section.pictures
    }
    return write_text(folder / "index.html", html, pictures)


def render(template: str, now: datetime, **values: Any) -> str:
    """Return a page made from a template; all values are escaped."""
    environment = Environment(
        loader=PackageLoader("scopewatch_training"), autoescape=True, undefined=StrictUndefined
    )
    created = now.strftime("%Y-%m-%d %H:%M UTC")
    return environment.get_template(template).render(created=created, **values)


def write_text(target: Path, html: str, pictures: Mapping[str, bytes] | None = None) -> Path:
    """Write a page, and files beside it by their names; returns the page's path.

    Raises
    ------
    ConfigError
        When the folder cannot be written.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        for name, content in (pictures or {}).items():
            (target.parent / name).write_bytes(content)
        target.write_text(html, encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            complaint(
                "report cannot be written",
                where=target.parent,
                got=error.strerror,
                do="choose a folder that can be written",
            )
        ) from error
    return target
