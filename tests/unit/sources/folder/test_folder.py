"""A folder source: which files it finds, when it trusts them, and how it handles failures."""

import logging
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from scopewatch.core.errors import ConfigError, FrameError, SourceError
from scopewatch.sources.folder.file_stability import FileStability
from tests.conftest import FakeClock
from tests.unit.sources.folder_scene import Make, Scene
from tests.unit.sources.images import FRAME, pixels, write


def test_a_file_present_at_the_start_is_offered_and_loads(tmp_path: Path, make: Make) -> None:
    write(tmp_path / "run" / FRAME, resolution=(15385, 15385), resolutionunit="CENTIMETER")
    scene = make().start()
    assert scene.inbox.keys == ["HES7/plate/A1/s0/t0003/phase"]
    (ticket,) = scene.inbox.tickets
    assert ticket.locator == f"run/{FRAME}"
    frame = scene.source.load(ticket)
    assert np.array_equal(frame.pixels, pixels())
    assert frame.pixel_size_um == pytest.approx(0.65, abs=1e-3)


def test_a_growing_file_is_never_released(tmp_path: Path, make: Make) -> None:
    scene = make(settle_s=2).start()
    whole = write(tmp_path / "elsewhere.txt", pixels(200, 200)).read_bytes()
    path = tmp_path / FRAME
    for end in range(0, len(whole), len(whole) // 20):
        path.write_bytes(whole[:end])
        scene.later(1.9)
        assert scene.inbox.tickets == []
    path.write_bytes(whole)
    scene.later(0)
    scene.later(1.9)
    assert scene.inbox.tickets == []
    scene.later(0.1)
    assert scene.inbox.keys == ["HES7/plate/A1/s0/t0003/phase"]


def test_a_writer_that_pauses_is_waited_for(tmp_path: Path, make: Make) -> None:
    scene = make(settle_s=2, give_up_s=120).start()
    whole = write(tmp_path / "elsewhere.txt", pixels(200, 200)).read_bytes()
    (tmp_path / FRAME).write_bytes(whole[:4000])
    for _ in range(11):
        scene.later(10)
    assert scene.inbox.tickets == []
    (tmp_path / FRAME).write_bytes(whole)
    scene.later(0)
    scene.later(2)
    assert len(scene.inbox.tickets) == 1
    assert scene.source.load(scene.inbox.tickets[0]).pixels.shape == (200, 200)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", "image file is empty"),
        (b"this is text", "file is no TIFF"),
        (b"II*\0\x08\0\0\0", "image file is cut off"),
    ],
)
def test_a_file_that_never_gets_whole_is_handed_on_for_the_reason(
    tmp_path: Path, make: Make, content: bytes, line: str
) -> None:
    (tmp_path / FRAME).write_bytes(content)
    scene = make(settle_s=2, give_up_s=120).start()
    scene.later(119)
    assert scene.inbox.tickets == []
    scene.later(1)
    (ticket,) = scene.inbox.tickets
    with pytest.raises(FrameError, match=line):
        scene.source.load(ticket)
    scene.later(10)
    assert len(scene.inbox.tickets) == 1


def test_a_broken_file_that_is_mended_is_offered_again(tmp_path: Path, make: Make) -> None:
    (tmp_path / FRAME).write_bytes(b"")
    scene = make(give_up_s=1).start()
    scene.later(1)
    scene.ledger.settle(*scene.inbox.tickets)
    write(tmp_path / FRAME)
    scene.later(1)
    assert len(scene.inbox.tickets) == 2
    assert scene.source.load(scene.inbox.tickets[1]).pixels.shape == (24, 32)


def test_a_file_renamed_into_place_is_released_at_once(
    tmp_path: Path, make: Make, eventually: Callable[..., None]
) -> None:
    scene = make(settle_s=3600).start()
    part = write(tmp_path / "frame.tif.part")
    scene.source.scan()
    part.rename(tmp_path / FRAME)
    eventually(lambda: scene.inbox.tickets)
    assert scene.inbox.keys == ["HES7/plate/A1/s0/t0003/phase"]


def test_settled_files_are_not_offered_again_after_a_restart(tmp_path: Path, make: Make) -> None:
    for index in range(5):
        write(tmp_path / f"plate_A1_s0_t{index:04d}_phase.tif")
    first = make().start()
    first.ledger.settle(*first.inbox.tickets[:4])
    first.source.stop()
    again = make()
    again.ledger = first.ledger
    again.start()
    assert again.inbox.keys == first.inbox.keys[4:]
    assert max(first.ledger.asked) <= 500


def test_a_full_inbox_takes_the_rest_later_and_the_oldest_first(tmp_path: Path, make: Make) -> None:
    for index in range(6):
        path = write(tmp_path / f"plate_A1_s0_t{index:04d}_phase.tif")
        os.utime(path, ns=(10**18 - index, 10**18 - index))
    scene = make()
    scene.inbox.room = 2
    scene.start()
    assert [key[-10:-6] for key in scene.inbox.keys] == ["0005", "0004"]
    assert scene.source.health().waiting == 4
    scene.inbox.room = 10
    scene.later(1)
    assert [key[-10:-6] for key in scene.inbox.keys][2:] == ["0003", "0002", "0001", "0000"]
    assert (scene.source.health().waiting, scene.source.health().found) == (0, 6)


def test_a_name_that_fits_no_pattern_is_refused_once(tmp_path: Path, make: Make) -> None:
    write(tmp_path / "holiday.tif")
    scene = make().start()
    scene.later(1)
    assert scene.inbox.tickets == []
    assert scene.inbox.reasons == [
        "file name does not fit the pattern, and its metadata do not name the frame: holiday.tif"
        " (expected pattern 'scopewatch'); correct `pattern` of the source, or rename the file"
    ]


def test_files_that_are_no_images_are_left_alone(tmp_path: Path, make: Make) -> None:
    for name in ("metadata.txt", "results.csv", "Thumbs.db", "frame.tif.part"):
        (tmp_path / name).write_text("x")
    scene = make().start()
    scene.later(1000)
    assert (scene.inbox.tickets, scene.inbox.refusals) == ([], [])


def test_all_channels_are_offered_under_their_names(tmp_path: Path, make: Make) -> None:
    for channel in ("phase", "gfp"):
        write(tmp_path / f"plate_A1_s0_t0003_{channel}.tif")
    assert sorted(key.rsplit("/", 1)[1] for key in make().start().inbox.keys) == ["gfp", "phase"]


def test_a_deleted_file_is_forgotten(tmp_path: Path, make: Make) -> None:
    path = write(tmp_path / FRAME)
    scene = make(settle_s=2).start()
    assert scene.source.health().waiting == 1
    path.unlink()
    scene.later(2)
    assert (scene.inbox.tickets, scene.source.health().waiting) == ([], 0)


def test_a_missing_folder_is_refused_with_what_to_do(tmp_path: Path, clock: FakeClock) -> None:
    scene = Scene(tmp_path / "gone", clock)
    with pytest.raises(SourceError) as caught:
        scene.start()
    assert str(caught.value) == (
        f"folder cannot be watched: {tmp_path / 'gone'} (got No such file or directory);"
        " create it, or correct `path` of the source 'folder'"
    )
    assert not scene.source.health().alive


def test_a_wrong_pattern_is_refused_before_anything_is_watched(
    tmp_path: Path, clock: FakeClock
) -> None:
    with pytest.raises(ConfigError, match="file name pattern has the wrong named groups"):
        Scene(tmp_path, clock, pattern="incucite")


def test_a_folder_that_goes_and_comes_back_is_watched_again(
    tmp_path: Path, clock: FakeClock
) -> None:
    root = tmp_path / "share"
    write(root / FRAME)
    scene = Scene(root, clock).start()
    root.rename(tmp_path / "away")
    scene.later(1)
    health = scene.source.health()
    assert not health.alive
    assert health.detail == f"{root} is gone: No such file or directory"
    write(root / "plate_B2_s0_t0000_phase.tif")
    scene.later(1)
    assert scene.source.health().alive
    assert scene.inbox.keys[1:] == ["HES7/plate/B2/s0/t0000/phase"]
    scene.source.stop()


def test_a_ledger_that_does_not_answer_only_delays(tmp_path: Path, make: Make) -> None:
    write(tmp_path / FRAME)
    scene = make()
    scene.ledger.broken = True
    scene.start()
    assert scene.inbox.tickets == []
    assert "database is locked" in scene.source.health().detail
    assert scene.source.health().alive
    scene.ledger.broken = False
    scene.later(1)
    assert len(scene.inbox.tickets) == 1
    assert "database" not in scene.source.health().detail


def test_an_inbox_that_breaks_its_word_does_not_end_the_source(
    tmp_path: Path, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path / FRAME)
    scene = make()
    scene.inbox.broken = True
    scene.start()
    assert "RuntimeError: the inbox is broken" in scene.source.health().detail
    assert scene.source.health().alive
    assert "source failed" in caplog.text
    scene.inbox.broken = False
    scene.later(1)
    assert len(scene.inbox.tickets) == 1


def test_a_name_that_is_no_text_is_refused_and_does_not_stop_the_others(
    tmp_path: Path, make: Make
) -> None:
    write(tmp_path / FRAME)
    os.rename(  # noqa: PTH104 - a name of raw bytes
        write(tmp_path / "x.tif"), os.fsencode(tmp_path) + b"/plate_A1_s0_t0004_\xff.tif"
    )
    scene = make().start()
    assert scene.inbox.keys == ["HES7/plate/A1/s0/t0003/phase"]
    assert scene.inbox.reasons == [
        "file name is not valid text: plate_A1_s0_t0004_\\udcff.tif; rename the file"
    ]


def test_a_locator_that_leads_out_of_the_folder_is_refused(tmp_path: Path, make: Make) -> None:
    write(tmp_path / FRAME)
    scene = make().start()
    (ticket,) = scene.inbox.tickets
    for locator in ("../secret.tif", "/etc/secret.tif"):
        stray = type(ticket)(
            key=ticket.key,
            source="folder",
            locator=locator,
            fingerprint="1",
            seen_at=ticket.seen_at,
        )
        with pytest.raises(FrameError, match="file name leads out of the watched folder"):
            scene.source.load(stray)


def test_a_network_share_without_polling_is_pointed_out(
    tmp_path: Path, make: Make, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    table = tmp_path / "mounts"
    table.write_text(f"//nas/scope {tmp_path} cifs rw 0 0\n")
    monkeypatch.setattr("scopewatch.sources.folder.walk._MOUNTS", table)
    make().start()
    assert "set `observer: polling`" in caplog.text
    caplog.clear()
    make(observer="polling").start()
    assert "polling" not in caplog.text


def test_polling_walks_at_its_own_pace(
    tmp_path: Path, make: Make, eventually: Callable[..., None]
) -> None:
    scene = make(observer="polling", poll_s=60).start()
    assert scene.source.health().detail == f"{tmp_path} by polling"
    write(tmp_path / FRAME)
    scene.clock.advance(60)
    eventually(lambda: scene.inbox.tickets)


def test_files_are_found_by_events_alone(
    tmp_path: Path, make: Make, eventually: Callable[..., None]
) -> None:
    scene = make().start()
    assert scene.source.health().detail == f"{tmp_path} by native events"
    write(tmp_path / "deep/er" / FRAME)
    eventually(lambda: scene.inbox.tickets)


def test_a_dead_observer_is_noticed_and_started_again(
    tmp_path: Path, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    scene = make().start()
    scene.source._watch.stop()
    write(tmp_path / FRAME)
    scene.later(10)
    assert "folder is watched again" in caplog.text
    assert scene.source.health().alive
    assert len(scene.inbox.tickets) == 1


def test_stopping_twice_and_starting_again_is_harmless(tmp_path: Path, make: Make) -> None:
    scene = make().start()
    scene.source.stop()
    scene.source.stop()
    assert not scene.source.health().alive
    write(tmp_path / FRAME)
    scene.source.scan()
    assert scene.inbox.tickets == []
    scene.start()
    assert len(scene.inbox.tickets) == 1


def test_files_that_come_while_it_watches_are_counted_and_those_there_before_are_not(
    tmp_path: Path, make: Make, eventually: Callable[..., None]
) -> None:
    for time_point in range(4):
        write(tmp_path / f"plate_A1_s0_t{time_point:04d}_phase.tif")
    scene = make(settle_s=2).start()
    scene.later(10)
    assert scene.arrivals.images == 0, "a backlog is no arrival"
    assert len(scene.inbox.tickets) == 4
    write(tmp_path / "plate_A1_s0_t0004_phase.tif")
    eventually(lambda: scene.arrivals.images == 1)
    scene.later(10)
    scene.later(10)
    assert scene.arrivals.came_s == [(1, 0.0)], "once, however often it is seen"


def test_polling_gives_the_interval_in_which_files_came(tmp_path: Path, make: Make) -> None:
    scene = make(observer="polling", poll_s=3600).start()
    for time_point in range(3):
        write(tmp_path / f"plate_A1_s0_t{time_point:04d}_phase.tif")
    scene.later(5)
    assert scene.arrivals.came_s == [(3, 5)]


def test_files_there_was_no_room_for_are_no_arrivals(
    tmp_path: Path, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    for time_point in range(6):
        write(tmp_path / f"plate_A1_s0_t{time_point:04d}_phase.tif")
    scene = make(observer="polling", poll_s=3600, settle_s=1)
    monkeypatch.setattr(scene.source._checks, "stability", FileStability(1, 120, capacity=2))
    scene.start()
    for _ in range(5):
        scene.later(2)
    assert len(scene.inbox.tickets) == 6
    assert scene.arrivals.images == 0


def test_no_file_is_decoded_during_a_burst_and_all_are_after_it(tmp_path: Path, make: Make) -> None:
    scene = make(observer="polling", poll_s=3600, settle_s=1).start()
    scene.arrivals.burst = True
    for time_point in range(3):
        write(tmp_path / f"plate_A1_s0_t{time_point:04d}_phase.tif")
    for _ in range(3):
        scene.later(2)
    assert (scene.inbox.tickets, scene.source.health().waiting) == ([], 3)
    scene.arrivals.burst = False
    scene.later(0)
    assert [ticket.key.time_point for ticket in scene.inbox.tickets] == [0, 1, 2]


def test_a_folder_at_rest_is_looked_at_each_second_and_one_with_a_file_that_waits_more_often(
    tmp_path: Path, make: Make
) -> None:
    scene = make(settle_s=2).start()
    assert scene.source._rest_s() > 0
    write(tmp_path / FRAME, pixels())
    scene.later(0.1)
    assert scene.source._rest_s() == 0
    scene.later(3)
    assert len(scene.inbox.tickets) == 1
    assert scene.source._rest_s() > 0


def test_a_folder_that_is_polled_does_not_rest(make: Make) -> None:
    assert make(observer="polling").start().source._rest_s() == 0
