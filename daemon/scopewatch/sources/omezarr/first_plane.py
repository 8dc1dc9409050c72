"""Identifies the acquisition in an image by its first plane.

Metadata are no help: the same plan run twice writes the same. A camera never gives a plane twice.
"""

from collections.abc import Hashable, Sequence
from enum import Enum

from scopewatch.sources.omezarr.array.follower import ArrayFollower
from scopewatch.sources.omezarr.array.units import PlaneSighting
from scopewatch.sources.omezarr.image import PlaneIndex

# How long planes wait for the first one while others come.
WAIT_S = 600.0


class Standing(Enum):
    """State of the first plane.

    GONE: deleted recently, so that what comes next may belong to another acquisition. REPLACED:
    another plane is in its place, so the image was acquired again.
    """

    SAME = "same"
    GONE = "gone"
    REPLACED = "replaced"


class FirstPlane:
    """The first plane of an image, and whether another has taken its place.

    Parameters
    ----------
    give_up_s
        How long to wait for it once nothing more comes, or when it is gone.
    """

    def __init__(self, give_up_s: float) -> None:
        self._give_up_s = give_up_s
        self._mark: str | None = None
        self._state: Hashable = None
        self._gone_s: float | None = None
        self._found_s: tuple[float, float] | None = None

    def identity(self, now_s: float) -> str | None:
        """Return the identity of the acquisition; None before it is known.

        It is the same for a copy, and after a restart; '' where there are planes but the first does
        not come.
        """
        if self._mark is not None or self._found_s is None:
            return self._mark
        since_s, last_s = self._found_s
        hopeless = now_s - since_s >= WAIT_S or now_s - last_s >= self._give_up_s
        return "" if hopeless else None

    def check(self, follower: ArrayFollower, now_s: float) -> Standing:
        """Return whether it is still there, or another plane is in its place.

        Raises
        ------
        OSError
            When its file cannot be read.
        """
        if self._mark is None:
            return Standing.SAME
        plane = _first_of(follower)
        state = follower.state(plane)
        if state is None:
            self._gone_s = now_s if self._gone_s is None else self._gone_s
            lately = now_s - self._gone_s < self._give_up_s
            return Standing.GONE if lately else Standing.SAME
        self._gone_s = None
        if state == self._state:
            return Standing.SAME
        mark = follower.mark(plane)
        if mark is None:
            return Standing.SAME  # an unreadable file proves nothing: damaged, or only begun
        self._state = state
        return Standing.SAME if mark == self._mark else Standing.REPLACED

    def note(self, follower: ArrayFollower, planes: Sequence[PlaneSighting], now_s: float) -> None:
        """Take note of completed planes."""
        whole = [plane for plane in planes if not plane.reason]
        if not whole:
            return
        self._found_s = (now_s if self._found_s is None else self._found_s[0]), now_s
        wanted = _first_of(follower)
        for plane in whole:
            if self._mark is None and plane.index == wanted:
                self._mark = plane.fingerprint
                self._state = follower.state(wanted)


def _first_of(follower: ArrayFollower) -> PlaneIndex:
    return (0,) * len(follower.layout.plane_dims)
