"""How a fit tells what it is doing; `console` shows it, tests may listen."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol


class Listener(Protocol):
    """Hears how a training goes on."""

    def resumed(self, step: int) -> None:
        """Say that it goes on after `step` steps of an earlier process."""
        ...

    def stepped(self, step: int, tile_loss: float) -> None:
        """Say that a step is done."""
        ...

    def checked(self, step: int, loss: float, *, best: bool) -> None:
        """Say what a check on the held-out frames gave."""
        ...


class Stages(Protocol):
    """Shows what a fit is doing."""

    def training(self, title: str, steps: int) -> AbstractContextManager[Listener]:
        """Begin to train a network of at most `steps` steps."""
        ...

    def counting(self, what: str) -> AbstractContextManager[Callable[[int, int], None]]:
        """Show a count of things done: gives a function of (done, in all)."""
        ...

    def report(self, text: str) -> None:
        """Print a line."""
        ...
