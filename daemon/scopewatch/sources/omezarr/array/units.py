"""Checks whether the planes of one packed unit are complete: by their files, or by unpacking.

Where a chunk holds several planes, writers may write it with some of them, and again with more.
Its planes are checked once it is final, and only planes that hold more than the fill value count; a
chunk in which every plane does is final as soon as its files stop changing. A chunk of one plane
with nothing but the fill value is no frame either: no camera gives such an image.
"""

import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scopewatch.core.errors import FrameError
from scopewatch.core.imaging.frame import Pixels
from scopewatch.sources.omezarr.array.chunks import ChunkFiles, UnitState
from scopewatch.sources.omezarr.array.layout import ArrayLayout, Coordinates
from scopewatch.sources.omezarr.array.pixels import read_planes
from scopewatch.sources.omezarr.image import PlaneIndex

MORE_TO_COME = "its chunk may get more planes"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaneSighting:
    """A complete plane, or a plane that was not completed and why.

    `unproven`: only unpacking shows that it is complete.
    """

    index: PlaneIndex
    fingerprint: str
    reason: str = ""
    unproven: bool = False


class Units:
    """The units of one array.

    Parameters
    ----------
    folder
        Folder of the array.
    """

    def __init__(self, folder: Path, layout: ArrayLayout) -> None:
        self._folder = folder
        self._layout = layout
        self.files = ChunkFiles(folder, layout)

    def examine(
        self, unit: Coordinates, planes: list[PlaneIndex], *, final: bool, rests: bool
    ) -> tuple[list[PlaneSighting], str]:
        """Return the complete planes of a unit, and why others are not complete.

        Parameters
        ----------
        planes
            All planes of the unit that were not reported so far.
        final
            Whether nothing more is expected to be written into the unit.
        rests
            Whether its files did not change since the last look: with no plane missing it is then
            final.
        """
        try:
            state = self.files.unit_state(unit)
            if state.missing or state.why:
                return [], state.why
            if self._layout.planes_per_chunk == 1:
                return self._examine_one(planes[0], state)
            final = final or self._has_later(unit)
            if not final and (state.ends_in_zeros or not rests):
                return [], MORE_TO_COME
            whole = self._look_inside(planes, state)
            return (whole, "") if final or len(whole) == len(planes) else ([], MORE_TO_COME)
        except OSError as error:
            return [], f"a chunk cannot be read: {error.strerror}"
        except FrameError as error:
            return [], _unpacking(error)

    def prove(self, plane: PlaneIndex) -> str:
        """Unpack a plane; return why it is not complete, '' where it is."""
        try:
            state = self.files.unit_state(self._layout.unit(plane))
            if state.extents:
                read_planes(self._folder, self._layout, [plane], state.extents)
        except OSError as error:
            return f"a chunk cannot be read: {error.strerror}"
        except FrameError as error:
            return _unpacking(error)
        return "" if state.extents else state.why or "it is gone"

    def load(self, plane: PlaneIndex, fingerprint: str) -> Pixels | None:
        """Return the pixels of a plane; None where they are not those of the fingerprint.

        Raises
        ------
        FrameError
            When they cannot be unpacked.
        OSError
            When a file cannot be read.
        """
        unit = self._layout.unit(plane)
        state = self.files.unit_state(unit)
        alone = self._layout.planes_per_chunk == 1
        if not state.extents or (alone and state.fingerprint != fingerprint):
            return None
        (pixels,) = read_planes(self._folder, self._layout, [plane], state.extents)
        if alone:
            # A chunk that was deleted meanwhile would be read as black.
            same = self.files.unit_state(unit).fingerprint == fingerprint
        else:
            same = content_mark(pixels) == fingerprint
        return pixels if same else None

    def _examine_one(self, plane: PlaneIndex, state: UnitState) -> tuple[list[PlaneSighting], str]:
        packing = self._layout.packing
        compressed = packing.compressor is not None
        if state.ends_in_zeros or state.may_be_blank:
            if not self._look_inside([plane], state):
                return [], ""
            one_file = self._layout.tiles == 1 and not self._layout.is_sharded
            if state.ends_in_zeros and one_file and not compressed:
                # The size of the file may have been set first, before the pixels are written.
                return [], "its end is zeros"
        # A chunk that does not state its packed length is complete only if it unpacks.
        unproven = compressed and packing.compressor != "blosc"
        found = PlaneSighting(index=plane, fingerprint=state.fingerprint, unproven=unproven)
        return [found], ""

    def _look_inside(self, planes: list[PlaneIndex], state: UnitState) -> list[PlaneSighting]:
        """Unpack planes and return those that hold more than the fill value or zeros."""
        pixels = read_planes(self._folder, self._layout, planes, state.extents)
        return [
            PlaneSighting(index=index, fingerprint=content_mark(plane))
            for index, plane in zip(planes, pixels, strict=True)
            if not _is_blank(plane, self._layout.fill_value)
        ]

    def _has_later(self, unit: Coordinates) -> bool:
        """Return whether a later chunk exists."""
        layout = self._layout
        return any(
            self.files.exists((*unit[:at], unit[at] + 1, *unit[at + 1 :]))
            for at, dim in enumerate(layout.plane_dims)
            if layout.chunk[dim] > 1 or layout.axes[dim] == "t"
        )


def content_mark(pixels: Pixels) -> str:
    """Return the fingerprint of a plane that shares its chunk with others."""
    return f"{pixels.nbytes:x}={zlib.crc32(np.ascontiguousarray(pixels).data):08x}"


def _is_blank(pixels: Pixels, fill_value: int) -> bool:
    first = pixels.flat[0]
    return bool(first in (0, fill_value) and (pixels == first).all())


def _unpacking(error: FrameError) -> str:
    detail = str(error.__cause__) if error.__cause__ else str(error).partition(":")[0]
    return f"it does not unpack: {' '.join(detail.split())[:150]}"
