"""Stages as lines of text, for several processes at once, which cannot share progress bars."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

WriteLine = Callable[[str], None]


class _LineListener:
    """Writes a line at a quarter of the steps, at each check, and where a checkpoint was found."""

    def __init__(self, write: WriteLine, title: str, steps: int) -> None:
        self._write = write
        self._title = title
        self._steps = steps
        self._every = max(1, steps // 4)

    def resumed(self, step: int) -> None:
        self._write(f"{self._title}: going on from step {step}")

    def found_trained(self, step: int) -> None:
        self._write(f"{self._title}: trained already, {step} steps")

    def stepped(self, step: int, tile_loss: float) -> None:
        if step % self._every == 0:
            self._write(f"{self._title}: step {step} of {self._steps}, loss {tile_loss:.3f}")

    def checked(self, step: int, loss: float, *, best: bool) -> None:
        worse = "" if best else " (not better)"
        self._write(f"{self._title}: step {step}, held out {loss:.3f}{worse}")


class LineStages:
    """Stages of one piece of work; each line begins with its name."""

    def __init__(self, write: WriteLine, work: str) -> None:
        self._write = write
        self._work = work

    @contextmanager
    def training(self, title: str, steps: int) -> Iterator[_LineListener]:
        """Begin to train a network of at most `steps` steps."""
        yield _LineListener(self._write, f"{self._work}: {title}", steps)

    @contextmanager
    def counting(self, what: str) -> Iterator[Callable[[int, int], None]]:
        """Count things; write a line when all are done."""

        def count(done: int, total: int) -> None:
            if done == total:
                self.report(f"{done} {what} done")

        yield count

    def report(self, text: str) -> None:
        """Write a line."""
        self._write(text if text.startswith(self._work) else f"{self._work}: {text}")
