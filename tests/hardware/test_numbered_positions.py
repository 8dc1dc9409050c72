"""A real core acquires positions, channels and planes by number, as Micro-Manager itself does."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from scopewatch.sources.ndtiff.source import NDTiffSource
from tests.conftest import FakeClock
from tests.unit.sources.fakes import FakeInbox, FakeLedger
from tests.unit.sources.images import RUN
from tests.unit.sources.ndtiffs import ndtiff_config

pytestmark = pytest.mark.hardware
pytest.importorskip("mm_test_adapters", reason="Micro-Manager's demo devices")

ACQUIRE = """
import sys
from pathlib import Path
import numpy as np
from mm_test_adapters import device_adapter_path
from pycromanager import Acquisition, multi_d_acquisition_events, start_headless, stop_headless

adapters = device_adapter_path()
start_headless(adapters, str(Path(adapters) / "MMConfig_demo.cfg"), python_backend=True)

def named(image, metadata):
    axes = metadata["Axes"]
    level = 1000 + 100 * axes["position"] + 10 * axes["time"] + axes["z"]
    metadata["PositionName"] = ("B2-Site_0", "B2-Site_1", "C3-Site_0")[axes["position"]]
    return np.full((64, 96), level, np.uint16), metadata

events = multi_d_acquisition_events(
    num_time_points=2, xy_positions=[(0, 0), (700, 0), (9000, 0)], z_start=-2, z_end=2, z_step=2
)
for event in events:
    event["axes"]["z"] -= 1  # as Micro-Magellan counts
with Acquisition(directory=sys.argv[1], name="HES7", image_process_fn=named) as acquisition:
    acquisition.acquire(events)
stop_headless()
"""


def test_wells_are_named_and_the_plane_at_0_is_scored(tmp_path: Path, clock: FakeClock) -> None:
    subprocess.run(
        [sys.executable, "-c", ACQUIRE, str(tmp_path)], check=True, capture_output=True, timeout=50
    )
    source, inbox = NDTiffSource(ndtiff_config(tmp_path), RUN, clock), FakeInbox()
    source.start(inbox, FakeLedger())
    source.stop()
    levels = {str(ticket.key): source.load(ticket).pixels for ticket in inbox.tickets}
    assert {key: int(np.unique(pixels)[0]) for key, pixels in levels.items()} == {
        f"HES7/plate/{place}/t000{time}/phase": 1000 + 100 * number + 10 * time
        for number, place in enumerate(("B2/s0", "B2/s1", "C3/s0"))
        for time in range(2)
    }
    assert len(inbox.reasons) == 12
    assert all("frame is another plane of a z-stack" in reason for reason in inbox.reasons)
