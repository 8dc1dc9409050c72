"""Stacks that grow in a watched folder: each plane once, soon after it was written."""

import os
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
import tifffile

from scopewatch.sources.folder.late_moments import LATE_S
from tests.conftest import FakeClock
from tests.unit.sources.folder.growing import check_pixels, key, settle
from tests.unit.sources.folder_scene import Make
from tests.unit.sources.images import pixels
from tests.unit.sources.ome_sets import plate, whole_plate


@pytest.mark.parametrize("compression", [None, "lzw"])
def test_each_plane_of_a_plate_is_offered_once_as_it_is_written(
    tmp_path: Path, make: Make, compression: str | None
) -> None:
    scene = make(settle_s=2).start()
    with plate(tmp_path / "plate", times=3, compression=compression) as writer:
        for count in range(1, 25):
            writer.add()
            writer.settle()
            scene.later(0)
            scene.later(2)
            assert sorted(scene.inbox.keys) == sorted(map(key, writer.written)), count
            settle(scene)
        check_pixels(scene, writer)
    for _ in range(3):
        scene.later(600)
    retimed = scene.inbox.tickets[24:]
    # Nothing is offered as another frame; the moments that came at the close are reported.
    assert {(each.locator, each.fingerprint) for each in retimed} <= {
        (each.locator, each.fingerprint) for each in scene.inbox.tickets[:24]
    }
    assert scene.inbox.refusals == []


@pytest.mark.parametrize("compression", [None, "lzw"])
def test_a_plate_without_a_planned_end_is_offered_as_it_is_written(
    tmp_path: Path, make: Make, compression: str | None
) -> None:
    scene = make(settle_s=2).start()
    with plate(tmp_path / "plate", times=None, compression=compression) as writer:
        for count in range(1, 49):
            writer.add()
            writer.settle()
            scene.later(0)
            scene.later(2)
            late = set(map(key, writer.written)) - set(scene.inbox.keys)
            # These frames are so small that the directories of many would be as long as two of
            # them.
            assert len(late) <= (16 if compression is None else 0), count
            settle(scene)
        scene.later(600)
        assert scene.inbox.refusals == []
    for _ in range(3):
        scene.later(600)
        settle(scene)
    assert scene.inbox.refusals == []
    first = {str(each.key): each for each in reversed(scene.inbox.tickets)}
    assert first.keys() == set(map(key, writer.written))
    for plane in writer.written:
        assert np.array_equal(scene.source.load(first[key(plane)]).pixels, plane.pixels)
    assert len({(each.locator, each.fingerprint) for each in scene.inbox.tickets}) == 48


def test_times_that_come_when_a_plate_is_closed_are_reported_for_settled_frames(
    tmp_path: Path, make: Make
) -> None:
    scene = make(settle_s=0).start()
    with plate(tmp_path / "plate", times=3) as writer:
        writer.add(24)
        writer.settle()
        scene.later(1)
        settle(scene)
        due = {each.key.time_point: each.acquired_at for each in scene.inbox.tickets}
        assert due[0] is not None
        assert due[2] == due[0] + timedelta(hours=24), "by interval_h, until DeltaT is there"
    scene.later(1)
    scene.later(LATE_S)
    reported = {str(each.key): each for each in scene.inbox.tickets[24:]}
    began = {str(each.key): each.acquired_at for each in scene.inbox.tickets[:24]}
    for plane in writer.written:
        if plane.time:
            moment = reported[key(plane)].acquired_at
            first = began[key(plane).replace(f"/t{plane.time:04d}/", "/t0000/")]
            assert moment is not None
            assert first is not None
            # DeltaT of the writer counts the hours, and a second for each position.
            assert 0 <= (moment - first).total_seconds() - 3600 * plane.time < 4
    settle(scene)
    before = len(scene.inbox.tickets)
    scene.later(1000)
    assert len(scene.inbox.tickets) == before


def test_the_last_frames_of_a_closed_plate_come_before_the_times_of_older_ones(
    tmp_path: Path, make: Make
) -> None:
    scene = make(settle_s=2).start()
    with plate(tmp_path / "plate", times=3) as writer:
        writer.add(16)
        writer.settle()
        scene.later(0)
        scene.later(2)
        settle(scene)
        writer.add(8)
        writer.settle()
    scene.later(0)
    scene.later(2)
    assert {each.key.time_point for each in scene.inbox.tickets[16:]} == {2}
    settle(scene)
    scene.later(LATE_S)
    assert {each.key.time_point for each in scene.inbox.tickets[24:]} == {0, 1}


def test_a_plate_that_never_rests_is_followed_all_the_same(tmp_path: Path, make: Make) -> None:
    scene = make(settle_s=2).start()
    with plate(tmp_path / "plate", times=20) as writer:
        for _ in range(19):
            writer.add(8)
            writer.settle()
            scene.later(1)
        # All but those of the last seconds.
        assert len(scene.inbox.tickets) > 8 * 14
        scene.later(2)
        assert sorted(scene.inbox.keys) == sorted(map(key, writer.written))
        assert len(set(scene.inbox.keys)) == len(scene.inbox.keys)


def test_a_single_image_that_never_rests_is_left_alone(tmp_path: Path, make: Make) -> None:
    scene = make(settle_s=2).start()
    path = tmp_path / "plate_A1_s0_t0003_phase.tif"
    tifffile.imwrite(path, pixels(), metadata=None)
    for time in range(20):
        os.utime(path, ns=(time, time))
        scene.later(1)
    assert scene.inbox.tickets == []
    scene.later(2)
    assert scene.inbox.keys == ["HES7/plate/A1/s0/t0003/phase"]


def test_a_plate_whose_writer_was_killed_gives_what_is_there(tmp_path: Path, make: Make) -> None:
    with plate(tmp_path / "live", times=3) as writer:
        writer.add(13)
        writer.settle()
        killed = {path.name: path.read_bytes() for path in (tmp_path / "live").iterdir()}
    for path in (tmp_path / "live").iterdir():
        path.unlink()
    for name, content in killed.items():
        (tmp_path / "live" / name).write_bytes(content + b"\x07" * 100)
    scene = make(settle_s=2, give_up_s=60).start()
    scene.later(2)
    names = {plane.file for plane in writer.written}
    assert sorted(scene.inbox.keys) == sorted(map(key, writer.written))
    settle(scene)
    scene.later(60)
    scene.later(60)
    assert len(scene.inbox.reasons) == len(names)
    assert (
        "image file does not hold the planes that it declares: live/live_p000.ome.tiff"
        " (expected 6 planes, got 4 of 6 planes are written); check that the writer finished; its"
        " whole planes are used"
    ) in scene.inbox.reasons


def test_a_plate_whose_writer_stopped_between_planes_is_refused_nothing(
    tmp_path: Path, make: Make
) -> None:
    with plate(tmp_path / "plate", times=50) as writer:
        writer.add(16)
    scene = make(settle_s=2, give_up_s=60).start()
    for _ in range(5):
        scene.later(60)
    assert sorted(scene.inbox.keys) == sorted(map(key, writer.written))
    assert scene.inbox.refusals == []
    assert scene.source.health().waiting == 0


def test_planes_that_cannot_be_distinguished_are_refused_with_their_count(
    tmp_path: Path, make: Make
) -> None:
    path = tmp_path / "plate_A1_s0_t0000_phase.tif"
    description = "ImageJ=1.54f\nimages=6\nframes=6\n"
    tifffile.imwrite(path, pixels(), compression="zlib", metadata=None, description=description)
    scene = make(settle_s=2, give_up_s=60).start()
    scene.later(2)
    assert scene.inbox.keys == ["HES7/plate/A1/s0/t0000/phase"]
    scene.later(60)
    assert scene.inbox.reasons == [
        "image file does not hold the planes that it declares: plate_A1_s0_t0000_phase.tif"
        " (expected 6 planes, got it declares 6 planes in one directory, which cannot be"
        " located: they are compressed or not in one piece); check that the writer finished; its"
        " whole planes are used"
    ]


def test_a_daemon_that_starts_again_scores_nothing_of_a_growing_plate_twice(
    tmp_path: Path, make: Make, clock: FakeClock
) -> None:
    scene = make(settle_s=0).start()
    with plate(tmp_path / "plate", times=3) as writer:
        writer.add(12)
        writer.settle()
        scene.later(1)
        settle(scene)
        scene.source.stop()
        again = make(settle_s=0)
        again.ledger = scene.ledger
        again.start()
        again.later(1)
        assert again.inbox.tickets == []
        writer.add(4)
        writer.settle()
        again.later(1)
        assert sorted(again.inbox.keys) == sorted(map(key, writer.written[12:]))


def test_a_set_whose_companion_comes_later_is_read_then(tmp_path: Path, make: Make) -> None:
    folder = tmp_path / "plate"
    written = whole_plate(folder, arrangement="companion-file")
    companion = (folder / "companion.ome").read_bytes()
    (folder / "companion.ome").unlink()
    scene = make(settle_s=2, give_up_s=60).start()
    scene.later(2)
    scene.later(60)
    assert scene.inbox.tickets == []
    assert len(scene.inbox.reasons) == 4
    assert all("expected companion.ome beside it" in reason for reason in scene.inbox.reasons)
    settle(scene)
    (folder / "companion.ome").write_bytes(companion)
    scene.later(30)
    scene.later(2)
    assert sorted(scene.inbox.keys) == sorted(map(key, written))
