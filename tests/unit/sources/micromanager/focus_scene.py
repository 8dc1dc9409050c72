"""A core whose focus drifts: the test sets the plane of focus, which the device finds."""

from collections.abc import Callable

PLANES_UM = 200.0


class DriftingCore:
    """The focus drive, the stage and the autofocus device of a core.

    Parameters
    ----------
    plane_um
        Returns the height of the focus at a place (x, y).
    """

    def __init__(self, plane_um: Callable[[float, float], float]) -> None:
        self.plane_um = plane_um
        self.z_um = 0.0
        self.place = (0.0, 0.0)
        self.offset_um = 0.0
        self.device, self.drive = "AF", "Z"
        self.enabled = False
        # Number of checks before the lock holds; None: it never holds.
        self.looks: int | None = 0
        self.fails: set[tuple[float, float]] = set()
        self.searched: list[tuple[float, float, float]] = []
        self.moves: list[float] = []
        self.lost = False

    def get_auto_focus_device(self) -> str:
        return self.device

    def set_auto_focus_device(self, label: str) -> None:
        if label != "AF":
            raise RuntimeError(f'No device with label "{label}"')

    def get_focus_device(self) -> str:
        return self.drive

    def get_xy_stage_device(self) -> str:
        return "XY"

    def wait_for_device(self, _label: str) -> None:
        pass

    def get_position(self, _label: str) -> float:
        return self.z_um

    def set_position(self, _label: str, z_um: float) -> None:
        if not abs(z_um) <= PLANES_UM:
            raise RuntimeError('Error in device "Z": Position out of range (103)')
        self.enabled = False
        self.z_um = z_um
        self.moves.append(z_um)

    def set_xy_position(self, _label: str, x_um: float, y_um: float) -> None:
        self.place = (x_um, y_um)

    def set_auto_focus_offset(self, offset_um: float) -> None:
        self.offset_um = offset_um

    def full_focus(self) -> None:
        self.searched.append((*self.place, self.z_um))
        if self.place in self.fails:
            self.z_um += 3
            raise RuntimeError("no contrast")
        self.z_um = self.plane_um(*self.place)

    def enable_continuous_focus(self, on: bool) -> None:
        self.enabled = on
        if on:
            self.searched.append((*self.place, self.z_um))

    def is_continuous_focus_enabled(self) -> bool:
        return self.enabled

    def is_continuous_focus_locked(self) -> bool:
        if not self.enabled or self.lost or self.place in self.fails or self.looks is None:
            return False
        if self.looks:
            self.looks -= 1
            return False
        self.z_um = self.plane_um(*self.place) + self.offset_um
        return True
