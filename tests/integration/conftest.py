"""Fixtures of the integration tests."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from scopewatch_simulator.simulation import Simulation
from tests.conftest import FakeClock
from tests.integration.daemon import Daemon
from tests.integration.receivers import Lab
from tests.unit.store.scene import open_store

SHIPPED = Path(__file__).parents[2] / "models" / "simulated-cardiomyocyte"

Save = Callable[[Path, NDArray[np.uint16]], None]


@pytest.fixture(scope="session")
def bundle() -> Path:
    """Return the shipped bundle, or the one SCOPEWATCH_TEST_BUNDLE names."""
    return Path(os.environ.get("SCOPEWATCH_TEST_BUNDLE", SHIPPED))


@pytest.fixture(scope="session")
def phase() -> NDArray[np.uint16]:
    """Return a simulated phase-contrast frame: 512 x 512 at 1 um per pixel, day 10."""
    return Simulation(seed=11, size_px=512).frame(0, 0, 0, 20)


@pytest.fixture
def daemon(tmp_path: Path, bundle: Path, eventually: Callable[..., None]) -> Iterator[Daemon]:
    """Return a daemon that is not started yet; a process that still runs at the end is killed."""
    daemon = Daemon(tmp_path, bundle, eventually)
    yield daemon
    if daemon.process is not None and daemon.process.poll() is None:
        daemon.process.kill()
        daemon.process.wait(10)


@pytest.fixture(scope="session")
def save() -> Save:
    """Write a frame as a microscope would: beside its place, then renamed into it."""

    def write(path: Path, pixels: NDArray[np.uint16]) -> None:
        begun = path.with_name(f"{path.name}.part")
        tifffile.imwrite(begun, pixels, resolution=(1e4, 1e4), resolutionunit="CENTIMETER")
        begun.rename(path)

    return write


@pytest.fixture
def lab(tmp_path: Path, clock: FakeClock, request: pytest.FixtureRequest) -> Iterator[Lab]:
    """Return a lab with the channel `hook`, or those that the test names."""
    channels = getattr(request, "param", ("hook",))
    store = open_store(tmp_path, clock)
    yield Lab(store=store, folder=tmp_path, clock=clock, channels=channels)
    store.close()
