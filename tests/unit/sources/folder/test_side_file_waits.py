"""Images wait for the side file that lists them, and get more facts from it later."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from scopewatch.sources.folder.late_moments import LATE_S
from scopewatch.sources.folder.side_file_waits import SideFileWaits
from scopewatch.sources.layouts.beside import SERIES, PendingSideFile
from scopewatch.sources.readers.side_files import version_of
from tests.unit.sources.folder_scene import Make, Scene
from tests.unit.sources.images import pixels, write

SIDE = "_frame_metadata.json"
WAITS = (
    "side file does not list the image: {} (expected its well in _frame_metadata.json);"
    " wait while its program writes; else copy the side file as well"
)


def name(t: int, p: int) -> str:
    return f"{t * 10 + p:05}_t{t:04}_p{p:03}_c00.tif"


def say(folder: Path, *frames: tuple[int, int], runner_ms: float = 0.0) -> None:
    """Write the side file as pymmcore-plus does: all frames so far."""
    entries = {
        name(t, p): {
            "mda_event": {
                "index": {"t": t, "p": p, "c": 0},
                "pos_name": f"{'AB'[p]}1_0000",
                "channel": {"config": "Phase"},
            },
            "pixel_size_um": 0.65,
            "runner_time_ms": runner_ms,
        }
        for t, p in frames
    }
    (folder / SIDE).write_text(json.dumps(entries))


def shoot(folder: Path, t: int, p: int) -> None:
    write(folder / name(t, p), pixels(seed=t * 10 + p))


Advance = Callable[[float], None]


@pytest.fixture
def scene(make: Make) -> Scene:
    return make(pattern="useq", settle_s=2, give_up_s=120)


def test_an_image_is_read_once_the_side_file_names_it(tmp_path: Path, scene: Scene) -> None:
    shoot(tmp_path, 0, 0)
    scene.start()
    for _ in range(10):
        scene.later(5)
    assert scene.inbox.keys == []
    health = scene.source.health()
    assert health.waiting == 1
    assert health.detail.endswith("; 1 image waits for _frame_metadata.json")
    say(tmp_path, (0, 0))
    scene.later(1)
    assert scene.inbox.keys == ["HES7/plate/A1/s0/t0000/phase"]
    assert "wait" not in scene.source.health().detail


def test_an_image_of_a_position_that_was_named_before_is_read_at_once(
    tmp_path: Path, scene: Scene
) -> None:
    shoot(tmp_path, 0, 0)
    say(tmp_path, (0, 0))
    scene.start()
    scene.later(3)
    shoot(tmp_path, 1, 0)
    shoot(tmp_path, 1, 1)
    scene.later(0)
    scene.later(3)
    assert scene.inbox.keys[1:] == ["HES7/plate/A1/s0/t0001/phase"]
    say(tmp_path, (0, 0), (1, 0), (1, 1))
    scene.later(1)
    assert "HES7/plate/B1/s0/t0001/phase" in scene.inbox.keys


def test_a_moment_from_a_late_side_file_is_taken_up(tmp_path: Path, scene: Scene) -> None:
    shoot(tmp_path, 0, 0)
    say(tmp_path, (0, 0))
    scene.start()
    scene.later(3)
    shoot(tmp_path, 1, 0)
    scene.later(0)
    scene.later(3)
    early = scene.inbox.tickets[-1]
    assert early.elapsed_s == 12 * 3600, "by the interval"
    scene.ledger.settle(*scene.inbox.tickets)
    say(tmp_path, (0, 0), (1, 0), runner_ms=45_000_000)
    scene.later(2)
    scene.later(LATE_S)
    late = scene.inbox.tickets[-1]
    assert late is not early
    assert (late.key, late.fingerprint, late.elapsed_s) == (early.key, early.fingerprint, 45_000)
    scene.ledger.settle(late)
    offered = len(scene.inbox.tickets)
    for _ in range(5):
        scene.later(30)
    assert len(scene.inbox.tickets) == offered, "and once only"


def test_an_image_that_is_never_named_is_refused_visibly_and_read_once_named_after_all(
    tmp_path: Path, scene: Scene
) -> None:
    shoot(tmp_path, 0, 0)
    say(tmp_path, (0, 1))
    scene.start()
    scene.later(3)
    scene.later(121)
    assert scene.inbox.keys == [], "never guessed"
    assert scene.inbox.reasons == [WAITS.format(name(0, 0))]
    scene.ledger.settle(*scene.inbox.refusals)
    for _ in range(3):
        scene.later(30)
    assert len(scene.inbox.refusals) == 1
    say(tmp_path, (0, 1), (0, 0))
    scene.later(1)
    assert scene.inbox.keys == ["HES7/plate/A1/s0/t0000/phase"]
    assert scene.source.load(scene.inbox.tickets[0]).pixel_size_um == 0.65


def test_what_waits_is_found_again_after_a_restart(
    tmp_path: Path, scene: Scene, make: Make
) -> None:
    shoot(tmp_path, 0, 0)
    scene.start()
    scene.later(3)
    scene.later(121)
    again = make(pattern="useq", settle_s=2, give_up_s=120)
    again.ledger.settle(*scene.inbox.refusals)
    again.start()
    again.later(30)
    assert again.inbox.keys == []
    say(tmp_path, (0, 0))
    again.later(30)
    assert again.inbox.keys == ["HES7/plate/A1/s0/t0000/phase"]


INDEX = """<E><Images><Image><URL>{}</URL><Row>2</Row><Col>3</Col><FieldID>2</FieldID>
<ChannelID>1</ChannelID><ChannelName>Phase</ChannelName>
<ImageResolutionX Unit="m">6.5E-07</ImageResolutionX></Image></Images></E>"""
HARMONY = "r02c03f02p01-ch1sk5fk1fl1.tiff"


def test_a_scale_in_the_side_file_alone_is_waited_for_up_to_a_limit(
    tmp_path: Path, make: Make
) -> None:
    write(tmp_path / "Images" / HARMONY)
    scene = make(pattern="harmony", settle_s=2, give_up_s=120).start()
    scene.later(3)
    scene.later(60)
    assert scene.inbox.keys == []
    scene.later(61)
    (first,) = scene.inbox.tickets
    assert str(first.key) == "HES7/plate/B3/s2/t0004/ch1"
    assert scene.source.load(first).pixel_size_um is None
    scene.ledger.settle(first)
    (tmp_path / "Images" / "Index.xml").write_text(INDEX.format(HARMONY))
    scene.later(2)
    second = scene.inbox.tickets[-1]
    assert str(second.key) == "HES7/plate/B3/s2/t0004/phase"
    assert second.fingerprint != first.fingerprint, "it is judged again, by its scale"
    assert scene.source.load(second).pixel_size_um == pytest.approx(0.65)


def test_a_scale_that_the_user_sets_is_not_waited_for(tmp_path: Path, make: Make) -> None:
    write(tmp_path / HARMONY)
    scene = make(pattern="harmony", settle_s=2, um_per_px=0.65).start()
    scene.later(3)
    assert scene.inbox.keys == ["HES7/plate/B3/s2/t0004/ch1"]


def missing(path: Path) -> PendingSideFile:
    return PendingSideFile(side=SERIES, path=path, version=version_of(path))


def test_images_are_looked_at_again_when_their_side_file_changes_and_not_before(
    tmp_path: Path,
) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    two.write_text("x")
    awaiting = SideFileWaits()
    awaiting.note("a", [missing(one)])
    awaiting.note("b", [missing(one), missing(two)])
    awaiting.note("c", [missing(two)], waits=True)
    assert awaiting.changed(10) == []
    one.write_text("x")
    assert awaiting.changed(10.5) == [], "it looks once a second"
    assert awaiting.changed(11) == ["a", "b"]
    assert awaiting.changed(12) == []
    two.write_text("xy")
    awaiting.note("b", [])
    assert awaiting.changed(13) == ["c"]
    two.unlink()
    assert awaiting.changed(14) == [], "what is gone tells nothing"
    assert awaiting.detail == "1 image waits for two"
    awaiting.forget("c")
    assert awaiting.detail == ""
    assert len(awaiting) == 1


def test_a_side_file_that_changed_before_it_was_noted_is_not_missed(tmp_path: Path) -> None:
    side = tmp_path / "side"
    asked = missing(side)
    side.write_text("x")
    awaiting = SideFileWaits()
    awaiting.note("a", [asked])
    assert awaiting.changed(1) == ["a"]


def test_the_number_of_remembered_images_is_bounded(tmp_path: Path) -> None:
    awaiting = SideFileWaits(capacity=3)
    for index in range(10):
        awaiting.note(str(index), [missing(tmp_path / "side")], waits=True)
    assert len(awaiting) == 3
    assert awaiting.detail == "3 images wait for side"
