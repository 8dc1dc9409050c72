import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopewatch.sources.readers.pixel_size import calibrated_um, imagej_um, resolution_um


@pytest.mark.parametrize(
    ("value", "unit", "um"),
    [(0.65, "um", 0.65), ("650", "nm", 0.65), (1.0, "\u00b5m", 1.0), (0.001, "mm", 1.0)],
)
def test_a_calibration_is_taken_at_its_word(value: object, unit: str, um: float) -> None:
    assert calibrated_um(value, unit) == pytest.approx(um)


@pytest.mark.parametrize("value", [0, -1, "", "none", None, True, float("nan"), float("inf")])
def test_an_uncalibrated_microscope_says_nothing(value: object) -> None:
    assert calibrated_um(value) is None


def test_an_unknown_unit_says_nothing() -> None:
    assert calibrated_um(1.0, "pixel") is None
    assert imagej_um(1.0, "pixel") is None
    assert imagej_um(1.0, None) is None


@pytest.mark.parametrize("dpi", [1, 72, 96, 300, 600])
def test_print_resolutions_are_not_believed(dpi: float) -> None:
    assert resolution_um(dpi, 2) is None


def test_a_microscope_resolution_is_believed_with_its_unit_only() -> None:
    assert resolution_um(10_000, 3) == pytest.approx(1.0)
    assert resolution_um(39_077, 2) == pytest.approx(0.65, abs=1e-3)
    assert resolution_um(10_000, 1) is None
    assert resolution_um(2_000, 4) == pytest.approx(0.5)
    assert resolution_um(1 / 0.65, 5) == pytest.approx(0.65)


def test_one_pixel_in_a_micrometre_is_filler() -> None:
    assert resolution_um(1.0, 5) is None
    assert resolution_um(1.001, 5) == pytest.approx(0.999, abs=1e-3)


@given(st.floats(allow_nan=True, allow_infinity=True), st.integers(-10, 10))
def test_no_resolution_yields_an_impossible_size(per_unit: float, unit: int) -> None:
    size = resolution_um(per_unit, unit)
    assert size is None or 0 < size < 1000
