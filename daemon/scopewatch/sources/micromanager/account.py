"""What a time-lapse has taken, what of its plan is missing, and why.

A z-stack is there once all of its planes are.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

from scopewatch.config import MicroManagerSourceConfig
from scopewatch.sources.micromanager.events import Axes, Event, ImagesMissingError
from scopewatch.sources.micromanager.images import Place, events_of, images_of, place_of, plane_of
from scopewatch.sources.micromanager.schedule.plan_kept import KeptPlan
from scopewatch.sources.micromanager.schedule.time_lapse import TimeLapse
from scopewatch.sources.micromanager.stacks.planes import Plane


class Account:
    """The images of one time-lapse. Images are noted by any thread, all else by the one."""

    def __init__(self, config: MicroManagerSourceConfig, plan: KeptPlan, lapse: TimeLapse) -> None:
        self._config = config
        self._plan = plan
        self._lapse = lapse
        self._planes: dict[Place, Counter[Plane]] = {}
        self._done: set[Place] = set()
        self._again: set[Place] = set()
        self._images = frozenset(images_of(config))
        self._causes: dict[Place, str] = {}
        self._shortfall: tuple[int, str] | None = None

    @property
    def is_empty(self) -> bool:
        """Whether no image was taken yet."""
        return not self._planes

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
        return not self._planes.keys().isdisjoint(events_of(self._config, index))

    def events(self, wanted: Iterable[Event]) -> list[Event]:
        """Return the events that take images: of a stack, of each plane that is not there.

        Of an image that is there, all its planes are taken again.
        """
        events: list[Event] = []
        for event in wanted:
            place = place_of(event["axes"])
            if place is None:
                raise ValueError(f"event of no image of the plan: {event['axes']}")
            planes = self._plan.planes(place)
            missing = [each for each in planes if place in self._done or not self._has(place, each)]
            events += self._plan.stack(place[0]).events(event, missing)
        return events

    def why(self, place: Place) -> str:
        """Return why an image of a time point that is over is missing."""
        why = self._causes.get(place) or self._lapse.why(place[0])
        planes = self._plan.planes(place)
        there = sum(self._has(place, each) for each in planes)
        if not there:
            return why
        return f"{len(planes) - there} of {len(planes)} planes of its z-stack never came: {why}"

    def has(self, place: Place, *, twice: bool = False) -> bool:
        """Tell whether an image was taken, planned or not; more than once where asked for."""
        return place in (self._again if twice else self._done)

    def found(self, planes: Mapping[Place, Mapping[Plane, int]]) -> None:
        """Note images that are on disk: how often each of their planes is there."""
        for place, counts in planes.items():
            known = self._planes.setdefault(place, Counter())
            for plane, count in counts.items():
                known[plane] = max(known[plane], count)
            self._judge(place)

    def saved(self, axes: Axes) -> None:
        """Note an image, or one plane of it, that was taken."""
        place = place_of(axes)
        if place is not None:
            self._planes.setdefault(place, Counter())[plane_of(axes)] += 1
            self._judge(place)

    def _judge(self, place: Place) -> None:
        counts, planes = self._planes[place], self._plan.planes(place)
        # Where the kept plan is lost, what is on disk may be a stack, or none, against the plan.
        otherwise = max(counts.values()) if planes == (None,) else counts[None]
        fewest = max(min(counts[each] for each in planes), otherwise)
        if fewest:
            self._done.add(place)
            self._causes.pop(place, None)
        if fewest > 1:
            self._again.add(place)

    def _has(self, place: Place, plane: Plane) -> bool:
        return place in self._planes and self._planes[place][plane] > 0

    def blame(self, error: Exception) -> None:
        """Keep why each image failed, for the report at the end of its time point."""
        if isinstance(error, ImagesMissingError):
            for axes, why in error.causes:
                place = place_of(axes)
                if place is not None:
                    self._causes[place] = why
