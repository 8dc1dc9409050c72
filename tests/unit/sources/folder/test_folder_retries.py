"""Files that a person wants tried again although they did not change."""

from pathlib import Path

import numpy as np

from scopewatch.core.tickets import FrameTicket, Refusal
from tests.unit.sources.folder_scene import Make, Scene
from tests.unit.sources.images import FRAME, pixels, write

KEY = "HES7/plate/A1/s0/t0003/phase"


def offered(scene: Scene) -> list[FrameTicket | Refusal]:
    found: list[FrameTicket | Refusal] = []
    return [*found, *scene.inbox.tickets, *scene.inbox.refusals]


def places(scene: Scene) -> list[str]:
    """Return what was offered or refused."""
    return [each.locator for each in offered(scene)]


def settle(scene: Scene) -> list[FrameTicket | Refusal]:
    found = offered(scene)
    scene.ledger.settle(*found)
    return found


def test_a_file_that_was_cut_off_and_still_is_answers_at_once(tmp_path: Path, make: Make) -> None:
    path = write(tmp_path / FRAME, pixels(200, 200))
    path.write_bytes(path.read_bytes()[:1000])
    scene = make(settle_s=2, give_up_s=120).start()
    scene.later(121)
    (given_up,) = settle(scene)
    scene.ask(given_up)
    scene.later(0.1)
    assert places(scene) == [given_up.locator], "no second wait of 120 s"
    settle(scene)
    for _ in range(3):
        scene.later(700)
    assert len(scene.inbox.tickets) == 1


def test_a_file_that_was_refused_by_its_name_is_refused_once_more_and_once(
    tmp_path: Path, make: Make
) -> None:
    write(tmp_path / "what is this.tif", pixels())
    scene = make(settle_s=0).start()
    (refused,) = settle(scene)
    scene.ask(refused)
    scene.later(1)
    assert places(scene) == [refused.locator]
    settle(scene)
    for _ in range(3):
        scene.later(700)
    assert len(scene.inbox.refusals) == 1


def test_a_file_that_was_mended_is_a_frame(tmp_path: Path, make: Make) -> None:
    path = tmp_path / FRAME
    path.write_bytes(b"no image at all")
    scene = make(settle_s=0, give_up_s=1).start()
    scene.later(5)
    (spoilt,) = settle(scene)
    write(path, pixels())
    scene.ask(spoilt)
    scene.later(1)
    (ticket,) = scene.inbox.tickets
    assert str(ticket.key) == KEY
    assert scene.source.load(ticket).pixels.shape == pixels().shape


def test_planes_of_a_stack_are_read_by_one_look(tmp_path: Path, make: Make) -> None:
    planes_of = np.stack([pixels(seed=time) for time in range(6)])
    write(tmp_path / "A1_s0_phase.tif", planes_of, imagej=True, metadata={"axes": "TYX"})
    name = r"(?P<well>[A-H]\d+)_s(?P<site>\d+)_(?P<channel>\w+)"
    scene = make(settle_s=0, pattern=name).start()
    scene.later(1)
    planes = settle(scene)
    assert len(planes) == 6
    wanted = [planes[1], planes[4]]
    scene.ask(*wanted)
    scene.later(1)
    assert places(scene) == [each.locator for each in wanted]
    settle(scene)
    scene.later(700)
    assert places(scene) == [each.locator for each in wanted]


def test_a_frame_of_an_earlier_run_keeps_its_name(tmp_path: Path, make: Make) -> None:
    write(tmp_path / FRAME, pixels())
    scene = make(settle_s=0).start()
    (ticket,) = settle(scene)
    assert isinstance(ticket, FrameTicket)
    key = {part: getattr(ticket.key, part) for part in ticket.key.__dataclass_fields__}
    earlier = FrameTicket(
        key=type(ticket.key)(**{**key, "run": "HES6"}),
        source=ticket.source,
        locator=ticket.locator,
        fingerprint=ticket.fingerprint,
        seen_at=ticket.seen_at,
    )
    scene.ask(earlier)
    scene.later(1)
    assert scene.inbox.tickets == [earlier]


def test_what_the_inbox_has_no_room_for_is_offered_later(tmp_path: Path, make: Make) -> None:
    for time in range(4):
        write(tmp_path / f"plate_A1_s0_t{time:04d}_phase.tif", pixels(seed=time))
    scene = make(settle_s=0).start()
    frames = settle(scene)
    scene.ask(*frames)
    scene.inbox.room = 1
    scene.later(1)
    assert len(scene.inbox.tickets) == 1
    settle(scene)
    scene.inbox.room = 10
    scene.later(1)
    assert sorted(scene.inbox.keys) == sorted(
        str(each.key) for each in frames if isinstance(each, FrameTicket)
    )


def test_nothing_is_looked_at_again_during_a_burst(tmp_path: Path, make: Make) -> None:
    write(tmp_path / FRAME, pixels())
    scene = make(settle_s=0).start()
    frames = settle(scene)
    scene.ask(*frames)
    scene.arrivals.burst = True
    scene.later(1)
    assert scene.inbox.tickets == []
    scene.arrivals.burst = False
    scene.later(1)
    assert places(scene) == [FRAME]
