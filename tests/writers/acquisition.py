"""The acquisition as a process: a real core runs the plan and one writer writes it.

The core, its DemoCamera, its stage and the acquisition engine are Micro-Manager's and
pymmcore-plus's; only the pixels are replaced, by simulated ones. Every line on standard output is
JSON: a frame that was passed to the writer, one whose bytes are seen on disk, the end.

    python -m tests.writers.acquisition WRITER --out DIR --pixels FILE.npy --interval-s 4
"""

import argparse
import json
import logging
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import useq
from mm_test_adapters import device_adapter_path
from numpy.typing import NDArray
from pymmcore_plus import CMMCorePlus
from pymmcore_plus.mda import MDAEngine

from tests.writers.plan import CHANNELS, GROUP, Place, Plan
from tests.writers.writers import WRITERS, Writer

# How often the folder is checked for frames that were passed on: an error of the times.
LOOK_S = 0.01

SPEAKING = threading.Lock()


def say(event: str, place: Place | None = None) -> None:
    """Print one line; a process that is killed has reported all that it did."""
    fields: dict[str, Any] = {"event": event, "at": time.time()}
    if place is not None:
        fields |= {
            "time_point": place.time_point,
            "position": place.position,
            "channel": place.channel,
        }
    # In one write: the recorder prints from a thread of its own.
    with SPEAKING:
        sys.stdout.write(json.dumps(fields) + "\n")
        sys.stdout.flush()


class Recorder:
    """Watches the folder, and reports when the bytes of each frame are there."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._handed: list[Place] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="recorder", daemon=True)

    def __enter__(self) -> "Recorder":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._thread.join()

    def record(self, place: Place) -> None:
        """Note a frame that is passed to the writer now."""
        say("handed", place)
        self._handed.append(place)

    def _watch(self) -> None:
        unwritten: list[Place] = []
        unnamed: list[Place] = []
        seen = 0
        while True:
            last = self._ended.is_set()
            new = self._handed[seen:]
            seen += len(new)
            unwritten += new
            for place in [place for place in unwritten if self._writer.is_written(place)]:
                say("written", place)
                unwritten.remove(place)
                unnamed.append(place)
            for place in [place for place in unnamed if self._writer.is_named(place)]:
                say("named", place)
                unnamed.remove(place)
            if last:
                break
            time.sleep(LOOK_S)


class SimulatedEngine(MDAEngine):
    """The engine of pymmcore-plus; the camera's pixels are replaced by the plan's.

    Parameters
    ----------
    pixels
        (times, positions, channels, side, side) uint16.
    move_s
        Time that a move of the stage takes.
    """

    def __init__(
        self,
        core: CMMCorePlus,
        plan: Plan,
        pixels: NDArray[np.uint16],
        recorder: Recorder,
        move_s: float,
    ) -> None:
        super().__init__(core, use_hardware_sequencing=False)
        self._plan = plan
        self._pixels = pixels
        self._recorder = recorder
        self._move_s = move_s

    def exec_single_event(self, event: useq.MDAEvent) -> Iterator[Any]:
        """Snap, and yield the simulated image in place of the camera's."""
        index = event.index
        if index["c"] == 0:
            time.sleep(self._move_s)
        place = self._plan.place(time_point=index["t"], position=index["p"], channel=index["c"])
        for payload in super().exec_single_event(event):
            if payload is None:
                raise RuntimeError(f"the camera gave no image for {place}")
            image, of_event, meta = payload
            pixels = self._pixels[place.time_point, place.position, place.channel]
            if image.shape != pixels.shape or image.dtype != pixels.dtype:
                raise RuntimeError(f"camera gives {image.shape} {image.dtype}")
            self._recorder.record(place)
            yield pixels, of_event, meta


def demo_core(size_px: int) -> CMMCorePlus:
    """Return a core with Micro-Manager's demo devices and the plan's channels."""
    adapters = Path(device_adapter_path())
    core = CMMCorePlus(mm_path=str(adapters), adapter_paths=[str(adapters)])
    core.loadSystemConfiguration(str(adapters / "MMConfig_demo.cfg"))
    for side in ("X", "Y"):
        core.setProperty("Camera", f"OnCameraCCD{side}Size", size_px)
    # The demo stage moves as slowly as a real one.
    core.setProperty(core.getXYStageDevice(), "Velocity", 1e6)
    for name in CHANNELS:
        core.defineConfig(GROUP, name, "Core", "Shutter", "White Light Shutter")
    return core


def main() -> int:
    """Run the plan to its end; exit with 1 when it did not reach it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("writer", choices=sorted(WRITERS))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--pixels", type=Path, required=True)
    parser.add_argument("--sites", type=int, default=2)
    parser.add_argument("--interval-s", type=float, required=True)
    parser.add_argument("--move-s", type=float, default=0.5)
    call = parser.parse_args()
    pixels = np.load(call.pixels)
    times, positions, _, size_px, _ = pixels.shape
    plan = Plan(
        wells=positions // call.sites,
        sites=call.sites,
        times=times,
        interval_s=call.interval_s,
        size_px=size_px,
    )
    # Deprecated handlers are still used as writers.
    warnings.simplefilter("ignore")
    for library in ("pymmcore-plus", "tifffile"):
        logging.getLogger(library).setLevel(logging.ERROR)
    call.out.mkdir(parents=True, exist_ok=True)
    writer = WRITERS[call.writer](call.out, plan)
    core = demo_core(size_px)
    say("begins")
    with Recorder(writer) as recorder:
        core.mda.set_engine(SimulatedEngine(core, plan, pixels, recorder, call.move_s))
        core.mda.run(
            plan.sequence,
            output=writer.output(),
            dimension_overrides=writer.overrides(),
        )
        say("closed")
    reason = core.mda.status.finish_reason
    say("ended")
    return 0 if reason is not None and reason.value == "completed" else 1


if __name__ == "__main__":
    sys.exit(main())
