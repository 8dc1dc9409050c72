"""Libtiff writes nothing to standard error, and undecodable files are still refused."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile

from scopewatch.core.errors import FrameError
from scopewatch.sources.readers.image_file import read_plane
from tests.unit.sources.images import pixels

MICROMETRE = 5
READ = """
import sys
from pathlib import Path
from scopewatch.sources.readers.image_file import read_plane
print(int(read_plane(Path(sys.argv[1])).pixels.sum()))
"""
PLAIN = """
import sys
from PIL import Image
with Image.open(sys.argv[1]) as image:
    image.load()
"""
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what is loaded")


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """Return a file as tifffile and ome-writers write it: micrometres as the resolution unit."""
    path = tmp_path / "odd.tif"
    tifffile.imwrite(
        path,
        pixels(),
        compression="lzw",
        resolution=(1, 1),
        resolutionunit=MICROMETRE,
        metadata=None,
    )
    return path


def run(program: str, path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True
    )


def test_a_unit_that_libtiff_does_not_know_writes_nothing(odd: Path) -> None:
    assert "Bad value 5" in run(PLAIN, odd).stderr, "Pillow no longer needs this"
    read = run(READ, odd)
    assert (read.stdout, read.stderr) == (f"{int(pixels().sum())}\n", "")


def test_three_samples_of_16_bits_are_as_quiet(tmp_path: Path) -> None:
    path = tmp_path / "grey as colour.tif"
    image = np.repeat(pixels()[..., None], 3, axis=2)
    tifffile.imwrite(path, image, compression="lzw", photometric="rgb", resolutionunit=MICROMETRE)
    assert run(READ, path).stderr == ""


def test_what_does_not_decode_is_refused_without_its_messages(
    odd: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with tifffile.TiffFile(odd) as file:
        (start,), (length,) = file.pages[0].dataoffsets, file.pages[0].databytecounts
    with odd.open("r+b") as raw:
        raw.seek(start + length // 4)
        raw.write(b"\xff" * (length // 2))
    with pytest.raises(FrameError, match="image cannot be decoded"):
        read_plane(odd)
    assert capfd.readouterr().err == ""
