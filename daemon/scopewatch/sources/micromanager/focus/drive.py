"""Moves the focus drive of a core, and lets its autofocus device search, within bounds.

A search that the device runs by itself (`fullFocus`) is looked at once it is over: what moves
further than it may is brought back. A lock is watched while it forms, and let go as soon as it
leaves its band. The stage is moved with the lock off, and a lock is never left on alone.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from scopewatch.core.errors import SourceError, complaint
from scopewatch.event_log import get_logger
from scopewatch.sources.micromanager.devices.engine import sum_up
from scopewatch.sources.micromanager.focus.search import Band

log = get_logger(__name__)

_LOOK_S: Final = 0.05


class FocusError(SourceError):
    """The focus was not found; the drive was brought back to where the search began."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FocusOrder:
    """Where to look for the focus.

    Parameters
    ----------
    x_um, y_um
        The place.
    start_um
        Height where the search begins, and where the drive goes back to when it fails.
    band
        Where the focus may be found.
    lock
        Whether the hardware's continuous focus is to lock; else one search is run.
    offset_um
        What the lock holds away from its plane, in the device's own unit; None: as it is set.
    wait_s
        How long a lock may take.
    """

    x_um: float
    y_um: float
    start_um: float
    band: Band
    lock: bool
    offset_um: float | None
    wait_s: float


class Drive(Protocol):
    """What is needed of a focus drive; see `FocusDrive`. All methods raise SourceError."""

    def height_um(self) -> float:
        """Return where the drive is."""
        ...

    def find(self, order: FocusOrder) -> float:
        """Find the focus at a place; return its height. Raises FocusError."""
        ...

    def go_to(self, z_um: float) -> None:
        """Move the drive, with the lock off."""
        ...

    def is_locked(self) -> bool:
        """Tell whether the continuous focus holds."""
        ...

    def let_go(self) -> None:
        """Turn the continuous focus off; never raises."""
        ...


class FocusDrive:
    """The focus drive and the autofocus device of a core.

    Parameters
    ----------
    core
        A Micro-Manager core, of this process or over the bridge; methods in snake case.
    interrupted
        Whether to leave off.
    sleep, monotonic_s
        For tests.
    """

    def __init__(
        self,
        core: Any,
        interrupted: Callable[[], bool],
        *,
        sleep: Callable[[float], None] = time.sleep,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._core = core
        self._interrupted = interrupted
        self._sleep = sleep
        self._monotonic_s = monotonic_s

    def require(self, device: str | None) -> None:
        """Choose the autofocus device. Raises SourceError where there is none."""
        try:
            if device is not None:
                self._core.set_auto_focus_device(device)
            found, drive = self._core.get_auto_focus_device(), self._core.get_focus_device()
        except Exception as error:  # device adapters raise what they like
            raise _failed("autofocus device cannot be chosen", sum_up(error)) from error
        if not found or not drive:
            lacks = "autofocus device" if not found else "focus drive"
            raise _failed(f"the hardware configuration has no {lacks}", None)

    def height_um(self) -> float:
        """Return where the drive is. Raises SourceError."""
        try:
            return float(self._core.get_position(self._core.get_focus_device()))
        except Exception as error:  # device adapters raise what they like
            raise _failed("height of the focus cannot be read", sum_up(error)) from error

    def go_to(self, z_um: float) -> None:
        """Move the drive, with the lock off. Raises SourceError."""
        try:
            self._unlock()
            self._move(z_um)
        except Exception as error:  # device adapters raise what they like
            raise _failed(f"focus cannot be moved to {z_um:g} um", sum_up(error)) from error

    def find(self, order: FocusOrder) -> float:
        """Find the focus at a place, and return its height in um; a lock stays on.

        Raises
        ------
        FocusError
            When it is not found, or outside its band; the drive is where the search began.
        SourceError
            When the drive could not be brought back there, or it was interrupted.
        """
        try:
            self._arrive(order)
        except Exception as error:
            raise FocusError(f"place of the search cannot be reached: {sum_up(error)}") from error
        try:
            return self._lock(order) if order.lock else self._search(order)
        except Exception as error:
            # Wherever the search left it: nothing is imaged, or searched for, from there.
            self.go_to(order.start_um)
            if isinstance(error, SourceError):
                raise
            raise FocusError(sum_up(error)) from error

    def is_locked(self) -> bool:
        """Tell whether the continuous focus holds. Raises SourceError."""
        try:
            return bool(self._core.is_continuous_focus_locked())
        except Exception as error:  # device adapters raise what they like
            raise _failed("focus lock cannot be asked", sum_up(error)) from error

    def let_go(self) -> None:
        """Turn the continuous focus off; never raises."""
        try:
            self._unlock()
        except Exception as error:  # noqa: BLE001 - device adapters raise what they like
            log.error("focus lock cannot be turned off", reason=sum_up(error))

    def _arrive(self, order: FocusOrder) -> None:
        self._unlock()
        stage = self._core.get_xy_stage_device()
        self._core.set_xy_position(stage, float(order.x_um), float(order.y_um))
        self._core.wait_for_device(stage)
        self._move(order.start_um)

    def _move(self, z_um: float) -> None:
        drive = self._core.get_focus_device()
        self._core.set_position(drive, float(z_um))
        self._core.wait_for_device(drive)

    def _search(self, order: FocusOrder) -> float:
        self._core.full_focus()
        self._core.wait_for_device(self._core.get_focus_device())
        return self._within(order, self.height_um())

    def _lock(self, order: FocusOrder) -> float:
        if order.offset_um is not None:
            self._core.set_auto_focus_offset(float(order.offset_um))
        self._core.enable_continuous_focus(True)
        until_s = self._monotonic_s() + order.wait_s
        while not self._core.is_continuous_focus_locked():
            self._within(order, self.height_um())
            if self._interrupted():
                raise _failed("search of the focus was stopped", None)
            if self._monotonic_s() >= until_s:
                raise FocusError(f"focus did not lock within {order.wait_s:g} s")
            self._sleep(_LOOK_S)
        return self._within(order, self.height_um())

    def _unlock(self) -> None:
        if self._core.is_continuous_focus_enabled():
            self._core.enable_continuous_focus(False)

    @staticmethod
    def _within(order: FocusOrder, z_um: float) -> float:
        if order.band.refuses(z_um):
            raise FocusError(
                f"focus went from {order.start_um:g} to {z_um:g} um, beyond what it may"
                f" ({order.band.lowest_um:g} to {order.band.highest_um:g} um):"
                " max_step_um, max_drift_um"
            )
        return z_um


def _failed(what: str, got: str | None) -> SourceError:
    do = "check the autofocus device and the focus drive in Micro-Manager, or `focus` of the source"
    return SourceError(complaint(what, where="focus", got=got, do=do))
