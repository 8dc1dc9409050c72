from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from scopewatch.core.errors import FrameError
from scopewatch.sources.base.facts import PlaneFacts
from scopewatch.sources.readers.image_file import list_planes, read_plane
from tests.unit.sources.readers.vendors.czis import Block, grey, metadata, scene, write_czi

DATA = Path(__file__).parent / "data"
UM_PER_PX = 1.3e-6 * 1e6


def places(path: Path) -> list[tuple[object, ...]]:
    facts = [plane.facts for plane in list_planes(path).planes]
    return [(each.well, each.site, each.position) for each in facts]


def write_scenes(path: Path, scenes: Sequence[str], tiles: int = 1) -> Path:
    blocks = [
        Block(at={"C": 0, "S": index, **({"M": tile} if tiles > 1 else {})}, pixels=grey(index))
        for index in range(len(scenes))
        for tile in range(tiles)
    ]
    return write_czi(path, blocks, metadata(scenes))


@pytest.mark.parametrize("name", ["plain", "zstd0", "zstd1"])
def test_files_of_the_makers_own_library_are_read_exactly(name: str) -> None:
    path = DATA / f"{name}.czi"
    contents = list_planes(path)
    assert contents.unfinished is None
    assert [plane.facts for plane in contents.planes] == [
        PlaneFacts(
            time_point=time,
            channel=("Phase", "GFP")[channel],
            channel_code=f"C{channel}",
            z=0,
            position=place,
            pixel_size_um=UM_PER_PX,
        )
        for time in range(2)
        for place in range(2)
        for channel in range(2)
    ]
    for plane in contents.planes:
        time, place, channel = plane.page // 4, plane.page // 2 % 2, plane.page % 2
        pixels = read_plane(path, plane.page).pixels
        assert pixels.dtype == np.uint16
        assert np.array_equal(pixels, grey(100 * time + 10 * place + channel))


def test_wells_of_a_plate_and_the_positions_within_are_named_by_the_scenes(tmp_path: Path) -> None:
    scenes = [
        scene(0, "P1", well="B4", row=2, column=4),
        scene(1, "P2", well="B4", row=2, column=4),
        scene(2, "P1", well="C4"),
    ]
    path = write_scenes(tmp_path / "a.czi", scenes)
    assert places(path) == [("B4", 1, None), ("B4", 2, None), ("C4", 1, None)]


def test_a_well_may_be_stated_by_row_and_column_from_1(tmp_path: Path) -> None:
    path = write_scenes(tmp_path / "a.czi", [scene(0, "left", row=2, column=11)])
    assert places(path) == [("B11", None, None)]


def test_scenes_without_a_plate_keep_their_names_or_numbers(tmp_path: Path) -> None:
    named = write_scenes(tmp_path / "a.czi", [scene(0, "B2-Site_1"), scene(1, "ScanRegion1")])
    assert places(named) == [(None, None, "B2-Site_1"), (None, None, "ScanRegion1")]
    blocks = [Block(at={"C": 0, "S": index}, pixels=grey(index)) for index in range(2)]
    assert places(write_czi(tmp_path / "b.czi", blocks)) == [(None, None, 0), (None, None, 1)]
    assert places(write_czi(tmp_path / "c.czi", blocks[:1])) == [(None, None, None)]


def test_tiles_are_sites_also_where_a_well_has_several_positions(tmp_path: Path) -> None:
    scenes = [scene(0, "P1", well="B4"), scene(1, "P2", well="B4"), scene(2, "P1", well="C4")]
    path = write_scenes(tmp_path / "a.czi", scenes, tiles=2)
    assert places(path) == [("B4", site, None) for site in range(4)] + [
        ("C4", 0, None),
        ("C4", 1, None),
    ]


def test_a_plane_has_its_own_time_and_the_start_of_the_file_is_that_of_the_first_alone(
    tmp_path: Path,
) -> None:
    blocks = [
        Block(at={"C": 0, "T": 0}, pixels=grey(0), taken="2026-03-01T10:00:00.5+01:00"),
        Block(at={"C": 0, "T": 1}, pixels=grey(1), taken="2026-03-01T21:00:01Z"),
    ]
    first, second = list_planes(write_czi(tmp_path / "a.czi", blocks)).planes
    assert first.facts.acquired_at == datetime(2026, 3, 1, 9, 0, 0, 500_000, tzinfo=UTC)
    assert second.facts.acquired_at == datetime(2026, 3, 1, 21, 0, 1, tzinfo=UTC)
    silent = [Block(at={"C": 0, "T": time}, pixels=grey(time)) for time in range(2)]
    first, second = list_planes(write_czi(tmp_path / "b.czi", silent)).planes
    assert first.facts.acquired_at == datetime(2026, 3, 1, 9, 0, 0, 123_456, tzinfo=UTC)
    assert second.facts.acquired_at is None


def test_coarser_levels_of_a_pyramid_are_no_planes(tmp_path: Path) -> None:
    coarse = Block(at={"C": 0, "S": 0}, pixels=grey(9)[:12, :16], replaces=(24, 32))
    path = write_czi(tmp_path / "a.czi", [Block(at={"C": 0, "S": 0}, pixels=grey(0)), coarse])
    (plane,) = list_planes(path).planes
    assert plane.size_px == (24, 32)
    assert np.array_equal(read_plane(path).pixels, grey(0))


def test_a_copy_has_the_same_fingerprints_and_8_bits_stay_8_bits(tmp_path: Path) -> None:
    image = (grey(0) % 200).astype(np.uint8)
    path = write_czi(tmp_path / "a.czi", [Block(at={"C": 0}, pixels=image)])
    copy = tmp_path / "b.czi"
    copy.write_bytes(path.read_bytes())
    assert list_planes(path).planes[0].fingerprint == list_planes(copy).planes[0].fingerprint
    assert read_plane(copy).pixels.dtype == np.uint8
    assert np.array_equal(read_plane(copy).pixels, image)


def test_a_file_that_is_not_closed_holds_no_frame_yet(tmp_path: Path) -> None:
    path = write_czi(tmp_path / "a.czi", [Block(at={"C": 0}, pixels=grey(0))], closed=False)
    contents = list_planes(path)
    assert (contents.planes, contents.unfinished) == ((), "its program has not closed it")


@pytest.mark.parametrize(
    ("block", "reason"),
    [
        (
            Block(at={"C": 0}, pixels=grey(0), compression=4, data=b"\x01" * 99),
            "image is compressed in an unsupported way: .*got JPEG XR",
        ),
        (
            Block(at={"C": 0}, pixels=grey(0), compression=6, data=b"\x03\x01\x01damage"),
            "image cannot be decoded: .*compressed pixels are damaged",
        ),
        (
            Block(at={"C": 0}, pixels=grey(0).astype(np.float32)),
            "image has an unsupported pixel type: .*float32",
        ),
        (
            Block(
                at={"C": 0}, pixels=np.dstack([grey(seed) % 200 for seed in range(3)]).astype("u1")
            ),
            "image is in colour",
        ),
        (
            Block(at={"C": 0}, pixels=grey(0), data=b"short"),
            "image cannot be decoded",
        ),
    ],
)
def test_planes_that_are_no_camera_counts_are_refused(
    tmp_path: Path, block: Block, reason: str
) -> None:
    path = write_czi(tmp_path / "a.czi", [block])
    assert len(list_planes(path).planes) == 1
    with pytest.raises(FrameError, match=reason):
        read_plane(path)


def test_dimensions_that_no_time_lapse_has_are_refused_by_name(tmp_path: Path) -> None:
    blocks = [Block(at={"C": 0, "H": phase}, pixels=grey(phase)) for phase in range(3)]
    with pytest.raises(FrameError, match=r"unknown dimensions: .*H of length 3"):
        list_planes(write_czi(tmp_path / "a.czi", blocks))


@pytest.mark.parametrize("size", [0, 5, 20, 100, 300, 900, 2400, 2700, 3000])
def test_a_file_cut_anywhere_is_a_complaint_or_unfinished(tmp_path: Path, size: int) -> None:
    path = write_czi(tmp_path / "a.czi", [Block(at={"C": 0}, pixels=grey(0))])
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(FrameError, match=r"image (cannot be decoded|file is empty)"):
        read_plane(path)


def test_metadata_that_declares_entities_are_refused(tmp_path: Path) -> None:
    xml = '<!DOCTYPE x [<!ENTITY a "b">]>' + metadata()
    with pytest.raises(FrameError, match="metadata declares entities"):
        list_planes(write_czi(tmp_path / "a.czi", [Block(at={"C": 0}, pixels=grey(0))], xml))
