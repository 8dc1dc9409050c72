"""Files that are not complete in time are offered as they are, and again once complete."""

import errno
import logging
import os
from pathlib import Path

import pytest

from scopewatch.core.errors import FrameError, SourceError
from scopewatch.core.tickets import FrameTicket
from scopewatch.sources.folder.file_stability import GivenUp
from tests.unit.sources.folder_scene import Make, Scene
from tests.unit.sources.images import FRAME, pixels, write

KEY = "HES7/plate/A1/s0/t0003/phase"


def half(path: Path, whole: bytes) -> os.stat_result:
    """Write the first half of a file, at its full size."""
    path.write_bytes(whole[: len(whole) // 2] + bytes(len(whole) - len(whole) // 2))
    return path.stat()


def cut(path: Path, whole: bytes) -> os.stat_result:
    path.write_bytes(whole[: len(whole) // 2])
    return path.stat()


@pytest.fixture
def whole(tmp_path: Path) -> bytes:
    return write(tmp_path.parent / "whole.tif", pixels(200, 200), compression="lzw").read_bytes()


def given_up(scene: Scene) -> FrameTicket:
    """Wait until the only file is given up; return what was offered."""
    scene.later(121)
    (ticket,) = scene.inbox.tickets
    with pytest.raises(FrameError):
        scene.source.load(ticket)
    scene.ledger.settle(ticket)
    return ticket


def test_a_file_given_up_is_taken_once_whole_though_size_and_time_are_as_before(
    tmp_path: Path, make: Make, whole: bytes
) -> None:
    state = half(tmp_path / FRAME, whole)
    scene = make(settle_s=2, give_up_s=120).start()
    first = given_up(scene)
    for _ in range(3):
        scene.later(30)
    assert scene.inbox.tickets == [first], "it is offered once, however often it is checked"
    assert scene.source.health().waiting == 0
    (tmp_path / FRAME).write_bytes(whole)
    os.utime(tmp_path / FRAME, ns=(state.st_atime_ns, state.st_mtime_ns))
    scene.later(30)
    assert scene.inbox.keys == [KEY, KEY]
    assert scene.inbox.tickets[1].fingerprint != first.fingerprint
    assert scene.source.load(scene.inbox.tickets[1]).pixels.shape == (200, 200)
    scene.ledger.settle(scene.inbox.tickets[1])
    for _ in range(3):
        scene.later(300)
    assert len(scene.inbox.tickets) == 2


def test_a_file_given_up_that_goes_on_growing_is_waited_for_again(
    tmp_path: Path, make: Make, whole: bytes
) -> None:
    cut(tmp_path / FRAME, whole)
    scene = make(settle_s=2, give_up_s=120).start()
    given_up(scene)
    (tmp_path / FRAME).write_bytes(whole)
    scene.later(0)
    assert len(scene.inbox.tickets) == 1, "it may still be written"
    scene.later(2)
    assert scene.inbox.keys == [KEY, KEY]


@pytest.mark.parametrize("control", [".aria2", ".lftp-pget-status", ".st"])
def test_a_file_that_is_fetched_in_pieces_waits_for_its_control_file_to_go(
    tmp_path: Path, make: Make, control: str
) -> None:
    write(tmp_path / FRAME)
    beside = tmp_path / f"{FRAME}{control}"
    beside.touch()
    scene = make(settle_s=2, give_up_s=120).start()
    scene.later(60)
    assert (scene.inbox.tickets, scene.source.health().waiting) == ([], 1)
    scene.later(60)
    (ticket,) = scene.inbox.tickets
    with pytest.raises(FrameError) as error:
        scene.source.load(ticket)
    assert str(error.value) == (
        f"image file is still being fetched: {tmp_path / FRAME} (got {beside.name} beside it);"
        " let that program finish; or remove its file if this one is complete"
    )
    scene.ledger.settle(ticket)
    beside.unlink()
    scene.later(30)
    assert scene.inbox.keys == [KEY, KEY]
    assert scene.source.load(scene.inbox.tickets[1]).pixels.shape == (24, 32)


def test_a_file_given_up_before_a_restart_is_neither_reported_nor_waited_for_again(
    tmp_path: Path, make: Make, whole: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    state = half(tmp_path / FRAME, whole)
    first = make(settle_s=2, give_up_s=120).start()
    given_up(first)
    first.source.stop()
    caplog.clear()
    caplog.set_level(logging.WARNING)
    again = make(settle_s=2, give_up_s=120)
    again.ledger = first.ledger
    again.start()
    again.later(200)
    assert (again.inbox.tickets, again.source.health().waiting) == ([], 0)
    assert "never complete" not in caplog.text
    (tmp_path / FRAME).write_bytes(whole)
    os.utime(tmp_path / FRAME, ns=(state.st_atime_ns, state.st_mtime_ns))
    again.later(30)
    assert again.inbox.keys == [KEY]


def test_a_file_given_up_that_the_worker_had_to_let_go_is_handed_on_again(
    tmp_path: Path, make: Make, whole: bytes
) -> None:
    cut(tmp_path / FRAME, whole)
    scene = make(settle_s=2, give_up_s=120).start()
    scene.later(121)
    scene.later(599)
    assert len(scene.inbox.tickets) == 1
    scene.later(1)
    assert len(scene.inbox.tickets) == 2
    assert scene.inbox.tickets[0].fingerprint == scene.inbox.tickets[1].fingerprint


def test_a_file_that_changed_after_it_was_given_up_is_not_loaded_half_way(
    tmp_path: Path, make: Make, whole: bytes
) -> None:
    cut(tmp_path / FRAME, whole)
    scene = make(settle_s=2, give_up_s=120).start()
    scene.later(121)
    (ticket,) = scene.inbox.tickets
    (tmp_path / FRAME).write_bytes(whole)
    with pytest.raises(FrameError, match="was not whole in time, and has changed since"):
        scene.source.load(ticket)
    scene.ledger.settle(ticket)
    scene.later(0)
    scene.later(2)
    assert len(scene.inbox.tickets) == 2
    assert scene.source.load(scene.inbox.tickets[1]).pixels.shape == (200, 200)


def test_of_many_given_up_each_scan_looks_at_some_in_turn() -> None:
    files = GivenUp(capacity=5, looks=2)
    for name in "abcdef":
        files.note(name, "1")
    assert (len(files), files.holds("a", "1"), files.holds("b", "1")) == (5, False, True)
    seen = [locator for _ in range(3) for locator, _ in files.turn()]
    assert seen == ["b", "c", "d", "e", "f", "b"]
    files.forget("c")
    assert not files.holds("c", "1")
    assert not files.holds("d", "2")


def test_a_frame_whose_share_does_not_answer_is_not_blamed_for_it(
    tmp_path: Path, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / FRAME)
    scene = make().start()
    (ticket,) = scene.inbox.tickets
    opened = Path.open

    def fail(path: Path, *args: object, **kwargs: object) -> object:
        if path.name == FRAME:
            raise OSError(errno.EHOSTDOWN, "Host is down", str(path))
        return opened(path, *args, **kwargs)  # type: ignore[call-overload]

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", fail)
        with pytest.raises(SourceError) as error:
            scene.source.load(ticket)
    assert str(error.value) == (
        f"share or disk of the source does not answer: {tmp_path} (got Host is down);"
        " check the share, its server and the network; frames are read once it is back"
    )
    assert scene.source.load(ticket).pixels.shape == (24, 32)


def test_a_frame_of_a_folder_that_went_or_was_unmounted_is_not_blamed_for_it(
    tmp_path: Path, make: Make
) -> None:
    root = tmp_path / "share"
    write(root / FRAME)
    scene = make(root).start()
    (ticket,) = scene.inbox.tickets
    root.rename(tmp_path / "aside")
    with pytest.raises(SourceError, match="does not answer"):
        scene.source.load(ticket)
    root.mkdir()
    with pytest.raises(SourceError, match="does not answer"):
        scene.source.load(ticket)
    root.rmdir()
    (tmp_path / "aside").rename(root)
    assert scene.source.load(ticket).pixels.shape == (24, 32)


def test_a_file_that_was_deleted_is_blamed_itself(tmp_path: Path, make: Make) -> None:
    write(tmp_path / FRAME)
    scene = make().start()
    (tmp_path / FRAME).unlink()
    with pytest.raises(FrameError, match="image file cannot be read"):
        scene.source.load(scene.inbox.tickets[0])
