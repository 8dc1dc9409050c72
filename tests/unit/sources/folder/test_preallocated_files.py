"""Files whose size is set before their planes are written."""

import logging
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from scopewatch.core.errors import FrameError
from tests.unit.sources.folder.growing import GIVEN_UP, SHAPE, key, settle
from tests.unit.sources.folder_scene import Make
from tests.unit.sources.images import pixels
from tests.unit.sources.ome_sets import plate


def mapped(path: Path, *sizes: int, axes: str = "T") -> np.memmap[Any, Any]:
    made = tifffile.memmap(
        path,
        shape=(*sizes, *SHAPE),
        dtype="uint16",
        photometric="minisblack",
        metadata={"axes": f"{axes}YX"},
    )
    assert isinstance(made, np.memmap)
    return made


def keys(*times: int) -> list[str]:
    return [f"HES7/plate/A1/s0/t{time:04d}/phase" for time in times]


def test_planes_of_a_preallocated_series_come_one_by_one_though_nothing_shows_it(
    tmp_path: Path, make: Make
) -> None:
    path = tmp_path / "plate_A1_s0_t0000_phase.tif"
    series = mapped(path, 4)
    scene = make(settle_s=2, give_up_s=60).start()
    state = path.stat()
    for time in range(4):
        for _ in range(4):
            scene.later(30)
        assert scene.inbox.keys == keys(*range(time))
        series[time] = pixels(*SHAPE, seed=time)
        series.flush()
        os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
        scene.later(30)
        assert scene.inbox.keys == keys(*range(time + 1)), "by the next rescan"
        settle(scene)
    for _ in range(5):
        scene.later(300)
    assert len(scene.inbox.tickets) == 4
    assert scene.inbox.refusals == []
    for time, ticket in enumerate(scene.inbox.tickets):
        assert np.array_equal(scene.source.load(ticket).pixels, pixels(*SHAPE, seed=time))


def test_a_plane_that_is_half_written_waits_and_is_taken_once(tmp_path: Path, make: Make) -> None:
    path = tmp_path / "plate_A1_s0_t0000_phase.tif"
    series = mapped(path, 3)
    series[0] = pixels(*SHAPE, seed=0)
    image = pixels(*SHAPE, seed=1)
    series[1, :20] = image[:20]
    series.flush()
    scene = make(settle_s=2, give_up_s=60).start()
    scene.later(2)
    scene.later(2)
    assert scene.inbox.keys == keys(0)
    series[1] = image
    series.flush()
    os.utime(path, ns=(1, 1))
    scene.later(0)
    scene.later(2)
    assert scene.inbox.keys == keys(0, 1)
    # Each plane is known to show whether it is written: no quiet time is needed.
    series[2] = pixels(*SHAPE, seed=2)
    series.flush()
    os.utime(path, ns=(2, 2))
    scene.later(0)
    assert scene.inbox.keys == keys(0, 1, 2)
    assert np.array_equal(scene.source.load(scene.inbox.tickets[1]).pixels, image)


def test_a_plane_that_stays_half_written_is_handed_on_so_and_taken_when_it_is_whole(
    tmp_path: Path, make: Make
) -> None:
    path = tmp_path / "plate_A1_s0_t0000_phase.tif"
    series = mapped(path, 3)
    images = [pixels(*SHAPE, seed=time) for time in range(3)]
    series[0], series[2] = images[0], images[2]
    series[1, :20] = images[1][:20]
    series.flush()
    scene = make(settle_s=2, give_up_s=60).start()
    scene.later(2)
    assert scene.inbox.keys == keys(0, 2)
    for _ in range(4):
        scene.later(30)
    assert scene.inbox.keys == keys(0, 2, 1)
    settle(scene)
    given_up = scene.inbox.tickets[2]
    with pytest.raises(FrameError, match=r"image is not completely written: .* page 1"):
        scene.source.load(given_up)
    for _ in range(4):
        scene.later(300)
    assert len(scene.inbox.tickets) == 3, "it is reported once"
    series[1] = images[1]
    series.flush()
    # The worker has it by then: it is not taken for the file that was given up.
    with pytest.raises(FrameError, match="was not whole in time, and has changed since"):
        scene.source.load(given_up)
    scene.later(30)
    scene.later(30)
    assert scene.inbox.keys == keys(0, 2, 1, 1)
    assert np.array_equal(scene.source.load(scene.inbox.tickets[3]).pixels, images[1])


def test_a_series_of_which_nothing_is_written_yet_is_no_file_that_never_got_whole(
    tmp_path: Path, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    series = mapped(tmp_path / "plate_A1_s0_t0000_phase.tif", 3)
    scene = make(settle_s=2, give_up_s=60).start()
    with caplog.at_level(logging.WARNING):
        for _ in range(20):
            scene.later(30)
    assert GIVEN_UP not in caplog.messages
    assert (scene.inbox.tickets, scene.inbox.refusals) == ([], [])
    series[0] = pixels(*SHAPE)
    series.flush()
    scene.later(30)
    scene.later(2)
    assert scene.inbox.keys == keys(0)


def test_files_that_a_writer_makes_ahead_are_left_alone_until_they_are_written(
    tmp_path: Path, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    scene = make(settle_s=2, give_up_s=60).start()
    with plate(tmp_path / "plate", times=3) as writer, caplog.at_level(logging.WARNING):
        writer.add(2)
        writer.settle()
        for _ in range(20):
            scene.later(30)
        assert len(scene.inbox.tickets) == 2
        assert scene.inbox.refusals == []
        assert GIVEN_UP not in caplog.messages
        assert scene.source.health().detail.endswith("; 3 files are empty so far")
        writer.add(6)
        writer.settle()
        scene.later(30)
        scene.later(2)
        assert sorted(scene.inbox.keys) == sorted(map(key, writer.written))
        assert "empty" not in scene.source.health().detail


def test_an_empty_file_that_is_called_like_a_frame_is_reported(tmp_path: Path, make: Make) -> None:
    (tmp_path / "plate_A1_s0_t0000_phase.tif").touch()
    scene = make(settle_s=2, give_up_s=60).start()
    scene.later(30)
    scene.later(60)
    (ticket,) = scene.inbox.tickets
    with pytest.raises(FrameError, match="image file is empty"):
        scene.source.load(ticket)
