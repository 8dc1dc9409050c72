"""Which pictures count as simulated: by marks beside them and in them, and by the option."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from scopewatch_simulator.writers import FileFormat, FrameName, open_writer
from scopewatch_training.dataset.checks.simulated import SIMULATED_FILE, is_simulated
from scopewatch_training.dataset.index import open_dataset
from scopewatch_training.dataset.manifest import PairRow
from scopewatch_training.dataset.pictures import PictureRef
from scopewatch_training.dataset.prepare import prepare
from scopewatch_training.dataset.settings import PrepareSettings
from tests.unit.training_data.pair_files import make_field, write_plane

Pixels = NDArray[np.uint16]


def row(phase: Path, fluorescence: Path, run: str = "r1", site: int = 0) -> PairRow:
    return PairRow(
        run=run, plate="P1", well="A1", site=site, time_point=0,
        phase=PictureRef(path=phase), fluorescence=PictureRef(path=fluorescence),
    )  # fmt: skip


def simulator(file_format: FileFormat) -> Callable[[Path, Pixels], Path]:
    def write(folder: Path, pixels: Pixels) -> Path:
        name = FrameName(run=0, well=0, site=0, time_point=20, channel="phase")
        with open_writer(file_format, folder) as writer:
            return writer.write(name, pixels)

    return write


def by_tifffile(folder: Path, pixels: Pixels) -> Path:
    tifffile.imwrite(folder / "a.tif", pixels)
    return folder / "a.tif"


def as_imagej(folder: Path, pixels: Pixels) -> Path:
    tifffile.imwrite(folder / "a.tif", pixels, imagej=True)
    return folder / "a.tif"


def by_pillow(folder: Path, pixels: Pixels) -> Path:
    Image.fromarray(pixels).save(folder / "a.png")
    return folder / "a.png"


WRITERS: dict[str, tuple[Callable[[Path, Pixels], Path], bool]] = {
    "the simulator, as TIFF": (simulator(FileFormat.TIFF), True),
    "the simulator, as OME-TIFF": (simulator(FileFormat.OME_TIFF), True),
    # What saves it again drops the tag, and pixels do not show it: the documented limit.
    "tifffile": (by_tifffile, False),
    "tifffile, as ImageJ does": (as_imagej, False),
    "Pillow": (by_pillow, False),
}


@pytest.mark.parametrize(("write", "is_marked"), WRITERS.values(), ids=WRITERS.keys())
def test_a_picture_that_was_moved_is_known_by_its_tag_and_by_a_folder_above(
    tmp_path: Path, write: Callable[[Path, Pixels], Path], is_marked: bool
) -> None:
    folder = tmp_path / "a" / "b" / "c"
    folder.mkdir(parents=True)
    path = write(folder, np.full((64, 64), 300, dtype=np.uint16))
    real = tmp_path / "real.tif"
    write_plane(real, make_field(0, side=64).fluorescence)
    rows = [row(real, real, "r0"), row(path, real)]
    assert is_simulated(rows) == is_marked
    assert not is_simulated(rows[:1])
    (tmp_path / "a" / SIMULATED_FILE).write_text("", encoding="utf-8")
    assert is_simulated(rows)


def test_a_damaged_picture_is_not_simulated(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(b"II*\0 damaged")
    assert not is_simulated([row(tmp_path / "a.tif", tmp_path / "missing.tif")])


@pytest.mark.parametrize("stated", [False, True])
def test_prepare_takes_pictures_for_simulated_where_that_is_stated(
    tmp_path: Path, stated: bool
) -> None:
    field = make_field(1, side=128)
    write_plane(tmp_path / "p.tif", field.phase)
    write_plane(tmp_path / "f.tif", field.fluorescence)
    prepare(
        [row(tmp_path / "p.tif", tmp_path / "f.tif")],
        tmp_path / "out",
        PrepareSettings(),
        now=datetime(2026, 3, 1, tzinfo=UTC),
        simulated=stated,
    )
    assert open_dataset(tmp_path / "out").simulated is stated
