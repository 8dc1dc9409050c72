"""The process is killed at each step: picture, statement, commit and cleanup."""

import multiprocessing
import os
import random
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from scopewatch.app.run_policy import policy_of
from scopewatch.config import OverlayConfig, RunConfig
from scopewatch.core.errors import StoreError
from scopewatch.core.imaging.frame import FrameKey
from scopewatch.core.tickets import Mark
from scopewatch.runtime.pipeline.outcome import FrameOutcome
from scopewatch.store.files.overlays import OverlayFolder
from scopewatch.store.schema.place import Place
from tests.conftest import FakeClock
from tests.integration.crashes import (
    FEW,
    GRID,
    MANY,
    Life,
    PowerCutError,
    expect_whole,
    forks,
    leaves_connections,
    needs_fork,
    pictures_in,
)
from tests.postgres import Places
from tests.unit.store.scene import frame_of, judged, key, open_store, tables, ticket

pytestmark = leaves_connections
KILLS = 20


def fraction_of(frame: FrameKey) -> float:
    return 0.1 if frame.well == "A1" else 0.75


def work(
    place: Place, folder: Path, frames: tuple[FrameKey, ...], progress: Connection | None = None
) -> None:
    """Process frame by frame as the worker does, until the process is killed."""
    clock = FakeClock()

    def report() -> None:
        if progress is not None:
            progress.send_bytes(b"step")

    # Many attempts: the test kills the process, the frame is not the cause.
    store = open_store(place, clock, max_attempts=1000)
    overlays = OverlayFolder(
        folder / "overlays",
        options=OverlayConfig(),
        policy=policy_of(RunConfig(name="run 7")),
        threshold=0.5,
    )
    overlays.sweep()
    for name in frames:
        offered = ticket(name)
        if store.settled("folder", [Mark(offered.locator, "1")]) or not store.claim(offered):
            continue
        report()
        frame, result = frame_of(name), judged(name, fraction_of(name), grid=GRID)
        written = overlays.write(frame, result, store.day_of(offered, frame))
        report()
        store.commit(offered, frame, result, written)
        report()
    store.close()


def expect_all_done_once(place: Place, folder: Path, frames: tuple[FrameKey, ...]) -> None:
    expect_whole(place)
    found = tables(place)
    assert [row[7] for row in found["frames"]] == ["done"] * len(frames)
    assert len(found["results"]) == len(found["tile_scores"]) == len(frames)
    assert len(found["alerts"]) == len(found["outbox"]) == 1
    assert pictures_in(folder) == {name for row in found["results"] for name in (row[9], row[10])}


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_picture_cut_at_any_step_is_written_again(
    tmp_path: Path, places: Places, monkeypatch: pytest.MonkeyPatch, step: str
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
            work(places.of(tmp_path), tmp_path, FEW)
        except PowerCutError:
            cuts += 1
        else:
            break
    assert cuts > 3
    expect_all_done_once(places.of(tmp_path), tmp_path, FEW)


def test_a_full_disk_is_reported_and_the_frame_is_done_once_there_is_space(
    tmp_path: Path, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(StoreError, match="No space left on device"):
            work(places.of(tmp_path), tmp_path, FEW)
    work(places.of(tmp_path), tmp_path, FEW)
    expect_all_done_once(places.of(tmp_path), tmp_path, FEW)


@needs_fork
@forks
def test_killed_at_random_moments_every_frame_is_done_once(tmp_path: Path, places: Places) -> None:
    context = multiprocessing.get_context("fork")
    rng = random.Random(1)
    for _ in range(KILLS):
        here, there = context.Pipe()
        process = context.Process(target=work, args=(places.of(tmp_path), tmp_path, MANY, there))
        process.start()
        for _ in range(rng.randrange(5)):
            assert here.poll(30)
            here.recv_bytes()
        process.join(timeout=rng.uniform(0.0, 0.02))
        assert process.exitcode is None, "killed while at work"
        process.kill()
        process.join()
    work(places.of(tmp_path), tmp_path, MANY)
    attempts = [row[8] for row in tables(places.of(tmp_path))["frames"]]
    assert sum(attempts) > len(MANY), "no kill struck a frame under way"
    expect_all_done_once(places.of(tmp_path), tmp_path, MANY)


@pytest.mark.parametrize("scored_before", [False, True], ids=["new", "rewritten"])
@pytest.mark.parametrize("again", [False, True], ids=["", "cut again while it tidies up"])
def test_a_frame_cut_off_before_its_last_commit_leaves_one_reason_and_no_picture(
    tmp_path: Path, places: Places, scored_before: bool, again: bool
) -> None:
    other, name = ticket(key("A1")), ticket(key("B2"), fingerprint="2")
    life = Life(places.of(tmp_path), tmp_path)
    assert life.walk(other) is FrameOutcome.SCORED
    kept = pictures_in(tmp_path)
    if scored_before:
        assert life.walk(ticket(key("B2"))) is FrameOutcome.SCORED
    for _ in range(2):
        life.end()
        life = Life(places.of(tmp_path), tmp_path)
        with pytest.raises(PowerCutError):
            life.walk(name, commits=False)
        assert len(pictures_in(tmp_path)) == 2 * len(kept), "drawn, and cut before the commit"
    if again:
        with pytest.raises(PowerCutError):
            life.walk(name, removes=False)
        assert len(pictures_in(tmp_path)) == 2 * len(kept)
        life.end()
        life = Life(places.of(tmp_path), tmp_path)
    else:
        assert life.walk(name) is FrameOutcome.KNOWN
    life.end()
    found = tables(places.of(tmp_path))
    assert [(row[0], row[7]) for row in found["frames"]] == [("A1", "done"), ("B2", "quarantined")]
    assert [row[0] for row in found["results"]] == ["A1"]
    assert pictures_in(tmp_path) == kept == {n for row in found["results"] for n in row[9:]}
