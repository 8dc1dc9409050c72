"""Plate, well and site in OME-XML: by row and column, and by words, which rank first."""

from pathlib import Path

import pytest

from scopewatch.core.well_name import well_at
from scopewatch.sources.base.reading import FrameReading
from scopewatch.sources.readers.ome.document import parse_ome
from scopewatch.sources.readers.ome.plates import read_plates, well_in_words, well_within
from tests.unit.sources.images import read_frames, write

SCHEMA = "http://www.openmicroscopy.org/Schemas/OME/2016-06"
PLATE_96 = 'Name="HES7 plate 2" Rows="8" Columns="12"'


def samples(*images: int, indexes: tuple[int, ...] = ()) -> str:
    return "".join(
        f'<WellSample ID="WellSample:{image}" Index="{index}"><ImageRef ID="Image:{image}"/>'
        "</WellSample>"
        for image, index in zip(images, indexes or images, strict=True)
    )


def well(attributes: str, inner: str | None = None) -> str:
    return f"<Well {attributes}>{samples(0) if inner is None else inner}</Well>"


def image(number: int = 0, name: str = "fov0", more: str = "") -> str:
    return (
        f'<Image ID="Image:{number}" Name="{name}">{more}<Pixels DimensionOrder="XYCZT" SizeC="1"'
        f' SizeT="1" SizeZ="1"><TiffData IFD="{number}" PlaneCount="1"/></Pixels></Image>'
    )


def document(wells: str, images: str | None = None, plate: str = PLATE_96) -> str:
    plates = f'<Plate ID="Plate:7" {plate}>{wells}</Plate>'
    return f'<OME xmlns="{SCHEMA}">{plates}{images or image()}</OME>'


def read(tmp_path: Path, xml: str) -> FrameReading:
    path = write(tmp_path / "scan.ome.tif", description=xml.encode())
    return read_frames(path)[0]


def test_rows_and_columns_count_from_0(tmp_path: Path) -> None:
    key = read(tmp_path, document(well('ID="Well:17" Row="1" Column="2"'))).key
    assert (key.plate, key.well, key.site) == ("HES7 plate 2", "B3", 0)


def test_a_plate_without_a_name_is_called_by_its_id(tmp_path: Path) -> None:
    xml = document(well('ID="Well:0" Row="0" Column="0"'), plate="")
    assert read(tmp_path, xml).key.plate == "Plate:7"


@pytest.mark.parametrize(
    ("wells", "images"),
    [
        (well('ID="Well:A01" Row="1" Column="1"'), image()),
        (well('ID="Well:0" ExternalIdentifier="A01" Row="1" Column="1"'), image()),
        (well('ID="Well:0" ExternalDescription="Well:A01" Row="1" Column="1"'), image()),
        (well('ID="Well:0" Row="1" Column="1"'), image(name="Well:A01")),
        (well('ID="Well:0" Row="1" Column="1"'), image(name="scan 2, Well A01, Field 1")),
        (well('ID="Well:0" Row="1" Column="1"'), image(more='<StageLabel Name="Well:A01"/>')),
        (well('ID="Well:0" Row="1" Column="1"'), image(more='<StageLabel Name="A01"/>')),
    ],
    ids=["id", "identifier", "description", "name", "within a name", "stage", "bare stage"],
)
def test_words_win_over_rows_that_count_from_1_and_that_is_reported(
    tmp_path: Path, wells: str, images: str
) -> None:
    reading = read(tmp_path, document(wells, images))
    assert reading.key.well == "A1"
    assert [str(each) for each in reading.contradictions] == [
        "well: OME-XML says A1, OME-XML rows and columns says B2; A1 is taken"
    ]


def test_words_that_agree_contradict_nothing(tmp_path: Path) -> None:
    reading = read(tmp_path, document(well('ID="Well:B_3" Row="1" Column="2"')))
    assert reading.key.well == "B3"
    assert reading.contradictions == ()


def test_a_stage_label_that_is_no_well_leaves_it_to_the_plate(tmp_path: Path) -> None:
    images = image(more='<StageLabel Name="Pos4"/>')
    reading = read(tmp_path, document(well('ID="Well:0" Row="1" Column="2"'), images))
    assert (reading.key.well, reading.contradictions) == ("B3", ())


@pytest.mark.parametrize("at", ['Row="8" Column="3"', 'Row="2" Column="12"'])
def test_rows_outside_the_plate_do_not_count_from_0_so_none_is_believed(
    tmp_path: Path, at: str
) -> None:
    others = well(f'ID="Well:1" {at}', samples(1))
    xml = document(well('ID="Well:0" Row="1" Column="2"') + others, image() + image(1, "fov1"))
    path = write(tmp_path / "plate_A1_s0_t0000_phase.ome.tif", description=xml.encode())
    assert read_frames(path)[0].accepted["well"].by == "default"


def test_sites_are_counted_within_their_well_by_the_order_of_its_samples() -> None:
    wells = well('ID="Well:0" Row="0" Column="0"', samples(5, 4, indexes=(5, 4)))
    wells += well('ID="Well:1" Row="0" Column="1"', samples(7, 6, indexes=(0, 0)))
    places = read_plates(parse_ome(document(wells), "a.ome.tif"))
    sites = {name: (place.numbers, place.site) for name, place in places.items()}
    assert sites == {
        "Image:4": ("A1", 0),
        "Image:5": ("A1", 1),
        # Repeated indexes are no help: the order of the document is used.
        "Image:7": ("A2", 0),
        "Image:6": ("A2", 1),
    }


def test_the_only_sample_of_a_file_numbers_its_site_where_the_name_does_not(
    tmp_path: Path,
) -> None:
    # A file of one image has a document of its own, which may number its only sample from 0.
    xml = document(well('ID="Well:0" Row="0" Column="0"', samples(0, indexes=(3,))))
    reading = read(tmp_path, xml)
    assert (reading.key.site, reading.accepted["site"].by) == (3, "OME-XML sample index")


@pytest.mark.parametrize(
    ("conventions", "size", "name"),
    [
        ('RowNamingConvention="letter" ColumnNamingConvention="number"', (8, 12), "B3"),
        ('RowNamingConvention="number" ColumnNamingConvention="number"', (8, 12), "B3"),
        # As in an example in the documentation of the standard, of an ordinary plate.
        ('RowNamingConvention="number" ColumnNamingConvention="letter"', (8, 12), "B3"),
        ('RowNamingConvention="number" ColumnNamingConvention="letter"', (12, 8), "C2"),
    ],
)
def test_letters_stand_for_rows_unless_the_plate_lies_on_its_side(
    conventions: str, size: tuple[int, int], name: str
) -> None:
    plate = f'{conventions} Rows="{size[0]}" Columns="{size[1]}"'
    xml = document(well('ID="Well:0" Row="1" Column="2"'), plate=plate)
    assert read_plates(parse_ome(xml, "a.ome.tif"))["Image:0"].numbers == name


def test_plates_of_older_schemas_have_a_namespace_of_their_own(tmp_path: Path) -> None:
    spw = "http://www.openmicroscopy.org/Schemas/SPW/2015-01"
    xml = document(well('ID="Well:0" Row="1" Column="2"'))
    for name in ("Plate", "Well", "WellSample"):
        xml = xml.replace(f"<{name} ", f"<SPW:{name} ").replace(f"</{name}>", f"</SPW:{name}>")
    xml = xml.replace("<SPW:Plate ", f'<SPW:Plate xmlns:SPW="{spw}" ')
    assert read(tmp_path, xml).key.well == "B3"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("A01", "A1"),
        ("A_1", "A1"),
        ("well:b12", "B12"),
        ("AF48", "AF48"),
        ("17", None),
        ("0_0", None),
        ("A0", None),
        ("A123", None),
        ("fov0", None),
        ("", None),
        (None, None),
    ],
)
def test_a_text_that_is_a_well(text: str | None, name: str | None) -> None:
    assert well_in_words(text) == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Well:A01", "A1"),
        ("scan of well B-03, field 7", "B3"),
        ("A01", None),
        ("P100", None),
        ("Well A123", None),
        ("swell A1", None),
        ("Well A1x", None),
    ],
)
def test_a_well_within_a_text_is_called_one(text: str, name: str | None) -> None:
    assert well_within(text) == name


@pytest.mark.parametrize(
    ("row", "column", "name"), [(0, 0, "A1"), (25, 9, "Z10"), (26, 0, "AA1"), (31, 47, "AF48")]
)
def test_rows_past_z_have_two_letters(row: int, column: int, name: str) -> None:
    assert well_at(row, column) == name


def test_rows_beyond_any_plate_are_no_well() -> None:
    xml = document(well('ID="Well:0" Row="999999999" Column="0"'), plate="")
    assert read_plates(parse_ome(xml, "a.ome.tif"))["Image:0"].numbers is None
