"""When a z-stack is complete, what its frame is called, and which plane is read as the frame."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

import numpy as np
import pytest

from scopewatch.core.errors import FrameError
from scopewatch.core.imaging.frame import Frame, FrameKey
from scopewatch.core.tickets import FrameTicket
from scopewatch.core.z_stack import stack_size
from scopewatch.sources.base.found import Found
from scopewatch.sources.base.reading import FrameReading
from scopewatch.sources.base.stacks.collecting import Stacks, gather
from scopewatch.sources.base.stacks.loading import load_sharpest

START = datetime(2026, 3, 1, 9, tzinfo=UTC)


def plane(
    z: int | None, *, well: str = "A1", time_point: int = 0, of: int = 0, mark: str = "1"
) -> Found:
    key = FrameKey(run="HES7", plate="p", well=well, site=0, time_point=time_point, channel="phase")
    reading = FrameReading(
        key=key,
        pixel_size_um=1.0,
        acquired_at=START + timedelta(seconds=z or 0),
        elapsed_s=None,
        accepted=MappingProxyType({}),
        z=z,
        z_planes=of,
    )
    name = f"{well}_t{time_point}_z{z}.tif"
    return Found(locator=name, fingerprint=mark, key=key, reading=reading, content=f"c{name}{mark}")


def stacks() -> Stacks:
    return Stacks(settle_s=2, quiet_s=10, give_up_s=120)


def numbers(found: list[Found]) -> list[list[int]]:
    return [[each.z for each in stack.planes] for stack in found]


def test_a_stack_is_complete_with_the_planes_that_its_metadata_declare() -> None:
    some = stacks()
    assert some.collect([plane(2, of=3), plane(0, of=3)], 0) == []
    (stack,) = some.collect([plane(1, of=3)], 1)
    assert numbers([stack]) == [[0, 1, 2]]
    assert stack.locator == "A1_t0_z0.tif", "that of the lowest plane, whichever came first"
    assert stack.moment.acquired_at == START
    assert stack_size(stack.fingerprint) == 3
    assert len(some) == 0


def test_what_is_no_plane_of_a_stack_passes_at_once() -> None:
    some = stacks()
    single = plane(None)
    refused = Found(locator="x", fingerprint="1", reason="no frame")
    assert some.collect([single, refused], 0) == [single, refused]
    assert some.due(1000) == []


def test_without_a_number_of_planes_a_stack_is_complete_once_nothing_comes() -> None:
    some = stacks()
    some.collect([plane(0), plane(1)], 0)
    some.collect([plane(0, well="A2")], 8)
    assert some.due(17) == [], "planes of another well came 9 s ago"
    assert numbers([each for _, each in some.due(18)]) == [[0, 1], [0]]
    assert some.due(1000) == []


def test_a_stack_waits_two_minutes_at_most_while_others_keep_coming() -> None:
    some = stacks()
    some.collect([plane(0, of=5)], 0)
    for second in range(5, 120, 5):
        some.collect([plane(second, well="A2")], second)
        assert some.due(second) == []
    assert numbers([each for _, each in some.due(120)]) == [[0]]


def test_a_later_time_point_of_its_position_completes_a_stack() -> None:
    some = stacks()
    some.collect([plane(0), plane(1)], 0)
    some.collect([plane(0, well="A2", time_point=1)], 3)
    assert some.due(4) == [], "another position is no sign"
    some.collect([plane(0, time_point=1)], 4)
    assert numbers([each for _, each in some.due(4)]) == [[0, 1]]


def test_later_stacks_need_as_many_planes_as_earlier_ones_had() -> None:
    some = stacks()
    some.collect([plane(z) for z in range(3)], 0)
    some.due(20)
    later = [plane(z, well="B1", time_point=1) for z in range(3)]
    assert some.collect(later[:2], 30) == []
    assert numbers(some.collect(later[2:], 31)) == [[0, 1, 2]]


def test_a_stack_that_waits_is_complete_once_another_shows_how_many_planes_there_are() -> None:
    some = stacks()
    some.collect([plane(z) for z in range(3)], 0)
    some.collect([plane(z, time_point=1) for z in range(3)], 4)
    assert numbers([each for _, each in some.due(4)]) == [[0, 1, 2]]
    assert numbers([each for _, each in some.due(4)]) == [[0, 1, 2]], "the one of time point 1"


def test_a_late_plane_completes_the_stack_once_more() -> None:
    some = stacks()
    some.collect([plane(0), plane(2)], 0)
    ((_, first),) = some.due(20)
    late = some.collect([plane(1)], 30) + [each for _, each in some.due(40)]
    assert numbers(late) == [[0, 1, 2]]
    assert late[0].locator == first.locator
    assert late[0].fingerprint != first.fingerprint


def test_a_plane_that_is_found_again_gives_its_stack_again_unchanged() -> None:
    some = stacks()
    (before,) = some.collect([plane(0, of=2), plane(1, of=2)], 0)
    unread = replace(plane(1, of=2), content="")
    assert some.collect([unread], 5) == [before]
    (changed,) = some.collect([plane(1, of=2, mark="2")], 6)
    assert changed.fingerprint != before.fingerprint


def test_a_plane_that_is_there_twice_is_refused_and_the_first_one_counts() -> None:
    some = stacks()
    twin = replace(plane(1, of=2), locator="copy of z1.tif")
    refused, stack = some.collect([plane(0, of=2), plane(1, of=2), twin], 0)
    assert refused.reason == (
        "plane of a z-stack is there twice: copy of z1.tif (got plane 1 of"
        " HES7/p/A1/s0/t0000/phase, as A1_t0_z1.tif); take copies out of the folder, or write a"
        " `pattern` that tells them apart"
    )
    assert [each.locator for each in stack.planes] == ["A1_t0_z0.tif", "A1_t0_z1.tif"]
    assert gather([plane(0), plane(1), twin])[0].reason == refused.reason


def test_a_data_set_that_ended_gives_its_stacks_as_they_are() -> None:
    some = stacks()
    some.collect([plane(0, of=5)], 0, "one")
    some.collect([plane(0, well="A2", of=5)], 0, "two")
    assert len(some) == 2
    assert [group for group, _ in some.due(1, ended={"one"})] == ["one"]
    assert len(some) == 1


def test_stacks_that_were_offered_are_forgotten_first() -> None:
    some = Stacks(held=4)
    some.collect([plane(0, well="A1", of=2)], 0)
    for number in range(2, 6):
        some.collect([plane(z, well=f"A{number}", of=2) for z in range(2)], 0)
    (held,) = some.collect([plane(1, well="A1", of=2)], 0)
    assert numbers([held]) == [[0, 1]]


def test_a_ticket_of_the_ledger_gets_its_planes_back() -> None:
    some = stacks()
    (stack,) = some.collect([plane(z, of=2) for z in range(2)], 0)
    known = replace(ticket(stack), planes=())
    assert some.complete(known).planes == stack.planes
    alone = replace(known, fingerprint="12:34")
    assert some.complete(alone) is alone
    with pytest.raises(FrameError, match=r"planes of the z-stack are not known yet: A1_t0_z0.tif"):
        stacks().complete(known)


def ticket(stack: Found) -> FrameTicket:
    assert stack.key is not None
    return FrameTicket(
        key=stack.key,
        source="folder",
        locator=stack.locator,
        fingerprint=stack.fingerprint,
        seen_at=START,
        planes=stack.planes,
    )


class Files:
    """Frames by locator; None for one that cannot be read. Counts what is read."""

    def __init__(self, frames: Mapping[str, np.ndarray | None]) -> None:
        self.frames = frames
        self.read: list[str] = []

    def load(self, wanted: FrameTicket) -> Frame:
        assert not wanted.planes
        self.read.append(wanted.locator)
        pixels = self.frames[wanted.locator]
        if pixels is None:
            raise FrameError(f"{wanted.locator} is damaged")
        return Frame(
            key=wanted.key,
            pixels=pixels,
            pixel_size_um=1.0,
            acquired_at=START + timedelta(seconds=self.frames_before(wanted.locator)),
        )

    def frames_before(self, locator: str) -> int:
        return list(self.frames).index(locator)


def blurred(share: float, size: int = 64) -> np.ndarray:
    """A frame that is sharp in a share of its area."""
    frame = np.full((size, size), 500, np.uint16)
    rows = int(size * share)
    frame[:rows] += np.random.default_rng(1).integers(0, 300, (rows, size)).astype(np.uint16)
    return frame


def stack_of_three() -> FrameTicket:
    (stack,) = gather([plane(z) for z in range(3)])
    return ticket(stack)


def test_the_sharpest_plane_is_read_as_the_frame() -> None:
    files = Files({f"A1_t0_z{z}.tif": blurred(share) for z, share in enumerate((0.25, 1, 0))})
    frame = load_sharpest(stack_of_three(), files.load)
    assert np.array_equal(frame.pixels, blurred(1))
    assert frame.stack is not None
    assert frame.stack.z == 1
    assert frame.stack.measures()["z"] == 1
    assert frame.stack.measures()["z_planes"] == 3
    assert sum(frame.stack.scores.values()) == pytest.approx(1)
    assert frame.note.startswith("plane 1 is the sharpest of 3 (")
    assert frame.acquired_at == START, "the moment of the lowest plane, as the ticket has it"
    assert files.read == [f"A1_t0_z{z}.tif" for z in (0, 1, 2, 1)]


def test_a_single_plane_is_read_as_it_is() -> None:
    files = Files({"A1_t0_z0.tif": blurred(1)})
    alone = ticket(plane(0))
    assert load_sharpest(alone, files.load).stack is None
    (only,) = gather([plane(0)])
    assert load_sharpest(ticket(only), files.load).note == "plane 0 is the only one"
    assert files.read == ["A1_t0_z0.tif"] * 2


def test_a_plane_that_cannot_be_read_is_left_out_and_the_note_says_so() -> None:
    files = Files({"A1_t0_z0.tif": None, "A1_t0_z1.tif": blurred(0.1), "A1_t0_z2.tif": blurred(1)})
    frame = load_sharpest(stack_of_three(), files.load)
    assert frame.stack is not None
    assert (frame.stack.z, frame.stack.unread) == (2, 1)
    assert frame.note.endswith(", 1 more cannot be read")


def test_a_stack_without_a_plane_that_can_be_read_is_refused_with_the_reason_of_the_first() -> None:
    files = Files({f"A1_t0_z{z}.tif": None for z in range(3)})
    with pytest.raises(FrameError, match=r"A1_t0_z0.tif is damaged"):
        load_sharpest(stack_of_three(), files.load)


def test_planes_of_several_sizes_are_refused() -> None:
    sizes = {f"A1_t0_z{z}.tif": blurred(1, size) for z, size in enumerate((64, 32, 64))}
    with pytest.raises(FrameError, match=r"planes of the z-stack cannot be compared: A1_t0_z0.tif"):
        load_sharpest(stack_of_three(), Files(sizes).load)
