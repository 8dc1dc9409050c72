"""Images that are asked for together: which were begun, which came, and which failed."""

import threading
from collections import deque
from collections.abc import Callable, Sequence

from scopewatch.sources.micromanager.events import Axes, Event


class ImageSeries:
    """The images of one call of `acquire`. `note_saved` and `note_failed`: any thread.

    Parameters
    ----------
    events
        One for each image, in order of acquisition.
    saved
        Called with the axes of each image that is on disk.
    """

    def __init__(self, events: Sequence[Event], saved: Callable[[Axes], None]) -> None:
        self._events = events
        self._left = deque(events)
        self._saved = saved
        self._settled = threading.Semaphore(0)
        self._came: list[Axes] = []
        self._failed: list[tuple[Axes, str]] = []
        self.longest_s = max((event.get("exposure") or 0.0 for event in events), default=0) / 1000

    def note_saved(self, axes: Axes) -> None:
        """Note an image that was saved."""
        self._came.append(axes)
        try:
            self._saved(axes)
        finally:
            # The image is on disk, whatever went wrong with noting it.
            self._settled.release()

    def note_failed(self, axes: Axes, why: str) -> None:
        """Note an image that will not come."""
        self._failed.append((axes, why))
        self._settled.release()

    def take_next(self) -> Event:
        """Return the next image to be asked for. Raises IndexError where all were."""
        return self._left.popleft()

    @property
    def all_asked(self) -> bool:
        """Whether every image was asked for."""
        return not self._left

    def wait_for_one(self, timeout_s: float) -> bool:
        """Wait until one more image came or failed; False after the timeout."""
        return self._settled.acquire(timeout=timeout_s)

    def missing(self, why: str) -> list[tuple[Axes, str]]:
        """Return the axes of each image that failed, and why.

        Parameters
        ----------
        why
            Why no more images come, which is the reason of all others that did not; '' where all
            came or failed.
        """
        causes = list(self._failed)
        if why:
            settled = [*self._came, *(axes for axes, _ in causes)]
            every = (event["axes"] for event in self._events)
            causes += [(axes, why) for axes in every if axes not in settled]
        return causes
