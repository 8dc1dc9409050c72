"""A writer gives acquisition times at its close: days move, and no frame is scored again."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import ome_writers
import pytest
from numpy.typing import NDArray

from tests.integration.daemon import Daemon

TIMES = 4
HOURS = 13
pytestmark = pytest.mark.timeout(240)
WITHIN_S = 60.0


@pytest.fixture
def stream(daemon: Daemon) -> Iterator[ome_writers.OMEStream]:
    """Open a time-lapse of one position, whose directories appear as they are written."""
    settings: dict[str, Any] = {
        "root_path": str(daemon.incoming / "A1"),
        "dtype": "uint16",
        "compression": "lzw",
        "format": "ome-tiff",
        "overwrite": True,
        "dimensions": [
            ome_writers.Dimension(name="t", count=TIMES, type="time"),
            ome_writers.Dimension(name="y", count=256, type="space", scale=1.0, unit="micrometer"),
            ome_writers.Dimension(name="x", count=256, type="space", scale=1.0, unit="micrometer"),
        ],
    }
    opened = ome_writers.create_stream(ome_writers.AcquisitionSettings.model_validate(settings))
    yield opened
    opened.close()


def days(daemon: Daemon) -> list[float]:
    frames = sorted(daemon.frames(), key=lambda frame: frame.key.time_point)
    return [round(frame.day, 3) for frame in frames if frame.day is not None]


def test_days_follow_the_times_that_a_writer_gives_at_its_close(
    daemon: Daemon, phase: NDArray[np.uint16], stream: ome_writers.OMEStream
) -> None:
    daemon.settings["experiment"]["day_from"] = "acquired_at"
    daemon.settings["sources"][0] |= {"pattern": r"(?P<well>[A-H]\d+)", "give_up_s": 600}
    daemon.start_ready(within_s=WITHIN_S)
    for index in range(TIMES):
        image = np.ascontiguousarray(np.roll(phase, 40 * index, axis=1)[:256, :256])
        stream.append(image, frame_metadata={"delta_t": 3600.0 * HOURS * index})
    # A directory is written with the one after it, the last one at the close.
    daemon.eventually(lambda: len(days(daemon)) >= TIMES - 1, within_s=WITHIN_S)
    live = days(daemon)
    assert live == [0.5 * index for index in range(len(live))], (
        "by the index, until times are known"
    )
    stream.close()
    expected = [round(HOURS / 24 * index, 3) for index in range(TIMES)]
    daemon.eventually(lambda: days(daemon) == expected, within_s=WITHIN_S)
    assert daemon.count("frame scored") == TIMES
    assert daemon.count("frame's time became known") >= TIMES - 1
    assert daemon.count("frame changed since it was seen, scored again") == 0
    assert daemon.end(within_s=20) == 0
