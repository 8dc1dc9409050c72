"""Follows one OME-Zarr store while it grows.

Its metadata is read again when it changed. Known metadata stay while a file is empty or half
written: acquire-zarr overwrites all groups at its end, and ome-writers restores them.
"""

from collections.abc import Hashable, Iterator
from pathlib import Path

from scopewatch.core.errors import FrameError
from scopewatch.sources.omezarr.array.follower import ArrayFollower, Patience
from scopewatch.sources.omezarr.followed_image import FollowedImage, Sighting
from scopewatch.sources.omezarr.hierarchy import Hierarchy, read_hierarchy
from scopewatch.sources.omezarr.nodes import Signature, signature
from scopewatch.sources.readers.planes import ReadLimits

PER_LOOK = 1000
_GLANCED_AT = 3


class OmeZarrStore:
    """Follows the store in one folder. Not thread-safe; no file stays open."""

    def __init__(self, folder: Path, limits: ReadLimits, patience: Patience) -> None:
        self._folder = folder
        self._limits = limits
        self._patience = patience
        self._images: dict[str, FollowedImage] = {}
        self._root_read: Signature | None = None
        self._changed_s = 0.0
        self._unread = 0
        self._recent: list[str] = []
        self._problem = ""

    @property
    def images(self) -> int:
        """Number of images that are known so far."""
        return len(self._images)

    @property
    def waiting(self) -> int:
        """Number of planes, or groups of them, that exist and are not complete."""
        return sum(each.waiting for each in self._followers())

    @property
    def undecided(self) -> int:
        """Number of those that were not reported as given up yet."""
        return sum(each.undecided for each in self._followers())

    @property
    def listed(self) -> int:
        """How many times a folder of chunks was listed."""
        return sum(each.listed for each in self._followers())

    @property
    def trouble(self) -> str:
        """Which part is not read, or waits, and why; '' where all is well."""
        if self._problem:
            return f"{self._folder.name}: {self._problem}"
        return next((each.trouble for each in list(self._images.values()) if each.trouble), "")

    @property
    def ended(self) -> bool:
        """Whether its writer closed every image and everything in it was reported."""
        images = list(self._images.values())
        return bool(images) and all(each.is_closed for each in images) and not self.waiting

    def is_replaced(self) -> bool:
        """Return False: the identity of each image shows whether it was replaced."""
        return False

    def part(self, sighting: Sighting) -> str | None:
        """Return the image that holds a plane: each may be acquired again; None for no frame."""
        return sighting.place.path if sighting.plane is not None and not sighting.reason else None

    def identity(self, part: str, now_s: float) -> str | None:
        """Return the identity of the acquisition in an image; see `FirstPlane.identity`."""
        image = self._images.get(part)
        return None if image is None else image.identity(now_s)

    def glance(self) -> Hashable:
        """Return what usually changes while it grows. Never raises."""
        paths = dict.fromkeys((*list(self._images)[:_GLANCED_AT], *self._recent))
        images = (self._images.get(path) for path in paths)
        return tuple(
            each.follower.glance() for each in images if each is not None and each.follower
        )

    def look(self, now_s: float, *, full: bool, at_most: int = PER_LOOK) -> list[Sighting]:
        """Return about `at_most` planes completed since the last look.

        Parameters
        ----------
        full
            Read metadata that changed, and list folders even if their time did not change.

        Raises
        ------
        OSError
            When metadata exists and cannot be read.
        """
        self._read_hierarchy(now_s, full=full)
        sightings: list[Sighting] = []
        for image in self._images.values():
            if full or image.follower is None:
                sightings += image.read()
        recent: list[str] = []
        for path, image in self._images.items():
            if len(sightings) >= at_most:
                break
            found = image.look(now_s, full=full, at_most=at_most - len(sightings))
            if found:
                recent.append(path)
                sightings += found
        if recent:
            self._recent = self._around(recent[-_GLANCED_AT:])
        return sightings

    def is_unproven(self, sighting: Sighting) -> bool:
        """Return whether only unpacking shows that a plane is complete."""
        return sighting.plane is not None and sighting.plane.unproven

    def prove(self, sighting: Sighting, now_s: float) -> bool:
        """Unpack a plane; an incomplete one is checked again when its files change."""
        image = self._images.get(sighting.place.path)
        if sighting.plane is None or image is None or image.follower is None:
            return True
        return image.follower.prove(sighting.plane, now_s)

    def _followers(self) -> Iterator[ArrayFollower]:
        for image in list(self._images.values()):
            if image.follower is not None:
                yield image.follower

    def _read_hierarchy(self, now_s: float, *, full: bool) -> None:
        """List the images where the root changed, or a listed image does not exist yet."""
        now = signature(self._folder)
        if now != self._root_read:
            self._changed_s = now_s
        is_young = now_s - self._changed_s <= self._patience.give_up_s
        is_partial = not self._images or self._unread > 0
        if now == self._root_read and not full and not (is_partial and is_young):
            return
        try:
            read = read_hierarchy(self._folder, self._limits)
        except FrameError as error:
            self._problem = str(error)
            return
        self._root_read = now
        self._problem = "" if self._images or read is not None else "no OME metadata so far"
        if read is not None and read.images:
            self._take_up(read)

    def _take_up(self, read: Hierarchy) -> None:
        """Follow the listed images; known images stay while groups cannot be read."""
        known, self._images = self._images, {}
        for place in read.images:
            image = known.pop(place.path, None) or FollowedImage(
                self._folder, place, self._limits, self._patience
            )
            image.place = place
            self._images[place.path] = image
        if read.unread:
            self._images |= known
        self._unread = read.unread

    def _around(self, paths: list[str]) -> list[str]:
        """Return images that grew, and those that a microscope visits after them."""
        order = list(self._images)
        nexts = [order[(order.index(path) + 1) % len(order)] for path in paths]
        return list(dict.fromkeys((*paths, *nexts)))
