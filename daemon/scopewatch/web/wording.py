"""Numbers, times and names as the pages write them."""

import re
from datetime import datetime, timedelta
from urllib.parse import unquote

from markupsafe import Markup, escape

from scopewatch.core.alert_rule import RuleKind
from scopewatch.core.links import segment
from scopewatch.core.message import WellName

NOTHING = "–"

_TAGS = {
    RuleKind.WEAK_FORECAST: "WEAK?",
    RuleKind.WEAK_NOW: "WEAK",
    RuleKind.PLATE_COLLAPSE: "PLATE",
    RuleKind.OUTLIER_WELL: "OUTLIER",
    RuleKind.SUDDEN_CHANGE: "CHANGED",
    RuleKind.UNFIT_FRAMES: "UNFIT",
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


def tag(kind: RuleKind) -> str:
    """Write a kind of alert as the word on a well's flag."""
    return _TAGS.get(kind, "ALERT")


def moment(at: datetime | None) -> str:
    """Write a time in full: `2026-03-01 09:00 UTC`."""
    return NOTHING if at is None else at.strftime("%Y-%m-%d %H:%M UTC")


def age(at: datetime | None, now: datetime) -> str:
    """Write how long ago something was: `12 min ago`."""
    if at is None:
        return "never"
    if at > now:
        return f"{since(now, at)} ahead of this clock"
    return f"{since(at, now)} ago"


def since(at: datetime, now: datetime) -> str:
    """Write the time between two moments in its largest unit: `12 min`."""
    seconds = (now - at).total_seconds()
    whole = timedelta(seconds=round(seconds))
    if whole < timedelta(minutes=2):
        return f"{round(seconds)} s"
    if whole < timedelta(hours=2):
        return f"{whole // timedelta(minutes=1)} min"
    if whole < timedelta(days=3):
        return f"{whole // timedelta(hours=1)} h"
    return f"{whole.days} days"


def ticked(text: object) -> Markup:
    """Write a text whose commands and settings stand between backticks: as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(str(text)))))  # noqa: S704


def name_of(segment_text: str) -> str:
    """Read a name back from a segment that the server has decoded once."""
    return unquote(segment_text)


def well_path(name: WellName) -> str:
    """Return the address of a well below `/wells/` or `/api/wells/`."""
    return "/".join(segment(part) for part in (name.experiment, name.plate, name.well))
