"""Observations of the monitor itself: silence, sources, disk, restarts, model, reload.

Their subject is the whole run. The clock steps them, so that each resolves by itself once the
trouble is over.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from scopewatch.core.alerts.observation import Evidence, Observation

# For how long after a start a restart is reported.
RESTART_NEWS_H: Final = 1.0
_GB: Final = 1e9


def no_frames(
    *, at: datetime, last_frame_at: datetime, interval_h: float, expected: bool
) -> Observation:
    """Score: time without a frame over the interval between frames.

    Parameters
    ----------
    last_frame_at
        When the newest frame was found, or the daemon started when none was yet.
    expected
        False when no more frames are due (the run is over): then nothing is missing.

    `measures` of the evidence: ``silent_h``, ``interval_h``.
    """
    silent_h = max((at - last_frame_at).total_seconds() / 3600, 0.0)
    return Observation(
        at=at,
        score=silent_h / interval_h if expected else 0.0,
        evidence=Evidence(measures={"silent_h": silent_h, "interval_h": interval_h}),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadSource:
    """A source that gives nothing at the moment.

    Parameters
    ----------
    since
        When it was first seen so.
    why
        One line.
    """

    name: str
    since: datetime
    why: str


def source_dead(
    *, at: datetime, dead: Sequence[DeadSource], patience_min: float, shortfall: str = ""
) -> Observation:
    """Score: minutes for which the source that has been dead longest gave nothing; 0 for none.

    Parameters
    ----------
    patience_min
        Up to this time a dead source counts neither for an alert nor against one: a
        source is started again by itself, and a daemon that starts may not know since when.
    shortfall
        Which acquisitions have ended though they gave nothing to the end: an alert of theirs ends
        with it, and not as if all were well again.

    `measures` of the evidence: ``dead_h``; `detail`: which sources, since when, and why.
    """
    if not dead:
        return Observation(at=at, score=0.0, evidence=Evidence(detail=shortfall))
    dead_min = max((at - each.since).total_seconds() / 60 for each in dead)
    lines = (
        f"{each.name}, since {each.since.astimezone(UTC):%Y-%m-%d %H:%M} UTC: {each.why}"
        for each in sorted(dead, key=lambda each: (each.since, each.name))
    )
    return Observation(
        at=at,
        score=dead_min if dead_min > patience_min else None,
        evidence=Evidence(measures={"dead_h": max(dead_min, 0.0) / 60}, detail=" | ".join(lines)),
    )


def ended_early(
    *, at: datetime, day: float, final_day: float, ended: bool, tolerance_days: float = 0.5
) -> Observation:
    """Score: 1 when the acquisition has ended well before the final day, else 0.

    Parameters
    ----------
    day
        Of the newest frame.
    ended
        True when the source has declared the end of its acquisition.

    `measures` of the evidence: ``last_day``; and `final_day`.
    """
    early = ended and day < final_day - tolerance_days
    return Observation(
        at=at,
        score=float(early),
        evidence=Evidence(final_day=final_day, measures={"last_day": day}),
    )


def disk_low(*, at: datetime, free_bytes: int, where: str) -> Observation:
    """Score: minus the free space in GB, where results or images are kept.

    `measures` of the evidence: ``free_gb``; `detail`: where.
    """
    free_gb = free_bytes / _GB
    return Observation(
        at=at, score=-free_gb, evidence=Evidence(measures={"free_gb": free_gb}, detail=where)
    )


def restarted(
    *, at: datetime, started_at: datetime, last_alive_at: datetime | None, clean: bool
) -> Observation:
    """Score: 1 for an hour after the daemon came back from an unclean end, else 0.

    Parameters
    ----------
    last_alive_at
        The last sign of life of the daemon before this one; None when there was none.
    clean
        True when the daemon before this one was stopped on purpose.

    `measures` of the evidence: ``down_h``.
    """
    news = (at - started_at).total_seconds() < RESTART_NEWS_H * 3600
    if last_alive_at is None:
        return Observation(at=at, score=0.0)
    down_h = max((started_at - last_alive_at).total_seconds() / 3600, 0.0)
    return Observation(
        at=at,
        score=float(news and not clean),
        evidence=Evidence(measures={"down_h": down_h}),
    )


def model_refused(*, at: datetime, reason: str) -> Observation:
    """Score: 1 when the model bundle was refused; `reason` is its line, empty when it loads."""
    return Observation(at=at, score=float(bool(reason)), evidence=Evidence(detail=reason))


def reload_refused(*, at: datetime, reason: str) -> Observation:
    """Score: 1 while a changed configuration is refused; `reason` says why, else empty."""
    return Observation(at=at, score=float(bool(reason)), evidence=Evidence(detail=reason))
