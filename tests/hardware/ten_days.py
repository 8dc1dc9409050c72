"""A part of ten days in compressed time, in the real daemon: `scopewatch run` with another clock.

    python -m tests.hardware.ten_days FOLDER PART

PART is a JSON list of steps: [hour, what, argument]. The clock leaps to the hour of each, and the
next one comes when the daemon has done it. Simulated are the time, the height of the focus and the
pixels; store, inbox, worker, network, schedule and signals are the daemon's own.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from mmpycorex import Core
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from scopewatch.app import sources
from scopewatch.cli import main
from scopewatch.core.acquisition.orders import Act
from scopewatch.runtime.clock import SystemClock
from scopewatch.sources.micromanager.devices.pycro_manager import PycroManagerMicroscope
from scopewatch.store.read.reader import Reader
from scopewatch_simulator.simulation import Simulation
from tests.hardware.acquiring_daemon import Wanted, acquiring, position
from tests.hardware.focusing_core import FocusingCore, Specimen
from tests.integration.conftest import SHIPPED
from tests.unit.store.scene import open_store

Step = tuple[float, str] | tuple[float, str, float]

BEGAN_AT = datetime(2026, 3, 1, 9, tzinfo=UTC)
RUN = "HES 7"
BY = "anna, command line"
WELLS = ("A1", "A2", "B1", "B2")
# Every 12 h to hour 96, then every 8 h to hour 240.
HOURS = [12 * index for index in range(9)] + [104 + 8 * index for index in range(18)]
MEDIUM_HOURS = (50, 170)
WITHIN_S = 60.0
LOOK_S = 0.05


def configuration(interval_h: float) -> Wanted:
    """Return the configuration of the daemon."""
    source = acquiring(
        positions=[position(well, 900 * each, 0) for each, well in enumerate(WELLS)],
        interval_s=3600 * interval_h,
        time_points=len(HOURS),
        um_per_px=1,
        focus={
            "method": "autofocus",
            "every": "position",
            "max_step_um": 40,
            "max_drift_um": 200,
        },
        medium={"lift_to_um": -250},
    )
    return {
        "experiment": {"name": RUN, "phase_channel": "fitc", "simulated": True},
        "model": {"bundle": str(SHIPPED), "threads": 1},
        "sources": [source],
        "state": {"folder": "state"},
        "web": {"enabled": False},
        # The leaps of this clock are no stall.
        "runtime": {
            "rescan_s": 1,
            "stall_s": 1e6,
            "end_on_stall_s": None,
            "burst_wait_s": 0,
            "log_format": "json",
        },
    }


def drift_um(hour: float) -> float:
    """Return the height of the focus in um: it drifts, and each medium change moves the plate."""
    return 0.4 * hour + 5.0 * sum(hour > each for each in MEDIUM_HOURS)


class CompressedTime:
    """The clock of the process; moments within an hour pass as they do."""

    def __init__(self, hour: float) -> None:
        self.hour = hour
        self._began_s = time.monotonic()

    def now(self) -> datetime:
        passed_s = time.monotonic() - self._began_s
        return BEGAN_AT + timedelta(hours=self.hour, seconds=passed_s)

    def monotonic(self) -> float:
        return time.monotonic() + 3600 * self.hour


class SimulatedCells(Specimen):
    """Simulated phase contrast, blurred by its distance from the focus.

    It writes a line per image; the process is killed after some, if asked to be.
    """

    def __init__(self, folder: Path, clock: CompressedTime) -> None:
        super().__init__()
        self._sharp = Simulation(seed=11, size_px=256).frame(0, 0, 0, 20).astype(np.float64)
        self._clock = clock
        self._file = (folder / "imaged.jsonl").open("a", encoding="utf-8")
        self.kill_after: int | None = None

    def image(
        self, pixels: NDArray[Any], metadata: dict[str, Any]
    ) -> tuple[NDArray[Any], dict[str, Any]]:
        super().image(pixels, metadata)
        axes = metadata["Axes"]
        away_um = self.taken[axes["time"], axes["position"]]
        print(json.dumps([axes["time"], axes["position"], away_um]), file=self._file, flush=True)
        if self.kill_after is not None:
            self.kill_after -= 1
            if not self.kill_after:
                os.kill(os.getpid(), signal.SIGKILL)
        metadata["ReceivedTime"] = self._clock.now().isoformat()
        return gaussian_filter(self._sharp, away_um / 4).astype(np.uint16), metadata


class Driver:
    """Goes through the steps of a part, in a thread beside the daemon."""

    def __init__(self, folder: Path, clock: CompressedTime, cells: SimulatedCells) -> None:
        self._folder = folder
        self._clock = clock
        self._cells = cells
        self._ballast = folder / "data" / "ballast"

    def drive(self, steps: list[list[Any]]) -> None:
        """Take each step; end the process where one does not come about."""
        try:
            ready = self._count("ready")
            self._until(lambda: self._count("ready") > ready, "ready")
            for hour, what, *argument in steps:
                self._step(hour, what, *argument)
            os.kill(os.getpid(), signal.SIGTERM)
        except BaseException as error:  # noqa: BLE001 - a thread whose end nobody would see
            sys.stderr.write(f"the driver failed: {error!r}\n")
            sys.stderr.flush()
            os._exit(70)

    def _step(self, hour: int, what: str, argument: Any = None) -> None:
        failed, reloads = self._count("time point could not be acquired"), self._count(_RELOADED)
        if what == "fill":
            _fill(self._ballast)
        elif what == "relieve":
            self._ballast.unlink()
        elif what == "kill":
            self._cells.kill_after = argument
        self._cells.plane_um = drift_um(hour)
        self._clock.hour = hour
        where = f"hour {hour}: {what}"
        match what:
            case "take" | "relieve":
                self._until(lambda: self._settled(HOURS.index(argument or hour)), where)
            case "fails":
                self._until(lambda: self._count("time point could not be acquired") > failed, where)
            case "kill":
                self._until(lambda: False, where)
            case "flagged":
                self._until(lambda: self._acts(Act.FLUORESCENCE) >= argument, where)
            case "medium" | "resume":
                self._order(Act(what), where)
            case "reload":
                (self._folder / "config.yaml").write_text(json.dumps(configuration(argument)))
                os.kill(os.getpid(), signal.SIGHUP)
                self._until(lambda: self._count(_RELOADED) > reloads, where)

    def _order(self, act: Act, where: str) -> None:
        state = self._folder / "state"
        store = open_store(state, SystemClock())
        number = store.order("scope", RUN, act, BY)
        store.close()

        def done() -> bool:
            with closing(Reader.open(state)) as reader:
                return any(
                    each.number == number and each.done is not None
                    for each in reader.journal(RUN, 1000)
                )

        self._until(done, where)

    def _acts(self, act: Act) -> int:
        with closing(Reader.open(self._folder / "state")) as reader:
            journal = reader.journal(RUN, 1000)
        return sum(each.act is act and each.done is not None for each in journal)

    def _settled(self, time_point: int) -> bool:
        with closing(Reader.open(self._folder / "state")) as reader:
            states = [each.state for each in reader.frames() if each.key.time_point == time_point]
        return len(states) >= len(WELLS) and "claimed" not in states

    def _count(self, message: str) -> int:
        log = (self._folder / "daemon.log").read_text(encoding="utf-8")
        return log.count(f'"message": "{message}"')

    def _until(self, condition: Any, what: str) -> None:
        ends_s = time.monotonic() + WITHIN_S
        while not condition():
            if time.monotonic() > ends_s:
                raise TimeoutError(what)
            time.sleep(LOOK_S)


_RELOADED = "configuration taken up"


def _fill(ballast: Path) -> None:
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        for size in (1 << 16, 1 << 10, 1):
            with suppress(OSError):
                while True:
                    file.write(b"\0" * size)


def live(folder: Path, steps: list[list[Any]]) -> None:
    """Run the daemon through the steps of a part."""
    clock = CompressedTime(steps[0][0])
    cells = SimulatedCells(folder, clock)
    cells.plane_um = drift_um(clock.hour)
    begin = PycroManagerMicroscope.__init__

    def microscope(made: PycroManagerMicroscope, config: Any, name: str) -> None:
        begin(made, config, name, process=cells.image, core=lambda *_: FocusingCore(cells, Core()))

    for owner, name, value in (
        (SystemClock, "now", staticmethod(clock.now)),
        (SystemClock, "monotonic", staticmethod(clock.monotonic)),
        (SystemClock, "steady", staticmethod(clock.monotonic)),
        (PycroManagerMicroscope, "__init__", microscope),
        (sources, "ACQUIRE_S", 0.1),
        (sources, "CHECK_S", 0.2),
    ):
        setattr(owner, name, value)
    driver = Driver(folder, clock, cells)
    threading.Thread(target=driver.drive, args=(steps,), name="driver", daemon=True).start()
    sys.argv = ["scopewatch", "run", "-c", str(folder / "config.yaml")]
    main()


def run_part(folder: Path, steps: list[Step]) -> int:
    """Run the daemon through the steps of a part in a process of its own; return its status."""
    with (folder / "daemon.log").open("ab") as log:
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "tests.hardware.ten_days",
                str(folder),
                json.dumps(steps),
            ],
            stdout=log,
            stderr=subprocess.STDOUT,
            timeout=300,
            check=False,
            cwd=Path(__file__).parents[2],
        )
    return done.returncode


if __name__ == "__main__":
    live(Path(sys.argv[1]), json.loads(sys.argv[2]))
