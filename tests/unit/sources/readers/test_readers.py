import contextlib
import io
import os
import struct
import subprocess
import sys
import zlib
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from scopewatch.core.errors import FrameError
from scopewatch.sources.readers.image_file import is_image_name, is_whole, list_planes, read_plane
from scopewatch.sources.readers.planes import ReadLimits
from tests.unit.sources.images import pixels, write

IMAGE = pixels()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"bigtiff": True},
        {"tile": (16, 16)},
        {"rowsperstrip": 5},
        {"compression": "zlib"},
        {"compression": "zlib", "predictor": True},
        {"compression": "lzw", "predictor": True, "rowsperstrip": 7},
        {"compression": "lzw", "tile": (16, 16)},
        {"compression": "packbits"},
        {"compression": "zstd"},
    ],
    ids=str,
)
def test_every_lossless_tiff_is_read_to_the_last_bit(
    tmp_path: Path, dtype: Any, order: str, options: dict[str, Any]
) -> None:
    image = (IMAGE % 251).astype(dtype)
    path = write(tmp_path / "a.tif", image, byteorder=order, **options)
    plane = read_plane(path)
    assert np.array_equal(plane.pixels, image)
    assert plane.pixels.dtype == np.dtype(dtype)
    assert is_whole(path)


@pytest.mark.parametrize("suffix", [".png", ".TIF", ".tiff", ".ome.tif"])
def test_16_bit_grey_is_read_from_every_kind_of_file(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    Image.fromarray(IMAGE).save(path, format="PNG" if suffix == ".png" else "TIFF")
    assert np.array_equal(read_plane(path).pixels, IMAGE)


@pytest.mark.parametrize("suffix", [".jpg", ".jpeg", ".png", ".bmp"])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_8_bit_grey_and_rgb_stored_grey_are_read(tmp_path: Path, suffix: str, mode: str) -> None:
    grey = Image.fromarray((IMAGE >> 4).astype(np.uint8))
    path = tmp_path / f"a{suffix}"
    grey.convert(mode).save(path)
    read = read_plane(path).pixels
    assert read.shape == IMAGE.shape
    assert np.abs(read.astype(int) - (IMAGE >> 4)).max() <= (40 if suffix.startswith(".j") else 0)


@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_a_tiff_of_three_equal_channels_is_grey(
    tmp_path: Path, planar: str, compression: str | None
) -> None:
    axis = 2 if planar == "contig" else 0
    colour = np.stack([(IMAGE >> 4).astype(np.uint8)] * 3, axis=axis)
    options = {"photometric": "rgb", "planarconfig": planar, "compression": compression}
    path = write(tmp_path / "a.tif", colour, **options)
    assert np.array_equal(read_plane(path).pixels, IMAGE >> 4)


def test_an_opaque_alpha_channel_is_dropped_and_any_other_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    opaque = Image.fromarray((IMAGE >> 4).astype(np.uint8)).convert("LA")
    opaque.save(path)
    assert np.array_equal(read_plane(path).pixels, IMAGE >> 4)
    opaque.putalpha(100)
    opaque.save(path)
    with pytest.raises(FrameError, match="image is partly transparent"):
        read_plane(path)


def colour_of(shape: tuple[int, ...]) -> Any:
    return np.random.default_rng(1).integers(0, 255, shape).astype(np.uint8)


BAD_TIFFS: dict[str, tuple[Any, dict[str, Any], str]] = {
    "float": (IMAGE.astype(np.float32), {}, "(expected 8- or 16-bit unsigned grey, got 32-bit flo"),
    "signed": (IMAGE.astype(np.int16), {}, "got 16-bit signed)"),
    "32 bit": (IMAGE.astype(np.uint32), {}, "got 32-bit unsigned)"),
    "one pixel": (IMAGE[:1, :1], {}, "image has no extent: "),
    "one row": (IMAGE[:1], {}, "(expected at least 2 x 2 pixels, got 32 x 1)"),
    "colour": (colour_of((24, 32, 3)), {"photometric": "rgb"}, "image is in colour: "),
    "inverted": (IMAGE, {"photometric": "miniswhite"}, "got inverted grey (white is zero)"),
}


@pytest.mark.parametrize(("frames", "begin"), [(3, "in colour"), (4, "partly transparent")])
def test_a_stack_that_was_saved_as_colours_is_called_so(
    tmp_path: Path, frames: int, begin: str
) -> None:
    stack = np.stack([IMAGE + at for at in range(frames)])
    path = write(tmp_path / "a.tif", stack, photometric="rgb", planarconfig="separate")
    with pytest.raises(FrameError) as caught:
        read_plane(path)
    assert str(caught.value).startswith(f"image is {begin}: {path} (")
    assert f"got {frames} planes after each other, as of a stack of frames that was saved" in str(
        caught.value
    )


@pytest.mark.parametrize(("image", "options", "line"), BAD_TIFFS.values(), ids=BAD_TIFFS)
def test_what_is_no_camera_frame_is_refused_with_one_line(
    tmp_path: Path, image: Any, options: dict[str, Any], line: str
) -> None:
    path = write(tmp_path / "a.tif", image, **options)
    with pytest.raises(FrameError) as caught:
        read_plane(path)
    assert line in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not is_whole(path)


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("a.tif", b"", "image file is empty: "),
        ("a.png", b"", "image file is empty: "),
        ("a.tif", b"well A1 looks fine", "file is no TIFF: "),
        ("a.png", b"well A1 looks fine", "image cannot be decoded: "),
        ("a.bmp", b"", "image file is empty: "),
        ("a.bmp", b"BM" + bytes(60), "image cannot be decoded: "),
        ("a.jpg", b"\xff\xd8\xff\xe0" + bytes(40), "image cannot be decoded: "),
        ("a.gif", b"GIF89a", "file is no image: "),
        ("a.tif", b"II*\0\0\0\0\0", "image file is cut off: "),
        ("a.tif", b"MM\0*\xff\xff\xff\xff", "a directory lies beyond the end of the file"),
        ("a.tif", b"II*\0\x08\0\0\0" + bytes(100), "a directory is not written yet"),
    ],
)
def test_files_that_are_no_images_are_refused_with_one_line(
    tmp_path: Path, name: str, content: bytes, line: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(FrameError) as caught:
        read_plane(path)
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FrameError, match=r"image file cannot be read: .* \(got No such file"):
        read_plane(tmp_path / "gone.tif")
    with pytest.raises(FrameError, match="image file cannot be read"):
        list_planes(tmp_path / "gone.png")


def test_a_folder_named_like_an_image_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.tif").mkdir()
    with pytest.raises(FrameError, match=r"image file cannot be read: .* Is a directory"):
        read_plane(tmp_path / "a.tif")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_an_unreadable_file_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tif")
    path.chmod(0)
    with pytest.raises(FrameError, match="Permission denied"):
        read_plane(path)


@pytest.mark.parametrize("compression", [None, "zlib", "lzw"])
@pytest.mark.parametrize("name", ["a.tif", "a.png", "a.bmp"])
def test_no_cut_of_a_file_is_taken_for_whole(
    tmp_path: Path, name: str, compression: str | None
) -> None:
    whole = tmp_path / f"whole-{name}"
    if name == "a.bmp":
        Image.fromarray((IMAGE >> 4).astype(np.uint8)).save(whole)
    elif name == "a.png":
        Image.fromarray(IMAGE).save(whole)
    else:
        write(whole, compression=compression)
    content = whole.read_bytes()
    path = tmp_path / name
    # The last bytes of a PNG (its end mark) may be missing without a pixel missing.
    for length in range(0, len(content) - 12, 97):
        path.write_bytes(content[:length])
        assert not is_whole(path), f"cut to {length} of {len(content)} bytes"


def test_a_declared_size_beyond_the_limit_is_refused_before_anything_is_allocated(
    tmp_path: Path,
) -> None:
    limits = ReadLimits(max_pixels=500)
    for name in ("a.tif", "a.png", "a.bmp"):
        path = tmp_path / name
        Image.fromarray((IMAGE >> 4).astype(np.uint8)).save(path)
        with pytest.raises(FrameError, match=r"too many pixels: .* \(expected at most 500, got 32"):
            read_plane(path, limits=limits)


def tiff_declaring(width: int, height: int, offset: int, count: int) -> bytes:
    """Write a TIFF of one 16-bit strip with arbitrary declarations."""
    entries = [
        (256, 4, width),
        (257, 4, height),
        (258, 3, 16),
        (259, 3, 1),
        (262, 3, 1),
        (273, 4, offset),
        (277, 3, 1),
        (278, 4, height),
        (279, 4, count),
    ]
    body = struct.pack("<H", len(entries))
    for tag, kind, value in entries:
        body += struct.pack("<HHII", tag, kind, 1, value)
    return b"II*\0" + struct.pack("<I", 8) + body + bytes(4) + bytes(64)


@pytest.mark.parametrize(
    "content",
    [
        tiff_declaring(2**31, 2**31, 8, 100),
        tiff_declaring(4, 4, 2**32 - 8, 32),
        tiff_declaring(8000, 8000, 130, 2**32 - 1),
        tiff_declaring(8000, 8000, 130, 32),
        tiff_declaring(0, 0, 0, 0),
    ],
)
def test_a_tiff_that_lies_about_itself_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.tif"
    path.write_bytes(content)
    with pytest.raises(FrameError):
        read_plane(path)


def test_a_png_bomb_is_refused(tmp_path: Path) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 0, 0, 0, 0)
    data = zlib.compress(bytes(1_000_000))
    path = tmp_path / "bomb.png"
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )
    with pytest.raises(FrameError):
        read_plane(path)


def test_a_strip_that_inflates_beyond_its_declared_size_fills_no_memory(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tif", np.zeros((16, 16), np.uint8), compression="zlib")
    content = bytearray(path.read_bytes())
    bomb = zlib.compress(bytes(50_000_000), 9)
    with tifffile.TiffFile(path) as file:
        tags = file.pages.first.tags
        offset_at, count_at = tags[273].valueoffset, tags[279].valueoffset
        count_format = "<H" if tags[279].dtype == 3 else "<I"
    struct.pack_into("<I", content, offset_at, len(content))
    struct.pack_into(count_format, content, count_at, len(bomb))
    swollen = tmp_path / "bomb.tif"
    swollen.write_bytes(bytes(content) + bomb)
    assert peak_kb(swollen) - peak_kb(path) < 20_000


def peak_kb(path: Path) -> int:
    """Return the peak memory of a process that reads a file, in kB."""
    script = (
        "import resource, sys, pathlib;"
        "from scopewatch.sources.readers.image_file import read_plane;"
        "assert read_plane(pathlib.Path(sys.argv[1])).pixels.shape == (16, 16);"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, check=True, timeout=30
    )
    return int(done.stdout)


def test_looping_directories_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tif")
    content = bytearray(path.read_bytes())
    with tifffile.TiffFile(path) as file:
        page = file.pages.first
        link_at = page.offset + 2 + 12 * len(page.tags)
        struct.pack_into("<I", content, link_at, page.offset)
    path.write_bytes(bytes(content))
    with pytest.raises(FrameError, match=r"TIFF directories form a loop: .* page 1 leads back"):
        list_planes(path)


def test_too_many_pages_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tif", np.stack([IMAGE] * 4))
    with pytest.raises(FrameError, match=r"TIFF has too many pages: .* \(expected at most 3\)"):
        list_planes(path, ReadLimits(max_planes=3))


def test_an_unsupported_compression_says_what_to_do(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tif")
    content = bytearray(path.read_bytes())
    with tifffile.TiffFile(path) as file:
        struct.pack_into("<H", content, file.pages.first.tags[259].valueoffset, 34712)
    path.write_bytes(bytes(content))
    with pytest.raises(FrameError, match=r"got code 34712\); export without compression"):
        read_plane(path)


def test_pixel_size_and_time_of_a_plain_tiff_are_read(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.tif",
        resolution=(10_000 / 0.65, 10_000 / 0.65),
        resolutionunit="CENTIMETER",
        datetime="2026:03:01 09:00:00",
    )
    facts = read_plane(path).facts
    assert facts.pixel_size_um == pytest.approx(0.65, abs=1e-4)
    assert facts.wall_time == datetime(2026, 3, 1, 9)


def test_a_screen_resolution_is_no_pixel_size(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tif", resolution=(72, 72), resolutionunit="INCH")
    assert read_plane(path).facts.pixel_size_um is None
    Image.fromarray(IMAGE).save(tmp_path / "a.png", dpi=(96, 96))
    assert read_plane(tmp_path / "a.png").facts.pixel_size_um is None


def test_the_time_of_a_photograph_is_read(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[306] = "2026:03:01 09:00:00"
    path = tmp_path / "a.jpg"
    Image.fromarray((IMAGE >> 4).astype(np.uint8)).save(path, exif=exif)
    assert read_plane(path).facts.wall_time == datetime(2026, 3, 1, 9)


@pytest.mark.parametrize(
    ("name", "image"),
    [
        ("a.tif", True),
        ("b.OME.TIFF", True),
        ("c.jpeg", True),
        ("metadata.txt", False),
        ("d", False),
    ],
)
def test_images_are_known_by_their_suffix(name: str, image: bool) -> None:
    assert is_image_name(name) is image


def tiff_bytes(compression: str | None) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, IMAGE, compression=compression, metadata=None)
    return buffer.getvalue()


SEEDS = [tiff_bytes(None), tiff_bytes("zlib"), tiff_bytes("lzw")]


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.sampled_from(SEEDS),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=8),
)
def test_a_damaged_tiff_is_read_or_refused_and_nothing_else(
    tmp_path: Path, seed: bytes, damage: list[tuple[float, int]]
) -> None:
    content = bytearray(seed)
    for place, value in damage:
        content[min(int(place * len(content)), len(content) - 1)] = value
    path = tmp_path / "a.tif"
    path.write_bytes(bytes(content))
    with contextlib.suppress(FrameError):
        plane = read_plane(path, limits=ReadLimits(max_pixels=10_000))
        assert plane.pixels.ndim == 2
        assert plane.pixels.size <= 10_000
