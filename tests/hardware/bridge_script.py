"""A script of pycro-manager's user, as a program: has a running Micro-Manager acquire wells.

Called with a JSON list of port, folder, name, wells, and whether the data set is closed.
"""

import json
import os
import sys
import threading
from collections.abc import Sequence

from pycromanager import JavaBackendAcquisition


def acquire(port: int, folder: str, name: str, wells: Sequence[str], finish: bool) -> None:
    """Acquire one image per well."""
    saved = threading.Semaphore(0)
    acquisition = JavaBackendAcquisition(
        folder,
        name,
        port=port,
        show_display=False,
        image_saved_fn=lambda _axes, _data_set: saved.release(),
    )
    for well in wells:
        acquisition.acquire(
            {
                "axes": {"time": 0, "position": well, "channel": "FITC"},
                "config_group": ["Channel", "FITC"],
                "exposure": 5,
            }
        )
    for _ in wells:
        assert saved.acquire(timeout=60)
    if finish:
        acquisition.mark_finished()
        acquisition.await_completion()


if __name__ == "__main__":
    acquire(*json.loads(sys.argv[1]))
    sys.stdout.write("saved\n")
    sys.stdout.flush()
    # Its threads wait without end for a Micro-Manager that is gone.
    os._exit(0)
