from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from liffile import LifFile

from scopewatch.core.errors import FrameError
from scopewatch.sources.base.facts import PlaneFacts
from scopewatch.sources.readers.image_file import list_planes, read_plane
from scopewatch.sources.readers.vendors.lif_names import read_name
from tests.unit.sources.readers.vendors.lifs import Image, pixels_of, write_lif

BEGAN = datetime(2026, 3, 1, 9, tzinfo=UTC)


def facts_of(path: Path) -> list[PlaneFacts]:
    return [plane.facts for plane in list_planes(path).planes]


def test_planes_are_read_as_their_own_library_reads_them(tmp_path: Path) -> None:
    images = [
        Image(
            path=f"TileScan 1/{well}/R{region}",
            sizes={"T": 2, "Z": 2},
            channels=("Gray", "Green"),
            stamps=[float(second) for second in range(8)],
        )
        for well in ("B/3", "C/11")
        for region in (1, 2)
    ]
    path = write_lif(tmp_path / "a.lif", images)
    contents = list_planes(path)
    assert contents.unfinished is None
    assert len(contents.planes) == 32
    with LifFile(path) as file:
        whole = [image.asarray() for image in file.images]
    for plane in contents.planes:
        index, rest = divmod(plane.page, 8)
        time, z, channel = rest // 4, rest // 2 % 2, rest % 2
        assert plane.facts == PlaneFacts(
            well=("B3", "C11")[index // 2],
            site=1 + index % 2,
            time_point=time,
            channel=("Gray", "Green")[channel],
            channel_code=("Gray", "Green")[channel],
            z=z,
            pixel_size_um=plane.facts.pixel_size_um,
            acquired_at=BEGAN.replace(second=rest),
            position=plane.facts.position,
        )
        assert plane.facts.pixel_size_um == pytest.approx(0.5)
        pixels = read_plane(path, plane.page).pixels
        assert np.array_equal(pixels, whole[index][time, z, channel])
        assert np.array_equal(pixels, pixels_of(images[index], index)[time, z, channel])


@pytest.mark.parametrize(
    ("path", "scan", "well", "region", "label"),
    [
        ("TileScan 1/B/3/R2", "TileScan 1", "B3", 2, None),
        ("TileScan 1/B3/R2", "TileScan 1", "B3", 2, None),
        ("TileScan 1/B/3", "TileScan 1", "B3", None, None),
        ("plate/day 2/B03", "plate/day 2", "B03", None, None),
        ("Series001", "", None, None, "Series001"),
        ("Mark_and_Find_001/Position001", "Mark_and_Find_001", None, None, "Position001"),
        ("TileScan 1/R2", "TileScan 1", None, None, "R2"),
    ],
)
def test_paths_of_images_name_wells(
    path: str, scan: str, well: str | None, region: int | None, label: str | None
) -> None:
    name = read_name(path)
    assert (name.scan, name.well, name.region, name.label) == (scan, well, region, label)


def test_several_scans_of_a_plate_are_plates_of_their_own(tmp_path: Path) -> None:
    images = [Image(path=f"Scan {scan}/A1") for scan in (1, 2)]
    facts = facts_of(write_lif(tmp_path / "a.lif", images))
    assert [(each.plate, each.well, each.site) for each in facts] == [
        ("Scan 1", "A1", None),
        ("Scan 2", "A1", None),
    ]


def test_tiles_of_a_mosaic_are_sites(tmp_path: Path) -> None:
    facts = facts_of(write_lif(tmp_path / "a.lif", [Image(path="Scan/A1", sizes={"M": 3})]))
    assert [(each.well, each.site) for each in facts] == [("A1", 0), ("A1", 1), ("A1", 2)]


def test_other_images_keep_their_names_and_the_only_one_says_nothing(tmp_path: Path) -> None:
    images = [Image(path=path) for path in ("Series001", "day 1/Position1", "day 2/Position1")]
    facts = facts_of(write_lif(tmp_path / "a.lif", images))
    assert [each.position for each in facts] == ["Series001", "day 1/Position1", "day 2/Position1"]
    alone = facts_of(write_lif(tmp_path / "b.lif", images[:1]))
    assert [each.position for each in alone] == [None]


def test_channels_are_called_by_their_contrast(tmp_path: Path) -> None:
    infos = (
        '<WideFieldChannelInfo LUT="Gray" ContrastingMethodName="PH" FluoCubeName=""/>'
        '<WideFieldChannelInfo LUT="Green" ContrastingMethodName="FLUO" FluoCubeName="GFP"/>'
    )
    image = Image(path="s", channels=("Gray", "Green"), infos=infos)
    facts = facts_of(write_lif(tmp_path / "a.lif", [image]))
    assert [(each.channel, each.channel_code) for each in facts] == [
        ("PH", "Gray"),
        ("GFP", "Green"),
    ]
    twins = Image(path="s", channels=("Gray", "Gray"))
    facts = facts_of(write_lif(tmp_path / "b.lif", [twins]))
    assert [(each.channel, each.channel_code) for each in facts] == [
        ("channel0", None),
        ("channel1", None),
    ]


def test_a_time_for_each_time_point_is_enough_and_a_single_one_is_of_the_first(
    tmp_path: Path,
) -> None:
    image = Image(path="s", sizes={"T": 2}, channels=("Gray", "Green"), stamps=(0, 60))
    facts = facts_of(write_lif(tmp_path / "a.lif", [image]))
    assert [each.acquired_at for each in facts] == [BEGAN] * 2 + [BEGAN.replace(minute=1)] * 2
    image = Image(path="s", sizes={"T": 3}, stamps=(0,))
    facts = facts_of(write_lif(tmp_path / "b.lif", [image]))
    assert [each.acquired_at for each in facts] == [BEGAN, None, None]


def test_a_file_whose_blocks_are_missing_holds_no_frame_yet(tmp_path: Path) -> None:
    images = [Image(path="Scan/A1"), Image(path="Scan/A2")]
    path = write_lif(tmp_path / "a.lif", images, blocks=1)
    contents = list_planes(path)
    assert (contents.planes, contents.unfinished) == ((), "an image has no pixels yet")


def test_an_image_with_other_dimensions_is_refused_and_the_others_are_read(tmp_path: Path) -> None:
    images = [Image(path="Scan/A1", sizes={"λ": 2}), Image(path="Scan/A2")]
    path = write_lif(tmp_path / "a.lif", images)
    spectrum, frame = list_planes(path).planes
    with pytest.raises(FrameError, match=r"no grey frame: .*got Scan/A1: λ of length 2"):
        read_plane(path, spectrum.page)
    assert np.array_equal(read_plane(path, frame.page).pixels, pixels_of(images[1], 1)[0])


@pytest.mark.parametrize("size", [1, 12, 40, 400])
def test_a_file_cut_within_its_description_is_a_complaint(tmp_path: Path, size: int) -> None:
    path = write_lif(tmp_path / "a.lif", [Image(path="Scan/A1")])
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(FrameError, match="image cannot be decoded"):
        list_planes(path)
