"""Sets of OME-TIFFs of a plate in a watched folder."""

from pathlib import Path

import numpy as np
import tifffile

from tests.unit.sources.folder_scene import Make
from tests.unit.sources.images import FRAME, pixels
from tests.unit.sources.ome_sets import whole_plate


def test_each_plane_of_a_plate_is_offered_once_under_its_own_name(
    tmp_path: Path, make: Make
) -> None:
    written = whole_plate(tmp_path / "plate")
    scene = make().start()
    assert scene.inbox.refusals == []
    by_locator = {ticket.locator: ticket for ticket in scene.inbox.tickets}
    assert len(by_locator) == len(scene.inbox.tickets) == len(written)
    for plane in written:
        page = f"#page={plane.page}" if plane.page else ""
        ticket = by_locator[f"plate/{plane.file}{page}"]
        channel = "phase" if plane.channel == "Phase" else plane.channel
        assert str(ticket.key) == (
            f"HES7/96-well/{plane.well}/s{plane.site}/t{plane.time:04d}/{channel}"
        )
        assert np.array_equal(scene.source.load(ticket).pixels, plane.pixels)


def of_another_set(path: Path) -> None:
    """Write a file of one plane, whose OME-XML lists two other files."""
    images = "".join(
        f'<Image ID="Image:{number}" Name="{name}"><Pixels SizeC="1" SizeT="1" SizeZ="1"'
        ' PhysicalSizeX="0.65"><TiffData IFD="0" PlaneCount="1">'
        f'<UUID FileName="{name}.ome.tif">urn:uuid:{number}</UUID></TiffData></Pixels></Image>'
        for number, name in enumerate(("B1", "B2"))
    )
    xml = f'<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">{images}</OME>'
    tifffile.imwrite(path, pixels(), metadata=None, description=xml)


def test_a_file_that_its_xml_does_not_know_is_what_its_name_says(
    tmp_path: Path, make: Make
) -> None:
    of_another_set(tmp_path / FRAME)
    scene = make().start()
    assert scene.inbox.keys == ["HES7/plate/A1/s0/t0003/phase"]
    assert scene.source.load(scene.inbox.tickets[0]).pixel_size_um == 0.65


def test_without_a_name_it_is_refused_and_the_reason_names_the_files_of_its_set(
    tmp_path: Path, make: Make
) -> None:
    of_another_set(tmp_path / "a.ome.tif")
    scene = make().start()
    assert scene.inbox.tickets == []
    assert scene.inbox.reasons == [
        "file name does not fit the pattern, and its metadata do not name the frame: a.ome.tif"
        " (expected pattern 'scopewatch', got its OME-XML lists other files (2: B1.ome.tif,"
        " B2.ome.tif) and not this one); correct `pattern` of the source, or rename the file"
    ]
