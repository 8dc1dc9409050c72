"""Pairs found in a folder of acquired files, by the daemon's patterns and readers."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import tifffile

from scopewatch.core.errors import ConfigError
from scopewatch_training.dataset.manifest import read_manifest
from scopewatch_training.dataset.pairing import pair_folder, write_manifest
from scopewatch_training.dataset.pictures import PictureRef, read_picture
from scopewatch_training.dataset.prepare import prepare
from scopewatch_training.dataset.settings import PrepareSettings
from tests.unit.sources.images import pixels
from tests.unit.sources.zarrs import HEIGHT, WIDTH, ZarrStore
from tests.unit.training_data.pair_files import Field, make_field, write_plane

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)


def write_run(root: Path, run: str, well: str, field: Field, *, time_point: int = 20) -> None:
    stem = f"P1_{well}_s0_t{time_point:04d}"
    write_plane(root / run / f"{stem}_phase.tif", field.phase)
    write_plane(root / run / f"{stem}_gfp.tif", field.fluorescence)


def test_runs_are_folders_and_days_without_fluorescence_are_left_out(tmp_path: Path) -> None:
    for run in ("run1", "run2"):
        write_run(tmp_path, run, "A1", make_field(1))
        write_plane(tmp_path / run / "P1_A1_s0_t0003_phase.tif", make_field(2).phase)
    found = pair_folder(tmp_path, fluorescence="GFP")
    assert [row.key for row in found.rows] == [
        ("run1", "P1", "A1", 0, 20),
        ("run2", "P1", "A1", 0, 20),
    ]
    assert found.phase_only == 2
    assert found.fluorescence_only == ()


def test_fluorescence_without_its_phase_frame_is_named(tmp_path: Path) -> None:
    write_run(tmp_path, "run1", "A1", make_field(1))
    write_plane(tmp_path / "run1" / "P1_B2_s0_t0020_gfp.tif", make_field(2).fluorescence)
    (name,) = pair_folder(tmp_path, fluorescence="gfp").fluorescence_only
    assert name.endswith("P1_B2_s0_t0020_gfp.tif")


def test_names_that_do_not_fit_are_reported_not_dropped(tmp_path: Path) -> None:
    write_run(tmp_path, "run1", "A1", make_field(1))
    write_plane(tmp_path / "run1" / "overview.tif", make_field(2).phase)
    (line,) = pair_folder(tmp_path, fluorescence="gfp").unread
    assert "overview.tif" in line


def test_the_planes_of_an_ome_tiff_are_paired(tmp_path: Path) -> None:
    field = make_field(3)
    planes = np.stack([field.phase, field.fluorescence]).astype(np.uint16)
    (tmp_path / "run1").mkdir()
    tifffile.imwrite(
        tmp_path / "run1" / "P1_C4_s1_t0020_phase.ome.tif", planes, ome=True,
        metadata={"axes": "CYX", "Channel": {"Name": ["phase", "gfp"]}, "PhysicalSizeX": 0.65,
                  "PhysicalSizeXUnit": "µm", "PhysicalSizeY": 0.65, "PhysicalSizeYUnit": "µm"},
    )  # fmt: skip
    (row,) = pair_folder(tmp_path, fluorescence="gfp").rows
    assert (row.well, row.site, row.time_point) == ("C4", 1, 20)
    glow = read_picture(row.fluorescence)
    assert np.array_equal(glow.pixels, planes[1])
    assert glow.um_per_px == pytest.approx(0.65)


def test_what_was_found_can_be_kept_as_a_manifest_and_prepared(tmp_path: Path) -> None:
    for well, seed in (("A1", 1), ("A2", 2)):
        write_run(tmp_path / "data", "run1", well, make_field(seed))
    found = pair_folder(tmp_path / "data", fluorescence="gfp")
    write_manifest(found.rows, tmp_path / "manifest.csv")
    rows = read_manifest(tmp_path / "manifest.csv")
    assert [row.key for row in rows] == [row.key for row in found.rows]
    dataset = prepare(rows, tmp_path / "out", PrepareSettings(), now=NOW)
    assert len(dataset.accepted) == 2


def test_a_folder_without_pairs_says_what_channels_it_holds(tmp_path: Path) -> None:
    write_plane(tmp_path / "run1" / "P1_A1_s0_t0000_phase.tif", make_field(1).phase)
    with pytest.raises(ConfigError, match=r"folder holds no pair: .*and yfp.*got phase x 1"):
        pair_folder(tmp_path, fluorescence="yfp")


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="folder of pictures is missing"):
        pair_folder(tmp_path / "none", fluorescence="gfp")


def test_a_part_behind_a_hash_is_no_part_when_the_file_is_called_so(tmp_path: Path) -> None:
    (tmp_path / "odd.tif#page=2").write_bytes(b"II")
    assert PictureRef.parse(tmp_path, "odd.tif#page=2").part == ""
    assert str(PictureRef.parse(tmp_path, "a.tif#page=2")) == f"{tmp_path / 'a.tif'}#page=2"


@pytest.mark.parametrize("chunk", [1, 4], ids=["a chunk each", "chunks of 4 planes"])
def test_ome_zarr_stores_are_paired_by_channel_and_kept_in_a_manifest(
    tmp_path: Path, chunk: int
) -> None:
    store = ZarrStore(tmp_path / "data", "run1.ome.zarr")
    store.plate({"A/1": ["0"]})
    image = store.image(
        "A/1/0", channels=("Phase", "GFP"), chunks=(chunk, 1, HEIGHT, WIDTH), compressors="auto"
    )
    for channel in range(2):
        image.put(pixels(HEIGHT, WIDTH, seed=channel), t=9, c=channel)
    write_plane(tmp_path / "data/run2/P1_A1_s0_t0000_phase.tif", make_field(1).phase)
    found = pair_folder(tmp_path / "data", fluorescence="gfp")
    assert (found.unread, found.phase_only) == ((), 1)
    write_manifest(found.rows, tmp_path / "manifest.csv")
    (row,) = read_manifest(tmp_path / "manifest.csv")
    assert (row.run, row.plate, row.well, row.time_point) == ("run1", "P7", "A1", 9)
    for channel, ref in enumerate((row.phase, row.fluorescence)):
        picture = read_picture(ref)
        assert np.array_equal(picture.pixels, pixels(HEIGHT, WIDTH, seed=channel))
        assert picture.um_per_px == 0.65


def test_real_ndtiff_data_sets_are_paired_by_channel(real_data: Path) -> None:
    root = real_data / "micromanager" / "ndtiff" / "ndtiff3.2_multichannel"
    with pytest.raises(ConfigError, match="folder holds no pair") as caught:
        pair_folder(root, fluorescence="nothing of the kind")
    channels = str(caught.value).split("got ")[1]
    first, second = (part.split(" x ")[0].strip() for part in channels.split(",")[:2])
    found = pair_folder(root, phase=first, fluorescence=second)
    assert found.rows
    phase, glow = read_picture(found.rows[0].phase), read_picture(found.rows[0].fluorescence)
    assert phase.pixels.shape == glow.pixels.shape
    assert found.rows[0].phase.part != found.rows[0].fluorescence.part
