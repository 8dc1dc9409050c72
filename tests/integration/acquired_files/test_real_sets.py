"""Real Micro-Manager files are read right by their own metadata, or refused with a reason."""

import gzip
import json
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from scopewatch.config import RunConfig
from scopewatch.core.errors import FrameError
from scopewatch.sources.folder.source import FolderSource
from scopewatch.sources.ndtiff.source import NDTiffSource
from scopewatch.sources.readers.image_file import TIFF_SUFFIXES, is_whole, list_planes, read_plane
from tests.conftest import FakeClock
from tests.unit.sources.fakes import FakeInbox, FakeLedger
from tests.unit.sources.images import RUN, folder_config
from tests.unit.sources.ndtiffs import ndtiff_config


@pytest.fixture
def sets(real_data: Path) -> Path:
    return real_data / "micromanager"


Opened = tuple[FolderSource | NDTiffSource, FakeInbox]
Open = Callable[..., Opened]


@pytest.fixture
def follow(clock: FakeClock) -> Iterator[Open]:
    opened: list[NDTiffSource] = []

    def start(path: Path, **changes: Any) -> Opened:
        source, inbox = NDTiffSource(ndtiff_config(path, **changes), RUN, clock), FakeInbox()
        opened.append(source)
        source.start(inbox, FakeLedger())
        clock.advance(61)
        source.scan()
        return source, inbox

    yield start
    for source in opened:
        source.stop()


@pytest.fixture
def watch(clock: FakeClock) -> Iterator[Open]:
    opened: list[FolderSource] = []

    def start(path: Path, run: RunConfig = RUN, **changes: Any) -> Opened:
        source, inbox = FolderSource(folder_config(path, **changes), run, clock), FakeInbox()
        opened.append(source)
        source.start(inbox, FakeLedger())
        return source, inbox

    yield start
    for source in opened:
        source.stop()


def check_against_own_tags(opened: Opened, tiff: Path) -> None:
    """Compare every frame with the page of the TIFF that holds it, as tifffile reads it."""
    source, inbox = opened
    with tifffile.TiffFile(tiff) as file:
        pages = {page.dataoffsets[0]: page for page in file.pages}
        for ticket in inbox.tickets:
            frame = source.load(ticket)
            page = pages[json.loads(ticket.locator.rsplit("#at=", 1)[1])[0]]
            tags = page.aspage().tags[51123].value
            assert np.array_equal(frame.pixels, page.asarray())
            assert frame.pixel_size_um == tags["PixelSizeUm"] == 1
            taken = datetime.strptime(tags["Time"], "%Y-%m-%d %H:%M:%S -").astimezone()
            assert frame.acquired_at == taken
            assert frame.key.time_point == tags["Axes"].get("time", 0)


def two_channels(times: int) -> list[str]:
    return [
        f"HES7/plate/A1/s0/t{time:04d}/{channel}"
        for time in range(times)
        for channel in ("DAPI", "FITC")
    ]


def test_a_pycromanager_acquisition_of_12_bits(sets: Path, follow: Open) -> None:
    folder = sets / "ndtiff/12_bit_pycromanager_mda"
    opened = follow(folder)
    assert sorted(opened[1].keys) == [
        f"HES7/plate/A1/s0/t{time:04d}/{channel}"
        for time in range(4)
        for channel in ("DAPI", "FITC")
    ]
    assert opened[1].refusals == []
    check_against_own_tags(opened, *folder.glob("*.tif"))


def test_labelled_positions_are_wells_of_their_names(sets: Path, follow: Open) -> None:
    folder = sets / "ndtiff/labeled_positions_1"
    opened = follow(folder)
    assert sorted(opened[1].keys) == [f"HES7/plate/Pos{n}/s0/t0000/DAPI" for n in range(3)]
    check_against_own_tags(opened, *folder.glob("*.tif"))
    _, as_sites = follow(folder, position=r"Pos(?P<site>\d+)")
    assert sorted(as_sites.keys) == [f"HES7/plate/A1/s{n}/t0000/DAPI" for n in range(3)]


def test_channel_numbers_of_ndtiff_3_0_are_named_by_the_tags(sets: Path, follow: Open) -> None:
    folder = sets / "ndtiff/ndtiffv3.0_test"
    opened = follow(folder)
    assert sorted(opened[1].keys) == [
        f"HES7/plate/A1/s0/t{time:04d}/{channel}"
        for time in range(5)
        for channel in ("DAPI", "FITC")
    ]
    check_against_own_tags(opened, *folder.glob("*.tif"))


def test_one_plane_of_a_z_stack_is_used_and_the_others_are_refused(
    sets: Path, follow: Open
) -> None:
    folder = sets / "ndtiff/ndtiff3.2_multichannel"
    opened = follow(folder, z=3)
    inbox = opened[1]
    assert len(inbox.tickets) == 16
    assert {ticket.key.channel for ticket in inbox.tickets} == {"DAPI", "FITC"}
    assert {ticket.key.time_point for ticket in inbox.tickets} == set(range(8))
    assert len(inbox.refusals) == 240
    assert all("frame is another plane of a z-stack" in reason for reason in inbox.reasons)
    check_against_own_tags(opened, *folder.glob("*.tif"))


def test_an_index_without_its_tiff_is_refused_with_its_reason(sets: Path, follow: Open) -> None:
    _, inbox = follow(sets / "ndtiff/mm_mda_tcz_15")
    assert inbox.tickets == []
    assert inbox.reasons == [
        "images of the index have no pixels: mm_mda_tcz_15 (expected 112 images in"
        " mm_mda_tcz_15_NDTiffStack.tif, got a file that is missing); copy the whole data set"
    ]


def test_a_folder_of_data_sets_is_followed_though_one_is_damaged(sets: Path, follow: Open) -> None:
    source, inbox = follow(sets / "ndtiff")
    assert len(inbox.tickets) == 8 + 3 + 10 + 16
    assert len(inbox.refusals) == 240 + 1
    assert {ticket.key.run for ticket in inbox.tickets} == {
        f"HES7 {name}"
        for name in (
            "12_bit_pycromanager_mda",
            "labeled_positions_1",
            "ndtiffv3.0_test",
            "ndtiff3.2_multichannel",
        )
    }
    assert "5 data sets" in source.health().detail


@pytest.fixture
def stack(sets: Path, tmp_path: Path) -> Path:
    """The image stack of Micro-Manager 1.4, unpacked; the set's other positions are missing."""
    folder = tmp_path / "mm1.4"
    folder.mkdir()
    for packed in (sets / "mm1.4-ometiff").glob("*.gz"):
        with gzip.open(packed) as source, (folder / packed.stem).open("wb") as target:
            shutil.copyfileobj(source, target)
    return folder


def test_an_image_stack_of_micromanager_1_4(stack: Path, watch: Open) -> None:
    phase = RunConfig(name="HES7", phase_channel="cy5")
    source, inbox = watch(stack, phase, pattern="micromanager", position=r"1-(?P<well>Pos_.+)")
    assert inbox.keys == [
        f"HES7/plate/Pos_000_000/s0/t{time:04d}/{channel}"
        for time in range(2)
        for channel in ("cy5", "DAPI")
    ]
    assert len(inbox.refusals) == 4
    assert all("got plane 1); set `z`" in reason for reason in inbox.reasons)
    (tiff,) = stack.glob("*.tif")
    with tifffile.TiffFile(tiff) as file:
        for ticket in inbox.tickets:
            page = int(ticket.locator.partition("#page=")[2] or 0)
            tags = file.pages[page].aspage().tags[51123].value
            frame = source.load(ticket)
            assert np.array_equal(frame.pixels, file.pages[page].asarray())
            assert frame.pixel_size_um == tags["PixelSizeUm"] == 1
            taken = datetime.strptime(tags["Time"], "%Y-%m-%d %H:%M:%S %z")
            assert frame.acquired_at == taken.astimezone(UTC)
            assert frame.key.time_point == tags["FrameIndex"]
            assert frame.key.channel.casefold() == tags["Channel"].casefold()
    assert is_whole(tiff)


def test_separate_files_of_micromanager_2_with_an_impossible_calibration(
    sets: Path, watch: Open
) -> None:
    source, inbox = watch(sets / "mm2.0-series", pattern="micromanager")
    # The series calls channel 0 Alpha; the image's own tags, made up, say "some channel".
    assert inbox.keys == ["HES7/plate/Pos0/s0/t0000/Alpha"]
    with pytest.raises(FrameError) as caught:
        source.load(inbox.tickets[0])
    assert "frame has an impossible pixel size" in str(caught.value)
    assert "(expected 0 to 1000 um, got 55555555.0)" in str(caught.value)
    (tiff,) = (sets / "mm2.0-series/Pos0").glob("*.tif")
    plane = read_plane(tiff)
    assert np.array_equal(plane.pixels, tifffile.imread(tiff))
    # The tags hold "1920-01-01" and "The age of Aquarius", which are no valid times.
    assert plane.facts.acquired_at is None


def test_phase_contrast_pictures_of_other_programs(real_data: Path, watch: Open) -> None:
    source, inbox = watch(real_data / "psc-timelapse", pattern=r"t(?P<time_point>\d+)\.tif")
    assert len(inbox.tickets) == 48
    frame = source.load(inbox.ticket("/t0132/phase"))
    assert np.array_equal(frame.pixels, tifffile.imread(real_data / "psc-timelapse/t132.tif"))
    assert frame.pixels.dtype == np.uint8
    assert (frame.pixel_size_um, frame.acquired_at) == (None, None)


def test_a_film_of_48_frames_is_48_time_points(real_data: Path, watch: Open) -> None:
    folder = real_data / "cardiomyocyte-phase"
    _, inbox = watch(folder, pattern=r"(?P<well>adult|matrigel)\.tif")
    assert len(inbox.tickets) == 2 * 48
    contents = list_planes(folder / "adult.tif")
    assert [plane.facts.time_point for plane in contents.planes] == list(range(48))


def test_no_plane_of_real_files_is_taken_for_half_written(real_data: Path) -> None:
    read, refused = 0, []
    for path in sorted(real_data.rglob("*")):
        if not path.is_file() or path.suffix.lower() not in TIFF_SUFFIXES:
            continue
        for plane in list_planes(path).planes:
            try:
                read_plane(path, plane.page)
            except FrameError as error:
                refused.append(str(error))
            else:
                read += 1
    assert refused == []
    assert read > 500
