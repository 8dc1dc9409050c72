"""The plan of a time-lapse, kept beside its images: `scopewatch-plan.json` in the newest data set.

From the images alone a changed interval looks like a late time point, and a position that was
added looks like one that was never reached.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal, Self

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    ValidationError,
    model_validator,
)

from scopewatch.files import whole_file
from scopewatch.sources.micromanager.acquired import own_data_sets
from scopewatch.sources.micromanager.focus.file import FocusFile
from scopewatch.sources.micromanager.focus.kept import FocusKept
from scopewatch.sources.micromanager.schedule.grid import Grid, Step
from scopewatch.sources.micromanager.schedule.planned import Planned
from scopewatch.sources.micromanager.schedule.spans import Span
from scopewatch.sources.micromanager.stacks.planes import StackSince, ZStack

PLAN_FILE = "scopewatch-plan.json"
_MOST_BYTES = 16 * 1024 * 1024
_Index = Annotated[int, Field(ge=0)]


class _Image(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    position: str
    channel: str | None = None
    since: _Index


class _Step(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    since: Annotated[int, Field(ge=1)]
    interval_s: Annotated[float, Field(gt=0)]


class _Period(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    channel: str | None
    every: Annotated[int, Field(ge=1)] | Literal["final"]


class _Span(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    position: str
    since: _Index
    until: _Index | None = None


class _Stack(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    since: _Index
    offsets_um: tuple[FiniteFloat, ...]
    channels: tuple[str | None, ...]


class _File(BaseModel):
    """What the file holds; what later versions add is passed over."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    began_at: AwareDatetime
    next_time_point: _Index
    next_at: AwareDatetime
    interval_s: Annotated[float, Field(gt=0)]
    time_points: Annotated[int, Field(ge=1)]
    over: Annotated[int, Field(ge=-1)]
    images: tuple[_Image, ...]
    then: tuple[_Step, ...] = ()
    periods: tuple[_Period, ...] = ()
    extra: tuple[_Index, ...] = ()
    skips: tuple[_Span, ...] = ()
    added: tuple[_Span, ...] = ()
    stacks: tuple[_Stack, ...] = ()
    focus: FocusFile = FocusFile()

    @model_validator(mode="after")
    def _steps_are_in_order(self) -> Self:
        since = [step.since for step in self.then]
        stacks = [each.since for each in self.stacks]
        if since != sorted(set(since)) or list(self.extra) != sorted(set(self.extra)):
            raise ValueError("steps and extra time points are not in order")
        if stacks != sorted(set(stacks)):
            raise ValueError("stacks are not in order")
        return self


@dataclass(frozen=True, slots=True)
class KeptRun:
    """A time-lapse as it was kept last: its plan, and what is known of the focus."""

    planned: Planned
    focus: FocusKept


def read_kept(path: Path, run: str) -> KeptRun | None:
    """Return what was kept last; None where nothing can be read.

    Raises
    ------
    OSError
        When the folder cannot be read.
    """
    kept = (_load(folder / PLAN_FILE) for folder in own_data_sets(path, run))
    file = next((each for each in kept if each is not None), None)
    return None if file is None else KeptRun(_planned(file), file.focus.kept())


def write_plan(folder: Path, planned: Planned, focus: FocusKept | None = None) -> None:
    """Keep a plan in a data set: whole or not at all. Raises OSError."""
    file = _File(
        began_at=planned.began_at,
        next_time_point=planned.grid.first,
        next_at=planned.grid.first_at,
        interval_s=planned.grid.interval_s,
        time_points=planned.time_points,
        over=planned.over,
        images=tuple(
            _Image(position=position, channel=channel, since=since)
            for (position, channel), since in planned.since.items()
        ),
        then=tuple(
            _Step(since=step.since, interval_s=step.interval_s) for step in planned.grid.then
        ),
        periods=tuple(
            _Period(channel=channel, every=every) for channel, every in planned.periods.items()
        ),
        extra=planned.extra,
        skips=_written(planned.skips),
        added=_written(planned.added),
        stacks=tuple(
            _Stack(
                since=each.since,
                offsets_um=each.stack.offsets_um,
                channels=tuple(sorted(each.stack.channels, key=str)),
            )
            for each in planned.stacks
        ),
        focus=FocusFile.of(focus or FocusKept()),
    )
    text = json.dumps(file.model_dump(mode="json"), indent=1, ensure_ascii=False)
    with whole_file(folder / PLAN_FILE) as part:
        part.touch(mode=0o600)
        part.write_text(text, encoding="utf-8")


def _load(path: Path) -> _File | None:
    try:
        with path.open("rb") as file:
            return _File.model_validate_json(file.read(_MOST_BYTES))
    except (OSError, ValidationError):
        return None  # the images alone are gone by, as where nothing was kept


def _planned(kept: _File) -> Planned:
    first_at: datetime = kept.next_at
    return Planned(
        grid=Grid(
            first=kept.next_time_point,
            first_at=first_at,
            interval_s=kept.interval_s,
            then=tuple(Step(since=each.since, interval_s=each.interval_s) for each in kept.then),
        ),
        began_at=kept.began_at,
        time_points=kept.time_points,
        over=kept.over,
        since=MappingProxyType({(each.position, each.channel): each.since for each in kept.images}),
        periods=MappingProxyType({each.channel: each.every for each in kept.periods}),
        extra=kept.extra,
        skips=_spans(kept.skips),
        added=_spans(kept.added),
        stacks=tuple(
            StackSince(
                since=each.since,
                stack=ZStack(offsets_um=each.offsets_um, channels=frozenset(each.channels)),
            )
            for each in kept.stacks
        ),
    )


def _written(spans: tuple[Span, ...]) -> tuple[_Span, ...]:
    return tuple(
        _Span(position=each.position, since=each.since, until=each.until) for each in spans
    )


def _spans(written: tuple[_Span, ...]) -> tuple[Span, ...]:
    return tuple(
        Span(position=each.position, since=each.since, until=each.until) for each in written
    )
