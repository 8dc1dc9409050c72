"""The height at which each image of a time-lapse is taken."""

from collections.abc import Callable, Iterable, Mapping

from scopewatch.config import MicroManagerSourceConfig, PositionConfig
from scopewatch.sources.micromanager.events import Event
from scopewatch.sources.micromanager.focus.kept import FocusKept
from scopewatch.sources.micromanager.images import Place
from scopewatch.sources.micromanager.stacks.planes import Plane


class ImageHeights:
    """Heights of the images of one source.

    Parameters
    ----------
    like
        Of each position beyond the plan, that of the plan whose focus it has.
    planes
        Returns the planes of an image; those of a stack need heights.
    """

    def __init__(
        self,
        config: MicroManagerSourceConfig,
        like: Mapping[str, str],
        planes: Callable[[Place], tuple[Plane, ...]],
    ) -> None:
        self._focus = config.focus
        self._like = like
        self._planes = planes
        # The offset of a lock is the device's own: the heights that it holds are what is imaged.
        without_offset = {"focus_offset_um": 0.0} if config.focus.method == "lock" else {}
        self._positions = {
            each.label: each.model_copy(update=without_offset) for each in config.positions
        }
        self._above_um: dict[str | None, float] = {
            each.preset: each.z_offset_um for each in config.channels
        }
        # Whether the drive is sent to a height for each image, though no device finds the focus.
        self._of_all = config.focus.method == "z-stack" or any(self._above_um.values())

    def position(self, label: str) -> PositionConfig:
        """Return the position of the plan whose focus a position has."""
        return self._positions[self._like.get(label, label)]

    def needed(self, places: Iterable[Place]) -> bool:
        """Return whether the drive has to be sent to a height for images."""
        return self._of_all or any(self._planes(each) != (None,) for each in places)

    def place(
        self, events: Mapping[Place, Event], kept: FocusKept, *, with_height: bool
    ) -> list[Event]:
        """Return events at the heights by what was found; under a lock the height is its."""
        if not (with_height or self._focus.searches):
            return list(events.values())
        placed = []
        for (_, label, channel), event in events.items():
            placed.append({key: value for key, value in event.items() if key != "z"})
            if with_height:
                placed[-1]["z"] = self._height_um(label, kept) + self._above_um.get(channel, 0.0)
        return placed

    def _height_um(self, label: str, kept: FocusKept) -> float:
        position = self.position(label)
        if self._focus.method == "none":
            # What was found once, by another setting, counts no more.
            return kept.planned_um(position) + position.focus_offset_um
        return kept.image_um(position)
