"""`z: sharpest` of a folder source: planes within files, and planes in files of their own."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile

from scopewatch.core.errors import FrameError
from tests.unit.sources.fakes import asked
from tests.unit.sources.folder_scene import Make
from tests.unit.sources.images import stack, write
from tests.unit.sources.mmstacks import StackWriter, tags

PATTERN = r"(?P<plate>\w+?)_(?P<well>[A-H]\d+)_t(?P<time_point>\d+)_z(?P<z>\d+)\.tif"


def test_the_sharpest_plane_of_an_ome_tiff_is_the_frame(tmp_path: Path, make: Make) -> None:
    path = tmp_path / "plate_B5_s1_t0002_phase.ome.tif"
    tifffile.imwrite(path, stack(2), photometric="minisblack", metadata={"axes": "ZYX"})
    scene = make(z="sharpest").start()
    assert scene.inbox.keys == ["HES7/plate/B5/s1/t0002/phase"]
    assert scene.inbox.refusals == []
    assert [each.locator for each in scene.inbox.tickets[0].planes] == [
        path.name,
        f"{path.name}#page=1",
        f"{path.name}#page=2",
    ]
    assert scene.plane_taken() == 2


def test_a_hyperstack_of_imagej_has_a_frame_for_each_time_point(tmp_path: Path, make: Make) -> None:
    path = tmp_path / "plate_B5_s1_t0000_phase.tif"
    images = np.array([stack(0), stack(1)])
    tifffile.imwrite(path, images, imagej=True, metadata={"axes": "TZYX"})
    scene = make(z="sharpest").start()
    assert scene.inbox.keys == [f"HES7/plate/B5/s1/t{time:04d}/phase" for time in range(2)]
    assert [scene.plane_taken(number) for number in range(2)] == [0, 1]


def test_a_file_with_a_single_plane_is_read_as_before(tmp_path: Path, make: Make) -> None:
    write(tmp_path / "plate_A1_s0_t0003_phase.tif")
    scene = make(z="sharpest").start()
    (ticket,) = scene.inbox.tickets
    assert ticket.planes == ()
    assert scene.source.load(ticket).stack is None


def test_a_growing_stack_gives_a_frame_once_all_its_planes_are_there(
    tmp_path: Path, make: Make
) -> None:
    path = tmp_path / "HES7_MMStack_A1.ome.tif"
    summary = {"Slices": 3, "Frames": 9, "ChNames": ["phase"]}
    scene = make(z="sharpest", settle_s=2, give_up_s=30).start()
    writer = StackWriter(path, summary, 200_000)
    for time in range(2):
        for z in range(3):
            writer.add(stack(1)[z], {**tags(time), "SliceIndex": z})
            scene.later(3)
            scene.later(3)
            assert len(scene.inbox.tickets) == time + (z == 2)
    assert [scene.plane_taken(number) for number in range(2)] == [1, 1]


def write_planes(folder: Path, well: str, time_point: int, planes: list[int]) -> None:
    for z in planes:
        write(folder / f"p_{well}_t{time_point}_z{z}.tif", stack(1)[z])


def test_files_of_planes_are_one_frame_once_no_more_come(tmp_path: Path, make: Make) -> None:
    scene = make(z="sharpest", pattern=PATTERN, settle_s=1).start()
    write_planes(tmp_path, "A1", 0, [0, 1, 2])
    scene.later(1)
    scene.later(1)
    assert scene.inbox.tickets == []
    assert "1 z-stacks wait for planes" in scene.source.health().detail
    assert scene.source.health().waiting == 1
    scene.later(10)
    assert scene.inbox.keys == ["HES7/p/A1/s0/t0000/phase"]
    assert scene.plane_taken() == 1
    scene.ledger.settle(*scene.inbox.tickets)
    # The number of planes is known from now on.
    write_planes(tmp_path, "A1", 1, [0, 1, 2])
    scene.later(1)
    scene.later(1)
    assert scene.inbox.keys[1:] == ["HES7/p/A1/s0/t0001/phase"]
    assert scene.inbox.refusals == []


def test_a_folder_that_settles_slowly_is_waited_for_as_long_for_planes(
    tmp_path: Path, make: Make
) -> None:
    scene = make(z="sharpest", pattern=PATTERN, settle_s=30).start()
    write_planes(tmp_path, "A1", 0, [0, 1, 2])
    scene.later(1)
    scene.later(30)
    assert scene.source.health().waiting == 1
    scene.later(29)
    assert scene.inbox.tickets == []
    scene.later(1)
    assert scene.inbox.keys == ["HES7/p/A1/s0/t0000/phase"]


def test_a_stack_is_waited_for_no_longer_than_a_file(tmp_path: Path, make: Make) -> None:
    scene = make(z="sharpest", pattern=PATTERN, settle_s=1, give_up_s=5).start()
    write_planes(tmp_path, "A1", 0, [0, 1, 2])
    scene.later(1)
    scene.later(1)
    for well in range(2, 5):
        write_planes(tmp_path, f"A{well}", 0, [0])
        assert scene.inbox.tickets == []
        scene.later(1)
        scene.later(1)
    assert scene.inbox.keys == ["HES7/p/A1/s0/t0000/phase"]


def test_planes_of_a_settled_stack_are_not_read_again(tmp_path: Path, make: Make) -> None:
    write_planes(tmp_path, "A1", 0, [0, 1, 2])
    scene = make(z="sharpest", pattern=PATTERN).start()
    scene.later(10)
    scene.ledger.settle(*scene.inbox.tickets)
    scene.later(700)
    scene.later(10)
    before = len(scene.ledger.asked)
    scene.later(700)
    assert len(scene.ledger.asked) == before
    assert len(scene.inbox.tickets) == 1


def test_after_a_restart_a_settled_stack_is_not_offered_again(tmp_path: Path, make: Make) -> None:
    write_planes(tmp_path, "A1", 0, [0, 1, 2])
    first = make(z="sharpest", pattern=PATTERN).start()
    first.later(10)
    second = make(z="sharpest", pattern=PATTERN)
    second.ledger = first.ledger
    second.ledger.settle(*first.inbox.tickets)
    second.start()
    second.later(10)
    assert second.inbox.tickets == []


def test_a_plane_that_comes_late_gives_the_stack_again(tmp_path: Path, make: Make) -> None:
    write_planes(tmp_path, "A1", 0, [0, 2])
    scene = make(z="sharpest", pattern=PATTERN).start()
    scene.later(10)
    scene.ledger.settle(*scene.inbox.tickets)
    write_planes(tmp_path, "A1", 0, [1])
    scene.later(1)
    scene.later(10)
    first, again = scene.inbox.tickets
    assert again.locator == first.locator
    assert scene.plane_taken(1) == 1
    assert scene.inbox.refusals == []


def test_a_damaged_plane_is_left_out_of_its_stack(tmp_path: Path, make: Make) -> None:
    write_planes(tmp_path, "A1", 0, [0, 1, 2])
    (tmp_path / "p_A1_t0_z2.tif").write_bytes(b"II*\0 and no image")
    scene = make(z="sharpest", pattern=PATTERN, give_up_s=5).start()
    for _ in range(12):
        scene.later(3)
    ticket = scene.inbox.tickets[-1]
    frame = scene.source.load(ticket)
    assert frame.stack is not None
    assert (frame.stack.z, frame.stack.unread) == (1, 1)
    assert scene.inbox.refusals == []


def test_a_full_inbox_loses_no_stack(tmp_path: Path, make: Make) -> None:
    write_planes(tmp_path, "A1", 0, [0, 1, 2])
    scene = make(z="sharpest", pattern=PATTERN)
    scene.inbox.room = 0
    scene.start()
    scene.later(10)
    assert scene.inbox.tickets == []
    scene.inbox.room = 5
    scene.later(2)
    assert scene.inbox.keys == ["HES7/p/A1/s0/t0000/phase"]


def test_a_stack_that_is_to_be_tried_again_is_offered_with_all_its_planes(
    tmp_path: Path, make: Make
) -> None:
    write_planes(tmp_path, "A1", 0, [0, 1, 2])
    scene = make(z="sharpest", pattern=PATTERN).start()
    scene.later(10)
    (ticket,) = scene.inbox.tickets
    assert scene.source.retry([asked(replace(ticket, planes=()))]) == 1
    scene.later(1)
    again = scene.inbox.tickets[-1]
    assert len(scene.inbox.tickets) == 2
    assert (again.locator, again.fingerprint) == (ticket.locator, ticket.fingerprint)
    assert scene.plane_taken(1) == 1


def test_after_a_restart_a_retry_waits_for_the_planes(tmp_path: Path, make: Make) -> None:
    write_planes(tmp_path, "A1", 0, [0, 1, 2])
    first = make(z="sharpest", pattern=PATTERN).start()
    first.later(10)
    (ticket,) = first.inbox.tickets
    second = make(z="sharpest", pattern=PATTERN).start()
    with pytest.raises(FrameError, match="planes of the z-stack are not known yet"):
        make(z="sharpest", pattern=PATTERN).source.load(replace(ticket, planes=()))
    second.later(10)
    frame = second.source.load(replace(ticket, planes=()))
    assert frame.stack is not None
    assert frame.stack.z == 1


def test_a_plane_that_was_judged_alone_under_another_setting_belongs_to_its_stack(
    tmp_path: Path, make: Make
) -> None:
    write_planes(tmp_path, "A1", 0, [0, 1, 2])
    before = make(z=1, pattern=PATTERN).start()
    assert len(before.inbox.refusals) == 2
    scene = make(z="sharpest", pattern=PATTERN)
    scene.ledger = before.ledger
    scene.ledger.settle(*before.inbox.tickets)
    scene.ledger.renamed = {"folder": {before.inbox.tickets[0].locator}}
    scene.start()
    scene.later(10)
    (ticket,) = scene.inbox.tickets
    assert [plane.z for plane in ticket.planes] == [0, 1, 2]
