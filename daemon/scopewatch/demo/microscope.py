"""The demo's microscope: a real pycro-manager acquisition whose camera shows simulated wells.

A process of its own, as Micro-Manager is in a lab: the daemon knows nothing of it and follows
the NDTiff data set that appears on disk. The core, its DemoCamera, stage and acquisition engine
are Micro-Manager's; only the pixels are replaced, in `image_process_fn`.

    python -m scopewatch.demo.microscope --out DIR --truth FILE --seed 1 --wells 12 --pace-s 2
"""

import argparse
import csv
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scopewatch.core.errors import ConfigError, ScopewatchError, SourceError, complaint
from scopewatch.demo.folder import INTERVAL_H, RUN
from scopewatch.sources.micromanager.devices.cores import stop_core
from scopewatch_simulator.plan import FINAL_TIME_POINT, SIMULATOR_VERSION
from scopewatch_simulator.simulation import Simulation

Shoot = Callable[[int, int], NDArray[np.uint16]]

# The simulated run's first day; frames carry times derived from it, not the clock on the wall.
STARTED_AT = datetime(2026, 1, 1, 9, tzinfo=UTC)

# Stage positions of a multi-well plate, centre to centre.
WELL_PITCH_UM = 9_000.0


@contextmanager
def demo_core() -> Iterator[None]:
    """Run Micro-Manager's core with its demo devices in this process.

    Raises
    ------
    ConfigError
        When the demo's packages are not installed.
    SourceError
        When the core starts without a camera: an acquisition would then never end.
    """
    try:
        from mm_test_adapters import device_adapter_path  # noqa: PLC0415  an extra of its own
        from mmpycorex import Core  # noqa: PLC0415
        from pycromanager import start_headless  # noqa: PLC0415
    except ImportError as error:
        raise ConfigError(
            complaint(
                "demo needs Micro-Manager's demo devices",
                where=error.name,
                do="install them: pip install 'scopewatch[demo]'",
            )
        ) from error
    adapters = Path(device_adapter_path())
    start_headless(
        str(adapters), str(adapters / "MMConfig_demo.cfg"), python_backend=True, buffer_size_mb=16
    )
    try:
        core = Core()
        if not core.get_camera_device():
            raise SourceError(
                complaint(
                    "Micro-Manager core has no camera",
                    where=adapters,
                    expected="DemoCamera",
                    do="reinstall mm-test-adapters",
                )
            )
        # The demo stage moves as slowly as a real one; ten days are to pass in a minute.
        core.set_property(core.get_xy_stage_device(), "Velocity", 1e6)
        yield
    finally:
        stop_core()


def acquire(
    out: Path,
    *,
    wells: tuple[str, ...],
    time_points: int,
    pace_s: float,
    shoot: Shoot,
    report: Callable[[int], None],
) -> int:
    """Run the time-lapse and return the number of frames that were acquired.

    Parameters
    ----------
    out
        Folder in which pycro-manager makes its data set.
    pace_s
        A simulated interval of 12 h lasts at least this many seconds.
    shoot
        Maps (well index, time point) to (H, W) uint16 pixels.
    report
        Called with the number of finished time points.
    """
    from pycromanager import Acquisition  # noqa: PLC0415  an extra of its own

    acquired = 0

    def put_pixels(_image: Any, metadata: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        nonlocal acquired
        axes = metadata["Axes"]
        time_point = int(axes["time"])
        pixels = shoot(wells.index(axes["position"].split("-")[0]), time_point)
        taken_at = STARTED_AT + timedelta(hours=INTERVAL_H * time_point)
        metadata["PixelSizeUm"] = 1.0
        metadata["ReceivedTime"] = f"{taken_at:%Y-%m-%d %H:%M:%S.000 +0000}"
        metadata["Simulated"] = True
        acquired += 1
        return pixels, metadata

    acquisition = Acquisition(directory=str(out), name=RUN, image_process_fn=put_pixels)
    try:
        for time_point in range(time_points):
            next_at = time.monotonic() + pace_s
            for index, well in enumerate(wells):
                row, column = divmod(index, 4)
                # One event a call: events submitted together merge into a hardware sequence.
                acquisition.acquire(
                    [
                        {
                            "axes": {
                                "time": time_point,
                                "position": f"{well}-Site_0",
                                "channel": "phase",
                            },
                            "x": column * WELL_PITCH_UM,
                            "y": row * WELL_PITCH_UM,
                            "exposure": 5,
                        }
                    ]
                )
            report(time_point + 1)
            time.sleep(max(0.0, next_at - time.monotonic()))
    finally:
        writer = acquisition.get_dataset().current_writer
        acquisition.mark_finished()
        acquisition.await_completion()
        if writer is not None:
            writer.reader.close()  # ndstorage 0.1.18 leaves it open
        acquisition.get_dataset().close()
    # await_completion does not raise what image_process_fn raised: acquisitions end quietly.
    if acquisition._exception is not None:
        raise acquisition._exception
    return acquired


def write_truth(path: Path, simulation: Simulation, wells: tuple[str, ...]) -> None:
    """Write the true efficiency of every well on the final day."""
    with path.open("w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream)
        table.writerow(["well", "true_efficiency", "simulator_version"])
        for index, well in enumerate(wells):
            truth = simulation.truth(0, index, 0, FINAL_TIME_POINT)
            table.writerow([well, f"{truth.efficiency:.4f}", SIMULATOR_VERSION])


def main(arguments: list[str] | None = None) -> int:
    """Run the microscope; print one JSON line per finished time point and one at the end."""
    parser = argparse.ArgumentParser(description="The demo's simulated microscope.")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--truth", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--wells", type=int, default=12)
    parser.add_argument("--pace-s", type=float, default=2.0)
    chosen = parser.parse_args(arguments)

    def say(**fields: int) -> None:
        print(json.dumps(fields), flush=True)  # noqa: T201  this process speaks by its lines

    try:
        simulation = Simulation(seed=chosen.seed, cached_fields=chosen.wells)
        wells = tuple(simulation.well_plan(0, index).name for index in range(chosen.wells))
        write_truth(chosen.truth, simulation, wells)
        with demo_core():
            frames = acquire(
                chosen.out,
                wells=wells,
                time_points=FINAL_TIME_POINT + 1,
                pace_s=chosen.pace_s,
                shoot=lambda well, time_point: simulation.frame(0, well, 0, time_point),
                report=lambda done: say(time_points=done),
            )
    except ScopewatchError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    say(frames_acquired=frames)
    return 0


if __name__ == "__main__":
    sys.exit(main())
