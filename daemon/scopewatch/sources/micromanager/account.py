"""What a time-lapse has taken, what of its plan is missing, and why."""

from scopewatch.config import MicroManagerSourceConfig
from scopewatch.sources.micromanager.acquired import Place, events_of, images_of, place_of
from scopewatch.sources.micromanager.events import Axes, ImagesMissingError
from scopewatch.sources.micromanager.plan_kept import KeptPlan
from scopewatch.sources.micromanager.time_lapse import TimeLapse


class Account:
    """The images of one time-lapse. Images are noted by any thread, all else by the one."""

    def __init__(self, config: MicroManagerSourceConfig, plan: KeptPlan, lapse: TimeLapse) -> None:
        self._config = config
        self._plan = plan
        self._lapse = lapse
        self._done: set[Place] = set()
        self._again: set[Place] = set()
        self._images = frozenset(images_of(config))
        self._causes: dict[Place, str] = {}
        self._shortfall: tuple[int, str] | None = None

    @property
    def is_empty(self) -> bool:
        """Whether no image was taken yet."""
        return not self._done

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to acquire, missed or not."""
        left = range(self._lapse.over + 1, self._plan.time_points)
        return not any(self.missing(index) for index in left)

    @property
    def next_incomplete(self) -> int:
        """The first time point that is not complete; their number when all are."""
        time_points = self._plan.time_points
        return next((each for each in range(time_points) if self.missing(each)), time_points)

    @property
    def shortfall(self) -> str:
        """How many images are missing, and why, of a time-lapse that failed to its end; else ''."""
        last = self._plan.time_points - 1
        if not self.is_over or not self.missing(last):
            return ""
        if self._shortfall is None or self._shortfall[0] != len(self._done):
            counted = [len(self.missing(index)) for index in range(last + 1)]
            # Images beyond the plan do not count.
            planned = sum(counted) + sum(each[1:] in self._images for each in self._done)
            why = self.why(self.missing(last)[-1])
            summary = f"plan over, {sum(counted)} of {planned} images are missing; the last: {why}"
            self._shortfall = len(self._done), summary
        return self._shortfall[1]

    def missing(self, index: int) -> list[Place]:
        """Return the images of a time point that are not there, in order of acquisition.

        Those of positions and channels that were added later, or are not taken at each time point,
        are not missing.
        """
        return [
            place
            for place in events_of(self._config, index)
            if place not in self._done and self._plan.has(place)
        ]

    def has_some(self, index: int) -> bool:
        """Tell whether an image of a time point was taken."""
        return not self._done.isdisjoint(events_of(self._config, index))

    def why(self, place: Place) -> str:
        """Return why an image of a time point that is over is missing."""
        return self._causes.get(place) or self._lapse.why(place[0])

    def has(self, place: Place, *, twice: bool = False) -> bool:
        """Tell whether an image was taken, planned or not; more than once where asked for."""
        return place in (self._again if twice else self._done)

    def found(self, places: frozenset[Place], again: frozenset[Place] = frozenset()) -> None:
        """Note images that are on disk, and which of them are there more than once."""
        self._done |= places
        self._again |= again

    def saved(self, axes: Axes) -> None:
        """Note an image that was taken."""
        place = place_of(axes)
        if place is not None:
            if place in self._done:
                self._again.add(place)
            self._done.add(place)
            self._causes.pop(place, None)

    def blame(self, error: Exception) -> None:
        """Keep why each image failed, for the report at the end of its time point."""
        if isinstance(error, ImagesMissingError):
            for axes, why in error.causes:
                place = place_of(axes)
                if place is not None:
                    self._causes[place] = why
