"""Collects how files are read into equal cases: the facts of each and their origins. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from statistics import median

from scopewatch.app.explain.explanation import Case, Double, Explanation, Looked, Skipped
from scopewatch.config import RunConfig
from scopewatch.core.imaging.frame import FrameKey
from scopewatch.sources.base.evidence import Contradiction
from scopewatch.sources.base.facts import Origin
from scopewatch.sources.base.found import Found
from scopewatch.sources.base.reading import FrameReading
from scopewatch.sources.base.stacks.collecting import gather

FACTS = ("run", "plate", "well", "site", "time_point", "moment", "channel", "z", "um_per_px")
# What tells one case from another besides who speaks: a red frame is no phase frame.
_TELLING = ("channel", "z", "um_per_px")
_MOST_VALUES = 10_000
_MOST_DOUBLES = 20
# Times that lie nearer are those of one scan.
_AS_ONE_H = 0.05
_SOME_START = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(slots=True, kw_only=True)
class _Growing:
    """A case while frames are added to it."""

    example: str
    reading: FrameReading
    frames: int = 0
    values: dict[str, set[str]] = field(default_factory=dict)
    elapsed_s: set[float] = field(default_factory=set)
    moments: set[datetime] = field(default_factory=set)
    sizes_px: set[tuple[int, int]] = field(default_factory=set)


class Explaining:
    """Collects readings into cases.

    Parameters
    ----------
    run
        Its phase channel is the one that is scored; its start is day 0, else the first moment is.
    """

    def __init__(self, run: RunConfig) -> None:
        self._run = run
        self._cases: dict[tuple[object, ...], _Growing] = {}
        self._planes: list[Found] = []
        self._skipped: dict[str, Skipped] = {}
        self._places: dict[FrameKey, tuple[str, datetime | float | None]] = {}
        self._doubles: list[Double] = []
        self._doubled = 0
        self._contradictions: dict[tuple[str, ...], tuple[int, Contradiction]] = {}
        # The first moment of each time point of each run.
        self._moments: dict[str, dict[int, datetime]] = {}
        # The same where only the time since the start is known, as if that were a known moment.
        self._since_start: dict[str, dict[int, datetime]] = {}

    def add(self, found: Found) -> None:
        """Add a frame, a plane of a stack, or the reason why something is none."""
        if found.z is not None:
            self._planes.append(found)
        else:
            self._add(found)

    def _add(self, found: Found) -> None:
        if found.reading is None:
            self._skip(found)
            return
        reading = found.reading
        self._note_double(reading, found.locator)
        accepted = {name: reading.accepted[name] for name in FACTS if name in reading.accepted}
        witnesses = tuple((name, each.by) for name, each in accepted.items())
        distinct = (accepted[name].value for name in _TELLING if name in accepted)
        telling = (reading.key.run, *distinct)
        case = self._cases.get((witnesses, telling))
        if case is None:
            case = _Growing(example=found.locator, reading=reading)
            self._cases[witnesses, telling] = case
        case.frames += 1
        for name, each in accepted.items():
            values = case.values.setdefault(name, set())
            if len(values) < _MOST_VALUES:
                values.add(each.value)
        if reading.acquired_at is not None:
            _keep_extremes(case.moments, reading.acquired_at)
            _keep_first(self._moments, reading.key, reading.acquired_at)
        if reading.elapsed_s is not None:
            _keep_extremes(case.elapsed_s, reading.elapsed_s)
            moment = reading.accepted.get("moment")
            if moment is not None and moment.origin < Origin.INDEX:
                since = _SOME_START + timedelta(seconds=reading.elapsed_s)
                _keep_first(self._since_start, reading.key, since)
        if found.size_px is not None:
            case.sizes_px.add(found.size_px)
        for contradiction in reading.contradictions:
            kind = (contradiction.fact, contradiction.taken.by, contradiction.other.by)
            count, example = self._contradictions.get(kind, (0, contradiction))
            self._contradictions[kind] = (count + 1, example)

    def finish(self, looked: Looked) -> Explanation:
        """Return what was collected, the most frequent first."""
        for stack in gather(self._planes):
            self._add(stack)
        self._planes = []
        cases = [self._finish(case) for case in self._cases.values()]
        return Explanation(
            place=looked.place,
            kind=looked.kind,
            pattern=looked.pattern,
            zone=looked.zone,
            listed=looked.listed,
            opened=looked.opened,
            named=looked.named,
            cases=tuple(sorted(cases, key=lambda case: -case.frames)),
            skipped=tuple(sorted(self._skipped.values(), key=lambda each: -each.files)),
            doubles=tuple(self._doubles),
            doubled=self._doubled,
            contradictions=tuple(sorted(self._contradictions.values(), key=lambda each: -each[0])),
            warnings=self._warnings(),
            measured_interval_h=self._measured_interval_h(),
        )

    def _note_double(self, reading: FrameReading, place: str) -> None:
        # A time that follows from the time point is that of both.
        taken = reading.acquired_at if reading.acquired_at is not None else reading.elapsed_s
        first, before = self._places.setdefault(reading.key, (place, taken))
        if first != place:
            self._doubled += 1
            if len(self._doubles) < _MOST_DOUBLES:
                apart_h = _apart_h(before, taken)
                self._doubles.append(
                    Double(key=reading.key, places=(first, place), apart_h=apart_h)
                )

    def _skip(self, found: Found) -> None:
        what = found.reason.partition(":")[0]
        known = self._skipped.get(what)
        if known is None:
            known = Skipped(files=0, example=found.locator, reason=found.reason)
        self._skipped[what] = Skipped(
            files=known.files + 1, example=known.example, reason=known.reason
        )

    def _finish(self, case: _Growing) -> Case:
        days = [seconds / 86_400 for seconds in case.elapsed_s]
        moments = self._moments.get(case.reading.key.run, {})
        origin = self._run.started_at or min(moments.values(), default=None)
        if origin is not None:
            days += [(moment - origin) / timedelta(days=1) for moment in case.moments]
        return Case(
            frames=case.frames,
            example=case.example,
            who={name: case.reading.accepted[name].by for name in case.values},
            values={name: frozenset(values) for name, values in case.values.items()},
            days=(min(days), max(days)) if days else None,
            sizes_px=tuple(sorted(case.sizes_px)),
            scored=case.reading.key.channel == self._run.phase_channel,
        )

    def _measured_interval_h(self) -> float | None:
        gaps = [
            (moments[later] - moments[earlier]) / timedelta(hours=later - earlier)
            for moments in (*self._moments.values(), *self._since_start.values())
            for earlier, later in pairwise(sorted(moments))
        ]
        return median(gaps) if gaps else None

    def _warnings(self) -> tuple[str, ...]:
        """Note where times cannot be those of the time points."""
        if self._run.day_from == "time_point":
            return ()
        interval_h = self._run.interval_h
        return tuple(
            f"run {run}: {warning}"
            for run, moments in (*self._moments.items(), *self._since_start.items())
            if (warning := _doubt_times(moments, interval_h)) is not None
        )


def _doubt_times(moments: Mapping[int, datetime], interval_h: float) -> str | None:
    """Return why the moments cannot be those of the time points; None where they may."""
    points = sorted(moments)
    if len(points) < 2:
        return None
    advice = "set experiment.day_from: time_point, or correct experiment.interval_h"
    ordered = [moments[point] for point in points]
    planned = timedelta(hours=interval_h * (points[-1] - points[0]))
    span = max(ordered) - min(ordered)
    if not planned / 10 <= span <= planned * 10:
        return (
            f"{len(points)} time points take {_duration(span)}, where interval_h gives"
            f" {_duration(planned)}; {advice}"
        )
    if ordered != sorted(ordered):
        return f"times do not grow with the time points; {advice}"
    return None


def _apart_h(one: datetime | float | None, other: datetime | float | None) -> float | None:
    """Return the hours between two times; None where they cannot be compared, or are as one."""
    if isinstance(one, datetime) and isinstance(other, datetime):
        hours = abs((one - other) / timedelta(hours=1))
    elif isinstance(one, float) and isinstance(other, float):
        hours = abs(one - other) / 3600
    else:
        return None
    return hours if hours >= _AS_ONE_H else None


def _keep_first(moments: dict[str, dict[int, datetime]], key: FrameKey, moment: datetime) -> None:
    """Keep the first moment of a time point."""
    of_run = moments.setdefault(key.run, {})
    of_run[key.time_point] = min(of_run.get(key.time_point, moment), moment)


def _keep_extremes(values: set, value: object) -> None:  # type: ignore[type-arg]
    """Keep the least and the greatest of what is added."""
    values.add(value)
    if len(values) > 2:
        values.intersection_update({min(values), max(values)})


def _duration(span: timedelta) -> str:
    hours = span / timedelta(hours=1)
    if hours >= 48:
        return f"{hours / 24:.1f} days"
    return f"{hours:.1f} h" if hours >= 1 else f"{hours * 60:.0f} min"
