"""What has no wheel for ARM boards is found by name, and its markers are read."""

import subprocess
import sys
from pathlib import Path

import pytest

from release.aarch64 import EXTRAS, canonical, fits, of_extras, pins, without_wheel

ROOT = Path(__file__).parents[3]


def test_all_that_have_no_wheel_are_named_though_pip_stops_at_the_first() -> None:
    calls: list[list[str]] = []

    def asked(wanted: list[str]) -> str:
        calls.append(wanted)
        for pin in wanted:
            if canonical(pin) in {"b-c", "d"}:
                return (
                    f"ERROR: Could not find a version that satisfies the requirement {pin}\n"
                    f"ERROR: No matching distribution found for {pin}"
                )
        return ""

    assert without_wheel(["a==1", "B.c==2 ; python_version < '3.12'", "d==3"], asked) == [
        "b-c",
        "d",
    ]
    assert calls[0] == ["a==1", "B.c==2", "d==3"]
    assert calls[-1] == ["a==1"]


@pytest.mark.parametrize(
    "complaint", ["ERROR: connection refused", "No matching distribution found for other==1"]
)
def test_anything_else_that_pip_says_is_no_answer(complaint: str) -> None:
    with pytest.raises(RuntimeError, match=complaint):
        without_wheel(["a==1"], lambda _: complaint)


def test_the_pins_of_the_project_are_read_with_their_markers() -> None:
    locked = pins((ROOT / "requirements.lock").read_text(encoding="utf-8"))
    names = [canonical(pin) for pin in locked]
    assert {"ai-edge-litert", "numpy", "scipy", "sqlalchemy"} <= set(names)
    assert len(names) == len(set(names)) > 30
    assert all("--hash" not in pin and "\\" not in pin for pin in locked)


def test_a_marker_decides_for_which_python_a_pin_is() -> None:
    pin = "a==1 ; python_version < '3.12'"
    assert [fits(pin, python) for python in ("3.9", "3.11", "3.12")] == [True, True, False]
    assert fits("a==1", "3.13")


def test_an_extra_is_what_it_names_itself_at_the_tested_version() -> None:
    extras: dict[str, list[str]] = {name: [] for name in EXTRAS}
    extras["zarr"] = ["google-crc32c>=1.5", "zarr>=3.1,<4"]
    constrained = ["google-crc32c==1.7.1", "numpy==2.4.6", "zarr==3.1.3"]
    assert of_extras(extras, constrained) == ["google-crc32c==1.7.1", "zarr==3.1.3"]


def test_pip_knows_the_platforms_that_are_named() -> None:
    tags = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "debug", "--implementation", "cp"),
            *("--platform", "manylinux_2_28_aarch64", "--python-version", "3.11", "-v"),
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "cp311-cp311-manylinux_2_28_aarch64" in tags
