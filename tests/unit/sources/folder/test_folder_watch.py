import gc
import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from watchdog.events import DirCreatedEvent, DirMovedEvent, FileCreatedEvent, FileMovedEvent
from watchdog.observers.api import BaseObserver
from watchdog.observers.inotify_c import Inotify

from scopewatch.sources.base import away
from scopewatch.sources.folder.touches import Touches
from scopewatch.sources.folder.watch import RENEW_MOVES, RENEW_S, FolderWatch


def watch(path: Path, *, poll: bool = False) -> FolderWatch:
    return FolderWatch("folder", path, recursive=True, poll=poll)


def test_touches_are_collected_and_drained() -> None:
    touches = Touches()
    touches.on_any_event(FileCreatedEvent("/w/a.tif"))
    touches.on_any_event(FileMovedEvent("/w/b.part", "/w/b.tif"))
    assert touches.drain() == [("/w/a.tif", False), ("/w/b.tif", True)]
    assert touches.drain() == []


def test_each_touch_is_reported_at_once() -> None:
    reported: list[int] = []
    touches = Touches(root="/w", touched=lambda: reported.append(1))
    touches.on_any_event(FileCreatedEvent("/w/a.tif"))
    touches.on_any_event(DirCreatedEvent("/w/run"))
    touches.on_any_event(FileCreatedEvent("/w/a.ome.zarr/0/0"))
    assert len(reported) == 2


def test_a_full_queue_asks_for_a_walk() -> None:
    touches = Touches(capacity=2)
    for name in "abc":
        touches.on_any_event(FileCreatedEvent(f"/w/{name}.tif"))
    assert [path for path, _ in touches.drain()] == ["/w/b.tif", "/w/c.tif"]
    assert touches.lost


def test_new_folders_are_collected_since_files_may_have_come_with_them() -> None:
    touches = Touches()
    touches.on_any_event(DirCreatedEvent("/w/run"))
    touches.on_any_event(DirCreatedEvent("/w/run"))
    touches.on_any_event(DirMovedEvent("/w/.part", "/w/day 3"))
    assert touches.drain() == []
    assert touches.drain_folders() == ["/w/run", "/w/day 3"]
    assert touches.drain_folders() == []
    assert not touches.lost


def test_more_new_folders_than_the_queue_holds_ask_for_a_walk() -> None:
    touches = Touches(capacity=2)
    for name in "abc":
        touches.on_any_event(DirCreatedEvent(f"/w/{name}"))
    assert touches.lost
    assert touches.drain_folders() == ["/w/b", "/w/c"]


def test_a_watched_folder_is_alive_until_stopped(tmp_path: Path) -> None:
    watched = watch(tmp_path)
    assert not watched.alive()
    watched.start()
    assert watched.alive()
    assert not watched.check(0.0)
    watched.stop()
    watched.stop()
    assert not watched.alive()


def test_an_empty_mount_point_is_no_watched_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    share = tmp_path / "share"
    share.mkdir()
    devices = {share: 77}

    def identify(root: Path) -> away.Identity:
        state = root.stat()
        return devices.get(root, state.st_dev), state.st_ino

    monkeypatch.setattr(away, "identify", identify)
    watched = watch(share, poll=True)
    watched.start()
    del devices[share]
    for _ in range(2):
        assert not watched.check(0.0)
    assert (watched.present, watched.alive()) == (False, False)
    assert watched.trouble == f"{share} is gone: nothing is mounted on it"
    assert caplog.text.count("watched folder is gone") == 1
    with pytest.raises(OSError, match="nothing is mounted on it"):
        watched.start()
    devices[share] = 78
    assert watched.check(0.0), "what came meanwhile is found by a walk"
    assert watched.alive()


def test_an_observer_that_has_seen_many_renamings_is_renewed_and_the_folder_walked(
    tmp_path: Path, eventually: Callable[..., None]
) -> None:
    watched = watch(tmp_path)
    watched.start()
    before = set(threading.enumerate())
    for index in range(RENEW_MOVES - 1):
        watched.touches.on_any_event(FileMovedEvent(f"/w/{index}.part", f"/w/{index}.tif"))
    assert not watched.check(0.0)
    watched.touches.on_any_event(FileMovedEvent("/w/last.part", "/w/last.tif"))
    assert watched.check(1.0)
    assert set(threading.enumerate()) - before, "another observer"
    assert watched.alive()
    assert not watched.check(2.0), "it begins to count again"
    watched.touches.drain()
    begun = tmp_path / "after.part"
    begun.write_bytes(b"1")
    begun.rename(tmp_path / "after.tif")
    touched: list[tuple[str, bool]] = []

    def renaming_was_noticed() -> bool:
        touched.extend(watched.touches.drain())
        return (str(tmp_path / "after.tif"), True) in touched

    eventually(renaming_was_noticed)
    watched.stop()


def test_an_observer_that_was_renewed_is_gone_at_once_with_what_it_kept(tmp_path: Path) -> None:
    watched = watch(tmp_path)
    watched.start()
    assert not watched.check(0.0)
    gc.collect()
    others = observers() - 1
    # Python itself collects cycles at any time.
    gc.disable()
    try:
        assert watched.check(RENEW_S)
        assert observers() == others + 1
    finally:
        gc.enable()
        watched.stop()


def test_while_an_observer_is_renewed_the_folder_is_watched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = watch(tmp_path)
    watched.start()
    assert not watched.check(0.0)
    seen: list[bool] = []
    schedule, stop = BaseObserver.schedule, BaseObserver.stop

    def scheduling(observer: BaseObserver, *call: Any, **options: Any) -> object:
        seen.append(watched.alive())
        return schedule(observer, *call, **options)

    def stopping(observer: BaseObserver) -> None:
        seen.append(watched.alive())
        stop(observer)

    with monkeypatch.context() as patched:
        patched.setattr(BaseObserver, "schedule", scheduling)
        patched.setattr(BaseObserver, "stop", stopping)
        assert watched.check(RENEW_S)
    assert seen == [True, True]
    watched.stop()


def test_an_observer_goes_on_where_no_other_can_be_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> object:
        raise OSError(24, "inotify instance limit reached")

    watched = watch(tmp_path)
    watched.start()
    assert not watched.check(0.0)
    with monkeypatch.context() as patched:
        patched.setattr(BaseObserver, "schedule", full)
        assert watched.check(RENEW_S)
    assert watched.alive()
    assert not watched.polling
    assert watched.trouble == ""
    assert not watched.check(RENEW_S + 1), "it is tried again after a day"
    watched.stop()


def observers() -> int:
    """Return the number of observers in this process, running or not, by their inotify handles."""
    return sum(issubclass(type(each), Inotify) for each in gc.get_objects())


def test_an_observer_is_renewed_every_day_and_one_that_polls_never(tmp_path: Path) -> None:
    watched, polled = watch(tmp_path), watch(tmp_path, poll=True)
    for each in (watched, polled):
        each.start()
        assert not each.check(50.0)
        assert not each.check(50.0 + RENEW_S - 1)
    assert watched.check(50.0 + RENEW_S)
    assert not watched.check(50.0 + RENEW_S + 1)
    assert not polled.check(50.0 + RENEW_S)
    watched.stop()


def test_an_observer_that_keeps_dying_gives_way_to_polling(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    watched = watch(tmp_path)
    watched.start()
    watched.stop()
    assert watched.check(100.0)
    assert (watched.alive(), watched.polling) == (True, False)
    watched.stop()
    assert not watched.check(104.0)
    assert not watched.alive()
    assert watched.check(105.0)
    assert (watched.alive(), watched.polling) == (True, True)
    assert watched.trouble == f"{tmp_path} by polling, since events fail: the observer keeps dying"
    assert "events fail, the folder is polled instead" in caplog.text


def test_an_observer_the_system_refuses_gives_way_to_polling(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: BaseObserver) -> None:
        raise OSError(28, "inotify watch limit reached")

    monkeypatch.setattr(BaseObserver, "start", refuse)
    watched = watch(tmp_path)
    watched.start()
    assert watched.polling
    assert watched.trouble.endswith("since events fail: inotify watch limit reached")
    assert watched.alive()


def test_polling_needs_no_observer(tmp_path: Path) -> None:
    watched = watch(tmp_path, poll=True)
    watched.start()
    assert watched.alive()
    assert not watched.check(0.0)


def test_a_folder_that_was_replaced_is_watched_again(tmp_path: Path) -> None:
    root = tmp_path / "share"
    root.mkdir()
    watched = watch(root)
    watched.start()
    root.rename(tmp_path / "old")
    assert not watched.check(0.0)
    assert not watched.alive()
    assert watched.trouble == f"{root} is gone: No such file or directory"
    root.mkdir()
    assert watched.check(0.1)
    assert watched.alive()
    watched.stop()
