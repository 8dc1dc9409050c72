"""Decides when a plane was taken, and which time point it is.

A moment that the acquisition program recorded (metadata or name) comes first, then a plain tag of
the file, then time point x interval. The time of the file itself is used only without an index.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from scopewatch.config import RunConfig
from scopewatch.core.errors import FrameError, complaint
from scopewatch.sources.base.evidence import Claim, Evidence, StatedValue, stated_value
from scopewatch.sources.base.facts import Origin, PlaneFacts

# How far, in intervals, a time may lie from its time point: programs record the moment a scan
# began, which drifts by up to half an hour. Halfway between two points the interval is wrong.
_DRIFT = 0.49
_HOUR_S = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When a plane was taken.

    Parameters
    ----------
    acquired_at
        Aware UTC; None where no time of day is known.
    elapsed_s
        Seconds since the start of the run; None where `acquired_at` is known, or nothing is.
    """

    time_point: int | None
    acquired_at: datetime | None
    elapsed_s: float | None


def read_moment(evidence: Evidence, run: RunConfig, zone: tzinfo | None, where: object) -> Moment:
    """Decide time point and moment of a plane.

    Parameters
    ----------
    zone
        Zone of times without one; None: the zone of this machine.

    Raises
    ------
    FrameError
        When a time that gives the time point lies between two, or needs the start of the run.
    """
    index = evidence.take("time_point")
    claims = evidence.claims("time_point")
    for other in claims[1:]:
        if other.value != index and other.statement.origin <= Origin.NAME:
            first = claims[0].statement
            evidence.contradict("time point", (index, first), (other.value, other.statement))
    expected = None
    if index is not None and run.started_at is not None:
        expected = run.started_at + timedelta(hours=index * run.interval_h)
    times = _times(evidence, zone, expected)
    if index is None:
        index = _index(times, evidence, run, where)
    acquired_at, elapsed_s = _most_trusted(times, evidence, run, indexed=index is not None)
    if acquired_at is None and elapsed_s is None and index is not None:
        acquired_at, elapsed_s = _by_index(index, evidence, run.interval_h, zone)
    if elapsed_s is not None and run.started_at is not None:
        acquired_at, elapsed_s = run.started_at + timedelta(seconds=elapsed_s), None
    return Moment(time_point=index, acquired_at=acquired_at, elapsed_s=elapsed_s)


def _by_index(
    index: int, evidence: Evidence, interval_h: float, zone: tzinfo | None
) -> tuple[datetime | None, float | None]:
    """Return moment or elapsed time by the index, and record its witness.

    Counted from the first plane of its series where that is dated, else from the start of the run.
    """
    for statement in evidence.ordered:
        facts = statement.facts
        if facts.series_began is None or facts.series_index is None:
            continue
        moment = to_utc(facts.series_began, zone) + timedelta(hours=facts.series_index * interval_h)
        by = f"{statement.by}: first plane + {facts.series_index} x interval_h {interval_h:g}"
        evidence.accepted["moment"] = StatedValue(value=_text(moment), origin=Origin.INDEX, by=by)
        return moment, None
    elapsed_s = index * interval_h * _HOUR_S
    by = f"time point x interval_h {interval_h:g}"
    evidence.accepted["moment"] = StatedValue(value=_text(elapsed_s), origin=Origin.INDEX, by=by)
    return None, elapsed_s


def to_utc(wall_time: datetime, zone: tzinfo | None) -> datetime:
    """Return a wall time without a zone, read in `zone` (None: this machine's), as aware UTC.

    A time with a zone stays the same moment. The repeated hour in autumn is read as its first
    pass; the skipped hour in spring is read as if the clock had not been put forward yet.
    """
    if wall_time.tzinfo is not None:
        return wall_time.astimezone(UTC)
    local = wall_time.astimezone() if zone is None else wall_time.replace(tzinfo=zone)
    return local.astimezone(UTC)


def moment_of(
    facts: PlaneFacts, zone: tzinfo | None, expected: datetime | None = None
) -> datetime | None:
    """Return the time of day that facts give, aware UTC; None where they give none.

    Of the two passes of the repeated hour in autumn it returns the one nearer to the running time
    of the series, or else to `expected`; the first pass where neither is known.
    """
    if facts.acquired_at is not None or facts.wall_time is None:
        return facts.acquired_at
    since = timedelta(seconds=facts.since_wall_s or 0.0)
    if facts.ran_since is not None and facts.ran_s is not None:
        ran = timedelta(seconds=facts.ran_s)
        expected = _read(facts.ran_since, zone, None if expected is None else expected - ran) + ran
    return _read(facts.wall_time, zone, None if expected is None else expected - since) + since


def _read(wall_time: datetime, zone: tzinfo | None, expected: datetime | None) -> datetime:
    """Return a wall time, in a repeated hour as the pass that is nearer to `expected`."""
    first, second = to_utc(wall_time, zone), to_utc(wall_time.replace(fold=1), zone)
    # In spring the second reading of a skipped hour lies before the first.
    if second <= first or expected is None:
        return first
    return min(first, second, key=lambda each: abs(each - expected))


def _times(evidence: Evidence, zone: tzinfo | None, expected: datetime | None) -> list[Claim]:
    """Return every stated time: a moment (aware UTC), or seconds since the start.

    Parameters
    ----------
    expected
        When the plane was due; None where that is not known.
    """
    times = []
    for statement in evidence.ordered:
        moment = moment_of(statement.facts, zone, expected)
        if moment is not None:
            times.append(Claim(moment, statement))
        elif statement.facts.elapsed_s is not None:
            times.append(Claim(statement.facts.elapsed_s, statement))
    return times


def _most_trusted(
    times: list[Claim], evidence: Evidence, run: RunConfig, *, indexed: bool
) -> tuple[datetime | None, float | None]:
    """Return moment and elapsed time of the most trusted statement, and record its witness."""
    last = Origin.TAG if indexed else Origin.FIRST_SEEN
    usable = [each for each in times if each.statement.origin <= last]
    if not usable:
        return None, None
    first = usable[0]
    for other in usable[1:]:
        if other.statement.origin <= Origin.NAME and _differ(first.value, other.value, run):
            evidence.contradict(
                "moment",
                (_text(first.value), first.statement),
                (_text(other.value), other.statement),
            )
    evidence.accepted["moment"] = stated_value(_text(first.value), first.statement)
    if isinstance(first.value, datetime):
        return first.value, None
    return None, float(first.value)


def _differ(one: datetime | float, other: datetime | float, run: RunConfig) -> bool:
    """Return whether two times lie more than half an interval apart."""
    mine, theirs = _since_start_s(one, run), _since_start_s(other, run)
    if isinstance(one, datetime) and isinstance(other, datetime):
        apart_s = (one - other).total_seconds()
    elif mine is None or theirs is None:
        return False
    else:
        apart_s = mine - theirs
    return abs(apart_s) > run.interval_h * _HOUR_S / 2


def _since_start_s(time: datetime | float, run: RunConfig) -> float | None:
    """Return the seconds since the start of the run; None where the start is not known."""
    if not isinstance(time, datetime):
        return float(time)
    started = run.started_at
    return None if started is None else (time - started).total_seconds()


def _text(value: datetime | float) -> str:
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    return f"{value / _HOUR_S:g} h after the start"


def _index(times: list[Claim], evidence: Evidence, run: RunConfig, where: object) -> int | None:
    """Return the time point that the most trusted time gives; None where no time is trusted so far.

    A time of day needs the start of the run. A time in a name must fit the interval; a date in a
    name must not be ignored, or the frames of all days would share one time point.
    """
    usable = [each for each in times if each.statement.origin <= Origin.NAME]
    since = ((each, _since_start_s(each.value, run)) for each in usable)
    first, since_start_s = next(
        ((each, elapsed_s) for each, elapsed_s in since if elapsed_s is not None), (None, 0.0)
    )
    if first is None:
        if not any(each.statement.origin is Origin.NAME for each in usable):
            return None
        raise FrameError(
            complaint(
                "file name holds a date, which needs the start of the run",
                where=where,
                do="set experiment.started_at",
            )
        )
    by_name = first.statement.origin is Origin.NAME
    intervals = since_start_s / (run.interval_h * _HOUR_S)
    if by_name and (intervals < -_DRIFT or abs(intervals - round(intervals)) > _DRIFT):
        raise FrameError(
            complaint(
                "time in the file name is not at a time point of the run",
                where=where,
                expected=f"a multiple of {run.interval_h:g} h",
                got=f"{since_start_s / _HOUR_S:.1f} h after the start",
                do="set experiment.interval_h (and started_at) to those of the time-lapse",
            )
        )
    index = max(0, round(intervals))
    evidence.accepted["time_point"] = stated_value(index, first.statement)
    return index
