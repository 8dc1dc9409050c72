"""ND2 files made from the structure that nd2 reads: no library writes them.

Version 3.0: chunks with a name each, descriptions in Nikon's binary "CLX Lite", and the list of the
chunks at the end.
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_MAGIC = 0x0ABECEDA
_FILE = b"ND2 FILE SIGNATURE CHUNK NAME01!"
_MAP, _END = b"ND2 FILEMAP SIGNATURE NAME 0001!", b"ND2 CHUNK MAP SIGNATURE 0000001!"
_UNIX_EPOCH = 2440587.5
# 2026-03-01 09:00:00 UTC
STARTED = _UNIX_EPOCH + 1772355600 / 86400


@dataclass(frozen=True, kw_only=True)
class Acquisition:
    """The acquisition: times outermost, then positions, then planes, as NIS-Elements nests them.

    `acquired` is the number of frames of those that were planned; None: all.
    """

    times: int = 1
    positions: Sequence[str] = ()
    planes: int = 1
    channels: Sequence[str] = ("Phase",)
    um_per_px: float = 0.65
    calibrated: bool = True
    started: float = STARTED
    interval_ms: float = 43_200_000.0
    acquired: int | None = None

    @property
    def frames(self) -> int:
        """Number of planned frames."""
        return self.times * max(1, len(self.positions)) * self.planes


def pixels_of(frame: int, channel: int) -> NDArray[np.uint16]:
    """Return the camera counts of a channel of a frame, 24 x 32."""
    rng = np.random.default_rng(100 * frame + channel)
    return rng.integers(100, 4000, (24, 32)).astype(np.uint16)


def write_nd2(path: Path, acquisition: Acquisition, *, closed: bool = True) -> Path:
    """Write an ND2; one that is not closed has no list of its chunks."""
    data = bytearray(struct.pack("<IIQ32s64s", _MAGIC, 32, 64, _FILE, b"Ver3.0"))
    listed = b""

    def add(name: bytes, content: bytes, reserve: int = 4080) -> None:
        nonlocal listed
        data.extend(bytes(-len(data) % 4096))
        listed += name + struct.pack("<QQ", len(data), len(content))
        data.extend(struct.pack("<IIQ", _MAGIC, reserve, len(content)) + name.ljust(reserve, b"\0"))
        data.extend(content)

    acquired = acquisition.frames if acquisition.acquired is None else acquisition.acquired
    for frame in range(acquired):
        stack = np.stack([pixels_of(frame, c) for c in range(len(acquisition.channels))], axis=-1)
        moment = frame * 1000.0
        add(f"ImageDataSeq|{frame}!".encode(), struct.pack("<d", moment) + stack.tobytes(), 4072)
    add(b"ImageAttributesLV!", _clx(_attributes(acquisition, acquired)))
    add(b"ImageMetadataSeqLV|0!", _clx(_picture(acquisition)))
    experiment = _experiment(acquisition)
    if experiment:
        add(b"ImageMetadataLV!", _clx({"SLxExperiment": experiment}))
    times = [_moment_ms(acquisition, frame) for frame in range(acquired)]
    add(b"CustomData|AcqTimesCache!", np.array(times, np.float64).tobytes())
    if closed:
        data.extend(bytes(-len(data) % 4096))
        location = len(data)
        content = listed + _END + struct.pack("<Q", location)
        data.extend(struct.pack("<IIQ", _MAGIC, 32, len(content)) + _MAP + content)
    path.write_bytes(data)
    return path


def _moment_ms(acquisition: Acquisition, frame: int) -> float:
    per_time = acquisition.frames // acquisition.times
    return frame // per_time * acquisition.interval_ms + frame % per_time * 1000.0


def _attributes(acquisition: Acquisition, acquired: int) -> dict[str, Any]:
    channels = len(acquisition.channels)
    reported = {
        "uiWidth": 32,
        "uiWidthBytes": 32 * 2 * channels,
        "uiHeight": 24,
        "uiComp": channels,
        "uiBpcInMemory": 16,
        "uiBpcSignificant": 12,
        "uiSequenceCount": acquired,
        "eCompression": 2,
    }
    return {"SLxImageAttributes": reported}


def _picture(acquisition: Acquisition) -> dict[str, Any]:
    probe = {"m_sName": "", "m_uiColor": 0}
    planes = {
        f"a{index}": {
            "uiCompCount": 1,
            "uiSampleIndex": index,
            "sDescription": name,
            "pFluorescentProbe": probe,
        }
        for index, name in enumerate(acquisition.channels)
    }
    reported = {
        "dTimeAbsolute": acquisition.started,
        "dTimeMSec": 0.0,
        "bCalibrated": acquisition.calibrated,
        "dCalibration": acquisition.um_per_px,
        "sPicturePlanes": {"uiCount": len(planes), "sPlaneNew": planes},
    }
    return {"SLxPictureMetadata": reported}


def _experiment(acquisition: Acquisition) -> dict[str, Any]:
    loops: list[dict[str, Any]] = []
    if acquisition.times > 1:
        period = {"dStart": 0.0, "dPeriod": acquisition.interval_ms, "dDuration": 0.0}
        loops.append({"eType": 1, "uLoopPars": {"uiCount": acquisition.times, **period}})
    if acquisition.positions:
        points = [
            {"dPosX": 1.0 * index, "dPosY": 0.0, "dPosZ": 0.0, "dPosName": name}
            for index, name in enumerate(acquisition.positions)
        ]
        loops.append({"eType": 2, "uLoopPars": {"Points": points}})
    if acquisition.planes > 1:
        stack = {"uiCount": acquisition.planes, "dZLow": 0.0, "dZHigh": 4.0, "dZStep": 2.0}
        loops.append({"eType": 4, "uLoopPars": stack})
    inner: dict[str, Any] = {}
    for loop in reversed(loops):
        inner = {**loop, **({"ppNextLevelEx": [inner]} if inner else {})}
    return inner


def _clx(content: Mapping[str, Any]) -> bytes:
    return b"".join(_item(name, value) for name, value in content.items())


def _item(name: str, value: Any) -> bytes:
    """Write one value with its name; lists are levels whose items have no name."""
    spelt = (name + "\0").encode("utf-16-le")
    length = len(spelt) // 2
    if isinstance(value, bool):
        return struct.pack("<BB", 1, length) + spelt + struct.pack("<B", value)
    if isinstance(value, int):
        return struct.pack("<BB", 3, length) + spelt + struct.pack("<I", value)
    if isinstance(value, float):
        return struct.pack("<BB", 6, length) + spelt + struct.pack("<d", value)
    if isinstance(value, str):
        return struct.pack("<BB", 8, length) + spelt + (value + "\0").encode("utf-16-le")
    items = [("", each) for each in value] if isinstance(value, list) else list(value.items())
    inside = b"".join(_item(*each) for each in items)
    size = 2 + len(spelt) + 12 + len(inside)
    head = struct.pack("<BB", 11, length) + spelt + struct.pack("<IQ", len(items), size)
    return head + inside + bytes(8 * len(items))
