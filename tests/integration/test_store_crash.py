"""The process dies at any moment; afterwards everything happened exactly once in effect."""

import multiprocessing
import os
import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from scopewatch.config import ExperimentConfig, OverlayConfig
from scopewatch.core.alert import AlertRule, RuleKind
from scopewatch.core.alert_monitor import blind
from scopewatch.core.errors import StoreError
from scopewatch.core.frame import FrameKey, FrameTicket
from scopewatch.core.ports import Settled
from scopewatch.core.tiling import TileGrid
from scopewatch.runtime.hand import Hand
from scopewatch.runtime.outcome import Ending, Outcome
from scopewatch.runtime.path import FramePath
from scopewatch.store import overlays as overlays_module
from scopewatch.store.overlays import OverlayFolder
from scopewatch.store.queries import Reader
from tests.conftest import FakeClock
from tests.unit.runtime.fakes import FakeSource
from tests.unit.store.scene import (
    RULES,
    START,
    Scene,
    frame_of,
    judged,
    key,
    open_store,
    tables,
    ticket,
)

WELLS = ("A1", "B2")
GRID = TileGrid(height=64, width=64, tile_px=16)
KILLS = 20


def frames_of(time_points: int) -> tuple[FrameKey, ...]:
    return tuple(key(well, time_point) for time_point in range(time_points) for well in WELLS)


FEW, MANY = frames_of(6), frames_of(25)


class PowerCutError(BaseException):
    """Like a power cut, nothing that the code under test may catch."""


def fraction_of(frame: FrameKey) -> float:
    return 0.1 if frame.well == "A1" else 0.75


def work(folder: Path, frames: tuple[FrameKey, ...], progress: Connection | None = None) -> None:
    """What the worker does, frame by frame, as far as it comes."""
    clock = FakeClock()

    def report() -> None:
        if progress is not None:
            progress.send_bytes(b"step")

    # Many attempts: here the process is killed, not the frame to blame.
    store = open_store(folder, clock, max_attempts=1000)
    overlays = OverlayFolder(
        folder / "overlays",
        options=OverlayConfig(),
        experiment=ExperimentConfig(name="run 7"),
        threshold=0.5,
    )
    overlays.sweep()
    for name in frames:
        offered = ticket(name)
        if store.settled("folder", [(offered.locator, "1")]) or not store.claim(offered, RULES):
            continue
        report()
        frame, result = frame_of(name), judged(name, fraction_of(name), grid=GRID)
        day = store.day_of(name, frame.acquired_at, offered.seen_at)
        written = overlays.write(frame, result, day)
        report()
        store.commit(offered, frame, result, written, day, RULES)
        report()
    store.close()


def expect_all_done_once(folder: Path, frames: tuple[FrameKey, ...]) -> None:
    connection = sqlite3.connect(folder / "scopewatch.db")
    rows = connection.execute("PRAGMA integrity_check").fetchall()
    violations = connection.execute("PRAGMA foreign_key_check").fetchall()
    connection.close()
    assert (rows, violations) == ([("ok",)], [])
    found = tables(folder)
    assert [row[7] for row in found["frames"]] == ["done"] * len(frames)
    assert len(found["results"]) == len(found["tile_scores"]) == len(frames)
    assert len(found["alerts"]) == len(found["outbox"]) == 1
    on_disk = {
        str(path.relative_to(folder / "overlays"))
        for path in (folder / "overlays").rglob("*")
        if path.is_file()
    }
    assert on_disk == {name for row in found["results"] for name in (row[9], row[10])}


@contextmanager
def cut_at(statement: int) -> Iterator[list[str]]:
    """Cut the power before the n-th statement that any database connection executes."""
    seen: list[str] = []

    def count(_connection: object, _cursor: object, text: str, *_: object) -> None:
        seen.append(text)
        if len(seen) == statement:
            raise PowerCutError(text)

    def count_commit(_connection: object) -> None:
        count(None, None, "COMMIT")

    event.listen(Engine, "before_cursor_execute", count)
    event.listen(Engine, "commit", count_commit)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", count)
        event.remove(Engine, "commit", count_commit)


def settle(scene: Scene) -> None:
    """The commit that raises the alert: everything a commit can write, it writes."""
    scene.commit(ticket(key(time_point=1)), 0.1)


def prepare(folder: Path) -> Scene:
    scene = Scene(store=open_store(folder, FakeClock()), folder=folder)
    scene.score(key(time_point=0), 0.1)
    scene.store.claim(ticket(key(time_point=1)), RULES)
    return scene


def test_a_commit_cut_at_any_statement_leaves_nothing_and_is_repeated_whole(
    tmp_path: Path,
) -> None:
    whole = prepare(tmp_path / "whole")
    with cut_at(0) as statements:
        settle(whole)
    expected = tables(whole.folder)
    whole.store.close()
    assert len(expected["outbox"]) == 1
    assert len(statements) > 15
    assert statements[-1] == "COMMIT"
    scene = prepare(tmp_path / "cut")
    before = tables(scene.folder)
    # The statements before the writing transaction only read the day; each is a crash too.
    for statement in range(1, len(statements) + 1):
        with cut_at(statement), pytest.raises(PowerCutError):
            settle(scene)
        assert tables(scene.folder) == before, statements[statement - 1]
    settle(scene)
    assert tables(scene.folder) == expected
    scene.store.close()


PLATE = ("A1", "A2", "A3", "A4", "A5", "A6")
PLATE_RULES = (
    AlertRule(name="soon", kind=RuleKind.WEAK_FORECAST, escalate_after_h=24),
    AlertRule(name="plate", kind=RuleKind.PLATE_COLLAPSE, escalate_after_h=24),
)
BLIND = AlertRule(name="blind", kind=RuleKind.BLIND)


def prepare_plate(folder: Path) -> Scene:
    """A plate of weak wells, one frame short of its collapse."""
    store = open_store(folder, FakeClock(), started_at=START)
    scene = Scene(store=store, folder=folder, rules=PLATE_RULES)
    for time_point in (10, 11):
        for well in PLATE[: 6 if time_point == 10 else 5]:
            scene.score(key(well, time_point), 0.75 if time_point == 10 else 0.1)
    store.claim(ticket(key(PLATE[-1], 11)), PLATE_RULES)
    return scene


def close_the_round(scene: Scene) -> None:
    scene.commit(ticket(key(PLATE[-1], 11)), 0.1)


def let_a_day_pass(scene: Scene) -> None:
    later = open_store(scene.folder, FakeClock(), started_at=START)
    later._clock.advance(25 * 3600)  # type: ignore[attr-defined]  # the fake one above
    try:
        later.let_time_pass(PLATE_RULES)
    finally:
        later.close()


def find_silence(scene: Scene) -> None:
    at = FakeClock().now()
    seen = blind(at=at, last_frame_at=at - timedelta(hours=30), interval_h=12, expected=True)
    scene.store.watch([(BLIND, seen)])


@pytest.mark.parametrize("act", [close_the_round, let_a_day_pass, find_silence])
def test_a_step_of_plate_clock_or_monitor_cut_anywhere_is_repeated_whole(
    tmp_path: Path, act: Callable[[Scene], None]
) -> None:
    whole = prepare_plate(tmp_path / "whole")
    if act is let_a_day_pass:
        close_the_round(whole)
    before = tables(whole.folder)
    with cut_at(0) as statements:
        act(whole)
    expected = tables(whole.folder)
    assert len(expected["outbox"]) == len(before["outbox"]) + 1
    whole.store.close()
    scene = prepare_plate(tmp_path / "cut")
    if act is let_a_day_pass:
        close_the_round(scene)
    # Every third: each costs a look at all tables, and any of them is a crash like the others.
    for statement in (*range(1, len(statements), 3), len(statements)):
        with cut_at(statement), pytest.raises(PowerCutError):
            act(scene)
        assert tables(scene.folder) == before, statements[statement - 1]
    act(scene)
    assert tables(scene.folder) == expected
    act(scene)
    assert tables(scene.folder) == expected, "once in effect, however often it is repeated"
    scene.store.close()


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_picture_cut_at_any_step_is_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    target, name = {"fsync": (os, "fsync"), "replace": (Path, "replace")}[step]
    real: Callable[..., object] = getattr(target, name)
    calls = 0

    def cut(*arguments: object) -> object:
        nonlocal calls
        calls += 1
        if calls % 7 == 3:
            raise PowerCutError(step)
        return real(*arguments)

    monkeypatch.setattr(target, name, cut)
    cuts = 0
    while True:
        try:
            work(tmp_path, FEW)
        except PowerCutError:
            cuts += 1
        else:
            break
    assert cuts > 3
    expect_all_done_once(tmp_path, FEW)


def test_a_full_disk_is_told_and_the_frame_is_done_once_there_is_space(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(StoreError, match="No space left on device"):
            work(tmp_path, FEW)
    work(tmp_path, FEW)
    expect_all_done_once(tmp_path, FEW)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork: a fresh process each is too slow")
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_killed_at_random_moments_every_frame_is_done_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    rng = random.Random(1)
    for _ in range(KILLS):
        here, there = context.Pipe()
        process = context.Process(target=work, args=(tmp_path, MANY, there))
        process.start()
        for _ in range(rng.randrange(5)):
            assert here.poll(30)
            here.recv_bytes()
        process.join(timeout=rng.uniform(0.0, 0.02))
        assert process.exitcode is None, "killed while at work"
        process.kill()
        process.join()
    work(tmp_path, MANY)
    attempts = [row[8] for row in tables(tmp_path)["frames"]]
    assert sum(attempts) > len(MANY), "no kill struck a frame in hand"
    expect_all_done_once(tmp_path, MANY)


class Bystander:
    """Hears of nothing."""

    def ended(self, outcome: Outcome) -> None:
        """Note nothing."""

    def failed(self, step: str) -> None:
        """Note nothing."""


class Life:
    """A life of the worker, from its start until the power is cut; two attempts at a frame."""

    def __init__(self, folder: Path) -> None:
        self.store = open_store(folder, FakeClock(), max_attempts=2)
        self.reader = Reader.open(folder)
        self.overlays = OverlayFolder(
            folder / "overlays",
            options=OverlayConfig(),
            experiment=ExperimentConfig(name="run 7"),
            threshold=0.5,
            named=self.reader.named_with,
        )
        for left in self.reader.without_result():
            self.overlays.discard(left)

    def walk(self, offered: FrameTicket, *, commits: bool = True, removes: bool = True) -> Ending:
        """Carry a frame to its end, or until its commit or the removal of a picture is cut."""

        def cut(*_: object, **__: object) -> Settled:
            raise PowerCutError

        source = FakeSource()
        source.load = lambda ticket: frame_of(ticket.key)  # type: ignore[method-assign]
        path = FramePath(
            sources={"folder": source},
            analyse=lambda frame: judged(frame.key, 0.75, grid=GRID),
            store=self.store,
            overlays=self.overlays,
            rules=RULES,
            phase_channel="phase",
        )
        hand = Hand(
            item=offered,
            claimed=False,
            patience_s=0,
            clock=FakeClock(),
            pause=lambda _: True,
            observer=Bystander(),
        )
        with pytest.MonkeyPatch.context() as patch:
            if not commits:
                patch.setattr(self.store, "commit", cut)
            if not removes:
                patch.setattr(overlays_module, "remove_picture", cut)
            return path.walk(hand).ending

    def end(self) -> None:
        self.reader.close()
        self.store.close()


def pictures_in(folder: Path) -> set[str]:
    pictures = folder / "overlays"
    return {str(path.relative_to(pictures)) for path in pictures.rglob("*") if path.is_file()}


@pytest.mark.parametrize("scored_before", [False, True], ids=["new", "rewritten"])
@pytest.mark.parametrize("again", [False, True], ids=["", "cut again while it tidies up"])
def test_a_frame_cut_off_before_its_last_commit_leaves_one_reason_and_no_picture(
    tmp_path: Path, scored_before: bool, again: bool
) -> None:
    other, name = ticket(key("A1")), ticket(key("B2"), fingerprint="2")
    life = Life(tmp_path)
    assert life.walk(other) is Ending.SCORED
    kept = pictures_in(tmp_path)
    if scored_before:
        assert life.walk(ticket(key("B2"))) is Ending.SCORED
    for _ in range(2):
        life.end()
        life = Life(tmp_path)
        with pytest.raises(PowerCutError):
            life.walk(name, commits=False)
        assert len(pictures_in(tmp_path)) == 2 * len(kept), "drawn, and cut before the commit"
    if again:
        with pytest.raises(PowerCutError):
            life.walk(name, removes=False)
        assert len(pictures_in(tmp_path)) == 2 * len(kept)
        life.end()
        life = Life(tmp_path)
    else:
        assert life.walk(name) is Ending.KNOWN
    life.end()
    found = tables(tmp_path)
    assert [(row[0], row[7]) for row in found["frames"]] == [("A1", "done"), ("B2", "quarantined")]
    assert [row[0] for row in found["results"]] == ["A1"]
    assert pictures_in(tmp_path) == kept == {n for row in found["results"] for n in row[9:]}


def test_an_acquisition_keeps_its_number_over_a_restart(tmp_path: Path) -> None:
    store = open_store(tmp_path, FakeClock())
    assert [store.acquisition("ndtiff", "HES7_1", name) for name in "aba"] == [1, 2, 1]
    store.close()
    again = open_store(tmp_path, FakeClock())
    assert [again.acquisition("ndtiff", "HES7_1", name) for name in "bac"] == [2, 1, 3]
    assert again.acquisition("ndtiff", "HES7_2", "c") == 1
    again.close()
