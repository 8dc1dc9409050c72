"""Progress of long commands: a bar on a terminal, a line a minute elsewhere."""

# ruff: noqa: PLC0415

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import typer

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_EVERY_S: Final = 60.0


@contextmanager
def frames_bar() -> Iterator["Progress"]:
    """Yield a bar with numbers, time gone and time left; disabled where nobody looks."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("frames, gone"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as it:
        yield it


def count_first(bar: "Progress", counts: Iterable[int]) -> tuple["TaskID", int | None]:
    """Count frames before they are scored.

    Parameters
    ----------
    counts
        How many were counted so far, again and again.

    Returns
    -------
    The task to be advanced, and the number of frames; None where nothing was counted.
    """
    task = bar.add_task("counting", total=None)
    expected = None
    for expected in counts:
        bar.update(task, completed=expected)
    bar.reset(task, total=expected, completed=0, description="scoring")
    return task, expected


class ProgressLines:
    """Writes how far a long command is, for logs.

    Time left follows from the frames that took time: those that were there already take none.

    Parameters
    ----------
    total
        Frames in all; None where they were not counted.
    monotonic
        Seconds that never jump.
    """

    def __init__(
        self,
        total: int | None,
        *,
        write: Callable[[str], None] = lambda line: typer.echo(line, err=True),
        monotonic: Callable[[], float] = time.monotonic,
        every_s: float = _EVERY_S,
    ) -> None:
        self._total = total
        self._write = write
        self._monotonic = monotonic
        self._every_s = every_s
        self._started = self._written = monotonic()
        self._done = self._worked = 0

    def advance(self, *, worked: bool) -> None:
        """Count a frame; `worked` where it took time."""
        self._done += 1
        self._worked += worked
        now = self._monotonic()
        if now - self._written >= self._every_s:
            self._written = now
            self._write(self._line(now))

    def _line(self, now: float) -> str:
        of_all = "" if self._total is None else f" of {self._total}"
        line = f"{self._done}{of_all} frames, {self._worked} scored now"
        if not self._worked or self._total is None:
            return line
        left_s = (now - self._started) / self._worked * max(0, self._total - self._done)
        return f"{line}, about {timedelta(seconds=round(left_s))} left"
