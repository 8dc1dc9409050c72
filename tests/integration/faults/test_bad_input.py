"""Bad input of every kind gives a line with the reason and a row in quarantine, and no crash."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
import yaml
from numpy.typing import NDArray

from tests.integration.conftest import Save
from tests.integration.daemon import Daemon

Spoil = Callable[[Path, NDArray[np.uint16]], None]


def write(path: Path, pixels: NDArray[np.uint16], *, um_per_px: float = 1.0) -> None:
    per_cm = 1e4 / um_per_px
    tifffile.imwrite(path, pixels, resolution=(per_cm, per_cm), resolutionunit="CENTIMETER")


def empty(path: Path, _phase: NDArray[np.uint16]) -> None:
    path.touch()


def truncated(path: Path, phase: NDArray[np.uint16]) -> None:
    tifffile.imwrite(path, phase)
    os.truncate(path, path.stat().st_size // 2)


def text(path: Path, _phase: NDArray[np.uint16]) -> None:
    path.write_text("exported by the microscope: see the other folder\n", encoding="utf-8")


def floats(path: Path, phase: NDArray[np.uint16]) -> None:
    tifffile.imwrite(path, phase.astype(np.float32))


def coloured(path: Path, phase: NDArray[np.uint16]) -> None:
    eight = (phase >> 8).astype(np.uint8)
    tifffile.imwrite(path, np.stack([eight, eight // 2, eight], axis=-1), photometric="rgb")


def one_pixel(path: Path, phase: NDArray[np.uint16]) -> None:
    tifffile.imwrite(path, phase[:1, :1])


def tiny(path: Path, phase: NDArray[np.uint16]) -> None:
    write(path, phase[:40, :40])


def black(path: Path, phase: NDArray[np.uint16]) -> None:
    write(path, np.full_like(phase, 100))


def never_filled(path: Path, phase: NDArray[np.uint16]) -> None:
    write(path, np.zeros_like(phase))


def white(path: Path, phase: NDArray[np.uint16]) -> None:
    write(path, np.full_like(phase, 65535))


def ten_times_magnified(path: Path, phase: NDArray[np.uint16]) -> None:
    write(path, phase, um_per_px=0.1)


CASES: dict[str, tuple[Spoil, str, str]] = {
    "A1": (empty, "unreadable", "image file is empty: "),
    "A2": (truncated, "unreadable", "image file is cut off"),
    "A3": (text, "unreadable", "file is no TIFF: "),
    "A4": (floats, "unreadable", "image has an unsupported pixel type: "),
    "A5": (coloured, "unreadable", "image is in colour"),
    "A6": (one_pixel, "unreadable", "image has no extent: "),
    "A7": (tiny, "wrong-shape", "frame has the wrong size: "),
    "A8": (black, "blank", "frame is blank, all pixels are equal: "),
    "A9": (white, "saturated", "frame is saturated: "),
    "A10": (ten_times_magnified, "wrong-scale", ""),
    "A11": (never_filled, "unreadable", "image is not completely written: "),
}


@pytest.fixture
def strict_bundle(bundle: Path, tmp_path: Path) -> Path:
    """Return the bundle with a card that knows its scale: 1 um per pixel."""
    folder = tmp_path / "bundle"
    shutil.copytree(bundle, folder)
    card = yaml.safe_load((folder / "card.yaml").read_text(encoding="utf-8"))
    card["um_per_px"] = 1.0
    (folder / "card.yaml").write_text(yaml.safe_dump(card), encoding="utf-8")
    return folder


def test_each_bad_frame_is_quarantined_with_its_reason_and_the_good_one_is_scored(
    daemon: Daemon, strict_bundle: Path, phase: NDArray[np.uint16], save: Save
) -> None:
    daemon.settings["model"]["bundle"] = str(strict_bundle)
    (daemon.incoming / "P1_D1_s0_t0000_phase.tif").mkdir()
    (daemon.incoming / "P1_D2_s0_t0000_phase.tif").symlink_to(daemon.root / "gone.tif")
    daemon.start_ready()
    for well, (spoil, _, _) in CASES.items():
        spoil(daemon.incoming / f"P1_{well}_s0_t0000_phase.tif", phase)
    save(daemon.incoming / "holiday.tif", phase)
    save(daemon.incoming / "P1_B1_s0_t0000_phase.tif", phase)

    daemon.eventually(lambda: len(daemon.frames()) == len(CASES) + 1, within_s=30)
    daemon.eventually(lambda: daemon.count("file refused") == 1)
    daemon.eventually(lambda: "claimed" not in daemon.states().values())
    recorded = {frame.key.well: frame for frame in daemon.frames()}
    for well, (spoil, fault, reason) in CASES.items():
        frame = recorded[well]
        assert frame.state == "quarantined", spoil.__name__
        assert frame.fault == fault, spoil.__name__
        assert frame.reason is not None
        assert frame.reason.startswith(reason), frame.reason
        assert "\n" not in frame.reason
    assert recorded["B1"].state == "done"
    with daemon.reader() as reader:
        (stray,) = [row for row in reader.quarantined(None, 99) if row.well is None]
    assert stray.locator == "holiday.tif"
    assert stray.reason.startswith("file name does not fit the pattern")
    lines = [entry for entry in daemon.log_lines() if entry["message"] == "frame quarantined"]
    assert {entry["event.reason"] for entry in lines} == {recorded[well].reason for well in CASES}

    # A corrected file is scored without a request.
    save(daemon.incoming / "P1_A1_s0_t0000_phase.tif", phase)
    daemon.eventually(lambda: daemon.count("frame scored") == 2, within_s=20)
    assert daemon.end() == 0


def test_a_file_that_may_not_be_read_is_quarantined(
    daemon: Daemon, phase: NDArray[np.uint16], save: Save
) -> None:
    save(daemon.incoming / "P1_A1_s0_t0000_phase.tif", phase)
    (daemon.incoming / "P1_A1_s0_t0000_phase.tif").chmod(0)
    if os.geteuid() == 0:
        # Root may read every file, unless it is started without that capability.
        if shutil.which("setpriv") is None:
            pytest.skip("runs as root, and setpriv (util-linux) is not there to limit it")
        caps = "-dac_override,-dac_read_search"
        daemon.through = ("setpriv", f"--bounding-set={caps}", f"--inh-caps={caps}")
    daemon.start_ready()
    daemon.eventually(lambda: list(daemon.states().values()) == ["quarantined"], within_s=20)
    (frame,) = daemon.frames()
    assert frame.reason is not None
    assert "Permission denied" in frame.reason


def refusal(daemon: Daemon) -> str:
    """Start the daemon, which must refuse; return the one line it logs."""
    daemon.start()
    assert daemon.wait() == 2
    (line,) = [entry["message"] for entry in daemon.log_lines() if entry["message"]]
    return str(line)


def test_a_model_that_is_not_its_cards_is_refused_at_the_start(
    daemon: Daemon, strict_bundle: Path
) -> None:
    model = strict_bundle / "model.tflite"
    content = bytearray(model.read_bytes())
    content[-1] ^= 1
    model.write_bytes(bytes(content))
    daemon.settings["model"]["bundle"] = str(strict_bundle)
    line = refusal(daemon)
    assert line.startswith(f"model is not the one its card describes: {model} (expected SHA-256 ")
    assert not daemon.state.exists()


def test_a_misspelt_key_is_refused_at_the_start(daemon: Daemon) -> None:
    daemon.settings["runtime"]["rescan"] = 3
    assert refusal(daemon) == (
        f"unknown key: {daemon.config}: runtime.rescan; did you mean rescan_s?"
    )


def test_a_state_folder_in_the_raw_data_is_refused_at_the_start(daemon: Daemon) -> None:
    daemon.settings["state"]["folder"] = "in/state"
    assert refusal(daemon).startswith("state folder lies within watched raw data: ")
    assert not list(daemon.incoming.iterdir())
