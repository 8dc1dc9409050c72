"""Content of the files in a folder: metadata beside them, stacks, calibrations."""

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import tifffile

from scopewatch.core.errors import FrameError
from tests.unit.sources.folder_scene import Make
from tests.unit.sources.images import FRAME, pixels, write
from tests.unit.sources.mmstacks import StackWriter, tags

STACK = np.stack([pixels(seed=seed) for seed in range(3)])


def test_metadata_wins_over_the_name(tmp_path: Path, make: Make) -> None:
    name = "img_channel000_position000_time000000009_z000.tif"
    write(tmp_path / "Pos7" / name)
    (tmp_path / "Pos7/metadata.txt").write_text(
        json.dumps(
            {
                "Summary": {"ChNames": ["phase"], "StagePositions": [{"label": "C4-Site_2"}]},
                f"Coords-Default/{name}": {"time": 5, "channel": 0, "position": 0, "z": 0},
                f"Metadata-Default/{name}": {"ReceivedTime": "2026-03-03 09:00:00 +0000"},
            }
        )
    )
    scene = make(pattern="micromanager", um_per_px=0.5).start()
    assert scene.inbox.keys == ["HES7/plate/C4/s2/t0005/phase"]
    frame = scene.source.load(scene.inbox.tickets[0])
    assert frame.acquired_at == datetime(2026, 3, 3, 9, tzinfo=UTC)
    assert frame.pixel_size_um == 0.5


def test_the_planes_of_a_stack_are_frames_of_their_own(tmp_path: Path, make: Make) -> None:
    path = tmp_path / "plate_B5_s1_t0000_phase.ome.tif"
    tifffile.imwrite(path, STACK, photometric="minisblack", metadata={"axes": "TYX"})
    scene = make().start()
    assert scene.inbox.keys == [f"HES7/plate/B5/s1/t{time:04d}/phase" for time in range(3)]
    assert [ticket.locator for ticket in scene.inbox.tickets] == [
        path.name,
        f"{path.name}#page=1",
        f"{path.name}#page=2",
    ]
    for ticket, image in zip(scene.inbox.tickets, STACK, strict=True):
        assert np.array_equal(scene.source.load(ticket).pixels, image)


def test_only_one_plane_of_a_z_stack_is_a_frame(tmp_path: Path, make: Make) -> None:
    path = tmp_path / "plate_B5_s1_t0002_phase.ome.tif"
    tifffile.imwrite(path, STACK, photometric="minisblack", metadata={"axes": "ZYX"})
    scene = make(z=1).start()
    assert [ticket.locator for ticket in scene.inbox.tickets] == [f"{path.name}#page=1"]
    assert len(scene.inbox.refusals) == 2
    assert "(expected plane 1, got plane 0)" in scene.inbox.reasons[0]


def test_a_stack_of_unknown_pages_is_refused(tmp_path: Path, make: Make) -> None:
    write(tmp_path / FRAME, STACK)
    scene = make().start()
    assert scene.inbox.tickets == []
    assert scene.inbox.reasons == [
        f"image file has several pages and no metadata about them: {FRAME} (got 3 pages);"
        " export OME-TIFF, or one file for each frame"
    ]


def test_a_page_that_does_not_decode_is_handed_on_and_the_others_are_used(
    tmp_path: Path, make: Make
) -> None:
    path = tmp_path / FRAME
    write(path, STACK, metadata={"axes": "TYX"}, compression="zlib")
    with tifffile.TiffFile(path) as file:
        page = file.pages[1]
        start, length = page.dataoffsets[0], page.databytecounts[0]
    content = bytearray(path.read_bytes())
    content[start : start + length] = b"\xff" * length
    path.write_bytes(content)
    scene = make().start()
    assert len(scene.inbox.tickets) == 3
    with pytest.raises(FrameError, match="image cannot be decoded"):
        scene.source.load(scene.inbox.tickets[1])
    assert np.array_equal(scene.source.load(scene.inbox.tickets[2]).pixels, STACK[2])


def test_a_stack_that_grows_yields_each_image_once(tmp_path: Path, make: Make) -> None:
    scene = make(settle_s=1).start()
    stack = StackWriter(tmp_path / "run_MMStack.ome.tif", {"Frames": 3}, 4 * 2**30)
    for time in range(3):
        stack.add(STACK[time], tags(time), last=time == 2)
        scene.later(0)
        scene.later(600)
        assert scene.inbox.keys == [f"HES7/plate/B3/s1/t{t:04d}/phase" for t in range(time + 1)]
        scene.ledger.settle(*scene.inbox.tickets)
    assert np.array_equal(scene.source.load(scene.inbox.tickets[2]).pixels, STACK[2])
    assert scene.inbox.refusals == []


def test_a_stack_that_was_cut_off_yields_its_whole_pages_and_says_so(
    tmp_path: Path, make: Make
) -> None:
    stack = StackWriter(tmp_path / "run_MMStack.ome.tif", {"Frames": 2}, 0)
    stack.add(STACK[0], tags(0))
    stack.put(b"".join(stack.directory(STACK[1], tags(1)))[:1000])
    scene = make(give_up_s=60).start()
    assert scene.inbox.keys == ["HES7/plate/B3/s1/t0000/phase"]
    assert scene.inbox.refusals == []
    scene.later(60)
    scene.later(60)
    assert scene.inbox.reasons == [
        "image stack ends in the middle of a page: run_MMStack.ome.tif (got tag 51123 lies beyond"
        " the end of the file); check that the writer finished; its whole pages are used"
    ]


def test_an_impossible_pixel_size_is_refused_when_loaded(tmp_path: Path, make: Make) -> None:
    path = write(tmp_path / "Pos0/img_channel000_position000_time000000000_z000.tif")
    (path.parent / "metadata.txt").write_text(
        json.dumps({f"Metadata-Default/{path.name}": {"PixelSizeUm": 5.5e7, "Channel": "phase"}})
    )
    scene = make(pattern="micromanager").start()
    with pytest.raises(FrameError, match=r"impossible pixel size: .*got 55000000.0"):
        scene.source.load(scene.inbox.tickets[0])
