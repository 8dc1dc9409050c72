"""Fluorescence pictures that are labels already, and fluorescence saved in a colour."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from scopewatch.core.errors import FrameError
from scopewatch.core.imaging.binarise import fit_thresholds
from scopewatch_training.dataset.annotation import positive_area, read_fluorescence
from scopewatch_training.dataset.doubts import DoubtKind, Weight
from scopewatch_training.dataset.manifest import read_manifest
from scopewatch_training.dataset.pictures import PictureRef
from scopewatch_training.dataset.prepare import prepare
from scopewatch_training.dataset.prepared import Dataset
from scopewatch_training.dataset.settings import BinariseSettings, PrepareSettings
from tests.unit.training_data.pair_files import make_field, write_manifest, write_plane

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
Mask = NDArray[np.bool_]


def label(mask: Mask) -> NDArray[np.uint16]:
    return np.asarray(ndimage.label(mask)[0], dtype=np.uint16)


KINDS: dict[str, Callable[[Mask], NDArray[Any]]] = {
    "0 and 1": lambda mask: mask.astype(np.uint8),
    "0 and 255": lambda mask: 255 * mask.astype(np.uint8),
    "0 and 65535": lambda mask: np.where(mask, np.uint16(65535), np.uint16(0)),
    "1 and 2, as ilastik writes": lambda mask: 1 + mask.astype(np.uint8),
    "a label image, a number for each cell": label,
    "a label image with gaps in its numbers": lambda mask: 7 * label(mask),
    "1 bit": lambda mask: mask,
    "a label image of int32, as scikit-image writes": lambda mask: label(mask).astype(np.int32),
    "a label image of uint32": lambda mask: label(mask).astype(np.uint32),
    "a label image of int64": lambda mask: label(mask).astype(np.int64),
    "a label image of floats, as ImageJ writes": lambda mask: label(mask).astype(np.float32),
    "0.0 and 0.5": lambda mask: 0.5 * mask.astype(np.float64),
    "1.0, and NaN outside": lambda mask: np.where(mask, 1, np.nan).astype(np.float32),
}


def prepare_run(folder: Path, save: Callable[[Mask], NDArray[Any]], **options: Any) -> Dataset:
    rows = []
    for site in range(2):
        field = make_field(site, side=128, cells=40)
        write_plane(folder / f"p{site}.tif", field.phase)
        picture = save(field.glowing)
        tifffile.imwrite(folder / f"f{site}.tif", picture, compression=options.get("compression"))
        rows.append(
            {"run": "r1", "plate": "P1", "well": f"A{site + 1}", "site": "0", "time_point": "0",
             "phase": f"p{site}.tif", "fluorescence": f"f{site}.tif"}
        )  # fmt: skip
    manifest = read_manifest(write_manifest(folder / "pairs.csv", rows))
    binarise = options.get("binarise")
    return prepare(manifest, folder / "out", PrepareSettings(), now=NOW, binarise=binarise)


@pytest.mark.parametrize("save", KINDS.values(), ids=KINDS.keys())
def test_a_mask_is_the_label_as_it_was_drawn(
    tmp_path: Path, save: Callable[[Mask], NDArray[Any]]
) -> None:
    made = prepare_run(tmp_path, save)
    assert [pair.refused for pair in made.pairs] == [None, None]
    cuts = fit_thresholds(made.accepted, made.binarise).per_pair(made.accepted)
    for site, pair in enumerate(made.accepted):
        assert pair.offset_px == (0, 0)
        drawn = make_field(site, side=128, cells=40).glowing
        assert np.array_equal(np.asarray(made.signal(pair)[:, :]) > cuts[pair.id], drawn)
    (doubt,) = [each for each in made.doubts if each.kind is DoubtKind.MASK]
    assert (doubt.weight, doubt.measured[:13]) == (Weight.NOTE, "2 of 2 pairs,")


def one_bit(path: Path, mask: Mask) -> None:
    Image.fromarray(mask).save(path.with_suffix(".png"))


def palette(path: Path, mask: Mask) -> None:
    image = Image.fromarray(label(mask).astype(np.uint8))
    image.putpalette(3 * list(range(256)))
    image.save(path.with_suffix(".png"))


def second_page(path: Path, mask: Mask) -> None:
    tifffile.imwrite(path, np.stack([~mask, mask]).astype(np.int32))


SAVED: dict[str, tuple[Callable[[Path, Mask], None], str, str, str]] = {
    "PNG of 1 bit": (one_bit, "f.png", "", "1-bit labels"),
    "PNG with a palette": (palette, "f.png", "", "labels of a palette"),
    "second page of a stack": (second_page, "f.tif", "page=1", "int32 labels"),
}


@pytest.mark.parametrize(("save", "name", "part", "note"), SAVED.values(), ids=SAVED.keys())
def test_labels_of_other_files_are_read_and_called_labels(
    tmp_path: Path, save: Callable[[Path, Mask], None], name: str, part: str, note: str
) -> None:
    mask = make_field(0, side=128, cells=40).glowing
    save(tmp_path / "f.tif", mask)
    picture, found = read_fluorescence(PictureRef(path=tmp_path / name, part=part))
    assert np.array_equal(picture.pixels, mask)
    assert found == note


NO_LABELS: dict[str, NDArray[Any]] = {
    "numbers below 0": np.eye(64, dtype=np.int32) - 2 * np.tri(64, dtype=np.int32),
    "a camera's picture as floats": np.random.default_rng(0)
    .poisson(300, (64, 64))
    .astype(np.float32),
    "infinite values": np.where(np.eye(64) > 0, np.inf, np.tri(64)),
}


@pytest.mark.parametrize("pixels", NO_LABELS.values(), ids=NO_LABELS.keys())
def test_other_numbers_are_refused_with_both_ways_to_go_on(
    tmp_path: Path, pixels: NDArray[Any]
) -> None:
    tifffile.imwrite(tmp_path / "f.tif", pixels)
    with pytest.raises(FrameError) as caught:
        read_fluorescence(PictureRef(path=tmp_path / "f.tif"))
    assert f"got {8 * pixels.itemsize}-bit" in str(caught.value)
    assert "in 16 bits, or labels: 0 outside" in str(caught.value)


def test_a_probability_map_is_called_so(tmp_path: Path) -> None:
    pixels = np.linspace(0, 0.75, 64 * 64, dtype=np.float32).reshape(64, 64)
    tifffile.imwrite(tmp_path / "f.tif", pixels)
    with pytest.raises(FrameError) as caught:
        read_fluorescence(PictureRef(path=tmp_path / "f.tif"))
    assert str(caught.value).startswith("picture has values between 0 and 1, as a probability map")
    assert "got float32, 0 to 0.75" in str(caught.value)
    assert "at its threshold, often 0.5, and give the mask" in str(caught.value)


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.float32])
def test_a_field_without_positive_cells_does_not_break_a_run_of_masks(
    tmp_path: Path, dtype: type[np.generic]
) -> None:
    written: list[Mask] = []

    def save(mask: Mask) -> NDArray[Any]:
        written.append(mask)
        return (mask if len(written) == 1 else np.zeros_like(mask)).astype(dtype)

    made = prepare_run(tmp_path, save, compression="zlib")
    assert [pair.refused for pair in made.pairs] == [None, None]
    (doubt,) = [each for each in made.doubts if each.kind is DoubtKind.MASK]
    assert (doubt.weight, doubt.measured[-11:]) == (Weight.NOTE, "and 1 blank")
    assert not np.any(np.asarray(made.signal(made.accepted[1])[:, :]) > 0)


@pytest.mark.parametrize("dtype", [np.uint8, np.int32])
def test_an_uncompressed_file_of_zeros_may_be_unfinished(
    tmp_path: Path, dtype: type[np.generic]
) -> None:
    tifffile.imwrite(tmp_path / "f.tif", np.zeros((64, 128), dtype))
    with pytest.raises(FrameError, match="not completely written"):
        read_fluorescence(PictureRef(path=tmp_path / "f.tif"))


def test_masks_under_a_threshold_of_counts_are_a_grave_doubt(tmp_path: Path) -> None:
    made = prepare_run(tmp_path, KINDS["0 and 1"], binarise=BinariseSettings(method="mad"))
    (doubt,) = [each for each in made.doubts if each.kind is DoubtKind.MASK]
    assert (doubt.weight, doubt.do) == (
        Weight.STOP,
        "prepare without --binarise: a mask has no threshold",
    )


def gradient(bits: int) -> NDArray[Any]:
    glow = np.clip(make_field(3, side=128).fluorescence, 0, None)
    top = 2**bits - 1
    return np.asarray(np.clip(glow * top / glow.max(), 0, top), dtype=f"u{bits // 8}")


CAMERA: dict[str, NDArray[Any]] = {
    "16 bits": gradient(16),
    "8 bits": gradient(8),
    "8 bits, background subtracted, clipped": np.asarray(
        np.clip(4 * (gradient(8).astype(int) - 60), 0, 255), dtype=np.uint8
    ),
    "single photons": np.random.default_rng(0).poisson(0.2, (128, 128)).astype(np.uint16),
    "nothing": np.zeros((64, 64), dtype=np.uint16),
    "next to nothing, in 8 bits": np.random.default_rng(0).binomial(1, 0.1, (64, 64)),
    "single photons, in 1 bit": np.random.default_rng(0).random((64, 64)) < 0.1,
    "enlarged twice, background subtracted": np.kron(
        np.clip(gradient(16).astype(int) - 5000, 0, None)[:64, :64], np.ones((2, 2), dtype=int)
    ),
}


@pytest.mark.parametrize("pixels", CAMERA.values(), ids=CAMERA.keys())
def test_a_picture_of_a_camera_is_no_mask(pixels: NDArray[Any]) -> None:
    assert positive_area(pixels) is None


def classes(first: int) -> NDArray[Any]:
    """Return a map of cells and, among them, of those with the marker."""
    field = make_field(3, side=128, cells=40, share=0.5)
    cells = ndimage.gaussian_filter(field.phase, 2) < 3600
    return np.asarray(first + np.where(field.glowing, 2, cells), dtype=np.uint8)


FEW_VALUES: dict[str, tuple[NDArray[Any], str]] = {
    "classes from 0": (classes(0), "0, 1, 2"),
    "classes from 1, as ilastik writes": (classes(1), "1, 2, 3"),
    "classes as floats": (classes(0).astype(np.float32), "0, 1, 2"),
    "a smoothed picture in a few counts": (
        np.clip((ndimage.gaussian_filter(make_field(3).fluorescence, 2) - 170) / 400, 0, None)
        .astype(np.uint8),
        "0, 1, 2, 3, 4",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("pixels", "values"), FEW_VALUES.values(), ids=FEW_VALUES.keys())
def test_of_a_few_values_all_over_the_picture_none_is_taken_for_the_marker(
    tmp_path: Path, pixels: NDArray[Any], values: str
) -> None:
    tifffile.imwrite(tmp_path / "f.tif", pixels, compression="zlib")
    with pytest.raises(FrameError) as caught:
        positive_area(read_fluorescence(PictureRef(path=tmp_path / "f.tif"))[0].pixels)
    assert str(caught.value).startswith("picture has a few values in many places, as a map of")
    assert f"got {values})" in str(caught.value)
    assert "save the class with the marker as a mask" in str(caught.value)


def test_points_are_no_area(tmp_path: Path) -> None:
    pixels = np.zeros((64, 64), dtype=np.uint8)
    pixels[5::10, 5::10] = 255
    with pytest.raises(FrameError) as caught:
        positive_area(pixels, "f.tif")
    assert str(caught.value) == (
        "mask shows single pixels: f.tif (expected filled regions, whose area is the label, got 36"
        " pixels, next to none beside another); mark the area of each cell, not a point in it"
    )


def test_a_few_objects_with_a_number_each_are_labels() -> None:
    pixels = np.zeros((64, 64), dtype=np.uint8)
    for number in (1, 2, 3):
        pixels[10 * number : 10 * number + 6, 20:40] = number
    area = positive_area(pixels)
    assert area is not None
    assert np.array_equal(area, pixels > 0)


@pytest.mark.parametrize("name", ["RoiSet.zip", "A1.roi", "A1.geojson"])
def test_files_of_regions_are_answered_by_how_to_make_a_mask(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"Iout")
    with pytest.raises(FrameError) as caught:
        read_fluorescence(PictureRef(path=tmp_path / name))
    assert str(caught.value).startswith(f"file is no image: {tmp_path / name}")
    assert "save the regions as a mask (ImageJ: Edit > Selection > Create Mask" in str(caught.value)


@pytest.mark.parametrize("planarconfig", ["contig", "separate"])
@pytest.mark.parametrize("counts", [1, 257], ids=["8 bits", "16 bits"])
@pytest.mark.parametrize(("channel", "name"), [(0, "red"), (1, "green"), (2, "blue")])
def test_the_one_colour_of_a_picture_is_taken(
    tmp_path: Path,
    channel: int,
    name: str,
    counts: int,
    planarconfig: Literal["contig", "separate"],
) -> None:
    shown = gradient(8) if counts == 1 else gradient(8).astype(np.uint16) * counts + 3
    planes = np.zeros((128, 128, 3), dtype=shown.dtype)
    planes[..., channel] = shown
    kept = planes if planarconfig == "contig" else np.moveaxis(planes, 2, 0)
    tifffile.imwrite(tmp_path / "f.tif", kept, photometric="rgb", planarconfig=planarconfig)
    picture, note = read_fluorescence(PictureRef(path=tmp_path / "f.tif"))
    assert picture.pixels.dtype == shown.dtype
    assert np.array_equal(picture.pixels, shown)
    assert note == f"{name} channel of a colour picture"


def test_a_merged_picture_is_answered_for_fluorescence_not_for_phase(tmp_path: Path) -> None:
    planes = np.repeat(gradient(8)[..., None], 3, axis=2)
    planes[..., 1] = np.minimum(planes[..., 1] + 20, 255)
    tifffile.imwrite(tmp_path / "f.tif", planes, photometric="rgb")
    with pytest.raises(FrameError) as caught:
        read_fluorescence(PictureRef(path=tmp_path / "f.tif"))
    assert str(caught.value).startswith("image is in colour: ")
    assert "export the fluorescence channel alone" in str(caught.value)
    assert "phase-contrast" not in str(caught.value)
