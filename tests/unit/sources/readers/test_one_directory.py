"""Many planes after one directory: ImageJ above 4 GB, tifffile, ome-writers while it writes."""

import os
import re
import struct
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
import tifffile

from scopewatch.core.errors import FrameError
from scopewatch.sources.readers.image_file import is_whole, list_planes, read_plane
from scopewatch.sources.readers.planes import Contents
from tests.unit.sources.images import pixels, read_frames
from tests.unit.sources.ome_sets import (
    CHANNELS,
    WELLS,
    PlateWriter,
    edit_xml,
    endless_position,
    plate,
)

STACK = np.stack([pixels(seed=seed) for seed in range(6)])
PLANE_BYTES = STACK[0].nbytes


def imagej_stack(path: Path, *, order: str = ">") -> Path:
    """Write a stack as ImageJ's TiffEncoder does above 4 GB: one directory, then all planes."""
    text = b"ImageJ=1.54f\nimages=6\nchannels=2\nframes=3\nhyperstack=true\nunit=um\n\x00"
    entries = 10
    texts = 8 + 2 + entries * 12 + 4
    begin = texts + len(text) + 8
    fields = [
        (254, 4, 1, 0),
        (256, 4, 1, STACK.shape[2]),
        (257, 4, 1, STACK.shape[1]),
        (258, 3, 1, 16),
        (262, 3, 1, 1),
        (270, 2, len(text), texts),
        (273, 4, 1, begin),
        (277, 3, 1, 1),
        (279, 4, 1, PLANE_BYTES),
        (282, 5, 1, texts + len(text)),
    ]
    head = struct.pack(f"{order}2sHIH", b"MM" if order == ">" else b"II", 42, 8, entries)
    body = b"".join(
        struct.pack(f"{order}HHIHH", code, kind, count, value, 0)
        if kind == 3
        else struct.pack(f"{order}HHII", code, kind, count, value)
        for code, kind, count, value in fields
    )
    resolution = struct.pack(f"{order}2I", 2, 1)
    planes = STACK.astype(f"{order}u2").tobytes()
    path.write_bytes(head + body + struct.pack(f"{order}I", 0) + text + resolution + planes)
    return path


def test_the_stack_of_the_test_is_one_that_others_read(tmp_path: Path) -> None:
    path = imagej_stack(tmp_path / "a.tif")
    with tifffile.TiffFile(path) as file:
        assert len(file.pages) == 1
        assert np.array_equal(file.asarray().reshape(STACK.shape), STACK)


@pytest.mark.parametrize("order", [">", "<"])
def test_an_imagej_stack_of_one_directory_gives_all_its_planes(tmp_path: Path, order: str) -> None:
    path = imagej_stack(tmp_path / "a.tif", order=order)
    readings = read_frames(path)
    assert [(each.key.time_point, each.key.channel) for each in readings] == [
        (time, f"channel{c}") for time in range(3) for c in range(2)
    ]
    assert {each.pixel_size_um for each in readings} == {0.5}
    for page, image in enumerate(STACK):
        assert np.array_equal(read_plane(path, page).pixels, image)
    assert is_whole(path)


@pytest.mark.parametrize("kind", ["shaped", "imagej"])
def test_tifffile_writes_one_directory_on_request(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a.tif"
    options = {"imagej": True} if kind == "imagej" else {"photometric": "minisblack"}
    tifffile.imwrite(path, STACK, truncate=True, metadata={"axes": "TYX"}, **options)
    with tifffile.TiffFile(path) as file:
        assert len(file.pages) == 1
    assert [each.key.time_point for each in read_frames(path)] == list(range(6))
    assert all(np.array_equal(read_plane(path, page).pixels, STACK[page]) for page in range(6))


@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_grey_that_is_stored_as_rgb_is_found_behind_one_directory(
    tmp_path: Path, planar: str
) -> None:
    axis = 1 if planar == "separate" else 3
    path = tmp_path / "a.tif"
    tifffile.imwrite(
        path,
        np.stack([STACK] * 3, axis=axis),
        photometric="rgb",
        planarconfig=planar,
        truncate=True,
        metadata={"axes": "TSYX" if planar == "separate" else "TYXS"},
    )
    contents = list_planes(path)
    assert len(contents.planes) == 6
    assert np.array_equal(read_plane(path, 5).pixels, STACK[5])


def test_a_stack_of_unknown_axes_is_reported_with_its_count(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, STACK, truncate=True, photometric="minisblack")
    contents = list_planes(path)
    assert not contents.axes_known
    assert "got 6 pages" in contents.unnamed(path)


def test_a_stack_that_is_cut_gives_what_is_there_and_says_how_much(tmp_path: Path) -> None:
    path = imagej_stack(tmp_path / "a.tif")
    os.truncate(path, path.stat().st_size - PLANE_BYTES - 5)
    contents = list_planes(path)
    assert [plane.page for plane in contents.planes] == [0, 1, 2, 3]
    assert contents.unfinished == "4 of 6 planes are written"
    assert contents.cut_off
    with pytest.raises(FrameError, match=r"image file is cut off: .* \(got 4 of 6 planes"):
        read_plane(path, 4)


def test_planes_that_one_directory_does_not_tell_apart_are_reported_with_their_count(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.tif"
    description = "ImageJ=1.54f\nimages=6\nframes=6\n"
    tifffile.imwrite(path, STACK[0], compression="zlib", metadata=None, description=description)
    contents = list_planes(path)
    assert contents.cut_off
    assert contents.unfinished == (
        "it declares 6 planes in one directory, which cannot be located: they are compressed"
        " or not in one piece"
    )


def own_planes(writer: PlateWriter, name: str) -> list[int]:
    return [plane.page for plane in writer.written if plane.file == name]


def marks(contents: Contents) -> list[str]:
    return [plane.fingerprint for plane in contents.planes]


def test_a_plate_of_ome_writers_is_read_plane_by_plane_while_it_grows(tmp_path: Path) -> None:
    path = tmp_path / "plate/plate_p002.ome.tiff"
    with plate(tmp_path / "plate", times=3) as writer:
        seen: list[str] = []
        for count in range(1, 25):
            writer.add()
            writer.settle()
            pages = own_planes(writer, path.name)
            if not pages:
                assert path.stat().st_size == 0
                continue
            contents = list_planes(path)
            assert [plane.page for plane in contents.planes] == pages
            assert marks(contents)[: len(seen)] == seen, count
            seen = marks(contents)
            left = f"{len(pages)} of 6 planes are written" if len(pages) < 6 else None
            assert (contents.unfinished, contents.cut_off) == (left, False)
            assert np.array_equal(read_plane(path, pages[-1]).pixels, writer.image(path, pages[-1]))
        keys = [each.key for each in read_frames(path)]
        assert [(key.well, key.site, key.time_point) for key in keys] == [
            ("B3", 0, time) for time in range(3) for _ in CHANNELS
        ]
    with tifffile.TiffFile(path) as file:
        assert len(file.pages) == 6
    assert marks(list_planes(path)) == seen, "each plane keeps its fingerprint over the close"
    assert [each.key for each in read_frames(path)] == keys


def test_a_plate_that_was_closed_early_gives_no_directories_for_planes(tmp_path: Path) -> None:
    # ome-writers corrects the count of planes in the first image alone: the others stay as planned,
    # and directories and a longer XML follow the pixels.
    path = tmp_path / "plate/plate_p003.ome.tiff"
    with plate(tmp_path / "plate", times=50) as writer:
        writer.add(8)
    assert path.stat().st_size > list_planes(path).planes[0].page + 3 * PLANE_BYTES
    contents = list_planes(path)
    assert [plane.page for plane in contents.planes] == [0, 1]
    assert (contents.unfinished, contents.cut_off) == ("2 of 100 planes are written", False)
    with pytest.raises(FrameError, match="got 2 of 100 planes are written"):
        read_plane(path, 2)


def test_of_a_plate_closed_after_one_plane_each_that_one_is_read(tmp_path: Path) -> None:
    path = tmp_path / "plate/plate_p003.ome.tiff"
    with plate(tmp_path / "plate", times=50) as writer:
        writer.add(7)  # the last is the first of this file
    with tifffile.TiffFile(path) as file:
        assert len(file.pages) == 1
    assert [plane.page for plane in list_planes(path).planes] == [0]


def test_a_plate_whose_writer_was_killed_gives_what_is_there(tmp_path: Path) -> None:
    folder = tmp_path / "plate"
    with plate(folder, times=3) as writer:
        writer.add(13)
        writer.settle()
        killed = {path.name: path.read_bytes() for path in folder.iterdir()}
    for name, content in killed.items():
        path = folder / name
        # In the middle of a plane, too.
        path.write_bytes(content + b"\x07" * 100)
        contents = list_planes(path)
        assert [plane.page for plane in contents.planes] == own_planes(writer, name)
        assert contents.cut_off


@pytest.mark.parametrize("compression", [None, "lzw"])
@pytest.mark.parametrize("position", range(4))
def test_a_plan_without_end_is_read_as_it_goes_on_and_when_it_is_closed(
    tmp_path: Path, compression: str | None, position: int
) -> None:
    path = tmp_path / f"plate/plate_p{position:03}.ome.tiff"
    with plate(tmp_path / "plate", times=None, compression=compression) as writer:
        writer.add(32)
        writer.settle()
        growing = list_planes(path)
        so_far = len(growing.planes)
        # An uncompressed file may be closing now: directories of 512 bytes are allowed for.
        assert so_far == (8 if compression else 8 - 8 * 512 // (32 * 24 * 2))
        assert growing.unfinished == (
            f"{so_far} planes are written so far, of a series whose end is not planned"
        )
        assert not growing.cut_off
    closed = list_planes(path)
    assert closed.unfinished is None
    places = [(number // 2, CHANNELS[number % 2]) for number in range(8)]
    for contents in (growing, closed):
        stated = [(plane.facts.time_point or 0, plane.facts.channel) for plane in contents.planes]
        assert stated == places[: len(stated)]
        assert {plane.facts.well for plane in contents.planes} == {WELLS[position // 2]}
        assert {plane.facts.site for plane in contents.planes} == {position % 2}
    assert marks(closed)[:so_far] == marks(growing)
    # A time in hours for each time point, and a second for each position.
    first = closed.planes[0].facts.acquired_at
    assert first is not None
    moments = [plane.facts.acquired_at for plane in closed.planes]
    assert moments == [first + timedelta(hours=time) for time, _ in places]


def test_a_closed_plan_without_end_or_metadata_of_its_frames_is_read(tmp_path: Path) -> None:
    with plate(tmp_path / "plate", times=None) as writer:
        writer.add(24, delta_t=None)
    for path in (tmp_path / "plate").iterdir():
        edit_xml(path, lambda xml: re.sub(r"<Plane [^>]*/>", "", xml))
        contents = list_planes(path)
        assert [plane.facts.time_point or 0 for plane in contents.planes] == [0, 0, 1, 1, 2, 2]
        assert contents.unfinished is None


@pytest.mark.parametrize("compression", [None, "lzw"])
def test_a_position_without_a_planned_end_names_no_file(
    tmp_path: Path, compression: str | None
) -> None:
    """A single file has no UUID of its own in the blocks of its XML."""
    path = tmp_path / "one.ome.tiff"
    with endless_position(tmp_path / "one", compression) as add:
        for number in range(3):
            add(pixels(256, 256, seed=number))
        growing = list_planes(path)
    closed = list_planes(path)
    for contents in (growing, closed):
        assert [plane.facts.time_point or 0 for plane in contents.planes] == [0, 1, 2]
        assert {plane.facts.well for plane in contents.planes} == {"C7"}
    assert marks(closed) == marks(growing)


def test_what_another_program_keeps_behind_its_plane_is_no_time_point(tmp_path: Path) -> None:
    path = tmp_path / "a.ome.tif"
    xml = (
        '<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">'
        '<Image ID="Image:0" Name="A1"><Pixels ID="Pixels:0" DimensionOrder="XYCTZ" Type="uint16"'
        ' SizeX="32" SizeY="24" SizeZ="1" SizeC="1" SizeT="1"><Channel ID="Channel:0"/>'
        '<TiffData IFD="0" PlaneCount="1"/></Pixels></Image></OME>'
    )
    tifffile.imwrite(path, STACK[0], description=xml, metadata=None, resolution=(1, 1))
    path.write_bytes(path.read_bytes() + bytes(range(256)) * 24)
    assert [plane.page for plane in list_planes(path).planes] == [0]


def test_more_directories_than_another_program_declares_are_no_time_points(tmp_path: Path) -> None:
    with plate(tmp_path / "plate", times=None) as writer:
        writer.add(24)
    path = tmp_path / "plate/plate_p001.ome.tiff"
    edit_xml(path, lambda xml: xml.replace("<OME ", '<OME Creator="another" ', 1))
    contents = list_planes(path)
    assert {plane.facts.time_point for plane in contents.planes} == {None}
    assert not contents.axes_known


def test_the_last_plane_of_a_compressed_plate_does_not_wait_for_the_next(tmp_path: Path) -> None:
    path = tmp_path / "plate/plate_p001.ome.tiff"
    with plate(tmp_path / "plate", times=3, compression="lzw") as writer:
        writer.add(12)
        writer.settle()
        before = list_planes(path)
        assert [plane.page for plane in before.planes] == own_planes(writer, path.name)
        assert before.unfinished == "4 of 6 planes are written"
        # Killed between the steps of a write: the next directory is announced, and missing.
        content = bytearray(path.read_bytes())
        with tifffile.TiffFile(path) as file:
            last = file.pages[-1].aspage()
            link_at = last.offset + 8 + 20 * len(last.tags)
        struct.pack_into("<Q", content, link_at, len(content) + 288)
    path.write_bytes(content)
    assert marks(list_planes(path)) == marks(before)
