"""pymmcore-plus: the image files of `ImageSequenceWriter`.

Names hold indexes alone. The well of an image, the name of its channel and its scale are in
`_frame_metadata.json` beside it, which is written with every tenth image and at the end. An image
whose position and channel are already listed there is read at once; any other waits.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from scopewatch.sources.base.address import named as label
from scopewatch.sources.base.facts import PlaneFacts
from scopewatch.sources.layouts.beside import SideFile
from scopewatch.sources.layouts.layout import Example, Layout
from scopewatch.sources.layouts.parts import NAME
from scopewatch.sources.readers.pixel_size import calibrated_um
from scopewatch.sources.readers.timestamps import parse_time, time_facts

SIDE_FILE = "_frame_metadata.json"
_LONGEST_MS = 1e11  # three years


@dataclass(frozen=True, slots=True)
class FrameMetadata:
    """Images of a sequence by file name, and its positions and channels by index."""

    images: Mapping[str, PlaneFacts]
    positions: Mapping[int | None, PlaneFacts]
    channels: Mapping[str | None, PlaneFacts]

    def of(self, name: str, named: PlaneFacts) -> PlaneFacts | None:
        """Return the facts of an image; None where image, position or channel is not listed."""
        known = self.images.get(name)
        if known is not None:
            return known
        position = named.position if isinstance(named.position, int) else None
        if position not in self.positions or named.channel_code not in self.channels:
            return None
        return self.positions[position].over(self.channels[named.channel_code])

    def lists(self, name: str) -> bool:
        """Return whether it lists an image."""
        return name in self.images


def parse_frame_metadata(file: BinaryIO, _: Path) -> FrameMetadata:
    """Read the side file.

    Raises
    ------
    ValueError
        When it is half written.
    """
    entries = json.load(file)
    if not isinstance(entries, dict):
        raise ValueError("no object")
    images: dict[str, PlaneFacts] = {}
    positions: dict[int | None, PlaneFacts] = {}
    channels: dict[str | None, PlaneFacts] = {}
    for name, entry in entries.items():
        if not isinstance(entry, dict):
            continue
        event = _object(entry.get("mda_event"))
        index = _object(event.get("index"))
        p, c = _whole(index.get("p")), _whole(index.get("c"))
        place = PlaneFacts(plate=_plate(event), position=label(event.get("pos_name")) or p)
        seen = PlaneFacts(
            channel=label(_object(event.get("channel")).get("config")),
            pixel_size_um=calibrated_um(entry.get("pixel_size_um")),
        )
        positions[p] = place
        channels[None if c is None else f"c{c:02}"] = seen
        images[name] = place.over(seen).over(_time(entry))
    return FrameMetadata(images=images, positions=positions, channels=channels)


def _plate(event: Mapping[str, Any]) -> str | None:
    """Return the name of the plate in the plan."""
    positions = _object(_object(event.get("sequence")).get("stage_positions"))
    return label(_object(positions.get("plate")).get("name"))


def _time(entry: Mapping[str, Any]) -> PlaneFacts:
    """Return when a frame was taken: by the clock of the core, else since the sequence began."""
    received = parse_time(_object(entry.get("camera_metadata")).get("TimeReceivedByCore"))
    if received is not None:
        return time_facts(received)
    runner_ms = entry.get("runner_time_ms")
    if isinstance(runner_ms, int | float) and 0 <= runner_ms < _LONGEST_MS:
        return PlaneFacts(elapsed_s=runner_ms / 1000)
    return PlaneFacts()


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _axis(letter: str, group: str) -> str:
    # The last one: the user's prefix may hold another (`run_p12_t0000_p003.tif`).
    return rf"(?=(?:(?:[^/]*_)?{letter}(?P<{group}>\d+)[_.])?)"


# img-00005_t0000_p002_c01.tif: the user chooses the prefix; axes that the plan lacks are missing.
LAYOUT = Layout(
    name="useq",
    program="pymmcore-plus (ImageSequenceWriter)",
    patterns=(
        rf"{NAME}(?=(?:[^/]*?_)?[tpcgz]\d{{2,}}(?:_[tpcgz]\d{{2,}})*\.\w+$)"
        rf"{_axis('t', 'time_point')}{_axis('p', 'position')}{_axis('g', 'site')}{_axis('z', 'z')}"
        r"(?=(?:(?:[^/]*_)?(?P<channel_code>c\d+)[_.])?)",
    ),
    sides=(SideFile(names=(SIDE_FILE,), parse=parse_frame_metadata, awaited="well", needed=True),),
    examples=(
        Example(path="00005_t0000_p002_c01.tif", time_point=0, position=2, channel="c01"),
        Example(path="run_p12_t0003_p002_c01.tif", time_point=3, position=2, channel="c01"),
        Example(path="run-00012_t0003_c00_z002.tif", time_point=3, channel="c00", z=2),
    ),
)
