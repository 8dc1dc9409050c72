"""Notices of the native runtime are suppressed; everything else reaches standard error."""

import os

import pytest

from scopewatch.inference.notices import without_notices


def test_notices_are_dropped_and_the_rest_is_passed_on(capfd: pytest.CaptureFixture[str]) -> None:
    with without_notices():
        os.write(2, b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\n")
        os.write(2, b"ERROR: something is wrong\nWARNING: INFO: within a line\n")
    os.write(2, b"INFO: after\n")
    assert capfd.readouterr().err == (
        "ERROR: something is wrong\nWARNING: INFO: within a line\nINFO: after\n"
    )


def test_what_was_written_reaches_the_reader_after_a_failure_too(
    capfd: pytest.CaptureFixture[str],
) -> None:
    def allocate() -> None:
        with without_notices():
            os.write(2, b"ERROR: cannot allocate\n")
            raise ValueError("tensors")

    with pytest.raises(ValueError, match="tensors"):
        allocate()
    assert capfd.readouterr().err == "ERROR: cannot allocate\n"
