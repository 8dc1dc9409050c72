"""A real core whose focus drifts: the demo autofocus does nothing, so the plane is simulated.

Positions, stage and camera are the core's own; what `fullFocus` finds and how sharp an image is
follow from the distance of the core's own focus drive to a plane that the test moves.
"""

from typing import Any

import numpy as np
from mmpycorex import Core
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from scopewatch.config import MicroManagerSourceConfig
from scopewatch.sources.micromanager.devices.pycro_manager import PycroManagerMicroscope

SHARP = np.random.default_rng(7).integers(500, 3000, (64, 96)).astype(np.float64)


class Specimen:
    """A specimen whose focal plane moves, before a real core."""

    def __init__(self) -> None:
        self.plane_um = 0.0
        self.finds = True
        # Distance from focus of each image, in um.
        self.taken: dict[tuple[int, str], float] = {}

    def microscope(self, config: MicroManagerSourceConfig, name: str) -> PycroManagerMicroscope:
        return PycroManagerMicroscope(
            config, name, process=self.image, core=lambda *_: FocusingCore(self, Core())
        )

    def image(
        self, _pixels: NDArray[Any], metadata: dict[str, Any]
    ) -> tuple[NDArray[Any], dict[str, Any]]:
        axes = metadata["Axes"]
        # Under a lock nothing reads the height, which does not change then.
        height_um = metadata.get("ZPosition_um_Intended", Core().get_position())
        away_um = abs(float(height_um) - self.plane_um)
        self.taken[(axes["time"], axes["position"])] = away_um
        return gaussian_filter(SHARP, away_um / 4).astype(np.uint16), metadata


class FocusingCore:
    """A real core; its autofocus device finds the plane of a specimen."""

    def __init__(self, specimen: Specimen, core: Any) -> None:
        self._specimen = specimen
        self._core = core

    def __getattr__(self, name: str) -> Any:
        return getattr(self._core, name)

    def full_focus(self) -> None:
        self._core.full_focus()
        if not self._specimen.finds:
            raise RuntimeError("no contrast")
        self._find()

    def is_continuous_focus_locked(self) -> bool:
        locked = bool(self._core.is_continuous_focus_locked()) and self._specimen.finds
        if locked:
            self._find()
        return locked

    def _find(self) -> None:
        drive = self._core.get_focus_device()
        self._core.set_position(drive, self._specimen.plane_um)
        self._core.wait_for_device(drive)
