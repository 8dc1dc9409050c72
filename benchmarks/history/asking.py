"""The cost of a question: processor time, and the instructions that SQLite executes for it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np
from sqlalchemy import event
from sqlalchemy.pool import Pool

from benchmarks.history.lab import Lab

# SQLite calls its handler after a number of its instructions.
EVERY: Final = 10
TIMES: Final = 7
# What is written once a day, or looks at each file of a source: the first time is the one.
ONCE: Final = frozenset({"digest"})


@dataclass
class Work:
    """The instructions that SQLite executed, over all connections that were opened meanwhile."""

    steps: int = 0

    def watch(self, connection: Any, _record: object) -> None:
        """Count those of a new connection."""

        def count() -> int:
            self.steps += EVERY
            return 0

        connection.set_progress_handler(count, EVERY)


@contextmanager
def counted(lab: Lab) -> Iterator[Work]:
    """Count the instructions of all connections of a lab."""
    work = Work()
    engines = lab.recording.store._writer, lab.recording.store._reader, lab.reader._engine
    event.listen(Pool, "connect", work.watch)
    try:
        for engine in engines:
            engine.dispose()
        yield work
    finally:
        event.remove(Pool, "connect", work.watch)
        for engine in engines:
            engine.dispose()


def count_all(lab: Lab) -> dict[str, int]:
    """Return SQLite's instructions for each question, and for the frames of a time point."""
    found = {}
    with counted(lab) as work:
        for name, ask in lab.questions().items():
            work.steps = 0
            ask()
            found[name] = work.steps
        work.steps = 0
        lab.recording.take(lab.script.time_points)
        found["a time point"] = work.steps
    return found


def time_all(lab: Lab) -> dict[str, float]:
    """Return the median processor time of each question in ms; the first time does not count."""
    found = {}
    for name, ask in lab.questions().items():
        took = [_cpu_ms(ask) for _ in range(1 if name in ONCE else TIMES + 1)]
        found[name] = float(np.median(took if name in ONCE else took[1:]))
    return found


def time_commits(lab: Lab, first: int, time_points: int) -> dict[str, float]:
    """Record time points at the end of the history; return the p95 of each step in ms of CPU."""
    took: dict[str, list[float]] = {"claim": [], "commit": []}
    recording = lab.recording
    for time_point in range(first, first + time_points):
        for well in lab.script.names:
            recording.clock.wall = lab.script.taken_at(time_point)
            ticket = recording.ticket(well, time_point)
            frame, result, files = recording.judged(ticket, 0.5)
            took["claim"].append(_cpu_ms(partial(recording.store.claim, ticket)))
            commit = partial(recording.store.commit, ticket, frame, result, files)
            took["commit"].append(_cpu_ms(commit))
    return {name: float(np.percentile(values, 95)) for name, values in took.items()}


def _cpu_ms(ask: Callable[[], object]) -> float:
    began_s = time.process_time()
    ask()
    return 1000 * (time.process_time() - began_s)
