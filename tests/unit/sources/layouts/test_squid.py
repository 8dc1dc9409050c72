"""Data sets of Squid, written by the calls of tifffile that its source code makes."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from scopewatch.sources.base.facts import NOTHING, PlaneFacts
from scopewatch.sources.folder.source import FolderSource
from scopewatch.sources.layouts.instruments.squid import parse_coordinates, parse_parameters
from tests.conftest import FakeClock
from tests.unit.sources.images import RUN, folder_config, pixels
from tests.unit.sources.scenes import SourceScene, making

RUN_FOLDER = "plate_2026-03-01_09-00-07.948398"
CHANNELS = ("phase", "Fluorescence 488 nm Ex")
PARAMETERS: dict[str, Any] = {
    "dt(s)": 43200.0,
    "Nt": 2,
    "objective": {"magnification": 10, "NA": 0.3, "tube_lens_f_mm": 180, "name": "10x"},
    "sensor_pixel_size_um": 1.85,
    "tube_lens_mm": 50,
}
UM_PER_PX = 0.666


class StartedScene(SourceScene):
    """A source of a run whose start is known: folders are dated."""

    def __init__(self, path: Path, clock: FakeClock) -> None:
        super().__init__(path, clock)
        run = RUN.model_copy(update={"started_at": datetime(2026, 3, 1, 9, tzinfo=UTC)})
        config = folder_config(path, pattern="squid", clock_zone="UTC")
        self.source: FolderSource = FolderSource(config, run, clock, arrivals=self.arrivals)


Make = Callable[[], StartedScene]


@pytest.fixture
def make(tmp_path: Path, clock: FakeClock) -> Iterator[Make]:
    with making(StartedScene, tmp_path, clock) as build:
        yield build


def run_folder(root: Path, name: str = RUN_FOLDER) -> Path:
    folder = root / name
    folder.mkdir()
    (folder / "acquisition parameters.json").write_text(json.dumps(PARAMETERS))
    return folder


def write_images(
    folder: Path, *, time: int, day: int, wells: tuple[str, ...] = ("A1", "B2")
) -> None:
    """Write a file for each image, and `coordinates.csv` at the end."""
    (folder / str(time)).mkdir()
    rows = ["region,fov,z_level,x (mm),y (mm),z (um),time"]
    for number, well in enumerate(wells):
        for channel in CHANNELS:
            name = f"{well}_1_0_{channel.replace(' ', '_')}.tiff"
            tifffile.imwrite(folder / str(time) / name, pixels(8, 8, seed=number))
        rows.append(f"{well},1,0,10.0,20.0,3000.0,2026-03-0{day}_10-00-0{number}.500000")
    (folder / str(time) / "coordinates.csv").write_text("\n".join([*rows, ""]))


def write_ome(path: Path, times: int) -> Any:
    """Preallocate a file, as Squid does before the first image."""
    tifffile.imwrite(
        path,
        shape=(times, 1, 2, 8, 8),
        dtype="<u2",
        metadata={
            "axes": "TZCYX",
            "Channel": {"Name": list(CHANNELS)},
            "PhysicalSizeX": UM_PER_PX,
            "PhysicalSizeXUnit": "\u00b5m",
        },
        ome=True,
    )
    stack = tifffile.memmap(path, dtype="<u2", mode="r+")
    stack.shape = (times, 1, 2, 8, 8)
    return stack


def test_images_have_plate_well_field_channel_scale_and_the_time_of_their_field(
    tmp_path: Path, make: Make
) -> None:
    folder = run_folder(tmp_path)
    for time in range(2):
        write_images(folder, time=time, day=1 + time)
    scene = make().start()
    scene.later(1)
    assert sorted(scene.inbox.keys) == [
        f"HES7/plate/{well}/s1/t000{time}/{channel}"
        for well in ("A1", "B2")
        for time in range(2)
        for channel in ("Fluorescence_488_nm_Ex", "phase")
    ]
    ticket = scene.inbox.ticket("B2/s1/t0001/phase")
    assert ticket.acquired_at == datetime(2026, 3, 2, 10, 0, 1, 500_000, tzinfo=UTC)
    assert scene.source.load(ticket).pixel_size_um == pytest.approx(UM_PER_PX)


def test_images_of_8_bits_are_bmp_files(tmp_path: Path, make: Make) -> None:
    folder = run_folder(tmp_path) / "0"
    folder.mkdir()
    image = (pixels(8, 8) >> 4).astype(np.uint8)
    Image.fromarray(image).save(folder / "A1_0_0_phase.bmp")
    Image.fromarray(image).save(folder / "A1_focus_camera.bmp")
    scene = make().start()
    scene.later(1)
    assert scene.inbox.keys == ["HES7/plate/A1/s0/t0000/phase"]
    assert np.array_equal(scene.source.load(scene.inbox.tickets[0]).pixels, image)


def test_a_plate_that_is_imaged_again_in_its_own_acquisition_is_a_later_time_point(
    tmp_path: Path, make: Make
) -> None:
    for day in (1, 3):
        folder = run_folder(tmp_path, f"plate_2026-03-0{day}_09-00-0{day}.5")
        write_images(folder, time=0, day=day, wells=("C3",))
    scene = make().start()
    scene.later(1)
    days = 2 * 24 / RUN.interval_h
    phase = [key for key in scene.inbox.keys if key.endswith("phase")]
    assert phase == [f"HES7/plate/C3/s1/t{time:04.0f}/phase" for time in (0, days)]


def test_pages_of_a_stack_hold_channel_plane_and_time(tmp_path: Path, make: Make) -> None:
    folder = run_folder(tmp_path)
    (folder / "0").mkdir()
    for number, channel in enumerate(CHANNELS):
        facts = {
            "z_level": 0,
            "channel": channel,
            "channel_index": number,
            "region_id": "A1",
            "fov": 0,
            "time": f"2026-03-01 10:00:0{number}.250000",
        }
        with tifffile.TiffWriter(folder / "0" / "A1_0_stack.tiff", append=True) as file:
            file.write(
                pixels(8, 8, seed=number),
                metadata=facts,
                description=json.dumps(facts),
                extratags=[(285, "s", 0, channel, False)],
            )
    scene = make().start()
    scene.later(1)
    assert scene.inbox.keys == [
        "HES7/plate/A1/s0/t0000/phase",
        "HES7/plate/A1/s0/t0000/Fluorescence 488 nm Ex",
    ]
    moment = datetime(2026, 3, 1, 10, 0, 0, 250_000, tzinfo=UTC)
    assert scene.inbox.tickets[0].acquired_at == moment
    frame = scene.source.load(scene.inbox.tickets[1])
    assert np.array_equal(frame.pixels, pixels(8, 8, seed=1))


def test_a_preallocated_file_is_followed_plane_by_plane(tmp_path: Path, make: Make) -> None:
    folder = run_folder(tmp_path) / "ome_tiff"
    folder.mkdir()
    stack = write_ome(folder / "B3_2.ome.tiff", times=3)
    stack[0, 0, 0] = pixels(8, 8, seed=1) + 1
    stack.flush()
    scene = make().start()
    scene.later(1)
    assert scene.inbox.keys == ["HES7/plate/B3/s2/t0000/phase"]
    stack[0, 0, 1] = pixels(8, 8, seed=2) + 1
    stack[1, 0, 0] = pixels(8, 8, seed=3) + 1
    stack.flush()
    scene.later(31)
    scene.later(31)
    assert scene.inbox.keys[1:] == [
        "HES7/plate/B3/s2/t0000/Fluorescence 488 nm Ex",
        "HES7/plate/B3/s2/t0001/phase",
    ]
    assert scene.source.load(scene.inbox.tickets[2]).pixel_size_um == pytest.approx(UM_PER_PX)


def test_a_file_for_each_time_point_takes_it_from_its_folder(tmp_path: Path, make: Make) -> None:
    folder = run_folder(tmp_path, "renamed") / "4" / "ome_tiff"
    folder.mkdir(parents=True)
    stack = write_ome(folder / "B3_0.ome.tiff", times=1)
    stack[:] = 7
    stack.flush()
    scene = make().start()
    scene.later(1)
    assert scene.inbox.keys[0] == "HES7/plate/B3/s0/t0004/phase"


@pytest.mark.parametrize("missing", ["sensor_pixel_size_um", "tube_lens_mm", "objective"])
def test_parameters_without_a_lens_or_a_sensor_give_no_scale(missing: str) -> None:
    text = json.dumps({name: value for name, value in PARAMETERS.items() if name != missing})
    assert parse_parameters(BytesIO(text.encode()), Path("x")).of("x", NOTHING) == NOTHING
    with pytest.raises(ValueError, match="line 1 column"):
        parse_parameters(BytesIO(text[:12].encode()), Path("x"))


def test_a_line_of_the_coordinates_counts_when_it_is_complete() -> None:
    text = "region,fov,z_level,time\nA1,0,0,2026-03-01_10-00-00.5\nA1,1,0,2026-03-01_10-00-1"
    read = parse_coordinates(BytesIO(text.encode()), Path("x"))
    assert read.of("A1_0_0_phase.tiff", NOTHING) == PlaneFacts(
        wall_time=datetime(2026, 3, 1, 10, 0, 0, 500_000)
    )
    assert not read.lists("A1_1_0_phase.tiff")
    # A stack holds its times itself; the list of planned fields has none.
    assert read.of("A1_0_stack.tiff", NOTHING) == NOTHING
    planned = parse_coordinates(BytesIO(b"region,x (mm),y (mm)\nA1,1,2\n"), Path("x"))
    assert not planned.lists("A1_0_0_phase.tiff")
