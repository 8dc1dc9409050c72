"""How long one transaction may go on with work that the next one can go on with as well."""

from collections.abc import Callable
from typing import Final

# Others wait for their turn meanwhile, and so does the end of the daemon. What is under way when
# it is over is finished first: a step of a plate of 96 wells takes about a tenth of a second.
BATCH_S: Final = 0.1


class Budget:
    """The time that a transaction has.

    Parameters
    ----------
    monotonic
        Seconds that never jump.
    """

    def __init__(self, monotonic: Callable[[], float], seconds: float = BATCH_S) -> None:
        self._monotonic = monotonic
        self._ends_s = monotonic() + seconds

    @property
    def spent(self) -> bool:
        """Whether what is left to do has to wait for the next transaction."""
        return self._monotonic() >= self._ends_s
