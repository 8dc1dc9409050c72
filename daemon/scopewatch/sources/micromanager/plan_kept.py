"""The plan of a time-lapse over restarts and reloads: taken up from disk, and kept there."""

import logging
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from scopewatch.config import MicroManagerSourceConfig
from scopewatch.sources.micromanager.acquired import Acquired, Place, images_of
from scopewatch.sources.micromanager.focus import FocusKept
from scopewatch.sources.micromanager.grid import Grid, Planned, begun, take_up
from scopewatch.sources.micromanager.plan_file import (
    own_data_sets,
    read_focus,
    read_plan,
    write_plan,
)

log = logging.getLogger(__name__)


class KeptPlan:
    """The plan of one source, and where it is kept. Not thread-safe."""

    def __init__(self, config: MicroManagerSourceConfig, experiment: str) -> None:
        self._config = config
        self._experiment = experiment
        self._planned: Planned | None = None
        self._kept: tuple[Path, Planned, FocusKept] | None = None
        self._failed = False

    @property
    def began_at(self) -> datetime | None:
        """When time point 0 was; None where no plan is kept yet."""
        return None if self._planned is None else self._planned.began_at

    def begins(self, place: Place) -> int:
        """Return the first time point that an image of the plan belongs to."""
        _, label, channel = place
        return 0 if self._planned is None else self._planned.since.get((label, channel), 0)

    def take_up(self, found: Acquired, now: datetime) -> Grid | None:
        """Go on with the time-lapse that is on disk, as it is planned now; None where none is."""
        config = self._config
        before = read_plan(config.path, self._experiment) if found.places else None
        grid = found.grid()
        if before is None and grid is not None:
            before = begun(grid, config.time_points, images_of(config))
        if before is None:
            return None
        self._planned = take_up(
            before,
            interval_s=config.interval_s,
            time_points=config.time_points,
            images=images_of(config),
            taken=frozenset((index, (label, channel)) for index, label, channel in found.places),
            now=now,
        )
        grid = self._planned.grid
        if grid != before.grid:
            event = {
                "source": config.name,
                "time_point": grid.first,
                "at": grid.first_at.isoformat(timespec="seconds"),
                "interval_s": config.interval_s,
            }
            log.info("time-lapse goes on by a changed plan", extra={"event": event})
        return grid

    def focus(self, found: Acquired) -> FocusKept:
        """Return what is kept of the focus of the time-lapse that is on disk."""
        return read_focus(self._config.path, self._experiment) if found.places else FocusKept()

    def keep(self, grid: Grid, over: int, focus: FocusKept, *, anew: bool) -> None:
        """Keep the plan beside the newest images, where not this one is kept there. Never raises.

        Parameters
        ----------
        over
            The last time point that is not acquired any more.
        focus
            What is known of it.
        anew
            Whether a data set may have begun since: only then is the folder of the images listed.
        """
        config = self._config
        planned = self._planned or begun(grid, config.time_points, images_of(config))
        self._planned = planned = replace(planned, over=max(planned.over, over))
        if not anew and self._kept is not None and self._kept[1:] == (planned, focus):
            return
        try:
            folder = next(own_data_sets(config.path, self._experiment), None)
            if folder is None or self._kept == (folder, planned, focus):
                return
            write_plan(folder, planned, focus)
        except OSError as error:
            if not self._failed:
                event = {"source": config.name, "reason": error.strerror}
                log.warning("plan of the time-lapse cannot be kept", extra={"event": event})
            self._kept, self._failed = None, True
        else:
            self._kept, self._failed = (folder, planned, focus), False
