"""A time-lapse for Micro-Manager's demo devices."""

from pathlib import Path
from typing import Any

import pytest

from scopewatch.config import (
    ChannelConfig,
    MicroManagerSourceConfig,
    PositionConfig,
    RunConfig,
)

adapters = pytest.importorskip("mm_test_adapters", reason="Micro-Manager's demo devices")

POSITIONS = (
    PositionConfig(label="A1-Site_0", x_um=0, y_um=0),
    PositionConfig(label="A1-Site_1", x_um=700, y_um=0),
    PositionConfig(label="B2-Site_0", x_um=9000, y_um=9000),
)
CHANNELS = (
    ChannelConfig(group="Channel", preset="FITC", exposure_ms=5),
    ChannelConfig(group="Channel", preset="DAPI", exposure_ms=5),
)
RUN = RunConfig(name="HES 7", phase_channel="fitc")


def settings(path: Path, **changes: Any) -> MicroManagerSourceConfig:
    given: dict[str, Any] = {
        "mode": "acquire",
        "mm_app_path": Path(adapters.device_adapter_path()),
        "positions": POSITIONS,
        "channels": CHANNELS,
        "interval_s": 3600,
        "time_points": 3,
        "poll_s": 0.2,
    }
    return MicroManagerSourceConfig(kind="micromanager", path=path, **{**given, **changes})
