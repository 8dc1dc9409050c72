"""`z: sharpest` of NDTiff data sets, while they are written and after."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import FakeClock
from tests.unit.sources.images import stack
from tests.unit.sources.ndtiff_scene import Make, Scene
from tests.unit.sources.ndtiffs import writing
from tests.unit.sources.scenes import making


@pytest.fixture
def make(tmp_path: Path, clock: FakeClock) -> Iterator[Make]:
    with making(Scene, tmp_path, clock) as build:
        yield build


def test_a_growing_data_set_gives_a_frame_for_each_stack(tmp_path: Path, make: Make) -> None:
    scene = make(z="sharpest").start()
    with writing(tmp_path, summary={"Slices": 3}) as writer:
        for time in range(2):
            for position in ("A1", "A2"):
                for z in range(3):
                    writer.add(time, position, stack(time)[z], z=z)
                    scene.later(1)
    assert scene.inbox.keys == [
        f"HES7/plate/{well}/s0/t000{time}/phase" for time in range(2) for well in ("A1", "A2")
    ]
    assert [scene.plane_taken(number) for number in range(4)] == [0, 0, 1, 1]
    assert scene.inbox.refusals == []


def test_planes_below_zero_and_without_a_declared_number_are_one_stack(
    tmp_path: Path, make: Make
) -> None:
    scene = make(z="sharpest").start()
    with writing(tmp_path) as writer:
        for z in (-1, 0, 1):
            writer.add(0, "A1", stack(1)[z + 1], z=z)
            scene.later(1)
        assert scene.inbox.tickets == []
        assert scene.source.health().waiting == 1
        scene.later(10)
    assert [plane.z for plane in scene.inbox.tickets[0].planes] == [-1, 0, 1]
    assert scene.plane_taken(0) == 0


def test_a_data_set_that_was_closed_early_gives_what_there_is(tmp_path: Path, make: Make) -> None:
    with writing(tmp_path, summary={"Slices": 5}) as writer:
        for z in range(3):
            writer.add(0, "A1", stack(2)[z], z=z)
    scene = make(z="sharpest").start()
    scene.later(1)
    scene.later(1)
    assert scene.inbox.keys == ["HES7/plate/A1/s0/t0000/phase"]
    assert scene.plane_taken(0) == 2


def test_a_settled_stack_is_not_offered_again_after_a_restart(tmp_path: Path, make: Make) -> None:
    with writing(tmp_path) as writer:
        for z in range(3):
            writer.add(0, "A1", stack(2)[z], z=z)
    first = make(z="sharpest").start()
    first.later(1)
    first.ledger.settle(*first.inbox.tickets)
    second = make(z="sharpest")
    second.ledger = first.ledger
    second.start()
    second.later(20)
    assert len(first.inbox.tickets) == 1
    assert second.inbox.tickets == []
    # The worker may hold a ticket of the ledger, which has no planes.
    (ticket,) = first.inbox.tickets
    frame = second.source.load(replace(ticket, planes=()))
    assert frame.stack is not None
    assert frame.stack.z == 2
