"""Files in vendor formats in a watched folder."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from scopewatch.sources.readers.vendors import kinds
from tests.conftest import FakeClock
from tests.unit.sources.folder_scene import Make, Scene
from tests.unit.sources.readers.vendors.czis import Block, grey, metadata, scene, write_czi
from tests.unit.sources.readers.vendors.lifs import Image, write_lif
from tests.unit.sources.readers.vendors.nd2s import Acquisition, write_nd2
from tests.unit.sources.scenes import making


@pytest.fixture
def make(tmp_path: Path, clock: FakeClock) -> Iterator[Make]:
    with making(Scene, tmp_path, clock) as build:
        yield build


def write_plate(path: Path, *, closed: bool = True) -> Path:
    scenes = [scene(0, "P1", well="B4"), scene(1, "P1", well="C4")]
    blocks = [
        Block(at={"C": channel, "T": time, "S": place}, pixels=grey(100 * time + 10 * place))
        for time in range(2)
        for place in range(2)
        for channel in range(2)
    ]
    return write_czi(path, blocks, metadata(scenes, ("GFP", "Phase")), closed=closed)


PLATE = [
    f"HES7/plate/{well}/s1/t000{time}/{channel}"
    for time in range(2)
    for well in ("B4", "C4")
    for channel in ("GFP", "phase")
]


def test_each_plane_of_a_file_is_a_frame_that_is_loaded_by_itself(
    tmp_path: Path, make: Make
) -> None:
    write_plate(tmp_path / "run.czi")
    scene = make().start()
    scene.later(1)
    assert scene.inbox.keys == PLATE
    assert scene.inbox.refusals == []
    locators = [ticket.locator for ticket in scene.inbox.tickets]
    assert locators[:2] == ["run.czi", "run.czi#page=1"]
    frame = scene.source.load(scene.inbox.ticket("C4/s1/t0001/phase"))
    assert np.array_equal(frame.pixels, grey(110))
    assert frame.pixel_size_um == pytest.approx(1.3)


def test_nd2_and_lif_are_read_as_well(tmp_path: Path, make: Make) -> None:
    write_nd2(tmp_path / "a.nd2", Acquisition(positions=("A1", "B2_0001")))
    write_lif(tmp_path / "b.lif", [Image(path="Scan/C/3/R2", channels=("Gray",))])
    scene = make(channel_names={"Gray": "phase"}).start()
    scene.later(1)
    assert sorted(scene.inbox.keys) == [
        "HES7/plate/A1/s0/t0000/phase",
        "HES7/plate/B2/s1/t0000/phase",
        "HES7/plate/C3/s2/t0000/phase",
    ]


def test_a_file_is_read_once_its_program_has_closed_it(tmp_path: Path, make: Make) -> None:
    path = write_plate(tmp_path / "run.czi", closed=False)
    scene = make(give_up_s=60).start()
    scene.later(1)
    scene.later(30)
    assert (scene.inbox.tickets, scene.inbox.refusals) == ([], [])
    scene.later(60)
    (reason,) = scene.inbox.reasons
    assert reason.startswith("image file holds no whole image: ")
    assert "got its program has not closed it" in reason
    write_plate(path)
    scene.later(1)
    scene.later(1)
    assert scene.inbox.keys == PLATE


def test_settled_planes_are_not_offered_again_when_a_file_is_copied_over(
    tmp_path: Path, make: Make
) -> None:
    path = write_plate(tmp_path / "run.czi")
    scene = make().start()
    scene.later(1)
    scene.ledger.settle(*scene.inbox.tickets)
    path.write_bytes(path.read_bytes())
    scene.later(1)
    scene.later(1)
    assert len(scene.inbox.tickets) == len(PLATE)


def test_without_the_extra_a_file_is_refused_once_and_read_when_it_is_installed(
    tmp_path: Path, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_plate(tmp_path / "run.czi")
    monkeypatch.setattr(kinds, "find_spec", lambda _: None)
    first = make().start()
    first.later(1)
    first.ledger.settle(*first.inbox.refusals)
    for _ in range(3):
        first.later(601)
    assert first.inbox.reasons == [
        f"image file needs an extra that is not installed: {path} (expected CZI (Zeiss) read by"
        " czifile, got no such package); pip install scopewatch[vendors], then start again;"
        " or export OME-TIFF"
    ]
    first.source.stop()
    monkeypatch.undo()
    again = make()
    again.ledger = first.ledger
    again.start()
    again.later(1)
    assert again.inbox.keys == PLATE


def test_the_planes_of_a_stack_are_one_frame_in_files_of_each_maker(
    tmp_path: Path, make: Make
) -> None:
    blocks = [Block(at={"C": 0, "S": 0, "Z": z}, pixels=grey(z)) for z in range(3)]
    write_czi(tmp_path / "a.czi", blocks, metadata([scene(0, "P1", well="B4")], ("Phase",)))
    write_nd2(tmp_path / "b.nd2", Acquisition(positions=("A1",), planes=2))
    write_lif(tmp_path / "c.lif", [Image(path="Scan/C/3", sizes={"Z": 4}, channels=("Phase",))])
    one = [Block(at={"C": 0, "S": 0, "Z": 0}, pixels=grey(0))]
    write_czi(tmp_path / "d.czi", one, metadata([scene(0, "P1", well="D4")], ("Phase",)))
    source = make(z="sharpest").start()
    source.later(1)
    sizes = {
        ticket.locator.partition("#")[0]: len(ticket.planes) for ticket in source.inbox.tickets
    }
    assert sizes == {"a.czi": 3, "b.nd2": 2, "c.lif": 4, "d.czi": 1}
    for ticket in source.inbox.tickets:
        frame = source.source.load(ticket)
        assert frame.stack is not None
        assert len(frame.stack.scores) == len(ticket.planes)
    assert source.inbox.refusals == []
