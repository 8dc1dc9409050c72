"""Grey stored as RGB, with alpha, of 8 and 16 bits: exactly as written, or refused."""

import struct
import warnings
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from scopewatch.core.errors import FrameError
from scopewatch.sources.readers.image_file import list_planes, read_plane
from tests.unit.sources.images import pixels, write
from tests.unit.sources.ome_sets import PlateWriter

HEIGHT, WIDTH = 40, 50
KINDS = ("grey", "grey+alpha", "rgb", "rgb+alpha")


def grey(dtype: type) -> NDArray[Any]:
    rng = np.random.default_rng(0)
    return rng.integers(1, np.iinfo(dtype).max, (HEIGHT, WIDTH)).astype(dtype)


def samples_of(kind: str, image: NDArray[Any]) -> list[NDArray[Any]]:
    opaque = np.full_like(image, np.iinfo(image.dtype).max)
    channels = [image] * (3 if kind.startswith("rgb") else 1)
    return [*channels, opaque] if kind.endswith("alpha") else channels


def write_tiff(path: Path, kind: str, samples: list[NDArray[Any]], **options: Any) -> Path:
    if kind != "grey":
        options = {"planarconfig": "contig", **options}
    if kind.endswith("alpha"):
        options = {"extrasamples": ["unassalpha"], **options}
    axis = 0 if options.get("planarconfig") == "separate" else 2
    image = samples[0] if kind == "grey" else np.stack(samples, axis=axis)
    colour = "rgb" if kind.startswith("rgb") else "minisblack"
    tifffile.imwrite(path, image, photometric=colour, metadata=None, **options)
    return path


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("compression", [None, "lzw", "zlib", "packbits", "zstd"])
@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_every_way_to_store_grey_is_read_exactly(
    tmp_path: Path, kind: str, dtype: type, compression: str | None, planar: str
) -> None:
    image = grey(dtype)
    options: list[dict[str, Any]] = [
        {"byteorder": order, **shape}
        for order in "<>"
        for shape in ({}, {"rowsperstrip": 16}, {"tile": (16, 32)})
    ]
    if compression in ("lzw", "zlib", "zstd"):
        options += [{**each, "predictor": 2} for each in options]
    for each in options:
        if kind != "grey":
            each["planarconfig"] = planar
        path = write_tiff(
            tmp_path / "a.tif", kind, samples_of(kind, image), compression=compression, **each
        )
        read = read_plane(path).pixels
        assert read.dtype == dtype, each
        assert np.array_equal(read, image), each


@pytest.mark.parametrize("alpha", ["unassalpha", "assocalpha", "unspecified"])
@pytest.mark.parametrize("compression", [None, "lzw"])
@pytest.mark.parametrize("kind", ["grey+alpha", "rgb+alpha"])
def test_an_alpha_that_hides_something_is_refused(
    tmp_path: Path, kind: str, compression: str | None, alpha: str
) -> None:
    samples = samples_of(kind, grey(np.uint16))
    path = tmp_path / "a.tif"
    options: dict[str, Any] = {"compression": compression, "extrasamples": [alpha]}
    assert np.array_equal(read_plane(write_tiff(path, kind, samples, **options)).pixels, samples[0])
    samples[-1][3, 4] = 9
    with pytest.raises(FrameError, match="image is partly transparent"):
        read_plane(write_tiff(path, kind, samples, **options))


@pytest.mark.parametrize("compression", [None, "lzw"])
def test_colour_of_16_bits_is_refused(tmp_path: Path, compression: str | None) -> None:
    samples = samples_of("rgb", grey(np.uint16))
    samples[2] = samples[2] + 1
    with pytest.raises(FrameError, match="image is in colour"):
        read_plane(write_tiff(tmp_path / "a.tif", "rgb", samples, compression=compression))


@pytest.mark.parametrize("compression", [None, "lzw"])
@pytest.mark.parametrize("colour", ["separated", "cielab"])
def test_other_colours_of_16_bits_are_refused(
    tmp_path: Path, compression: str | None, colour: str
) -> None:
    image = np.stack([grey(np.uint16)] * (4 if colour == "separated" else 3), axis=2)
    image[..., -1] = 65_535 if colour == "separated" else image[..., 0]
    path = tmp_path / "a.tif"
    tifffile.imwrite(
        path,
        image,
        photometric=colour,
        planarconfig="contig",
        compression=compression,
        metadata=None,
    )
    with pytest.raises(FrameError, match="samples of photometric interpretation"):
        read_plane(path)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_png_is_read_exactly_or_refused(tmp_path: Path, kind: str, dtype: type) -> None:
    image = grey(dtype)
    samples = samples_of(kind, image)
    path = tmp_path / "a.png"
    stored = image if kind == "grey" else np.stack(samples, axis=2)
    path.write_bytes(imagecodecs.png_encode(stored))
    if dtype is np.uint8 or kind == "grey":
        assert np.array_equal(read_plane(path).pixels, image)
        return
    with pytest.raises(FrameError) as caught:
        read_plane(path)
    name = {"grey+alpha": "grey and alpha", "rgb": "RGB", "rgb+alpha": "RGB and alpha"}[kind]
    assert str(caught.value) == (
        f"image has an unsupported pixel type: {path} (expected 8- or 16-bit unsigned grey, got a"
        f" PNG of 16-bit {name}); export the raw camera frames"
    )


def test_strips_that_are_named_again_and_again_fill_no_memory(tmp_path: Path) -> None:
    strips = 4000
    path = tmp_path / "a.tif"
    write_tiff(path, "rgb", samples_of("rgb", grey(np.uint16)), compression="lzw")
    content = bytearray(path.read_bytes())
    with tifffile.TiffFile(path) as file:
        tags = file.pages[0].aspage().tags
        entries = {code: tags[code].offset for code in (273, 279)}
    for code, value in ((273, 8), (279, len(content) - 8)):
        struct.pack_into("<HII", content, entries[code] + 2, 4, strips, len(content))
        content += struct.pack("<I", value) * strips
    path.write_bytes(content)
    assert list_planes(path).planes
    with pytest.raises(FrameError, match="bytes of strips"):
        read_plane(path)


@pytest.mark.parametrize(
    ("unit", "per_unit"), [("MILLIMETER", 1 / 0.65e-3), ("MICROMETER", 1 / 0.65)]
)
def test_resolution_in_the_units_of_tifffile_is_read(
    tmp_path: Path, unit: str, per_unit: float
) -> None:
    path = write(tmp_path / "a.tif", resolution=(per_unit, per_unit), resolutionunit=unit)
    assert read_plane(path).facts.pixel_size_um == pytest.approx(0.65)


def test_a_plate_of_ome_writers_without_a_scale_has_none(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        writer = PlateWriter(tmp_path / "plate", pixel_um=None)
        writer.add()
        writer.close()
    path = tmp_path / "plate/plate_p000.ome.tiff"
    with tifffile.TiffFile(path) as file:
        tags = file.pages[0].aspage().tags
        assert (tags[282].value, int(tags[296].value)) == ((1, 1), 5)
    assert list_planes(path).planes[0].facts.pixel_size_um is None
    assert pixels().shape == read_plane(path).pixels.shape
