"""Files of several planes: OME-TIFF, ImageJ, tifffile, Micro-Manager; also while they grow."""

import struct
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import tifffile

from scopewatch.core.errors import FrameError
from scopewatch.sources.base.facts import PlaneFacts
from scopewatch.sources.readers.image_file import is_whole, list_planes, read_plane
from scopewatch.sources.readers.planes import DEFAULT_LIMITS
from tests.unit.sources.images import pixels, write
from tests.unit.sources.mmstacks import StackWriter, tags

STACK = np.stack([pixels(seed=seed) for seed in range(6)])
MICRO = "\u00b5m"


def places(path: Path) -> list[tuple[int | None, str | None, int | None, str | int | None]]:
    return [plane.facts.place for plane in list_planes(path).planes]


def test_an_ome_tiff_gives_times_channels_and_pixel_size(tmp_path: Path) -> None:
    path = tmp_path / "a.ome.tif"
    tifffile.imwrite(
        path,
        STACK.reshape(3, 2, 24, 32),
        photometric="minisblack",
        metadata={
            "axes": "TCYX",
            "Channel": {"Name": ["phase", "gfp"]},
            "PhysicalSizeX": 0.65,
            "PhysicalSizeXUnit": MICRO,
        },
    )
    assert places(path) == [
        (time, channel, None, None) for time in range(3) for channel in ("phase", "gfp")
    ]
    plane = read_plane(path, 3)
    assert np.array_equal(plane.pixels, STACK[3])
    assert plane.facts.pixel_size_um == pytest.approx(0.65)
    assert is_whole(path)


def test_a_single_ome_plane_does_not_say_that_it_is_time_point_0(tmp_path: Path) -> None:
    path = tmp_path / "plate_A1_s0_t0003_phase.ome.tif"
    tifffile.imwrite(path, STACK[0], metadata={"axes": "YX"})
    assert places(path) == [(None, None, None, None)]


def ome(inner: str, image: str = 'ID="Image:0" Name="n"', pixels: str = "") -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">'
        f"<Image {image}><AcquisitionDate>2026-03-01T09:00:00</AcquisitionDate>"
        f'<StageLabel Name="B2"/><Pixels DimensionOrder="XYZCT" SizeC="1" SizeT="6" SizeZ="1"'
        f" {pixels}>{inner}</Pixels></Image></OME>"
    ).encode()


def with_ome(path: Path, xml: bytes) -> Path:
    return write(path, STACK, description=xml, metadata=None)


def test_ome_planes_carry_position_and_time(tmp_path: Path) -> None:
    inner = '<TiffData/><Plane TheC="0" TheT="2" TheZ="0" DeltaT="1.5" DeltaTUnit="min"/>'
    path = with_ome(tmp_path / "a.ome.tif", ome(inner))
    facts = list_planes(path).planes[2].facts
    assert (facts.time_point, facts.position) == (2, "B2")
    # The schema fixes no zone: a time of day without one is that of the microscope's clock.
    assert (facts.wall_time, facts.since_wall_s) == (datetime(2026, 3, 1, 9), 90)


def test_planes_of_other_files_of_an_ome_set_are_left_to_those(tmp_path: Path) -> None:
    inner = "".join(
        f'<TiffData FirstT="{time}" IFD="{time % 3}" PlaneCount="1">'
        f'<UUID FileName="{"a" if time < 3 else "b"}.ome.tif">urn:uuid:1</UUID></TiffData>'
        for time in range(6)
    )
    path = write(tmp_path / "b.ome.tif", STACK[3:], description=ome(inner), metadata=None)
    assert [place[0] for place in places(path)] == [3, 4, 5]


def test_a_renamed_ome_file_still_knows_its_planes(tmp_path: Path) -> None:
    inner = '<TiffData IFD="0" PlaneCount="6"><UUID FileName="old.ome.tif">u</UUID></TiffData>'
    path = with_ome(tmp_path / "new.ome.tif", ome(inner))
    assert [place[0] for place in places(path)] == list(range(6))


@pytest.mark.parametrize(
    "xml",
    [
        b'<?xml version="1.0"?><!DOCTYPE OME [<!ENTITY a "aaaa">]><OME>&a;</OME>',
        b'<?xml version="1.0"?><OME><Image>',
    ],
)
def test_damaged_and_hostile_ome_xml_is_refused(tmp_path: Path, xml: bytes) -> None:
    path = with_ome(tmp_path / "a.ome.tif", xml)
    with pytest.raises(FrameError, match=r"OME-XML cannot be read: a\.ome\.tif"):
        list_planes(path)


def test_ome_counts_may_lie_without_harm(tmp_path: Path) -> None:
    sizes = 'SizeX="1"'
    xml = ome('<TiffData IFD="0" PlaneCount="999999999"/>', pixels=sizes).replace(
        b'SizeT="6"', b'SizeT="999999999"'
    )
    path = with_ome(tmp_path / "a.ome.tif", xml)
    assert [place[0] for place in places(path)] == list(range(6))


def test_an_imagej_hyperstack_gives_its_axes_and_calibration(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(
        path,
        STACK.reshape(3, 2, 24, 32),
        imagej=True,
        resolution=(1 / 0.65, 1 / 0.65),
        metadata={"axes": "TCYX", "unit": "um"},
    )
    assert places(path) == [(time, f"channel{c}", None, None) for time in range(3) for c in (0, 1)]
    facts = read_plane(path, 5).facts
    assert facts.pixel_size_um == pytest.approx(0.65, abs=1e-4)


def test_tifffiles_own_axes_are_understood(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, STACK, metadata={"axes": "TYX"}, compression="zlib")
    assert [place[0] for place in places(path)] == list(range(6))


def test_pages_of_which_nothing_is_known_are_reported_as_unknown(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tif", STACK)
    contents = list_planes(path)
    assert len(contents.planes) == 6
    assert not contents.axes_known


def test_reduced_images_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as file:
        file.write(STACK[0], metadata=None)
        file.write(STACK[0][::2, ::2], subfiletype=1, metadata=None)
    assert [plane.page for plane in list_planes(path).planes] == [0]


def test_planes_that_replace_others_have_other_fingerprints(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tif", STACK)
    before = [plane.fingerprint for plane in list_planes(path).planes]
    assert before == [plane.fingerprint for plane in list_planes(path).planes]
    write(path, STACK[::-1])
    after = [plane.fingerprint for plane in list_planes(path).planes]
    assert not set(before) & set(after)


def test_a_preallocated_stack_yields_each_image_once_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "a_MMStack.ome.tif"
    stack = StackWriter(path, {"Frames": 3}, 4 * 2**30)
    assert list_planes(path).planes == ()
    stack.add(STACK[0], tags(0))
    contents = list_planes(path)
    assert [plane.facts for plane in contents.planes] == [
        PlaneFacts(
            time_point=0,
            channel="phase",
            position="B3-Site_1",
            pixel_size_um=0.65,
            acquired_at=datetime(2026, 3, 1, 9, tzinfo=UTC),
        )
    ]
    assert contents.unfinished == "a directory is not written yet"
    assert not contents.cut_off
    for piece in stack.directory(STACK[1], tags(1)):
        assert len(list_planes(path).planes) == 1
        stack.put(piece)
    stack.at += stack.at % 2
    assert [place[0] for place in places(path)] == [0, 1]
    assert np.array_equal(read_plane(path, 1).pixels, STACK[1])
    stack.add(STACK[2], tags(2), last=True)
    assert list_planes(path).unfinished is None
    assert [place[0] for place in places(path)] == [0, 1, 2]


def test_in_an_open_stack_without_tags_the_last_page_waits_for_the_next(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tif", STACK[:2])
    with tifffile.TiffFile(path) as file:
        page = file.pages[1]
        assert isinstance(page, tifffile.TiffPage)
        link_at = page.offset + 2 + 12 * len(page.tags)
    content = bytearray(path.read_bytes())
    struct.pack_into("<I", content, link_at, len(content) + 8)
    path.write_bytes(bytes(content) + bytes(5000))
    contents = list_planes(path)
    assert [plane.page for plane in contents.planes] == [0]
    assert contents.unfinished == "the next page is not written yet (page 1)"


def test_a_stack_that_was_cut_says_so_and_keeps_its_whole_pages(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    StackWriter(path, {}, 0)
    stack = StackWriter(path, {"Frames": 2}, 0)
    stack.add(STACK[0], tags(0))
    stack.put(b"".join(stack.directory(STACK[1], tags(1)))[:1000])
    contents = list_planes(path)
    assert [plane.page for plane in contents.planes] == [0]
    assert contents.cut_off
    assert not is_whole(path)


def test_reading_a_page_that_is_not_there_says_why(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tif", STACK[:2])
    with pytest.raises(FrameError, match=r"image file is cut off: .* page 7 \(got only 2 pages\)"):
        read_plane(path, 7, DEFAULT_LIMITS)
