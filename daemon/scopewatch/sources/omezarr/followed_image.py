"""Follows one image of an OME-Zarr store: its known metadata, and the planes of its array."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from scopewatch.core.errors import FrameError, complaint
from scopewatch.event_log import get_logger
from scopewatch.sources.omezarr.array.follower import ArrayFollower, Patience
from scopewatch.sources.omezarr.array.metadata import read_layout
from scopewatch.sources.omezarr.array.units import PlaneSighting
from scopewatch.sources.omezarr.first_plane import FirstPlane, Standing
from scopewatch.sources.omezarr.hierarchy import ImagePlace
from scopewatch.sources.omezarr.image import ImageMetadata, frame_times, is_closed, read_image
from scopewatch.sources.omezarr.nodes import Signature, read_node, signature
from scopewatch.sources.readers.planes import ReadLimits

log = get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """A plane of the store that was not reported before, or an image that is not read.

    Parameters
    ----------
    plane
        None where the image as a whole is not read.
    size_px
        (height, width) of the plane.
    z_planes
        Length of the axis z; 1 without one.
    delta_s
        Seconds since the start of the acquisition, where its metadata has them.
    reason
        Why it is no frame; '' for a frame.
    """

    place: ImagePlace
    metadata: ImageMetadata | None = None
    plane: PlaneSighting | None = None
    size_px: tuple[int, int] | None = None
    z_planes: int = 1
    delta_s: float | None = None
    reason: str = ""


class FollowedImage:
    """Follows an image while it grows. Not thread-safe.

    Parameters
    ----------
    store
        Folder of the store.
    """

    def __init__(
        self, store: Path, place: ImagePlace, limits: ReadLimits, patience: Patience
    ) -> None:
        self.place = place
        self._folder = store / place.path
        self._where = f"{store.name}/{place.path}".rstrip("/")
        self._limits = limits
        self._patience = patience
        self._read: tuple[Signature, Signature] = ((), ())
        self._metadata: ImageMetadata | None = None
        self._problem = ""
        self._logged = ""
        self._is_closed = False
        self._first = FirstPlane(patience.give_up_s)
        self.follower: ArrayFollower | None = None

    @property
    def trouble(self) -> str:
        """Why the image is not read, or a plane waits; '' where all is well."""
        why = self._problem
        if not why and self.follower is not None:
            why = self.follower.why
        elif not why and self._metadata is not None:
            why = "its array is not described yet"
        return f"{self._where}: {why}" if why else ""

    @property
    def is_closed(self) -> bool:
        """Whether its writer declares the image finished."""
        return self._is_closed

    def read(self) -> Iterator[Sighting]:
        """Read metadata that changed; yield the refusal of an image that is not read.

        Raises
        ------
        OSError
            When metadata exists and cannot be read.
        """
        try:
            self._read_group()
            self._read_array()
        except FrameError as error:
            self._problem = str(error)
            if self._problem != self._logged:
                self._logged = self._problem
                yield Sighting(place=self.place, reason=self._problem)
        else:
            self._problem = ""

    def identity(self, now_s: float) -> str | None:
        """Return the identity of the acquisition; see `FirstPlane.identity`."""
        return self._first.identity(now_s)

    def look(self, now_s: float, *, full: bool, at_most: int) -> list[Sighting]:
        """Return planes completed since the last look; see `ArrayFollower.look`."""
        if self.follower is None:
            return []
        try:
            standing = self._first.check(self.follower, now_s)
            if standing is Standing.REPLACED:
                self._restart(self.follower)
            elif standing is Standing.GONE:
                return []
            found = self.follower.look(now_s, full=full, closed=self._is_closed, at_most=at_most)
        except OSError as error:
            self._problem = f"a folder cannot be read: {error.strerror}"
            return []
        self._first.note(self.follower, found, now_s)
        node = read_node(self._folder, self._limits) if self._is_closed and found else None
        times = {} if node is None else frame_times(node)
        return [
            Sighting(
                place=self.place,
                metadata=self._metadata,
                plane=plane,
                size_px=self.follower.layout.size_px,
                z_planes=self.follower.layout.z_planes,
                delta_s=times.get(plane.index),
                reason=self._refusal(plane),
            )
            for plane in found
        ]

    def _restart(self, follower: ArrayFollower) -> None:
        """Drop the planes of an acquisition that another one replaced."""
        log.info("image was acquired again", image=self._where)
        self._first = FirstPlane(self._patience.give_up_s)
        follower.report_again()

    def _refusal(self, plane: PlaneSighting) -> str:
        if not plane.reason:
            return ""
        return complaint(
            "plane of the OME-Zarr store is not complete",
            where=f"{self._where} {list(plane.index)}",
            got=plane.reason,
            do="let the writer finish, or copy the store again",
        )

    def _read_group(self) -> None:
        now = signature(self._folder)
        if now == self._read[0]:
            return
        node = read_node(self._folder, self._limits)
        metadata = None if node is None else read_image(node, self._where)
        if node is None or metadata is None:
            return  # empty or half written at the moment: the known metadata stay
        if metadata.began_at is None and metadata.began_wall is None:
            metadata = replace(metadata, began_at=self.place.began_at)
        closed = is_closed(node)
        if closed and not self._is_closed and self.follower is not None and frame_times(node):
            # The times of planes are known from now on.
            self.follower.report_again()
        self._is_closed = closed
        self._metadata = metadata
        self._read = now, self._read[1]

    def _read_array(self) -> None:
        if self._metadata is None:
            return
        folder = self._folder / self._metadata.dataset
        now = signature(folder)
        if now == self._read[1] and self.follower is not None:
            return
        node = read_node(folder, self._limits)
        if node is None or not node.is_array:
            return
        layout = read_layout(node, self._metadata.axes, folder, self._limits)
        if self.follower is None or not self.follower.grow(layout):
            self.follower = ArrayFollower(folder, layout, self._patience, self._limits.max_planes)
        self._read = self._read[0], now
