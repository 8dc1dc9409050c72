import json
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from scopewatch.core.errors import ConfigError, FrameError, SourceError
from scopewatch.core.tickets import FrameTicket
from scopewatch.sources.ndtiff.frames import run_name
from tests.conftest import FakeClock
from tests.unit.sources.images import pixels
from tests.unit.sources.ndtiff_scene import Make, Scene
from tests.unit.sources.ndtiffs import write_data_set, writing
from tests.unit.sources.scenes import making


@pytest.fixture
def make(tmp_path: Path, clock: FakeClock) -> Iterator[Make]:
    with making(Scene, tmp_path, clock) as build:
        yield build


def test_a_growing_data_set_is_followed_image_by_image(tmp_path: Path, make: Make) -> None:
    scene = make().start()
    with writing(tmp_path) as writer:
        for time in range(3):
            writer.add(time, "B2-Site_1", channel="Phase")
            scene.later(1)
            assert scene.inbox.keys[-1] == f"HES7/plate/B2/s1/t{time:04d}/phase"
            assert len(scene.inbox.tickets) == time + 1
            frame = scene.source.load(scene.inbox.tickets[-1])
            assert np.array_equal(frame.pixels, pixels(seed=time))
            assert frame.acquired_at == datetime(2026, 3, 1, 9, 0, time, tzinfo=UTC)
            assert frame.pixel_size_um == 0.65
    scene.later(1)
    assert len(scene.inbox.tickets) == 3
    assert scene.source.health().detail == f"{tmp_path}: 1 data sets, channels phase"


def test_an_acquisition_has_ended_once_its_data_set_is_closed(tmp_path: Path, make: Make) -> None:
    scene = make().start()
    assert not scene.source.health().ended, "nothing began yet"
    with writing(tmp_path) as writer:
        for time in range(2):
            writer.add(time, "B2-Site_1", channel="Phase")
            scene.later(1)
            assert not scene.source.health().ended
    scene.later(1)
    assert scene.source.health().ended
    # Another begins beside it.
    with writing(tmp_path, "HES8") as writer:
        writer.add(0, "B2-Site_1", channel="Phase")
        scene.later(1)
        assert not scene.source.health().ended


def test_data_sets_below_hidden_and_foreign_folders_are_not_followed(
    tmp_path: Path, make: Make
) -> None:
    for folder in (".stversions", ".Trash-1000/files", "@eaDir", "moving.part"):
        (tmp_path / folder).mkdir(parents=True)
        with writing(tmp_path / folder) as writer:
            writer.add(0, "B2-Site_1", channel="Phase")
    scene = make().start()
    scene.later(1)
    assert (scene.inbox.tickets, scene.inbox.refusals) == ([], [])
    (tmp_path / "moving.part").rename(tmp_path / "moved")
    scene.later(1)
    assert scene.inbox.keys == ["HES7 moved/plate/B2/s1/t0000/phase"]


def test_the_sources_own_thread_looks_too(
    tmp_path: Path, make: Make, eventually: Callable[..., None]
) -> None:
    scene = make(poll_s=0.05).start()
    write_data_set(tmp_path)

    def found() -> bool:
        scene.clock.advance(0.05)
        return len(scene.inbox.tickets) == 3

    eventually(found)


def test_the_path_may_be_the_data_set_itself_and_appear_later(tmp_path: Path, make: Make) -> None:
    scene = make(tmp_path / "other_1").start()
    assert (scene.inbox.tickets, scene.source.health().alive) == ([], True)
    write_data_set(tmp_path, times=1, name="other")
    scene.later(1)
    assert scene.inbox.keys == ["HES7/plate/A1/s0/t0000/phase"]
    assert scene.inbox.tickets[0].locator.startswith("other_NDTiffStack.tif#at=[")
    assert scene.source.load(scene.inbox.tickets[0]).pixels.shape == (24, 32)


@pytest.mark.parametrize(
    ("folder", "run"),
    [
        ("HES7", "HES7"),
        ("hes7_1", "HES7"),
        ("HES7_2", "HES7_2"),
        ("test_1", "HES7 test_1"),
        ("HES7_12", "HES7_12"),
        ("", "HES7"),
        ("2026-03-01/HES7_1", "HES7 2026-03-01"),
        ("2026-03-02/hes7", "HES7 2026-03-02"),
        ("2026-03-02/HES7_2", "HES7 2026-03-02 HES7_2"),
        ("left/day 1/test_1", "HES7 left day 1 test_1"),
    ],
)
def test_runs_are_named_by_their_path_alone(folder: str, run: str) -> None:
    assert run_name("HES7", folder) == run


def test_a_data_set_acquired_again_is_a_run_of_its_own(tmp_path: Path, make: Make) -> None:
    write_data_set(tmp_path, times=1)
    write_data_set(tmp_path, times=1)
    write_data_set(tmp_path, times=1, name="trial")
    assert sorted(make().start().inbox.keys) == [
        "HES7 trial_1/plate/A1/s0/t0000/phase",
        "HES7/plate/A1/s0/t0000/phase",
        "HES7_2/plate/A1/s0/t0000/phase",
    ]


def test_data_sets_of_one_name_in_dated_folders_are_runs_of_their_own(
    tmp_path: Path, make: Make
) -> None:
    for day in (1, 2):
        with writing(tmp_path / f"2026-03-0{day}") as writer:
            writer.add(0, tags={"Time": f"2026-03-0{day} 09:00:00 +0000"})
    runs = ["HES7 2026-03-01/plate/A1/s0/t0000/phase", "HES7 2026-03-02/plate/A1/s0/t0000/phase"]
    first = make().start()
    assert first.inbox.keys == runs
    first.source.stop()
    # After a restart, and with one of them gone, the other keeps its name.
    shutil.rmtree(tmp_path / "2026-03-01")
    assert make().start().inbox.keys == runs[1:]


def test_a_data_set_replaced_under_its_own_name_is_read_again(tmp_path: Path, make: Make) -> None:
    folder = write_data_set(tmp_path, times=2)
    scene = make().start()
    shutil.rmtree(folder)
    scene.later(1)
    with writing(tmp_path) as writer:
        writer.add(0, tags={"Time": "2026-04-01 09:00:00 +0000"})
    scene.later(1)
    assert len(scene.inbox.tickets) == 3
    first, again = scene.inbox.tickets[0], scene.inbox.tickets[2]
    assert first.locator == again.locator
    assert first.fingerprint != again.fingerprint
    assert scene.source.load(again).acquired_at == datetime(2026, 4, 1, 9, tzinfo=UTC)
    with pytest.raises(FrameError, match="image of the data set is not the one that was found"):
        scene.source.load(first)


def acquire_again(folder: Path, root: Path) -> None:
    shutil.rmtree(folder)
    with writing(root) as writer:
        writer.add(0, tags={"Time": "2026-04-01 09:00:00 +0000"})


def test_a_data_set_acquired_again_in_its_folder_is_a_new_run(tmp_path: Path, make: Make) -> None:
    folder = write_data_set(tmp_path, times=1)
    scene = make().start()
    # Without a look in between: the folder may even get the same inode.
    acquire_again(folder, tmp_path)
    scene.later(1)
    assert scene.inbox.keys == [
        "HES7/plate/A1/s0/t0000/phase",
        "HES7 (2)/plate/A1/s0/t0000/phase",
    ]


def test_a_data_set_acquired_again_while_nobody_looked_is_a_new_run(
    tmp_path: Path, make: Make
) -> None:
    folder = write_data_set(tmp_path, times=1)
    first = make().start()
    first.source.stop()
    first.ledger.settle(*first.inbox.tickets)
    acquire_again(folder, tmp_path)
    for _ in range(2):
        scene = make()
        scene.ledger = first.ledger
        assert scene.start().inbox.keys == ["HES7 (2)/plate/A1/s0/t0000/phase"]
        scene.source.stop()


def test_a_copy_of_a_data_set_put_in_its_place_is_no_new_run(tmp_path: Path, make: Make) -> None:
    folder = write_data_set(tmp_path, times=1)
    scene = make().start()
    scene.ledger.settle(*scene.inbox.tickets)
    shutil.copytree(folder, tmp_path.parent / "copy")
    shutil.rmtree(folder)
    scene.later(1)
    shutil.move(tmp_path.parent / "copy", folder)
    scene.later(1)
    assert scene.inbox.keys == ["HES7/plate/A1/s0/t0000/phase"]


def test_a_ledger_that_cannot_name_a_run_loses_no_image(tmp_path: Path, make: Make) -> None:
    scene = make()
    scene.ledger.broken = True
    write_data_set(tmp_path, times=2)
    scene.start()
    assert (scene.inbox.tickets, scene.source.health().waiting) == ([], 2)
    scene.ledger.broken = False
    scene.later(1)
    assert len(scene.inbox.tickets) == 2


def test_settled_images_are_not_offered_again_after_a_restart(tmp_path: Path, make: Make) -> None:
    write_data_set(tmp_path, times=4)
    first = make().start()
    first.ledger.settle(*first.inbox.tickets[:3])
    again = make()
    again.ledger = first.ledger
    assert again.start().inbox.keys == ["HES7/plate/A1/s0/t0003/phase"]


def test_a_full_inbox_takes_the_rest_later_in_order(tmp_path: Path, make: Make) -> None:
    write_data_set(tmp_path, times=5)
    scene = make()
    scene.inbox.room = 2
    scene.start()
    assert scene.source.health().waiting == 3
    scene.inbox.room = 100
    scene.later(1)
    assert [ticket.key.time_point for ticket in scene.inbox.tickets] == [0, 1, 2, 3, 4]


def test_what_the_worker_had_to_let_go_comes_back(tmp_path: Path, make: Make) -> None:
    write_data_set(tmp_path, times=2)
    scene = make().start()
    scene.ledger.settle(scene.inbox.tickets[0])
    scene.later(599)
    assert len(scene.inbox.tickets) == 2
    scene.later(1)
    assert [ticket.key.time_point for ticket in scene.inbox.tickets] == [0, 1, 1]


def test_a_ledger_that_does_not_answer_loses_nothing(tmp_path: Path, make: Make) -> None:
    write_data_set(tmp_path, times=2)
    scene = make()
    scene.ledger.broken = True
    scene.start()
    assert scene.inbox.tickets == []
    assert "database is locked" in scene.source.health().detail
    scene.ledger.broken = False
    scene.later(1)
    assert len(scene.inbox.tickets) == 2


def test_positions_become_wells_and_sites(tmp_path: Path, make: Make) -> None:
    with writing(tmp_path) as writer:
        for label in ("A1-Site_0", "A1-Site_1", "DMSO left", "Pos3"):
            writer.add(0, label)
        writer.add(0, None)
    assert [key.removeprefix("HES7/plate/") for key in make().start().inbox.keys] == [
        "A1/s0/t0000/phase",
        "A1/s1/t0000/phase",
        "DMSO left/s0/t0000/phase",
        "Pos3/s0/t0000/phase",
        "A1/s0/t0000/phase",
    ]


def test_only_the_chosen_plane_of_a_stack_is_a_frame(tmp_path: Path, make: Make) -> None:
    with writing(tmp_path) as writer:
        for z in range(3):
            writer.add(0, z=z)
    scene = make(z=2).start()
    assert len(scene.inbox.tickets) == 1
    advice = "set `z` of the source to the plane that is in focus, or to sharpest"
    assert [reason.partition("(")[2] for reason in scene.inbox.reasons] == [
        f"expected plane 2, got plane {z}); {advice}" for z in range(2)
    ]


def test_an_axis_nobody_understands_is_refused(tmp_path: Path, make: Make) -> None:
    with writing(tmp_path) as writer:
        writer.add(0, row=0, column=0)
        writer.add(0, row=0, column=1)
    scene = make().start()
    assert len(scene.inbox.tickets) == 1
    (reason,) = scene.inbox.reasons
    assert "image lies on an unknown axis: HES7_1" in reason
    assert "got column); acquire positions as the axis `position`" in reason


def test_an_uncalibrated_camera_takes_the_configured_pixel_size(tmp_path: Path, make: Make) -> None:
    with writing(tmp_path) as writer:
        writer._storage.initialize({"PixelSize_um": 0})
        writer.add(0)
    scene = make(um_per_px=1.5).start()
    assert scene.source.load(scene.inbox.tickets[0]).pixel_size_um == 1.5


def test_a_deleted_data_set_does_not_stop_the_others(tmp_path: Path, make: Make) -> None:
    gone = write_data_set(tmp_path, times=1)
    write_data_set(tmp_path, times=1, name="trial")
    scene = make().start()
    shutil.rmtree(gone)
    scene.later(1)
    assert scene.source.health().alive
    with pytest.raises(FrameError, match=r"data set cannot be read: .*No such file"):
        scene.source.load(scene.inbox.ticket("HES7/plate/A1/s0/t0000/phase"))


@pytest.mark.parametrize(
    "locator",
    [
        "HES7_1/../../secret.tif#at=[486,32,24,2,2022,10]",
        "/etc/passwd#at=[0,2,2,1,0,10]",
        "a.tif",
        "a.tif#at=[486,32,24,7,2022,10]",
        "a.tif#at=[1,2,3]",
    ],
)
def test_a_locator_that_names_no_image_is_refused(
    tmp_path: Path, make: Make, locator: str, clock: FakeClock
) -> None:
    write_data_set(tmp_path, times=1)
    scene = make().start()
    ticket = FrameTicket(
        key=scene.inbox.tickets[0].key,
        source="ndtiff",
        locator=locator,
        fingerprint="1",
        seen_at=clock.now(),
    )
    with pytest.raises(FrameError, match="locator names no image"):
        scene.source.load(ticket)


def test_a_missing_folder_is_refused_with_what_to_do(tmp_path: Path, clock: FakeClock) -> None:
    with pytest.raises(SourceError) as caught:
        Scene(tmp_path / "a" / "b", clock).start()
    assert str(caught.value) == (
        f"data set cannot be followed: {tmp_path / 'a' / 'b'} (got no such folder);"
        " create it, or correct `path` of the source 'ndtiff'"
    )


def test_a_wrong_position_pattern_is_refused(tmp_path: Path, clock: FakeClock) -> None:
    with pytest.raises(ConfigError, match="position pattern has the wrong named groups"):
        Scene(tmp_path, clock, position="[A-H]")


def test_a_folder_that_went_away_is_not_alive(tmp_path: Path, clock: FakeClock) -> None:
    root = tmp_path / "mount" / "data"
    root.mkdir(parents=True)
    scene = Scene(root, clock).start()
    shutil.rmtree(tmp_path / "mount")
    assert not scene.source.health().alive
    assert scene.source.health().detail == f"{root} is gone"
    scene.source.stop()


def test_an_image_of_a_share_that_went_is_not_blamed_for_it(tmp_path: Path, make: Make) -> None:
    share = tmp_path / "share"
    share.mkdir()
    with writing(share) as writer:
        writer.add(0, "B2-Site_1", channel="Phase")
    scene = make(share).start()
    scene.later(1)
    (ticket,) = scene.inbox.tickets
    share.rename(tmp_path / "aside")
    with pytest.raises(SourceError, match="share or disk of the source does not answer"):
        scene.source.load(ticket)
    (tmp_path / "aside").rename(share)
    assert np.array_equal(scene.source.load(ticket).pixels, pixels(seed=0))


def test_the_locator_survives_being_stored_as_text(tmp_path: Path, make: Make) -> None:
    write_data_set(tmp_path, times=1)
    (ticket,) = make().start().inbox.tickets
    assert json.loads(json.dumps(ticket.locator)) == ticket.locator
    assert ticket.locator.startswith("HES7_1/HES7_NDTiffStack.tif#at=[")
