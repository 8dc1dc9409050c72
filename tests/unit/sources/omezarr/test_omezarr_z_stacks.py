"""`z: sharpest` of OME-Zarr stores, while they grow."""

from pathlib import Path

import pytest

from tests.unit.sources.images import stack
from tests.unit.sources.omezarr_scene import Make
from tests.unit.sources.zarrs import ZarrStore


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_a_growing_store_gives_a_frame_for_each_stack(
    tmp_path: Path, make: Make, version: str
) -> None:
    scene = make(z="sharpest").start()
    image = ZarrStore(tmp_path, version=version).image(
        axes="tczyx", size={"t": 4, "z": 3, "y": 32, "x": 32}
    )
    assert scene.rescan() == []
    for time in range(2):
        for z in range(3):
            image.put(stack(2)[z], t=time, z=z)
            found = scene.rescan()
            assert found == ([f"plate/A1/s0/t000{time}/phase"] if z == 2 else [])
    for ticket in scene.inbox.tickets:
        frame = scene.source.load(ticket)
        assert frame.stack is not None
        assert (frame.stack.z, len(frame.stack.scores)) == (2, 3)
    assert scene.inbox.refusals == []


def test_a_store_that_stops_within_a_stack_gives_what_there_is(tmp_path: Path, make: Make) -> None:
    scene = make(z="sharpest").start()
    image = ZarrStore(tmp_path).image(axes="tczyx", size={"z": 3, "y": 32, "x": 32})
    image.put(stack(0)[0], t=0, z=0)
    image.put(stack(0)[1], t=0, z=1)
    assert scene.rescan() == []
    assert scene.rescan(10) == ["plate/A1/s0/t0000/phase"]
    image.put(stack(0)[2], t=0, z=2)
    assert scene.rescan() == ["plate/A1/s0/t0000/phase"], "the late plane is taken in"
    assert len(scene.inbox.tickets[-1].planes) == 3


def test_a_store_without_an_axis_z_is_read_as_before(tmp_path: Path, make: Make) -> None:
    scene = make(z="sharpest").start()
    ZarrStore(tmp_path).image(axes="tcyx").put(t=0)
    assert scene.rescan() == ["plate/A1/s0/t0000/phase"]
    assert scene.inbox.tickets[0].planes == ()


def test_planes_of_one_chunk_are_one_frame(tmp_path: Path, make: Make) -> None:
    scene = make(z="sharpest").start()
    image = ZarrStore(tmp_path).image(
        axes="tczyx", size={"t": 4, "z": 3, "y": 32, "x": 32}, chunks=[1, 1, 3, 32, 32]
    )
    for z in range(3):
        image.put(stack(1)[z], t=0, z=z)
        scene.rescan()
    for _ in range(4):
        scene.rescan(10)
    keys = {str(ticket.key): ticket for ticket in scene.inbox.tickets}
    assert list(keys) == ["HES7/plate/A1/s0/t0000/phase"]
    (ticket,) = {each.fingerprint: each for each in scene.inbox.tickets}.values()
    frame = scene.source.load(ticket)
    assert frame.stack is not None
    assert (frame.stack.z, len(frame.stack.scores)) == (1, 3)
    assert scene.inbox.refusals == []
