"""Runs a function on a cluster over many items: results in their order, few at a time."""

# ruff: noqa: PLC0415

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from scopewatch.core.errors import ClusterError, complaint
from scopewatch.runtime.cluster.connect import no_workers

if TYPE_CHECKING:
    from distributed import Client, Future

Item = TypeVar("Item")
Result = TypeVar("Result")

# Tasks for each thread of the cluster: one runs, one waits beside it, and two lie between, so that
# a slow one does not keep the others from work.
_AHEAD: Final = 4
_LOOK_S: Final = 5.0
_NO_WORKER_S: Final = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost(Generic[Item]):
    """An item whose function ended its process again and again, also alone."""

    item: Item


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready(Generic[Result]):
    """A result that needs no work, in its place among those that do."""

    result: Result


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sent(Generic[Item]):
    item: Item
    future: "Future"


class OrderedMap(Generic[Item, Result]):
    """Maps a function over items in the processes of a cluster.

    An item whose process died is done again by another one. Where several processes
    died with it, it is done once more when nothing else is in work, since any item in work may have
    been the cause; only when it fails alone it is given up.

    Parameters
    ----------
    function
        A function of a module, called in the workers as `function(*common, item)`.
    monotonic
        Seconds that never jump.
    """

    def __init__(
        self,
        client: "Client",
        function: Callable[..., Result],
        *common: Any,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._function = function
        self._common = common
        self._monotonic = monotonic
        self._scheduler = str(client.scheduler.address) if client.scheduler else ""
        self._threads = 1
        self._counted_at = float("-inf")
        self.most_in_work = 0

    def run(self, items: Iterable[Item | Ready[Result]]) -> Iterator[Result | Lost[Item]]:
        """Yield one result per item, in their order; items are taken as there is room for them.

        Raises
        ------
        ClusterError
            When the scheduler is lost, or no worker is left for two minutes.
        Exception
            What the function raised.
        """
        from concurrent.futures import CancelledError

        from distributed.comm import CommClosedError

        try:
            yield from self._run(items)
        except (CommClosedError, CancelledError) as error:
            raise self._scheduler_lost(error) from error

    def _run(self, items: Iterable[Item | Ready[Result]]) -> Iterator[Result | Lost[Item]]:
        line: deque[_Sent[Item] | Ready[Result]] = deque()
        for item in items:
            line.append(item if isinstance(item, Ready) else self._send(item))
            self.most_in_work = max(self.most_in_work, len(line))
            while line and (len(line) >= self._room() or _is_done(line[0])):
                yield self._take(line)
        while line:
            yield self._take(line)

    def _send(self, item: Item) -> _Sent[Item]:
        future = self._client.submit(self._function, *self._common, item, pure=False)
        return _Sent(item=item, future=future)

    def _take(self, line: deque[_Sent[Item] | Ready[Result]]) -> Result | Lost[Item]:
        """Return the result of the item that came first."""
        from distributed import KilledWorker

        first = line.popleft()
        if isinstance(first, Ready):
            return first.result
        try:
            return self._wait(first.future)
        except KilledWorker:
            pass
        for other in line:
            if isinstance(other, _Sent):
                self._settle(other.future)
        try:
            return self._wait(self._send(first.item).future)
        except KilledWorker:
            return Lost(item=first.item)

    def _wait(self, future: "Future") -> Result:
        self._settle(future)
        result: Result = future.result()
        return result

    def _settle(self, future: "Future") -> None:
        """Wait until a future is done, whatever became of it."""
        alone_since: float | None = None
        while not future.done():
            try:
                # Only waits: what it ended with is asked for by whoever needs it.
                future.exception(timeout=_LOOK_S)
            except TimeoutError:
                if self._client.nthreads():
                    alone_since = None
                    continue
                now = self._monotonic()
                alone_since = now if alone_since is None else alone_since
                if now - alone_since >= _NO_WORKER_S:
                    raise no_workers(self._scheduler, now - alone_since) from None

    def _room(self) -> int:
        """Return how many items may be in work: more when workers join."""
        now = self._monotonic()
        if now - self._counted_at >= _LOOK_S:
            self._counted_at = now
            self._threads = max(1, sum(self._client.nthreads().values()))
        return _AHEAD * self._threads

    def _scheduler_lost(self, error: Exception | None) -> ClusterError:
        return ClusterError(
            complaint(
                "connection to the Dask scheduler was lost",
                where=self._scheduler,
                got=None if error is None else type(error).__name__,
                do="start it again, and give the same call",
            )
        )


def _is_done(first: _Sent[Any] | Ready[Any]) -> bool:
    return isinstance(first, Ready) or bool(first.future.done())
