"""Whether scopewatch delays the microscope: frame intervals with it and without it.

    python benchmarks/soak/soak_microscope_first.py [--short] [--rounds 20] [--frames 400]

One Micro-Manager core with its demo camera acquires at the highest rate it gives, through
pycro-manager, in rounds that alternate: without scopewatch, and with the daemon following the data
sets and scoring every frame it can, as a process of its own at the priority of the shipped unit.
Between rounds the daemon is stopped and continued, so that both kinds see the same machine.
Intervals are between saved images; every second round begins with the other kind. The machine must
be otherwise idle: the load before the run is printed. Exits with 1 where the p99 with scopewatch is
more than 5 % above the p99 without.
"""

import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import numpy as np
from daemon_process import configure, log_of, start
from numpy.typing import NDArray
from rounds import MOST, RESAMPLED, read_call

from scopewatch.demo.microscope import demo_core
from scopewatch.demo.simulation.experiment import Experiment

# The first frames of a data set open files and start threads.
SETTLING = 20
# As Nice= in systemd/scopewatch.service.
NICE = 5
READY_S = 60.0


def main() -> int:
    """Alternate the rounds, print the figures."""
    call = read_call(
        __doc__, rounds=20, short=3, short_help="3 rounds of each kind", of="frames", count=400
    )
    rounds = call.rounds
    with tempfile.TemporaryDirectory(prefix="scopewatch-soak-") as folder:
        without, beside, scored = alternate(Path(folder), rounds, call.count)
    call.print_machine()
    print(f"{rounds} rounds of {call.count} frames each way, {scored} frames scored meanwhile")
    for name, taken in (("without scopewatch", without), ("with scopewatch", beside)):
        p50, p99 = np.percentile(np.concatenate(taken), (50, 99))
        print(f"{name:<20} p50 {p50:7.3f} ms   p99 {p99:7.3f} ms")
    for q in (50, 99):
        low, high = spread(without, beside, q)
        print(f"ratio of the p{q}: {ratio(without, beside, q):.3f} (95 % {low:.3f} to {high:.3f})")
    kept = ratio(without, beside, 99) <= MOST
    print("the microscope comes first" if kept else f"BROKEN: p99 beyond x {MOST}")
    return 0 if kept else 1


def alternate(
    root: Path, rounds: int, frames: int
) -> tuple[list[NDArray[np.float64]], list[NDArray[np.float64]], int]:
    """Return the intervals (ms) of each round without and with the daemon, and what it scored."""
    data = root / "data"
    data.mkdir()
    config = configure(
        root,
        {"kind": "ndtiff", "path": str(data), "poll_s": 0.5, "um_per_px": 1.0},
        web={"enabled": False},
        runtime={"rescan_s": 2},
    )
    log = log_of(config)
    with demo_core():
        field = Experiment(seed=3, size_px=512).frame(0, 0, 0, 20)
        daemon = start(config, ("nice", "-n", str(NICE)))
        try:
            wait_ready(log, daemon)
            taken: dict[bool, list[NDArray[np.float64]]] = {False: [], True: []}
            for index in range(rounds):
                for watched in (True, False) if index % 2 else (False, True):
                    daemon.send_signal(signal.SIGCONT if watched else signal.SIGSTOP)
                    taken[watched].append(acquire(data, frames, field))
        finally:
            with suppress(ProcessLookupError):
                daemon.send_signal(signal.SIGCONT)
            daemon.terminate()
            daemon.wait(30)
        said = log.read_text(encoding="utf-8")
    scored = said.count("frame scored")
    if not scored:
        sys.exit(f"the daemon scored nothing: {said[-1000:]}")
    return taken[False], taken[True], scored


def acquire(data: Path, frames: int, field: NDArray[np.uint16]) -> NDArray[np.float64]:
    """Take frames as fast as they come; return the intervals between saved images in ms.

    The camera's pixels are replaced by those of a simulated field, both with scopewatch and
    without: the camera's own test pattern would be quarantined before the model has any work.
    """
    from pycromanager import Acquisition  # noqa: PLC0415  an extra of its own

    moments: list[float] = []
    acquisition = Acquisition(
        directory=str(data),
        name="fast",
        image_process_fn=lambda _image, metadata: (field, metadata),
        image_saved_fn=lambda _axes, _data_set: moments.append(time.perf_counter()),
    )
    for index in range(frames):
        # One event a call: events submitted together merge into a hardware sequence.
        axes = {"time": index, "position": "A1-Site_0", "channel": "phase"}
        acquisition.acquire([{"axes": axes, "exposure": 1}])
    writer = acquisition.get_dataset().current_writer
    acquisition.mark_finished()
    acquisition.await_completion()
    if writer is not None:
        writer.reader.close()  # ndstorage 0.1.18 leaves it open
    acquisition.get_dataset().close()
    if len(moments) != frames:
        sys.exit(f"the acquisition saved {len(moments)} of {frames} images")
    return np.array([1e3 * (late - early) for early, late in pairwise(moments[SETTLING:])])


def wait_ready(log: Path, daemon: "subprocess.Popen[bytes]") -> None:
    """Wait until the daemon is able to work."""
    ends_at = time.monotonic() + READY_S
    while "source watching" not in log.read_text(encoding="utf-8"):
        if daemon.poll() is not None or time.monotonic() > ends_at:
            sys.exit(f"the daemon does not start: {log.read_text(encoding='utf-8')[-500:]}")
        time.sleep(0.2)


def ratio(without: list[NDArray[np.float64]], beside: list[NDArray[np.float64]], q: float) -> float:
    """Return the percentile with scopewatch over the one without."""
    pooled = (np.percentile(np.concatenate(taken), q) for taken in (beside, without))
    upper, lower = pooled
    return float(upper / lower)


def spread(
    without: list[NDArray[np.float64]], beside: list[NDArray[np.float64]], q: float
) -> tuple[float, float]:
    """Return the 95 % interval of the ratio, by rounds, since frames of one hang together."""
    rng = np.random.default_rng(1)
    ratios = []
    for _ in range(RESAMPLED):
        picks = rng.integers(len(without), size=len(without))
        ratios.append(ratio([without[i] for i in picks], [beside[i] for i in picks], q))
    low, high = np.percentile(ratios, (2.5, 97.5))
    return float(low), float(high)


if __name__ == "__main__":
    sys.exit(main())
