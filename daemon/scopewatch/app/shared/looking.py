"""Looks at many daemons at the same time, and waits for none of them longer than is bearable."""

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Generic, TypeVar

_View = TypeVar("_View")

# One that does not answer keeps a thread until the server gives up its question: there are enough
# for the others. A daemon has at most one.
_THREADS = 32


class ParallelLooks(Generic[_View]):
    """Looks at each of several daemons in a thread of its own; thread-safe.

    Parameters
    ----------
    look
        Looks at the daemon of a name; must not raise.
    within_s
        How long one call waits, for all together.
    """

    def __init__(self, look: Callable[[str], _View], within_s: float) -> None:
        self._look = look
        self._within_s = within_s
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="look")
        self._lock = threading.Lock()
        self._under_way: dict[str, Future[_View]] = {}

    def at(self, names: Iterable[str]) -> dict[str, _View | None]:
        """Look at these daemons; None for each that did not answer in time.

        One that is being looked at already is not asked a second time meanwhile.
        """
        with self._lock:
            for name, earlier in list(self._under_way.items()):
                if earlier.done():
                    del self._under_way[name]
            asked = {
                name: self._under_way.get(name) or self._threads.submit(self._look, name)
                for name in names
            }
            self._under_way |= asked
        wait(asked.values(), self._within_s)
        return {name: each.result() if each.done() else None for name, each in asked.items()}

    def close(self) -> None:
        """Ask nothing more; what is under way ends by itself."""
        self._threads.shutdown(wait=False, cancel_futures=True)
