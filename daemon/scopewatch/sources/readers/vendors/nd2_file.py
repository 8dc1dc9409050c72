"""ND2 files of Nikon (NIS-Elements), read with nd2.

A frame of the file holds all channels of one field at one moment. The list of their places is at
the end, and is written when NIS-Elements closes the file.
"""

import hashlib
from datetime import UTC, datetime, timedelta
from math import prod
from pathlib import Path
from typing import Any

import nd2
from nd2.structures import XYPosLoop
from numpy.typing import NDArray

from scopewatch.sources.base.address import named
from scopewatch.sources.base.facts import Origin, PlaneFacts
from scopewatch.sources.readers.pixel_size import calibrated_um
from scopewatch.sources.readers.planes import ReadLimits
from scopewatch.sources.readers.vendors.listing import (
    VendorFile,
    VendorPlane,
    VendorReader,
    refuse_dimensions,
    refuse_too_many,
    stated,
)

_LOOPS = ("TimeLoop", "NETimeLoop", "XYPosLoop", "ZStackLoop")
_MAGIC = b"\xda\xce\xbe\x0a"
_JPEG_2000 = b"\x00\x00\x00\x0c"
_END, _END_BYTES = b"ND2 CHUNK MAP SIGNATURE 0000001!", 40
_UNIX_EPOCH_JULIAN_DAY = 2440587.5


def list_file(path: Path, limits: ReadLimits) -> VendorFile:
    """List the planes of an ND2: frame by frame, and the channels in each."""
    if not _closed(path, limits):
        return VendorFile(unfinished="its program has not closed it")
    with nd2.ND2File(path) as file:
        attributes = file.attributes
        size_px = (attributes.heightPx, attributes.widthPx or 0)
        others = {str(each.type): each.count for each in file.experiment if each.type not in _LOOPS}
        refuse_dimensions(others, path)
        refuse_too_many(prod(loop.count for loop in file.experiment), path, limits)
        channels = _channels(file)
        labels = _labels(file)
        of_set = PlaneFacts(pixel_size_um=_pixel_size(file))
        planes = []
        identity = ""
        # The loops are as long as planned; a run that was stopped has fewer frames.
        frames = file.loop_indices[: attributes.sequenceCount]
        for frame, at in enumerate(frames):
            moment = _moment(file, frame)
            identity = identity or _identity(file, moment)
            position = at.get("P", 0)
            for channel, name in enumerate(channels):
                facts = PlaneFacts(
                    time_point=at.get("T"),
                    channel=name,
                    z=at.get("Z"),
                    position=labels[position] if position < len(labels) else None,
                ).over(moment)
                planes.append(
                    VendorPlane(
                        place=(frame, channel),
                        fingerprint=f"{identity}:{frame}:{channel}",
                        size_px=size_px,
                        statements=stated(
                            (Origin.PLANE, "ND2 metadata", facts), (Origin.SET, "ND2", of_set)
                        ),
                    )
                )
    return VendorFile(planes=tuple(planes))


def read_pixels(path: Path, place: tuple[int, int]) -> NDArray[Any]:
    """Read one channel of a frame."""
    frame, channel = place
    with nd2.ND2File(path) as file:
        attributes = file.attributes
        shape = (
            *(attributes.channelCount or 1, attributes.heightPx, attributes.widthPx or 0),
            file.components_per_channel,
        )
        # A copy: the library returns a view of the mapped file.
        pixels: NDArray[Any] = file.read_frame(frame).reshape(shape)[channel].copy()
    return pixels[..., 0] if pixels.shape[2] == 1 else pixels


READER = VendorReader(list_file=list_file, read_pixels=read_pixels)


def _closed(path: Path, limits: ReadLimits) -> bool:
    """Return whether the list of chunks is at the end, and within the limits."""
    size = path.stat().st_size
    with path.open("rb") as file:
        magic = file.read(4)
        if magic == _JPEG_2000:
            raise ValueError("ND2 of before 2006, which is compressed by JPEG 2000")
        if magic != _MAGIC:
            raise ValueError("no ND2 header")
        file.seek(max(0, size - _END_BYTES))
        tail = file.read(_END_BYTES)
    if not tail.startswith(_END):
        return False
    listed = size - int.from_bytes(tail[len(_END) :], "little")
    if not 0 < listed <= limits.max_text_bytes:
        raise ValueError(f"a list of {listed} bytes")
    return True


def _channels(file: nd2.ND2File) -> list[str | None]:
    metadata = file.metadata
    channels = (metadata.channels or []) if not isinstance(metadata, dict) else []
    names = [named(each.channel.name) for each in channels] or [None]
    if len(set(names)) < len(names) or None in names:
        return [f"channel{index}" if len(names) > 1 else name for index, name in enumerate(names)]
    return list(names)


def _labels(file: nd2.ND2File) -> list[str | int | None]:
    """Return the name of each stage position, or its number where it has none."""
    loop = next((each for each in file.experiment if isinstance(each, XYPosLoop)), None)
    if loop is None:
        return []
    points = loop.parameters.points
    return [
        named(point.name) or (index if len(points) > 1 else None)
        for index, point in enumerate(points)
    ]


def _pixel_size(file: nd2.ND2File) -> float | None:
    metadata = file.metadata
    channels = (metadata.channels or []) if not isinstance(metadata, dict) else []
    if not channels or not channels[0].volume.axesCalibrated[0]:
        return None
    return calibrated_um(channels[0].volume.axesCalibration[0])


def _moment(file: nd2.ND2File, frame: int) -> PlaneFacts:
    """Return when a frame was taken: UTC by its Julian day, else the time since the start."""
    metadata = file.frame_metadata(frame)
    channels = metadata.channels if not isinstance(metadata, dict) else None
    if not channels:
        return PlaneFacts()
    time = channels[0].time
    # A file without an absolute time has -1 or 0, and some milliseconds of a day.
    if time.absoluteJulianDayNumber < _UNIX_EPOCH_JULIAN_DAY:
        return PlaneFacts(elapsed_s=max(0.0, time.relativeTimeMs / 1000))
    days = time.absoluteJulianDayNumber - _UNIX_EPOCH_JULIAN_DAY
    return PlaneFacts(acquired_at=datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=days))


def _identity(file: nd2.ND2File, first: PlaneFacts) -> str:
    """Return a hash that distinguishes this file from others, and is the same in a copy of it."""
    text = repr((first, file.attributes, file.text_info))
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:16]
