"""The focus is found within its band, or the drive returns to its start."""

import pytest

from scopewatch.core.errors import SourceError
from scopewatch.sources.micromanager.focus.drive import FocusDrive, FocusError, FocusOrder
from scopewatch.sources.micromanager.focus.search import Band
from tests.unit.sources.micromanager.focus_scene import DriftingCore

BAND = Band(lowest_um=-10, highest_um=10)


def order(
    *, lock: bool = False, start_um: float = 1.0, offset_um: float | None = None
) -> FocusOrder:
    return FocusOrder(
        x_um=5, y_um=6, start_um=start_um, band=BAND, lock=lock, offset_um=offset_um, wait_s=2
    )


class Time:
    """A clock that advances when code sleeps."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


def drive(core: DriftingCore, *, interrupted: bool = False) -> FocusDrive:
    time = Time()
    return FocusDrive(core, lambda: interrupted, sleep=time.sleep, monotonic_s=lambda: time.now_s)


def test_a_search_begins_at_the_place_and_height_that_were_asked_for() -> None:
    core = DriftingCore(lambda x, y: x + y - 7)
    assert drive(core).find(order()) == 4
    assert core.searched == [(5, 6, 1)]


@pytest.mark.parametrize("plane_um", [10.5, -11, float("nan"), float("inf")])
def test_a_search_that_leaves_its_band_is_brought_back(plane_um: float) -> None:
    core = DriftingCore(lambda _x, _y: plane_um)
    with pytest.raises(FocusError, match=r"focus went from 1 to .* beyond what it may \(-10 to 10"):
        drive(core).find(order())
    assert core.z_um == 1


def test_a_search_that_fails_moves_back_and_reports_the_error_of_the_device() -> None:
    core = DriftingCore(lambda _x, _y: 4)
    core.fails = {(5, 6)}
    with pytest.raises(FocusError, match=r"^no contrast$"):
        drive(core).find(order())
    assert core.z_um == 1


def test_a_drive_that_cannot_be_brought_back_is_no_mere_failure_of_the_focus() -> None:
    core = DriftingCore(lambda _x, _y: 50)

    def stuck() -> None:
        core.z_um = 50
        core.set_position = _refuses  # type: ignore[assignment, method-assign]

    core.full_focus = stuck  # type: ignore[method-assign]
    with pytest.raises(
        SourceError, match=r"focus cannot be moved to 1 um: focus \(got stuck"
    ) as raised:
        drive(core).find(order())
    assert not isinstance(raised.value, FocusError)


def test_a_place_out_of_reach_is_named_and_nothing_is_searched() -> None:
    core = DriftingCore(lambda _x, _y: 4)
    with pytest.raises(FocusError, match="cannot be reached: Error in device"):
        drive(core).find(order(start_um=1e6))
    assert core.searched == []


def test_a_lock_is_waited_for_and_stays_on() -> None:
    core = DriftingCore(lambda _x, _y: 4)
    core.looks = 3
    assert drive(core).find(order(lock=True, offset_um=2)) == 6
    assert core.enabled


def test_without_an_offset_the_devices_own_is_left_as_it_is() -> None:
    core = DriftingCore(lambda _x, _y: 4)
    core.offset_um = 1.5
    assert drive(core).find(order(lock=True)) == 5.5


def test_a_lock_that_does_not_form_is_let_go_and_the_drive_brought_back() -> None:
    core = DriftingCore(lambda _x, _y: 4)
    core.looks = None
    with pytest.raises(FocusError, match="focus did not lock within 2 s"):
        drive(core).find(order(lock=True))
    assert not core.enabled
    assert core.z_um == 1


def test_a_lock_that_runs_away_while_it_forms_is_let_go_at_once() -> None:
    core = DriftingCore(lambda _x, _y: 4)
    core.looks = 1000
    locking = drive(core)
    asked = core.is_continuous_focus_locked

    def runs_away() -> bool:
        core.z_um += 4
        return asked()

    core.is_continuous_focus_locked = runs_away  # type: ignore[method-assign]
    with pytest.raises(FocusError, match="focus went from 1 to 13 um"):
        locking.find(order(lock=True))
    assert not core.enabled
    assert core.z_um == 1


def test_a_lock_outside_its_band_is_let_go() -> None:
    core = DriftingCore(lambda _x, _y: 30)
    with pytest.raises(FocusError, match="focus went from 1 to 30 um"):
        drive(core).find(order(lock=True))
    assert not core.enabled


def test_a_stopped_search_is_no_failure_of_the_focus() -> None:
    core = DriftingCore(lambda _x, _y: 4)
    core.looks = None
    with pytest.raises(SourceError, match="search of the focus was stopped") as raised:
        drive(core, interrupted=True).find(order(lock=True))
    assert not isinstance(raised.value, FocusError)
    assert not core.enabled


@pytest.mark.parametrize(
    ("lacks", "line"),
    [
        ({"device": ""}, "the hardware configuration has no autofocus device"),
        ({"drive": ""}, "the hardware configuration has no focus drive"),
    ],
)
def test_a_configuration_without_the_devices_is_refused(lacks: dict[str, str], line: str) -> None:
    core = DriftingCore(lambda _x, _y: 4)
    vars(core).update(lacks)
    with pytest.raises(SourceError, match=line):
        drive(core).require(None)


def test_an_autofocus_device_that_is_not_there_is_named() -> None:
    with pytest.raises(SourceError, match='got No device with label "PFS"'):
        drive(DriftingCore(lambda _x, _y: 4)).require("PFS")


def _refuses(_label: str, _z_um: float) -> None:
    raise RuntimeError("stuck")
