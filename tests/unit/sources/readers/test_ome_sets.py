"""Sets of one OME-TIFF for each position, as ome-writers (pymmcore-plus) writes them."""

import re
import uuid
from pathlib import Path

import numpy as np
import pytest
import tifffile

from scopewatch.core.imaging.frame import FrameKey
from scopewatch.sources.readers.image_file import list_planes, read_plane
from tests.unit.sources.images import pixels, read_frames
from tests.unit.sources.ome_sets import Written, edit_xml, whole_plate


def key(plane: Written) -> FrameKey:
    return FrameKey(
        run="HES7",
        plate="96-well",
        well=plane.well,
        site=plane.site,
        time_point=plane.time,
        channel="phase" if plane.channel == "Phase" else plane.channel,
    )


def keys_of(path: Path) -> list[FrameKey]:
    return [reading.key for reading in read_frames(path)]


@pytest.fixture
def plate(tmp_path: Path) -> tuple[Path, dict[str, list[FrameKey]]]:
    """A folder of four files, and the frames of each."""
    folder = tmp_path / "plate"
    keys: dict[str, list[FrameKey]] = {}
    for plane in whole_plate(folder):
        keys.setdefault(plane.file, []).append(key(plane))
    return folder, keys


@pytest.mark.parametrize("compression", [None, "lzw"])
def test_each_file_of_a_plate_is_read_as_its_own_position(
    tmp_path: Path, compression: str | None
) -> None:
    written = whole_plate(tmp_path / "plate", compression=compression)
    for path in (tmp_path / "plate").glob("*.tiff"):
        own = {plane.page: plane for plane in written if plane.file == path.name}
        readings = read_frames(path)
        assert [reading.key for reading in readings] == [key(own[page]) for page in range(6)]
        assert {reading.pixel_size_um for reading in readings} == {0.65}
        assert all(reading.contradictions == () for reading in readings)
        for page, plane in own.items():
            assert np.array_equal(read_plane(path, page).pixels, plane.pixels)


def test_a_renamed_file_of_a_plate_is_known_by_its_uuid(
    plate: tuple[Path, dict[str, list[FrameKey]]],
) -> None:
    folder, keys = plate
    for name, own in keys.items():
        renamed = (folder / name).rename(folder / f"day 0 {name}")
        assert keys_of(renamed) == own


def test_a_file_that_its_xml_does_not_know_is_not_taken_for_another(
    plate: tuple[Path, dict[str, list[FrameKey]]],
) -> None:
    folder, _ = plate
    stranger = (folder / "plate_p002.ome.tiff").rename(folder / "stranger.ome.tiff")
    own = uuid.uuid4().urn
    edit_xml(stranger, lambda xml: re.sub(r'UUID="[^"]+"', f'UUID="{own}"', xml, count=1))
    contents = list_planes(stranger)
    assert {plane.facts.place for plane in contents.planes} == {(None, None, None, None)}
    assert {plane.facts.well for plane in contents.planes} == {None}
    # The scale is that of all images.
    assert {plane.facts.pixel_size_um for plane in contents.planes} == {0.65}
    assert not contents.axes_known
    assert contents.unnamed("stranger.ome.tiff") == (
        "image file has several pages and no metadata about them: stranger.ome.tiff"
        " (got 6 pages: its OME-XML lists other files (4: plate_p000.ome.tiff,"
        " plate_p001.ome.tiff, ...) and not this one);"
        " export OME-TIFF, or one file for each frame"
    )


def test_the_name_counts_before_a_uuid_that_all_files_share(
    plate: tuple[Path, dict[str, list[FrameKey]]],
) -> None:
    folder, keys = plate
    first = str(tifffile.tiffcomment(folder / "plate_p000.ome.tiff"))
    for name, own in keys.items():
        edit_xml(folder / name, lambda _: first)
        assert keys_of(folder / name) == own


def test_a_name_and_a_uuid_that_say_different_wells_are_reported(
    plate: tuple[Path, dict[str, list[FrameKey]]],
) -> None:
    """Two files have each other's name: nothing is averaged, and it is reported."""
    folder, _ = plate
    (folder / "plate_p000.ome.tiff").rename(folder / "other.ome.tiff")
    (folder / "plate_p003.ome.tiff").rename(folder / "plate_p000.ome.tiff")
    for reading in read_frames(folder / "plate_p000.ome.tiff"):
        assert [str(each) for each in reading.contradictions] == [
            "well: OME-XML rows and columns says A1, OME-XML by the UUID of the file says B3;"
            " A1 is taken"
        ]
    for reading in read_frames(folder / "other.ome.tiff"):
        assert (reading.key.well, reading.contradictions) == ("A1", ())


def test_several_images_in_one_file_are_distinguished_by_their_directories(tmp_path: Path) -> None:
    path = tmp_path / "series.ome.tif"
    with tifffile.TiffWriter(path, ome=True) as file:
        for image, well in enumerate(("A1", "B3")):
            stack = np.stack([pixels(seed=10 * image + time) for time in range(3)])
            file.write(stack, photometric="minisblack", metadata={"axes": "TYX", "Name": well})
    readings = read_frames(path)
    assert [(each.key.well, each.key.time_point) for each in readings] == [
        (well, time) for well in ("A1", "B3") for time in range(3)
    ]
    assert np.array_equal(read_plane(path, 4).pixels, pixels(seed=11))


@pytest.mark.parametrize(
    "names", [("fov0", "fov0"), ("", ""), ("fov0", "")], ids=["repeated", "none", "half"]
)
def test_images_whose_names_do_not_tell_them_apart_are_numbered(
    tmp_path: Path, names: tuple[str, str]
) -> None:
    path = tmp_path / "series.ome.tif"
    with tifffile.TiffWriter(path, ome=True) as file:
        for image, name in enumerate(names):
            metadata = {"axes": "YX", "Name": name}
            file.write(pixels(seed=image), photometric="minisblack", metadata=metadata)
    assert [each.key.well for each in read_frames(path)] == ["Pos0", "Pos1"]


def test_the_fields_of_a_well_that_is_named_for_each_are_its_sites(tmp_path: Path) -> None:
    """ome-writers names each position of a grid by the position of the plan."""
    path = tmp_path / "grid.ome.tif"
    with tifffile.TiffWriter(path, ome=True) as file:
        for image, name in enumerate(("B3", "B3", "C4", "B3")):
            metadata = {"axes": "YX", "Name": name}
            file.write(pixels(seed=image), photometric="minisblack", metadata=metadata)
    places = [(each.key.well, each.key.site) for each in read_frames(path)]
    assert places == [("B3", 0), ("B3", 1), ("C4", 0), ("B3", 2)]


def test_a_page_that_two_images_claim_is_nobodys(tmp_path: Path) -> None:
    image = '<Image ID="Image:{0}" Name="w{0}"><Pixels SizeT="2" SizeC="1" SizeZ="1"><TiffData/>'
    images = "".join(f"{image.format(number)}</Pixels></Image>" for number in range(2))
    path = tmp_path / "a.ome.tif"
    tifffile.imwrite(
        path,
        np.stack([pixels(), pixels(seed=1)]),
        photometric="minisblack",
        metadata=None,
        description=f'<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">{images}</OME>',
    )
    contents = list_planes(path)
    assert not contents.axes_known
    assert contents.trouble == "its OME-XML gives one page to several images"


def test_planes_are_counted_as_older_schemas_call_it(tmp_path: Path) -> None:
    path = tmp_path / "a.ome.tif"
    xml = (
        '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2007-06"><Image ID="Image:0">'
        '<Pixels DimensionOrder="XYTZC" SizeT="3" SizeC="1" SizeZ="1">'
        '<TiffData IFD="0" NumPlanes="3"/></Pixels></Image></OME>'
    )
    stack = np.stack([pixels(seed=time) for time in range(3)])
    tifffile.imwrite(path, stack, photometric="minisblack", metadata=None, description=xml)
    assert [each.key.time_point for each in read_frames(path)] == [0, 1, 2]


def test_colours_of_one_channel_are_one_plane(tmp_path: Path) -> None:
    path = tmp_path / "a.ome.tif"
    grey = (pixels() >> 4).astype(np.uint8)
    colour = np.stack([np.stack([grey + time] * 3, axis=2) for time in range(2)])
    tifffile.imwrite(path, colour, photometric="rgb", ome=True, metadata={"axes": "TYXS"})
    assert [(each.key.time_point, each.key.channel) for each in read_frames(path)] == [
        (0, "phase"),
        (1, "phase"),
    ]
    assert np.array_equal(read_plane(path, 1).pixels, grey + 1)
