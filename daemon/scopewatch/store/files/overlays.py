"""The pictures of each judged frame: the virtual stain to look at, and the stain to measure.

The picture is a JPEG: camera noise makes a lossless 2048 px picture 5 MB and 280 ms, too much
for a mail and for a frame; WebP of the same quality takes seven times as long as JPEG and more. The
OME-TIFF beside it holds the same without loss, for measurements.
"""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Final

from PIL import Image

from scopewatch.core.imaging.caption import Caption
from scopewatch.core.imaging.frame import Frame, FrameKey
from scopewatch.core.imaging.overlay import OverlayFiles, describe_stain, draw_overlay
from scopewatch.core.imaging.result import FrameResult
from scopewatch.monitoring.policy import RunPolicy
from scopewatch.store.files.filenames import safe_name
from scopewatch.store.files.pictures import OVERLAY, STAIN, DrawingOptions, remove_picture
from scopewatch.store.files.stain_tiff import encode_stain
from scopewatch.store.files.whole_files import sweep, write_whole

QUALITY: Final = 90


def _all_named(overlay: str) -> set[str]:
    """Without a database nothing is known to be without a result."""
    return {overlay, f"{overlay.removesuffix(OVERLAY)}{STAIN}"}


def _is_there(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        # A folder that cannot be looked into: removing from it raises an error.
        return True


class OverlayFolder:
    """Implements `runtime.pipeline.recording.Overlays`.

    Parameters
    ----------
    folder
        `state/overlays`; `<experiment>/<well>/<plate>_t0007_s0.jpg` within it.
    threshold
        The card's: probability from which a tile is positive.
    marker
        The card's: what a positive tile would show under fluorescence.
    named
        Returns the pictures that results with this overlay name; may raise StoreError. Unless it
        is given, none is ever discarded.
    """

    def __init__(
        self,
        folder: Path,
        *,
        options: DrawingOptions,
        policy: RunPolicy,
        threshold: float,
        marker: str = "the marker",
        named: Callable[[str], set[str]] = _all_named,
    ) -> None:
        self._folder = folder
        self._options = options
        self._policy = policy
        self._threshold = threshold
        self._marker = marker
        self._named = named

    def write(self, frame: Frame, result: FrameResult, day: float) -> OverlayFiles:
        """Write the overlay (and the stain) of a judged frame. Raises StoreError."""
        if result.view is None or result.scores is None or result.efficiency is None:
            raise ValueError(f"{result.key} was not judged: there is nothing to draw")
        stem = self._stem(frame.key)
        caption = Caption(
            key=frame.key,
            day=day,
            efficiency=result.efficiency,
            simulated=self._policy.simulated,
            marker=self._marker,
        )
        picture = draw_overlay(
            result.view,
            result.scores,
            caption,
            threshold=self._threshold,
            grid=self._options.grid,
            max_px=self._options.max_px,
            squares=result.squares,
        )
        overlay = f"{stem}{OVERLAY}"
        encoded = io.BytesIO()
        # Colour at full resolution, or the borders of the stained tiles would blur.
        Image.fromarray(picture).save(encoded, "JPEG", quality=QUALITY, subsampling=0)
        write_whole(self._folder / overlay, encoded.getvalue())
        stain = f"{stem}{STAIN}" if self._options.stain_tiff else None
        if stain is not None:
            write_whole(self._folder / stain, self._encode_stain(frame, result))
        return OverlayFiles(overlay=overlay, stain=stain)

    def discard(self, key: FrameKey, named: OverlayFiles | None = None) -> int:
        """Remove the pictures of a frame that no result names; return how many.

        For whoever writes them, or while nobody does: a picture that is written waits for the
        result that names it. Neither folder nor database is asked about those in `named`, which
        a result just committed names. Raises StoreError.
        """
        stem = self._stem(key)
        known = {named.overlay, named.stain} if named is not None else set()
        there = [
            name
            for name in (f"{stem}{OVERLAY}", f"{stem}{STAIN}")
            if name not in known and _is_there(self._folder / name)
        ]
        kept = self._named(f"{stem}{OVERLAY}") if there else set()
        left = [name for name in there if name not in kept]
        for name in left:
            remove_picture(self._folder / name)
        return len(left)

    def sweep(self) -> int:
        """Remove temporary files that a crash left; call it once before the first `write`."""
        return sweep(self._folder)

    def _stem(self, key: FrameKey) -> str:
        folder = f"{safe_name(key.run)}/{safe_name(key.well)}"
        name = f"{safe_name(key.plate)}_t{key.time_point:04d}_s{key.site}"
        if key.channel != self._policy.phase_channel:
            name += f"_{safe_name(key.channel)}"
        return f"{folder}/{name}"

    def _encode_stain(self, frame: Frame, result: FrameResult) -> bytes:
        if result.scores is None:
            raise ValueError(f"{result.key} was not judged")
        mark = "SIMULATED " if self._policy.simulated else ""
        shows = describe_stain(self._marker, result.squares)
        metadata: dict[str, object] = {
            "Name": f"{mark}{frame.key}",
            "Description": f"{mark}{shows}: (value - 1) / 254, 0 not counted",
            "Channel": {"Name": "virtual stain"},
        }
        if frame.acquired_at is not None:
            metadata["AcquisitionDate"] = frame.acquired_at.isoformat()
        if result.view_um_per_px is not None:
            for side in ("X", "Y"):
                metadata[f"PhysicalSize{side}"] = result.view_um_per_px
                metadata[f"PhysicalSize{side}Unit"] = "µm"
        return encode_stain(result.scores, metadata, result.squares)
