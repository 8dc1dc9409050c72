"""Writes numbers, times and names for the pages."""

import re
from datetime import datetime, timedelta
from functools import lru_cache
from urllib.parse import unquote

from markupsafe import Markup, escape

from scopewatch.core.acquisition.orders import Act
from scopewatch.core.phrases import Language, mark
from scopewatch.core.well_name import WellName
from scopewatch.messages.links import segment
from scopewatch.messages.translator import translator

NOTHING = "–"

# What people do to a time-lapse.
ACTS = {
    Act.PAUSE: mark("paused"),
    Act.RESUME: mark("went on"),
    Act.NOW: mark("time point at once"),
    Act.MEDIUM: mark("medium change"),
    Act.DEAD: mark("marked dead"),
    Act.ALIVE: mark("taken in again"),
    Act.MORE_SITES: mark("further sites"),
    Act.PLANNED_SITES: mark("planned sites only"),
    Act.REIMAGE: mark("taken again"),
    Act.FLUORESCENCE: mark("fluorescence"),
    Act.NOTE: mark("note"),
}


def percent(value: float | None) -> str:
    """Write a fraction as whole percent: `46 %`."""
    return NOTHING if value is None else f"{value * 100:.0f}\N{NARROW NO-BREAK SPACE}%"


def day(value: float | None) -> str:
    """Write a day of the run with one digit: `6.5`."""
    return NOTHING if value is None else f"{value:.1f}"


def whole(value: float) -> str:
    """Write a day without needless digits: `10`, `9.5`."""
    return f"{value:g}"


def points(share: float) -> str:
    """Write a change of a fraction as signed points: `+5.2`."""
    return f"{share * 100:+.1f}".replace("-", "\N{MINUS SIGN}")


def moment(at: datetime | None) -> str:
    """Write a time in full: `2026-03-01 09:00 UTC`."""
    return NOTHING if at is None else at.strftime("%Y-%m-%d %H:%M UTC")


def age(at: datetime | None, now: datetime, language: Language = Language.ENGLISH) -> str:
    """Write how long ago something was: `12 min ago`."""
    say = translator(language)
    if at is None:
        return say("never")
    if at > now:
        return say("{time} ahead of this clock").format(time=since(now, at, language))
    return say("{time} ago").format(time=since(at, now, language))


def since(at: datetime, now: datetime, language: Language = Language.ENGLISH) -> str:
    """Write the time between two moments in its largest unit: `12 min`."""
    say = translator(language)
    seconds = (now - at).total_seconds()
    whole = timedelta(seconds=round(seconds))
    if whole < timedelta(minutes=2):
        return say("{count} s").format(count=round(seconds))
    if whole < timedelta(hours=2):
        return say("{count} min").format(count=whole // timedelta(minutes=1))
    if whole < timedelta(days=3):
        return say("{count} h").format(count=whole // timedelta(hours=1))
    return say("{count} days").format(count=whole.days)


def ticked(text: object) -> Markup:
    """Write a text; commands and settings between backticks become code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(str(text)))))  # noqa: S704


@lru_cache(maxsize=2048)
def translated(text: str, language: Language) -> Markup:
    """Write a message id in a language, its commands as code; its fields are still to be filled."""
    return ticked(translator(language)(text))


def name_of(segment_text: str) -> str:
    """Read a name back from a segment that the server has decoded once."""
    return unquote(segment_text)


def well_path(name: WellName) -> str:
    """Return the address of a well below `/wells/` or `/api/wells/`."""
    return "/".join(segment(part) for part in (name.run, name.plate, name.well))
