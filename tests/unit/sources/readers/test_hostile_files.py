"""Image files and metadata that were made to exhaust or mislead the reader."""

import json
import struct
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from scopewatch.core.errors import FrameError
from scopewatch.sources.ndtiff.index import parse_index
from scopewatch.sources.readers.image_file import list_planes, read_plane
from scopewatch.sources.readers.micromanager_metadata import read_series
from scopewatch.sources.readers.ome.document import read_ome
from scopewatch.sources.readers.planes import DEFAULT_LIMITS
from scopewatch.sources.readers.tiff import chain, ifd
from scopewatch.sources.readers.tiff.chain import walk_directories

ENDS = [(258, 3, 1, 16), (259, 3, 1, 1), (262, 3, 1, 1), (273, 4, 1, 8), (279, 4, 1, 60)]
Entries = list[tuple[int, int, int, int]]


def tiff(entries: Entries, following: int = 0) -> bytes:
    body = b"".join(struct.pack("<HHII", *entry) for entry in sorted(entries))
    head = struct.pack("<2sHIH", b"II", 42, 8, len(entries))
    return head + body + struct.pack("<I", following) + bytes(64)


def sized(height: int, width: int) -> Entries:
    return [(256, 4, 1, width), (257, 4, 1, height)]


def refuse(tmp_path: Path, content: bytes) -> str:
    path = tmp_path / "a.tif"
    path.write_bytes(content)
    with pytest.raises(FrameError) as caught:
        read_plane(path)
    assert not isinstance(caught.value.__cause__, MemoryError)
    return str(caught.value)


def test_a_plane_that_declares_gigapixels_is_refused_by_its_declaration(tmp_path: Path) -> None:
    stated = refuse(tmp_path, tiff(sized(65_535, 65_535) + ENDS))
    assert "image declares too many pixels" in stated


def test_a_plane_of_65535_samples_a_pixel_is_refused(tmp_path: Path) -> None:
    stated = refuse(tmp_path, tiff([*sized(8192, 8192), *ENDS, (277, 3, 1, 65_535)]))
    assert "got 65535 samples, depth 1" in stated


@pytest.mark.parametrize("tag", [ifd.IMAGE_DEPTH, ifd.TILE_DEPTH])
def test_a_volume_hidden_in_one_page_is_refused(tmp_path: Path, tag: int) -> None:
    stated = refuse(tmp_path, tiff([*sized(24, 32), *ENDS, (tag, 4, 1, 2**31)]))
    assert "got 1 samples, depth 2147483648" in stated


def test_a_tile_larger_than_any_plane_is_refused(tmp_path: Path) -> None:
    tiles = [(322, 4, 1, 2**30), (323, 4, 1, 2**30), (324, 4, 1, 8), (325, 4, 1, 60)]
    stated = refuse(tmp_path, tiff([*sized(24, 32), *ENDS[:3], *tiles]))
    assert "a tile" in stated
    assert "image declares too many pixels" in stated


def test_a_directory_that_leads_back_to_itself_is_a_loop(tmp_path: Path) -> None:
    stated = refuse(tmp_path, tiff(sized(24, 4) + ENDS, following=8))
    assert "TIFF directories form a loop" in stated


def test_pages_that_share_one_long_table_of_strips_are_refused_early() -> None:
    strips, pages = 20_000, 300
    table = 8 + pages * 78
    entries = [*sized(24, 4), ENDS[0], ENDS[2], (273, 4, strips, table), (279, 4, strips, table)]
    body = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    pages_of = b"".join(
        struct.pack("<H", len(entries)) + body + struct.pack("<I", 8 + (page + 1) * 78)
        for page in range(pages)
    )
    whole = struct.pack("<2sHI", b"II", 42, 8) + pages_of + struct.pack("<I", 8) * strips
    with pytest.raises(FrameError, match="TIFF directories overlap"):
        walk_directories(BytesIO(whole), len(whole), "a.tif", 100_000)


def test_pages_that_share_one_long_text_are_refused() -> None:
    text = json.dumps({"Frame": 1, "note": "x" * 5000}).encode()
    pages, length = 40, 2 + 8 * 12 + 4
    start = 8 + pages * length
    entries = [*sized(24, 4), *ENDS, (51123, 2, len(text), start)]
    body = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    whole = struct.pack("<2sHI", b"II", 42, 8)
    for page in range(pages):
        following = 8 + (page + 1) * length if page < pages - 1 else 0
        whole += struct.pack("<H", len(entries)) + body + struct.pack("<I", following)
    whole += text
    with pytest.raises(FrameError, match="TIFF directories overlap"):
        walk_directories(BytesIO(whole), len(whole), "a.tif", 100_000)


def test_strips_are_counted_over_all_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain, "_MAX_STRIPS_IN_ALL", 1)
    whole = tiff([*sized(24, 4), *ENDS[:3], (273, 3, 2, 0x00080008), (279, 3, 2, 0x003C003C)])
    with pytest.raises(FrameError, match="TIFF has too many strips"):
        walk_directories(BytesIO(whole), len(whole), "a.tif", 10)


def test_a_chain_of_more_pages_than_allowed_is_refused() -> None:
    length = 2 + 7 * 12 + 4
    body = b"".join(struct.pack("<HHII", *entry) for entry in [*sized(24, 4), *ENDS])
    whole = struct.pack("<2sHI", b"II", 42, 8)
    for page in range(11):
        whole += struct.pack("<H", 7) + body + struct.pack("<I", 8 + (page + 1) * length)
    with pytest.raises(FrameError, match="TIFF has too many pages"):
        walk_directories(BytesIO(whole), len(whole), "a.tif", 10)


@pytest.mark.parametrize("declares", ["<!DOCTYPE x>", '<!ENTITY a "b">'])
def test_ome_xml_that_declares_entities_is_refused(declares: str) -> None:
    with pytest.raises(FrameError, match="entity declarations"):
        read_ome(f'<?xml version="1.0"?>{declares}<OME/>', "a.tif", DEFAULT_LIMITS)


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "C:\\x.tif", "..", "a/b.tif"])
def test_an_index_entry_that_leads_out_of_the_data_set_is_no_frame(name: str) -> None:
    axes = b'{"time": 0}'
    texts = struct.pack("<I", len(axes)) + axes + struct.pack("<I", len(name)) + name.encode()
    part = parse_index(texts + struct.pack("<8I", 0, 32, 24, 1, 0, 0, 0, 0))
    assert [entry.block for entry in part.entries] == [None]
    assert "leads out of the data set" in part.entries[0].reason


def test_a_metadata_file_cut_at_any_byte_gives_what_was_whole() -> None:
    whole = {"Summary": {"Frames": 9}, "FrameKey-1-0-0": {"FileName": "a.tif", "Frame": 1}}
    text = json.dumps(whole)
    reported = [read_series(text[:end]) for end in range(len(text) + 1)]
    assert reported[-1].images["a.tif"].time_point == 1
    seen = [len(each.images) for each in reported]
    assert seen == sorted(seen)


def test_compressed_pixels_that_end_too_early_are_refused(tmp_path: Path) -> None:
    packed = [ENDS[0], (259, 3, 1, 8), *ENDS[2:]]
    path = tmp_path / "a.tif"
    path.write_bytes(tiff(sized(8192, 8192) + packed))
    assert list_planes(path).planes
    assert "image cannot be decoded" in refuse(tmp_path, path.read_bytes())


def test_a_png_whose_chunk_claims_gigabytes_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "frame.png"
    Image.fromarray(np.zeros((16, 16), dtype=np.uint8)).save(path)
    content = bytearray(path.read_bytes())
    content[-12:-8] = (0xFFFFFFF0).to_bytes(4, "big")
    path.write_bytes(content)

    with pytest.raises(FrameError, match="a chunk of 4294967280 bytes"):
        list_planes(path)
