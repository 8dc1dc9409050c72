"""PNG, JPEG and BMP files with their full size that are not filled yet are not complete."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from scopewatch.core.errors import FrameError
from scopewatch.sources.readers.image_file import is_whole, read_plane
from scopewatch.sources.readers.planes import NotWrittenError
from tests.unit.sources.images import pixels

# Begin and end of the zeros, as shares of the file: truncated at its end, and missing pieces.
HOLES = [(0.1, 1), (0.3, 1), (0.5, 1), (0.9, 1), (0.99, 1), (0.4, 0.6), (0.5, 0.75)]
SMALL_HOLES = [(0.5, 0.501), (0.9, 0.92)]


def picture(kind: str) -> bytes:
    """Return even areas and noise, which compress in different ways."""
    image = pixels(600, 800)
    image[100:300, :] = 500
    if kind != "png16":
        image = (image >> 4).astype(np.uint8)
    content = io.BytesIO()
    Image.fromarray(image).save(content, "JPEG" if kind == "jpg" else "PNG")
    return content.getvalue()


@pytest.mark.parametrize(
    ("kind", "hole"),
    [(kind, hole) for kind in ("png16", "png8", "jpg") for hole in HOLES]
    # A JPEG has no checksums that would reveal a small one.
    + [(kind, hole) for kind in ("png16", "png8") for hole in SMALL_HOLES],
    ids=str,
)
def test_a_picture_with_a_hole_is_not_whole(
    tmp_path: Path, kind: str, hole: tuple[float, float]
) -> None:
    content = picture(kind)
    begin, end = (int(len(content) * share) for share in hole)
    path = tmp_path / f"a.{kind[:3]}"
    path.write_bytes(content)
    whole = read_plane(path).pixels
    assert is_whole(path)
    path.write_bytes(content[:begin] + bytes(end - begin) + content[end:])
    with pytest.raises(FrameError, match="image cannot be decoded"):
        read_plane(path)
    assert not is_whole(path)
    path.write_bytes(content)
    assert np.array_equal(read_plane(path).pixels, whole)


def test_a_png_whose_last_chunk_is_missing_is_not_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    content = picture("png16")
    for missing in (1, 4, 12):
        path.write_bytes(content[:-missing])
        assert not is_whole(path)
    path.write_bytes(content[:-12] + bytes(12))
    with pytest.raises(FrameError, match="got zeros from"):
        read_plane(path)


def test_a_png_of_which_a_byte_is_wrong_is_not_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    content = bytearray(picture("png16"))
    place = content.index(b"IDAT") + 40
    content[place] ^= 1
    path.write_bytes(content)
    with pytest.raises(FrameError, match="image cannot be decoded"):
        read_plane(path)
    # The content as it was, and another checksum: Pillow does not check it.
    content[place] ^= 1
    content[content.index(b"IDAT", place) - 5] ^= 1
    path.write_bytes(content)
    with pytest.raises(FrameError, match="got a wrong checksum of the chunk at"):
        read_plane(path)


def test_a_black_or_even_picture_is_whole(tmp_path: Path) -> None:
    for value in (0, 127):
        for kind, options in (("PNG", {}), ("JPEG", {"optimize": True}), ("JPEG", {})):
            path = tmp_path / f"{value}.{kind.lower()}"
            Image.fromarray(np.full((1024, 1024), value, np.uint8)).save(path, kind, **options)
            assert is_whole(path)


@pytest.mark.parametrize("hole", [(0.1, 1), (0.5, 1), (0.9, 1), (0.4, 0.6)], ids=str)
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_bmp_with_a_hole_is_not_written_yet(
    tmp_path: Path, mode: str, hole: tuple[float, float]
) -> None:
    path = tmp_path / "a.bmp"
    image = (pixels(600, 800) >> 4).astype(np.uint8)
    Image.fromarray(image).convert(mode).save(path)
    content = path.read_bytes()
    assert np.array_equal(read_plane(path).pixels, image)
    # Where a pixel is cut, a colour is left, which is refused as such.
    begin, end = (int(len(content) * share) // 3 * 3 for share in hole)
    path.write_bytes(content[:begin] + bytes(end - begin) + content[end:])
    with pytest.raises(NotWrittenError, match="image is not completely written"):
        read_plane(path)


def test_black_parts_of_a_bmp_are_pixels(tmp_path: Path) -> None:
    path = tmp_path / "a.bmp"
    image = (pixels(600, 800) >> 4).astype(np.uint8)
    image[::7, ::5] = 0
    image[:60] = 0
    Image.fromarray(image).save(path)
    assert np.array_equal(read_plane(path).pixels, image)
