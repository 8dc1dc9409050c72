"""What is known of the focus of a time-lapse: where it was found, and where it failed. Pure.

A focus is kept as a correction: how far the plane that the autofocus finds lies from the planned
one. A time point starts from the correction that was found last, and a failure changes none of it.
Heights are of the focus drive, in micrometres.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from statistics import median
from types import MappingProxyType

from scopewatch.config import FocusConfig, PositionConfig
from scopewatch.core.acquisition.standing import FocusPoint, FocusStanding

# Beyond it the oldest go; 96 wells x 2 sites fail for 50 time points until then.
MOST_MARKS = 10_000
MOST_PASSES = 1_000
MOST_REPORTED = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodFocus:
    """What was found last at a position.

    Parameters
    ----------
    planned_um
        The plane that it was planned to lie in; another one later makes it void.
    correction_um
        How far from it the focus was.
    time_point
        When.
    """

    planned_um: float
    correction_um: float
    time_point: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FocusPass:
    """How the focus went at one time point.

    Parameters
    ----------
    focused
        Positions whose focus was found, there or at their reference.
    drift_um
        The median of their corrections; None where every search failed.
    failed
        Why it failed, by position.
    """

    time_point: int
    at: datetime
    focused: int
    drift_um: float | None
    failed: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class FocusKept:
    """What is known of the focus of a time-lapse.

    Parameters
    ----------
    home_um
        Where the focus was as the run began: the plan of positions without `z_um`.
    good
        What was found last, by position.
    passes
        How it went, the newest last.
    marks
        Why images were taken though the focus had failed, by time point and position.
    """

    home_um: float | None = None
    good: Mapping[str, GoodFocus] = field(default_factory=lambda: MappingProxyType({}))
    passes: tuple[FocusPass, ...] = ()
    marks: Mapping[tuple[int, str], str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def drift_um(self) -> float | None:
        """How far the focus went since the plan was made; None where none was found yet."""
        found = [each.drift_um for each in self.passes if each.drift_um is not None]
        return found[-1] if found else None

    def planned_um(self, position: PositionConfig) -> float:
        """Return the plane in which the focus of a position is planned to lie."""
        if position.z_um is not None:
            return position.z_um - position.focus_offset_um
        if self.home_um is None:
            raise ValueError(f"position {position.label!r} has no z_um, and home_um is not known")
        return self.home_um

    def knows_planned_um(self, positions: Iterable[PositionConfig]) -> bool:
        """Tell whether `planned_um` is known of all positions."""
        return self.home_um is not None or all(each.z_um is not None for each in positions)

    def correction_um(self, position: PositionConfig) -> float:
        """Return the last good correction of a position, 0 where there is none."""
        good = self.good.get(position.label)
        if good is None or good.planned_um != self.planned_um(position):
            return 0.0
        return good.correction_um

    def image_um(self, position: PositionConfig) -> float:
        """Return where a position is imaged by its last good correction."""
        return self.planned_um(position) + self.correction_um(position) + position.focus_offset_um

    def with_found(
        self, positions: Sequence[PositionConfig], correction_um: float, time_point: int
    ) -> "FocusKept":
        """Return what is known once a correction was found that is good for some positions."""
        fresh = {
            each.label: GoodFocus(
                planned_um=self.planned_um(each),
                correction_um=correction_um,
                time_point=time_point,
            )
            for each in positions
        }
        return replace(self, good=MappingProxyType({**self.good, **fresh}))

    def with_marks(self, time_point: int, labels: Sequence[str], why: str) -> "FocusKept":
        """Return it with images of a time point marked as taken without focus."""
        marks = {**self.marks, **{(time_point, label): why for label in labels}}
        kept = dict(sorted(marks.items())[-MOST_MARKS:])
        return replace(self, marks=MappingProxyType(kept))

    def without_marks(self, time_point: int, labels: Sequence[str]) -> "FocusKept":
        """Return it without the marks of images that were repeated in focus."""
        again = {(time_point, label) for label in labels}
        if again.isdisjoint(self.marks):
            return self
        kept = {place: why for place, why in self.marks.items() if place not in again}
        return replace(self, marks=MappingProxyType(kept))

    def with_pass(
        self, time_point: int, at: datetime, tried: Sequence[str], failed: Mapping[str, str]
    ) -> "FocusKept":
        """Return it with how a time point went, or another try of one that is known.

        Parameters
        ----------
        tried
            Labels where the focus was looked for.
        failed
            Why it was not found at some of them.
        """
        good = [each.correction_um for each in self.good.values() if each.time_point == time_point]
        known = [each for each in self.passes if each.time_point == time_point]
        still = {
            label: why for each in known for label, why in each.failed.items() if label not in tried
        }
        done = FocusPass(
            time_point=time_point,
            at=at,
            focused=len(good),
            drift_um=median(good) if good else None,
            failed=MappingProxyType({**still, **failed}),
        )
        return self.passed(done)

    def passed(self, done: FocusPass) -> "FocusKept":
        """Return it with how a time point went, in place of what was known of that one."""
        others = self.without_pass(done.time_point).passes
        return replace(self, passes=(*others, done)[-MOST_PASSES:])

    def without_pass(self, time_point: int) -> "FocusKept":
        """Return it without how a time point went."""
        others = tuple(each for each in self.passes if each.time_point != time_point)
        return replace(self, passes=others)


def standing_of(kept: FocusKept, focus: FocusConfig) -> FocusStanding | None:
    """Return the state of the focus; None where it is not used."""
    if focus.method == "none":
        return None
    if not kept.passes:
        return FocusStanding(method=focus.method)
    last = kept.passes[-1]
    return FocusStanding(
        method=focus.method,
        time_point=last.time_point,
        drift_um=kept.drift_um,
        focused=last.focused,
        failed=len(last.failed),
        reason=next((f"{label}: {why}" for label, why in last.failed.items()), ""),
        course=tuple(
            FocusPoint(
                time_point=each.time_point,
                at=each.at,
                drift_um=each.drift_um,
                failed=len(each.failed),
            )
            for each in kept.passes[-MOST_REPORTED:]
        ),
    )


def failure_of(kept: FocusKept, focus: FocusConfig, time_point: int) -> str:
    """Say where the focus failed at a time point, and why; '' where it did not."""
    standing = standing_of(kept, focus)
    if standing is None or standing.time_point != time_point or not standing.failed:
        return ""
    where = f"{standing.failed} places" if standing.failed > 1 else "one place"
    return f"focus failed at {where} of time point {time_point}: {standing.reason}"
