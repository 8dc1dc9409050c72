"""Takes the images of a time point in focus: finds it where it is due, and keeps what was found.

for each stop: find the focus --found----> its images, at the height found or under the lock
'--failed--> `image`: its images at the last good height, marked
`skip`: none of them, tried again with the time point
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from statistics import median
from types import MappingProxyType
from typing import Any

from scopewatch.config import MicroManagerSourceConfig, PositionConfig
from scopewatch.event_log import get_logger
from scopewatch.sources.micromanager.events import Event, HeldError, ImagesMissingError, never
from scopewatch.sources.micromanager.focus.course import FocusKept, Stop, band, stops
from scopewatch.sources.micromanager.focus.drive import Drive, FocusError, FocusOrder
from scopewatch.sources.micromanager.focus.following import Following
from scopewatch.sources.micromanager.images import Place
from scopewatch.sources.micromanager.stacks.planes import Plane

log = get_logger(__name__)

_LOST = "focus lock was lost while images were taken"


class UnfocusedError(ImagesMissingError):
    """Images were left out since the focus was not found; the devices themselves work."""


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
        self._like = like
        self._planes = planes
        self._focus = config.focus
        self._locks = config.focus.method == "lock"
        self._name = config.name
        self._wells = wells
        self._drive = drive
        # The offset of a lock is the device's own: the heights that it holds are what is imaged.
        self._positions = {
            each.label: each.model_copy(update={"focus_offset_um": 0.0}) if self._locks else each
            for each in config.positions
        }
        given = {each.label: each.focus_offset_um for each in config.positions}
        self._offsets = given if self._locks and any(given.values()) else {}
        self._above_um: dict[str | None, float] = {
            each.preset: each.z_offset_um for each in config.channels
        }
        # Whether the drive is sent to a height for each image, though no device finds the focus.
        self._places_all = config.focus.method == "z-stack" or any(self._above_um.values())
        self.following = Following(config)
        self.kept = FocusKept()

    def follow(self, over: int, now: Callable[[], datetime], tell: Callable[[str], None]) -> bool:
        """Move the focus by the planes of time points that are over; return whether it did."""
        before, self.kept = self.kept, self.following.follow(self.kept, over, now, tell)
        return self.kept is not before

    def take(
        self,
        events: Mapping[Place, Event],
        now: Callable[[], datetime],
        acquire: Callable[[Sequence[Event]], None],
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
        placed = self._needs_heights(events)
        if placed or self._focus.searches:
            self._find_home()
        if not self._focus.searches:
            acquire(self._placed(events, with_height=placed))
            return
        drive = self._drive()
        taking = _Taking(next(iter(events))[0])
        try:
            for stop in stops(self._config, list(events), self._wells):
                if hold():
                    raise HeldError("paused")
                self._take(stop, events, taking, drive, acquire, placed=placed)
        finally:
            drive.let_go()
            self.kept = self.kept.with_pass(taking.time_point, now(), taking.tried, taking.failed)
            self._tell(taking)
        taking.end()

    def take_extra(
        self,
        place: Place,
        event: Event,
        acquire: Callable[[Sequence[Event]], None],
        *,
        refocus: bool,
    ) -> None:
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
        placed = self._needs_heights([place])
        if not self._focus.searches or not (refocus or self._locks):
            acquire(self._placed({place: event}, with_height=placed or self._focus.searches))
            return
        drive, taking = self._drive(), _Taking(place[0])
        stop = Stop(at=(self._like.get(place[1], place[1]),), places=(place,))
        try:
            self._take(stop, {place: event}, taking, drive, acquire, skips=refocus, placed=placed)
        finally:
            drive.let_go()
            self._tell(taking)
        taking.end()

    def _take(
        self,
        stop: Stop,
        events: Mapping[Place, Event],
        taking: "_Taking",
        drive: Drive,
        acquire: Callable[[Sequence[Event]], None],
        *,
        placed: bool,
        skips: bool = False,
    ) -> None:
        labels = list(dict.fromkeys(label for _, label, _ in stop.places))
        why = self._find(stop, labels, taking, drive)
        if why and (skips or self._focus.on_failure == "skip"):
            taking.skip([events[place]["axes"] for place in stop.places], why)
            return
        locked = self._locks and not why and not placed
        if self._locks and placed:
            drive.let_go()
        wanted = {place: events[place] for place in stop.places}
        kept = self.kept
        # Before they are taken: they may be looked at before the others are.
        self.kept = (
            kept.with_marks(taking.time_point, labels, why)
            if why
            else kept.without_marks(taking.time_point, labels)
        )
        try:
            acquire(self._placed(wanted, with_height=not locked))
        except ImagesMissingError as error:
            if error.ends:
                raise taking.merged(error) from error
            taking.lose(error)
        finally:
            if locked and not drive.is_locked():
                taking.failed.update(dict.fromkeys(stop.at, _LOST))
                self.kept = self.kept.with_marks(taking.time_point, labels, _LOST)

    def _find(self, stop: Stop, labels: Sequence[str], taking: "_Taking", drive: Drive) -> str:
        """Find the focus for images; return why it failed, '' when it is found."""
        found: list[float] = []
        failed: dict[str, str] = {}
        for label in stop.at:
            position = self._positions[label]
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
                found.append(drive.find(order) - planned)
            except FocusError as error:
                failed[label] = f"focus failed: {error}"
        taking.tried += stop.at
        taking.failed.update(failed)
        taking.corrections += found
        if not found:
            return next(iter(failed.values()))
        good: list[PositionConfig] = [self._position(each) for each in (*labels, *stop.at)]
        self.kept = self.kept.with_found(good, median(found), taking.time_point)
        return ""

    def _placed(self, events: Mapping[Place, Event], *, with_height: bool) -> list[Event]:
        """Return events at the heights by what was found; under a lock the height is its."""
        if not (with_height or self._focus.searches):
            return list(events.values())
        placed = []
        for (_, label, channel), event in events.items():
            placed.append({key: value for key, value in event.items() if key != "z"})
            if with_height:
                placed[-1]["z"] = self._height_um(label) + self._above_um.get(channel, 0.0)
        return placed

    def _needs_heights(self, places: Iterable[Place]) -> bool:
        return self._places_all or any(self._planes(each) != (None,) for each in places)

    def _height_um(self, label: str) -> float:
        position = self._position(label)
        if self._focus.method == "none":
            # What was found once, by another setting, counts no more.
            return self.kept.planned_um(position) + position.focus_offset_um
        return self.kept.image_um(position)

    def _position(self, label: str) -> PositionConfig:
        return self._positions[self._like.get(label, label)]

    def _find_home(self) -> None:
        """Note where the focus is as the run begins, for positions without a height."""
        if not self.kept.knows_planned_um(self._config.positions):
            self.kept = replace(self.kept, home_um=self._drive().height_um())

    def _tell(self, taking: "_Taking") -> None:
        event: dict[str, Any] = {"source": self._name, "time_point": taking.time_point}
        for label, why in taking.failed.items():
            then = "left out" if why != _LOST and self._focus.on_failure == "skip" else "marked"
            log.warning("focus failed", **event, position=label, reason=why, images=then)
        if taking.corrections:
            drift = round(median(taking.corrections), 2)
            found = len(taking.corrections)
            log.info("focus found", **event, drift_um=drift, found=found)


class _Taking:
    """What came of one time point so far."""

    def __init__(self, time_point: int) -> None:
        self.time_point = time_point
        self.tried: list[str] = []
        self.corrections: list[float] = []
        self.failed: dict[str, str] = {}
        self._skipped: list[tuple[dict[str, Any], str]] = []
        self._lost: list[ImagesMissingError] = []

    def skip(self, axes: Sequence[dict[str, Any]], why: str) -> None:
        """Note images that are left out."""
        self._skipped += [(each, why) for each in axes]

    def lose(self, error: ImagesMissingError) -> None:
        """Note images that did not come."""
        self._lost.append(error)

    def merged(self, error: ImagesMissingError) -> ImagesMissingError:
        """Return an error with the causes of all that is missing so far."""
        causes = [cause for each in (*self._lost, error) for cause in each.causes]
        return ImagesMissingError(str(error), [*causes, *self._skipped], ends=error.ends)

    def end(self) -> None:
        """Raise where images are missing."""
        if self._lost:
            raise self.merged(self._lost[-1])
        if self._skipped:
            reasons = MappingProxyType(self.failed)
            first = next(iter(reasons))
            line = f"{len(self._skipped)} images were left out: {reasons[first]} (position {first}"
            more = len(reasons) - 1
            raise UnfocusedError(line + (f" and {more} more)" if more else ")"), self._skipped)
