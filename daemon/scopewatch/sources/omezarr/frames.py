"""Turns planes of OME-Zarr stores into frames: their keys, their locators, their pixels.

A store is a run as an NDTiff data set is (`ndtiff.frames.run_name`): the configured one where
`path` of the source or its name says so, else one named by its path below the source.
"""

import json
import re
import zlib
from collections.abc import Collection, Iterator
from pathlib import Path, PurePosixPath

from scopewatch.config import OmeZarrSourceConfig, RunConfig
from scopewatch.core.errors import FrameError, complaint
from scopewatch.core.imaging.frame import Frame, Pixels
from scopewatch.core.tickets import FrameTicket
from scopewatch.sources.base.away import blame_share
from scopewatch.sources.base.facts import Origin, PlaneFacts, Statement
from scopewatch.sources.base.found import Found
from scopewatch.sources.base.reading import read_frame, reading_settings
from scopewatch.sources.ndtiff.frames import run_name
from scopewatch.sources.omezarr.array.follower import Patience
from scopewatch.sources.omezarr.array.metadata import read_layout
from scopewatch.sources.omezarr.array.units import Units
from scopewatch.sources.omezarr.find import find_stores
from scopewatch.sources.omezarr.followed_image import Sighting
from scopewatch.sources.omezarr.image import ImageMetadata, PlaneIndex, read_image
from scopewatch.sources.omezarr.nodes import read_node, safe_path
from scopewatch.sources.omezarr.store import OmeZarrStore
from scopewatch.sources.readers.planes import ReadLimits

_LOCATOR = re.compile(r"(?s)(?P<array>.+)#at=(?P<index>\[(?:\d+(?:,\d+)*)?\])")
_REMEMBERED = 100_000
# Path of a data set below its image, usually `0`.
_DATASET_PARTS = 4
_SUFFIXES = (".ome.zarr", ".zarr")


class OmeZarrStores:
    """The stores at or below one path; implements `base.data_set.DataSets`.

    Raises
    ------
    ConfigError
        When the position pattern is invalid.
    """

    def __init__(
        self,
        config: OmeZarrSourceConfig,
        run: RunConfig,
        limits: ReadLimits,
        patience: Patience,
    ) -> None:
        self._root = config.path
        self._run = run
        self._limits = limits
        self._patience = patience
        self._settings = reading_settings(config, run)
        # By the path of the array: metadata for reading a plane that was found.
        self._metadata: dict[str, ImageMetadata] = {}

    def find(self, known: Collection[str]) -> Iterator[tuple[str, Path]]:
        """Yield (path below the source's, folder) of each store."""
        return find_stores(self._root, known)

    def open(self, folder: Path) -> OmeZarrStore:
        """Return a follower of the store in a folder."""
        return OmeZarrStore(folder, self._limits, self._patience)

    def found(self, label: str, sighting: Sighting, number: int = 1) -> Found:
        """Return a plane of the store `label` with its key, or the reason why it has none."""
        place = "/".join(each for each in (label, sighting.place.path) if each)
        if sighting.plane is None or sighting.metadata is None:
            crc = zlib.crc32(sighting.reason.encode("utf-8", "backslashreplace"))
            return Found(
                locator=place or self._root.name,
                fingerprint=f"image {crc:08x}",
                reason=sighting.reason,
            )
        array = "/".join(each for each in (place, sighting.metadata.dataset) if each)
        self._remember(array, sighting.metadata)
        locator = f"{array}#at={json.dumps(sighting.plane.index, separators=(',', ':'))}"
        mark = sighting.plane.fingerprint
        if sighting.reason:
            return Found(locator=locator, fingerprint=mark, reason=sighting.reason)
        try:
            reading = read_frame(
                tuple(self._statements(label, sighting, sighting.metadata, number)),
                self._settings,
                f"{place or self._root.name} {list(sighting.plane.index)}",
            )
        except FrameError as error:
            return Found(locator=locator, fingerprint=mark, reason=str(error))
        return Found(
            locator=locator,
            fingerprint=mark,
            key=reading.key,
            reading=reading,
            size_px=sighting.size_px,
        )

    def load(self, ticket: FrameTicket) -> Frame:
        """Read the pixels of a plane.

        Raises
        ------
        FrameError
            When they are gone, truncated, or not those that were offered.
        SourceError
            When the share or disk does not answer.
        """
        match = _LOCATOR.fullmatch(ticket.locator)
        array = match["array"] if match is not None else ""
        folder = self._root / array
        try:
            metadata = self._metadata.get(array) or self._describe(array)
            if match is None or metadata is None:
                raise FrameError(
                    complaint(
                        "locator names no plane", where=ticket.locator, do="scan the store again"
                    )
                )
            index = tuple(json.loads(match["index"]))
            pixels = self._pixels(folder, metadata, index, ticket.fingerprint)
        except OSError as error:
            blame_share(error, self._root)
            raise FrameError(
                complaint(
                    "OME-Zarr store cannot be read",
                    where=folder,
                    got=error.strerror or str(error),
                    do="check that it exists, its permissions, and the share",
                )
            ) from error
        reading = read_frame(metadata.statements(index), self._settings, ticket.locator)
        return Frame(
            key=ticket.key,
            pixels=pixels,
            pixel_size_um=reading.pixel_size_um,
            acquired_at=ticket.acquired_at,
            elapsed_s=ticket.elapsed_s,
        )

    def _remember(self, array: str, metadata: ImageMetadata) -> None:
        self._metadata.pop(array, None)
        self._metadata[array] = metadata
        if len(self._metadata) > _REMEMBERED:
            del self._metadata[next(iter(self._metadata))]

    def _describe(self, array: str) -> ImageMetadata | None:
        """Read the metadata of the image that holds an array, from the groups above it."""
        path = safe_path(array)
        parts = PurePosixPath(path).parts if path is not None else ()
        for above in range(1, min(len(parts), _DATASET_PARTS) + 1):
            group = self._root.joinpath(*parts[:-above])
            node = read_node(group, self._limits)
            metadata = None if node is None else read_image(node, group)
            if metadata is not None and metadata.dataset == "/".join(parts[-above:]):
                return metadata
        return None

    def _pixels(
        self, folder: Path, metadata: ImageMetadata, index: PlaneIndex, fingerprint: str
    ) -> Pixels:
        node = read_node(folder, self._limits)
        if node is None and not folder.exists():
            raise FrameError(
                complaint(
                    "plane of the OME-Zarr store is gone",
                    where=f"{folder} {list(index)}",
                    do="put the store back, or ignore this",
                )
            )
        pixels = None
        if node is not None and node.is_array:
            layout = read_layout(node, metadata.axes, folder, self._limits)
            pixels = Units(folder, layout).load(index, fingerprint)
        if pixels is None:
            raise FrameError(
                complaint(
                    "plane of the OME-Zarr store is not the one that was found",
                    where=f"{folder} {list(index)}",
                    do="do not write into planes of stores that are being followed",
                )
            )
        return pixels

    def _statements(
        self, label: str, sighting: Sighting, metadata: ImageMetadata, number: int
    ) -> Iterator[Statement]:
        place, plane = sighting.place, sighting.plane
        if plane is not None:
            yield from metadata.statements(plane.index, sighting.delta_s)
        if sighting.z_planes > 1:
            facts = PlaneFacts(z_planes=sighting.z_planes)
            yield Statement(origin=Origin.SET, by="shape of the array", facts=facts)
        yield from place.statements
        run = run_name(self._run.name, store_stem(label)) if label else self._run.name
        if place.acquisition is not None:
            run = f"{run} {place.acquisition}"
        if number > 1:
            run = f"{run} ({number})"
        facts = PlaneFacts(run=run)
        yield Statement(origin=Origin.SET, by="folder of the data set", facts=facts)
        position = self._position(label, sighting, metadata)
        if position is not None:
            facts = PlaneFacts(position=position)
            yield Statement(origin=Origin.SET, by="name of the image", facts=facts)

    def _position(
        self, label: str, sighting: Sighting, metadata: ImageMetadata
    ) -> str | int | None:
        """Return the stage position of an image that is in no well.

        An image that is a store by itself has one only where the user maps its name to a well: its
        name may also be that of a cell line.
        """
        place = sighting.place
        if place.statements:
            return None
        if place.path:
            return metadata.name or place.label if isinstance(place.label, int) else place.label
        store = store_stem(label or self._root.name).rpartition("/")[2]
        names = (metadata.name, store)
        return next((name for name in names if name and name in self._settings.wells), None)


def store_stem(label: str) -> str:
    """Return a path without the suffix of a store.

    >>> store_stem("day 1/plate.ome.zarr")
    'day 1/plate'
    """
    for suffix in _SUFFIXES:
        if label.endswith(suffix):
            return label.removesuffix(suffix)
    return label
