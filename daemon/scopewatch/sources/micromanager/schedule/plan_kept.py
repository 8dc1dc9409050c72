"""The plan of a time-lapse over restarts and reloads: taken up from disk, and kept there."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from scopewatch.config import MicroManagerSourceConfig
from scopewatch.event_log import get_logger
from scopewatch.sources.micromanager.acquired import Acquired, own_data_sets
from scopewatch.sources.micromanager.focus.kept import FocusKept
from scopewatch.sources.micromanager.images import Place, images_of, periods_of, steps_of
from scopewatch.sources.micromanager.schedule.grid import Grid
from scopewatch.sources.micromanager.schedule.plan_file import read_kept, write_plan
from scopewatch.sources.micromanager.schedule.planned import (
    Image,
    Planned,
    begun,
    put_between,
    take_up,
)
from scopewatch.sources.micromanager.schedule.spans import begin, covered, end
from scopewatch.sources.micromanager.stacks.planes import Plane, ZStack, z_stack_of

# Where nothing has begun, only what is planned matters, not when.
_NEVER = Grid(first=0, first_at=datetime.max.replace(tzinfo=UTC), interval_s=1.0)

log = get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class AcquisitionPlan:
    """The time-lapse.

    Parameters
    ----------
    next_time_point
        The first that is not complete on disk, `time_points` when all are.
    began_at
        When time point 0 was; None before it.
    """

    interval_s: float
    time_points: int
    next_time_point: int
    began_at: datetime | None


class KeptPlan:
    """The plan of one source, and where it is kept. Not thread-safe.

    Attributes
    ----------
    change
        How the plan that was taken up differs from the one before; '' where it does not.
    focus
        What was kept of the focus of the time-lapse that was taken up.
    """

    def __init__(self, config: MicroManagerSourceConfig, run: str) -> None:
        self._config = config
        self._run = run
        self._planned: Planned | None = None
        self._kept: tuple[Path, Planned, FocusKept] | None = None
        self._failed = False
        # `has` is asked for every image of a time point, also before the first plan is kept.
        self._unbegun = self._begun(_NEVER)
        self.change = ""
        self.focus = FocusKept()

    @property
    def time_points(self) -> int:
        """How many time points there are, with those that were put in between."""
        extra = 0 if self._planned is None else len(self._planned.extra)
        return self._config.planned_time_points + extra

    @property
    def began_at(self) -> datetime | None:
        """When time point 0 was; None where no plan is kept yet."""
        return None if self._planned is None else self._planned.began_at

    def has(self, place: Place) -> bool:
        """Tell whether an image is planned for its time point."""
        index, label, channel = place
        planned = self._planned or self._unbegun
        return planned.has(index, (label, channel))

    def stack(self, index: int) -> ZStack:
        """Return the planes of a time point."""
        return (self._planned or self._unbegun).stack(index)

    def planes(self, place: Place) -> tuple[Plane, ...]:
        """Return the planes of an image."""
        return self.stack(place[0]).planes(place[2])

    def put_between(self, grid: Grid, now: datetime) -> Grid:
        """Put one more time point in between, due now; return the grid as it is then."""
        self._planned = put_between(replace(self._current(grid), grid=grid), now)
        return self._planned.grid

    def leave_out(self, grid: Grid, positions: Collection[str], index: int) -> None:
        """Leave out the images of positions from a time point on."""
        planned = self._current(grid)
        self._planned = replace(planned, skips=begin(planned.skips, positions, index))

    def take_in(self, grid: Grid, positions: Collection[str], index: int) -> None:
        """Take the images of positions again from a time point on."""
        planned = self._current(grid)
        self._planned = replace(planned, skips=end(planned.skips, positions, index))

    def add(self, grid: Grid, positions: Collection[str], index: int) -> None:
        """Take further positions beyond the plan from a time point on."""
        planned = self._current(grid)
        self._planned = replace(planned, added=begin(planned.added, positions, index))

    def drop(self, grid: Grid, positions: Collection[str], index: int) -> None:
        """Take further positions no more from a time point on."""
        planned = self._current(grid)
        self._planned = replace(planned, added=end(planned.added, positions, index))

    def skipped(self, index: int) -> frozenset[str]:
        """Return the positions that are left out of a time point."""
        return frozenset() if self._planned is None else covered(self._planned.skips, index)

    def added(self, index: int) -> frozenset[str]:
        """Return the further positions that are taken at a time point."""
        return frozenset() if self._planned is None else covered(self._planned.added, index)

    def take_up(self, found: Acquired, now: datetime) -> Grid | None:
        """Go on with the time-lapse that is on disk, as it is planned now; None where none is."""
        config = self._config
        kept = read_kept(config.path, self._run) if found.planes else None
        before = None if kept is None else kept.planned
        self.focus = FocusKept() if kept is None else kept.focus
        grid = found.grid()
        if before is None and grid is not None:
            before = self._begun(grid)
        if before is None:
            return None
        partly = [
            place
            for place, planes in found.planes.items()
            if any(plane not in planes for plane in before.stack(place[0]).planes(place[2]))
        ]
        self._planned = take_up(
            before,
            interval_s=config.timing[0].interval_s,
            time_points=config.planned_time_points,
            then=steps_of(config),
            periods=periods_of(config),
            images=images_of(config),
            stack=z_stack_of(config),
            taken=_images(found.planes),
            partly=_images(partly),
            now=now,
        )
        grid = self._planned.grid
        if grid != before.grid:
            event = {
                "source": config.name,
                "time_point": grid.first,
                "at": grid.first_at.isoformat(timespec="seconds"),
                "interval_s": grid.interval_of(grid.first),
            }
            log.info("time-lapse goes on by a changed plan", **event)
            self.change = (
                f"goes on by a changed plan: time point {grid.first} at"
                f" {grid.first_at:%Y-%m-%d %H:%M} UTC, every {grid.interval_of(grid.first):g} s"
            )
        return grid

    def keep(self, grid: Grid, over: int, focus: FocusKept, *, fresh: bool) -> None:
        """Keep the plan beside the newest images, where not this one is kept there. Never raises.

        Parameters
        ----------
        over
            The last time point that is not acquired any more.
        focus
            What is known of it.
        fresh
            Whether a data set may have begun since: only then is the folder of the images listed.
        """
        config = self._config
        planned = self._current(grid)
        self._planned = planned = replace(planned, over=max(planned.over, over))
        if not fresh and self._kept is not None and self._kept[1:] == (planned, focus):
            return
        try:
            folder = next(own_data_sets(config.path, self._run), None)
            if folder is None or self._kept == (folder, planned, focus):
                return
            write_plan(folder, planned, focus)
        except OSError as error:
            if not self._failed:
                event = {"source": config.name, "reason": error.strerror}
                log.warning("plan of the time-lapse cannot be kept", **event)
            self._kept, self._failed = None, True
        else:
            self._kept, self._failed = (folder, planned, focus), False

    def _current(self, grid: Grid) -> Planned:
        """Return the plan as it is now, or as it begins."""
        return self._planned or self._begun(grid)

    def _begun(self, grid: Grid) -> Planned:
        config = self._config
        return begun(
            grid,
            config.planned_time_points,
            images_of(config),
            periods=periods_of(config),
            stack=z_stack_of(config),
        )


def _images(places: Iterable[Place]) -> frozenset[tuple[int, Image]]:
    return frozenset((index, (label, channel)) for index, label, channel in places)
