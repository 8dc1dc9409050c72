"""Parses times of acquisition in the formats of microscope software.

Most software writes local time without a zone. Such a time stays naive here; it is read in the
`clock_zone` of the source.
"""

from datetime import UTC, datetime

from scopewatch.sources.base.facts import NOTHING, PlaneFacts

# Micro-Manager 2: "2026-03-01 09:00:00.123 +0100"; 1.4: "2016-02-11 09:00:16 -0800"; the Python
# and Java acquisition engines: "2026-03-01 09:00:00 -", an intended zone that is missing.
# Summaries: "2026/03/01 09:00:00". TIFF and EXIF: "2026:03:01 09:00:00".
_LAYOUTS = (
    "%Y-%m-%d %H:%M:%S.%f %z",
    "%Y-%m-%d %H:%M:%S %z",
    "%Y-%m-%d %H:%M:%S.%f",
    "%Y-%m-%d %H:%M:%S",
    "%Y/%m/%d %H:%M:%S",
    "%Y:%m:%d %H:%M:%S",
)
_LONGEST = 40
# No digital microscope wrote files before this: the clock was never set, or the text is filler.
_FIRST_YEAR = 1990


def parse_time(text: object) -> datetime | None:
    """Return a time written by microscope software; None where the text is not one.

    Returns
    -------
    Aware UTC where the text has a zone, else naive.

    >>> parse_time("2016-02-11 09:00:16 -0800").isoformat()
    '2016-02-11T17:00:16+00:00'
    >>> parse_time("The age of Aquarius") is None
    True
    """
    if not isinstance(text, str) or len(text) > _LONGEST:
        return None
    plain = text.strip().removesuffix("-").strip()
    if not plain:
        return None
    for layout in _LAYOUTS:
        try:
            return _believable(datetime.strptime(plain, layout))  # noqa: DTZ007 - zone below
        except ValueError:
            continue
    return None


def parse_iso(text: object) -> datetime | None:
    """Return an ISO 8601 time: aware UTC where it has a zone, else naive; None if it is none."""
    if not isinstance(text, str) or len(text) > _LONGEST:
        return None
    try:
        return _believable(datetime.fromisoformat(text.strip()))
    except ValueError:
        return None


def time_facts(moment: datetime | None) -> PlaneFacts:
    """Return a time as a fact: a moment, or a wall time where it has no zone."""
    if moment is None:
        return NOTHING
    if moment.tzinfo is None:
        return PlaneFacts(wall_time=moment)
    return PlaneFacts(acquired_at=moment)


def _believable(moment: datetime) -> datetime | None:
    if moment.year < _FIRST_YEAR:
        return None
    if moment.tzinfo is None:
        return moment
    try:
        return moment.astimezone(UTC)
    except (OverflowError, OSError):
        # The C library rejects local times far outside its tables.
        return None
