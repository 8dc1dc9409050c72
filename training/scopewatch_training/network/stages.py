"""Protocols by which a fit reports its progress, to a console or to a test."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol


class Listener(Protocol):
    """Receives the progress of a training."""

    def resumed(self, step: int) -> None:
        """Note that it goes on after `step` steps of an earlier process."""
        ...

    def found_trained(self, step: int) -> None:
        """Note that an earlier process finished it, at `step` steps: none is left to do."""
        ...

    def stepped(self, step: int, tile_loss: float) -> None:
        """Note that a step is done."""
        ...

    def checked(self, step: int, loss: float, *, best: bool) -> None:
        """Note the result of a check on the held-out frames."""
        ...


class Stages(Protocol):
    """Shows the progress of a fit."""

    def training(self, title: str, steps: int) -> AbstractContextManager[Listener]:
        """Begin to train a network of at most `steps` steps."""
        ...

    def counting(self, what: str) -> AbstractContextManager[Callable[[int, int], None]]:
        """Show a count of things done: gives a function of (done, in all)."""
        ...

    def report(self, text: str) -> None:
        """Print a line."""
        ...
