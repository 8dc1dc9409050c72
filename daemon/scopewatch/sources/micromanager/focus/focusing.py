"""Takes the images of a time point in focus: finds it where it is due, and keeps what was found.

For each stop:

    find the focus --found---> its images, at the height found or under the lock
                   '-failed--> `image`: its images at the last good height, marked
                               `skip`: none of them, tried again with the time point
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from datetime import datetime
from statistics import median
from types import MappingProxyType

from scopewatch.config import MicroManagerSourceConfig
from scopewatch.sources.micromanager.events import Event, HeldError, ImagesMissingError, never
from scopewatch.sources.micromanager.focus.drive import Drive, FocusError, FocusOrder
from scopewatch.sources.micromanager.focus.following import Following
from scopewatch.sources.micromanager.focus.heights import ImageHeights
from scopewatch.sources.micromanager.focus.kept import FocusKept
from scopewatch.sources.micromanager.focus.outcome import LOST_LOCK, FocusOutcome
from scopewatch.sources.micromanager.focus.search import Stop, band, stops
from scopewatch.sources.micromanager.images import Place
from scopewatch.sources.micromanager.stacks.planes import Plane

Acquire = Callable[[Sequence[Event]], None]


@dataclass(frozen=True, slots=True)
class _Pass:
    """One use of the microscope, for a time point or for one image beyond the plan.

    Parameters
    ----------
    acquire
        Takes images. Raises SourceError.
    with_heights
        Whether the drive is sent to a height for each image, so that no lock holds it.
    skips
        Whether images without focus are left out; else they are taken at the last good height.
    """

    drive: Drive
    acquire: Acquire
    outcome: FocusOutcome
    _: KW_ONLY
    with_heights: bool
    skips: bool


class Focusing:
    """The focus of one source. Not thread-safe.

    Parameters
    ----------
    wells
        The well of each position label.
    drive
        Gives the focus drive of the microscope that is open.
    like
        Of each position beyond the plan, that of the plan whose focus it has.
    planes
        Returns the planes of an image; those of a stack need heights, which a lock does not allow.

    Attributes
    ----------
    following
        Receives the sharpest planes of z-stacks; any thread.
    """

    def __init__(
        self,
        config: MicroManagerSourceConfig,
        wells: Mapping[str, str],
        drive: Callable[[], Drive],
        like: Mapping[str, str] = MappingProxyType({}),
        *,
        planes: Callable[[Place], tuple[Plane, ...]] = lambda _: (None,),
    ) -> None:
        self._config = config
        self._focus = config.focus
        self._locks = config.focus.method == "lock"
        self._name = config.name
        self._wells = wells
        self._drive = drive
        self._like = like
        self._heights = ImageHeights(config, like, planes)
        given = {each.label: each.focus_offset_um for each in config.positions}
        self._offsets = given if self._locks and any(given.values()) else {}
        self.following = Following(config)
        self.kept = FocusKept()

    def follow(self, over: int, now: Callable[[], datetime], notify: Callable[[str], None]) -> bool:
        """Move the focus by the planes of time points that are over; return whether it did."""
        before, self.kept = self.kept, self.following.follow(self.kept, over, now, notify)
        return self.kept is not before

    def take(
        self,
        events: Mapping[Place, Event],
        now: Callable[[], datetime],
        acquire: Acquire,
        hold: Callable[[], bool] = never,
    ) -> None:
        """Take images of one time point.

        Parameters
        ----------
        events
            What is missing of it, in order of acquisition.
        acquire
            Takes images. Raises SourceError.
        hold
            Whether nothing more is to be begun.

        Raises
        ------
        HeldError
            When it was left off.
        SourceError
            When images did not come; UnfocusedError where the focus alone is why.
        """
        with_heights = self._heights.needed(events)
        if with_heights or self._focus.searches:
            self._find_home()
        if not self._focus.searches:
            acquire(self._heights.place(events, self.kept, with_height=with_heights))
            return
        outcome = FocusOutcome(next(iter(events))[0])
        skips = self._focus.on_failure == "skip"
        one = _Pass(self._drive(), acquire, outcome, with_heights=with_heights, skips=skips)
        try:
            for stop in stops(self._config, list(events), self._wells):
                if hold():
                    raise HeldError("paused")
                self._take(stop, events, one)
        finally:
            one.drive.let_go()
            self.kept = self.kept.with_pass(
                outcome.time_point, now(), outcome.tried, outcome.failed
            )
            outcome.log(self._name, left_out=one.skips)
        outcome.raise_missing()

    def take_extra(self, place: Place, event: Event, acquire: Acquire, *, refocus: bool) -> None:
        """Take one image beyond the plan.

        Parameters
        ----------
        refocus
            Whether the focus is found at its own position before; else it is taken at the last
            good one. A lock is set in any case.

        Raises
        ------
        HeldError
            When it was left off.
        SourceError
            When it did not come; UnfocusedError where the focus was not found again.
        """
        with_heights = self._heights.needed([place])
        if not self._focus.searches or not (refocus or self._locks):
            placed = with_heights or self._focus.searches
            acquire(self._heights.place({place: event}, self.kept, with_height=placed))
            return
        outcome = FocusOutcome(place[0])
        skips = refocus or self._focus.on_failure == "skip"
        one = _Pass(self._drive(), acquire, outcome, with_heights=with_heights, skips=skips)
        stop = Stop(at=(self._like.get(place[1], place[1]),), places=(place,))
        try:
            self._take(stop, {place: event}, one)
        finally:
            one.drive.let_go()
            outcome.log(self._name, left_out=one.skips)
        outcome.raise_missing()

    def _take(self, stop: Stop, events: Mapping[Place, Event], one: _Pass) -> None:
        """Take the images of one stop, in focus where that is found."""
        outcome, drive = one.outcome, one.drive
        labels = list(dict.fromkeys(label for _, label, _ in stop.places))
        why = self._find(stop, labels, one)
        if why and one.skips:
            outcome.skip([events[place]["axes"] for place in stop.places], why)
            return
        locked = self._locks and not why and not one.with_heights
        if self._locks and one.with_heights:
            drive.let_go()
        wanted = {place: events[place] for place in stop.places}
        # Before they are taken: they may be looked at before the others are.
        self.kept = (
            self.kept.with_marks(outcome.time_point, labels, why)
            if why
            else self.kept.without_marks(outcome.time_point, labels)
        )
        try:
            one.acquire(self._heights.place(wanted, self.kept, with_height=not locked))
        except ImagesMissingError as error:
            if error.ends:
                raise outcome.merged(error) from error
            outcome.lose(error)
        finally:
            if locked and not drive.is_locked():
                outcome.failed.update(dict.fromkeys(stop.at, LOST_LOCK))
                self.kept = self.kept.with_marks(outcome.time_point, labels, LOST_LOCK)

    def _find(self, stop: Stop, labels: Sequence[str], one: _Pass) -> str:
        """Find the focus for images; return why it failed, '' when it is found."""
        found: list[float] = []
        failed: dict[str, str] = {}
        for label in stop.at:
            position = self._heights.position(label)
            planned = self.kept.planned_um(position)
            order = FocusOrder(
                x_um=position.x_um,
                y_um=position.y_um,
                start_um=planned + self.kept.correction_um(position),
                band=band(self.kept, position, self._focus),
                lock=self._locks,
                offset_um=self._offsets.get(label),
                wait_s=self._focus.wait_s,
            )
            try:
                found.append(one.drive.find(order) - planned)
            except FocusError as error:
                failed[label] = f"focus failed: {error}"
        outcome = one.outcome
        outcome.tried += stop.at
        outcome.failed.update(failed)
        outcome.corrections += found
        if not found:
            return next(iter(failed.values()))
        good = [self._heights.position(each) for each in (*labels, *stop.at)]
        self.kept = self.kept.with_found(good, median(found), outcome.time_point)
        return ""

    def _find_home(self) -> None:
        """Note where the focus is as the run begins, for positions without a height."""
        if not self.kept.knows_planned_um(self._config.positions):
            self.kept = replace(self.kept, home_um=self._drive().height_um())
