"""What the integration tests share."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from scopewatch.demo.simulation.experiment import Experiment
from tests.integration.daemon import Daemon

SHIPPED = Path(__file__).parents[2] / "models" / "simulated-cardiomyocyte"

Save = Callable[[Path, NDArray[np.uint16]], None]


@pytest.fixture(scope="session")
def bundle() -> Path:
    """Return the shipped bundle, or the one SCOPEWATCH_TEST_BUNDLE names."""
    return Path(os.environ.get("SCOPEWATCH_TEST_BUNDLE", SHIPPED))


@pytest.fixture(scope="session")
def phase() -> NDArray[np.uint16]:
    """Return a simulated phase-contrast frame: 512 x 512 at 1 um per pixel, day 10."""
    return Experiment(seed=11, size_px=512).frame(0, 0, 0, 20)


@pytest.fixture
def daemon(tmp_path: Path, bundle: Path, eventually: Callable[..., None]) -> Iterator[Daemon]:
    """Return a daemon that is not started yet; whatever runs at the end is killed."""
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
