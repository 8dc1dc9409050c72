"""SIGKILL at random steps of a frame's processing, other steps each day: invariants hold."""

import multiprocessing
import os
import random
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from scopewatch.core.imaging.frame import FrameKey
from scopewatch.runtime.pipeline.outcome import FrameOutcome
from scopewatch.store.schema.place import Place
from tests.conftest import FakeClock
from tests.integration.crashes import FEW, Life, expect_whole, forks, needs_fork, pictures_in
from tests.postgres import Places
from tests.unit.store.scene import open_store, tables, ticket

KILLS = 20


class Dying:
    """Count the steps of this process that change a disk, and kill it at one of them.

    A step is a statement or a commit of the database, or a call that writes, syncs, renames,
    makes or removes a file. The kill comes before the step; a write is cut in half.
    """

    CALLS = (
        (os, "fsync"), (Path, "write_bytes"), (Path, "chmod"), (Path, "replace"),
        (Path, "mkdir"), (Path, "unlink"),
    )  # fmt: skip

    def __init__(self, at: int, trace: Path) -> None:
        self._left = at
        self._trace = os.open(trace, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        for owner, name in self.CALLS:
            setattr(owner, name, self._counted(name, getattr(owner, name)))
        event.listen(Engine, "before_cursor_execute", self._statement)
        event.listen(Engine, "commit", lambda _: self._step("commit"))

    def _statement(self, _connection: object, _cursor: object, text: str, *_: object) -> None:
        self._step(text.split(maxsplit=1)[0].lower())

    def _counted(self, name: str, real: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: Any, **options: Any) -> object:
            if name == "write_bytes" and self._left == 1:
                path, data = arguments
                real(path, data[: len(data) // 2])
            self._step(name)
            return real(*arguments, **options)

        return call

    def _step(self, name: str) -> None:
        os.write(self._trace, f"{name}\n".encode())
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def live(place: Place, folder: Path, frames: tuple[FrameKey, ...], at: int) -> None:
    """Run the worker over all frames and kill it at its n-th step; 0: never."""
    Dying(at, folder.with_name("steps"))
    life = Life(place, folder, fraction=0.1)
    life.overlays.sweep()
    for name in frames:
        life.walk(ticket(name))
    life.end()


def expect_nothing_broken(place: Place, folder: Path) -> None:
    """Assert that the database is intact and no result lacks its pictures."""
    expect_whole(place)
    found = tables(place)
    assert {name for row in found["results"] for name in row[9:]} <= pictures_in(folder)
    done = sum(row[7] == "done" for row in found["frames"])
    assert len(found["results"]) == len(found["tile_scores"]) == done
    keys = [row[1] for row in found["outbox"]]
    assert len(keys) == len(set(keys)) == len(found["alerts"])


@needs_fork
@forks
def test_killed_at_random_steps_nothing_is_broken_and_every_frame_settles(
    tmp_path: Path, places: Places, crash_seed: int
) -> None:
    """`--crash-seed` repeats a run; each day has other kills."""
    context = multiprocessing.get_context("fork")
    rng = random.Random(crash_seed)
    folder, trace = tmp_path / "state", tmp_path / "steps"
    place = places.of(folder)
    open_store(place, FakeClock()).close()
    reached: list[str] = []
    for _ in range(KILLS):
        # Two frames take some hundred steps; a small number kills the process during its start.
        at = rng.randint(1, 150)
        process = context.Process(target=live, args=(place, folder, FEW, at))
        process.start()
        process.join(30)
        assert process.exitcode in (0, -signal.SIGKILL), f"--crash-seed {crash_seed}, step {at}"
        reached.append(trace.read_text().split()[-1])
        expect_nothing_broken(place, folder)
    life = Life(place, folder, fraction=0.1)
    life.overlays.sweep()
    outcomes = [life.walk(ticket(name)) for name in FEW]
    assert set(outcomes) <= {FrameOutcome.SCORED, FrameOutcome.KNOWN}
    assert [life.walk(ticket(name)) for name in FEW] == [FrameOutcome.KNOWN] * len(FEW)
    life.end()
    expect_nothing_broken(place, folder)
    found = tables(place)
    assert len(found["frames"]) == len(FEW)
    states = [(row[7], bool(row[10])) for row in found["frames"]]
    assert set(states) <= {("done", False), ("quarantined", True)}, "one result, or one reason"
    assert pictures_in(folder) == {name for row in found["results"] for name in row[9:]}
    assert len(set(reached)) > 1, reached
