"""Passes the orders of people to time-lapses, and records their outcomes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Protocol, runtime_checkable

from scopewatch.core.acquisition.journal import JournalEntry
from scopewatch.core.acquisition.orders import Act, Order, Report
from scopewatch.core.acquisition.standing import AcquisitionStanding
from scopewatch.core.errors import StoreError
from scopewatch.core.source import FrameSource
from scopewatch.event_log import get_logger
from scopewatch.runtime.process.restart_history import LivenessStore, RestartHistory

log = get_logger(__name__)

LOOK_S: Final = 1.0
_MOST: Final = 1000


class Journal(Protocol):
    """The journal of orders and their outcomes. All methods raise StoreError."""

    def orders(self, source: str) -> list[Order]:
        """Return what was asked of a source and has no outcome yet, oldest first."""
        ...

    def begin_order(self, number: int) -> None:
        """Note that an order is handed to its source: it is not to be carried out twice."""
        ...

    def close_lost_orders(self, source: str) -> int:
        """Close orders that an earlier daemon began, and never reported; return how many."""
        ...

    def held_by(self, source: str) -> JournalEntry | None:
        """Return what holds the time-lapse of a source; None where it goes on."""
        ...

    def report(self, source: str, run: str, reports: Sequence[Report]) -> None:
        """Record outcomes of orders, and what a time-lapse did without one."""
        ...


@runtime_checkable
class Steered(Protocol):
    """A source whose time-lapse can be steered; no method raises or blocks."""

    @property
    def name(self) -> str:
        """Unique name from the configuration."""
        ...

    @property
    def acquires(self) -> bool:
        """Whether it runs a time-lapse."""
        ...

    def order(self, order: Order) -> None:
        """Take an order; it is carried out between images."""
        ...

    def reports(self) -> list[Report]:
        """Return the outcomes of orders since the last call."""
        ...

    def restore(self, held: JournalEntry | None) -> None:
        """Go on being held, as before a restart."""
        ...

    def standing(self) -> AcquisitionStanding | None:
        """Return the state of the time-lapse."""
        ...


class Helm:
    """Looks for orders every second; `restore` and `look` are used by one thread at a time.

    Parameters
    ----------
    run
        The run that the sources acquire.
    """

    def __init__(self, journal: Journal, sources: Sequence[FrameSource], run: str) -> None:
        self._journal = journal
        self._run = run
        self._steered = _steered(sources)
        self._unwritten: dict[str, list[Report]] = {}
        self._handed: dict[str, int] = {}

    def restore(self, started: Report | None = None) -> None:
        """Restore what was held before the start, and pass on waiting orders. Raises StoreError.

        Before anything is acquired: somebody may have their hands on the stage.

        Parameters
        ----------
        started
            What is written down of the start itself.
        """
        for source in self._steered:
            self._journal.close_lost_orders(source.name)
            source.restore(self._journal.held_by(source.name))
        self.look()
        # Written with the next reports: a start needs no room on the disk for it.
        if started is not None:
            for source in self._steered:
                self._unwritten.setdefault(source.name, []).append(started)

    def look(self) -> None:
        """Record the outcomes of orders, and pass on new ones. Raises StoreError."""
        for source in self._steered:
            self._write(source)
            for order in self._journal.orders(source.name):
                if order.number > self._handed.get(source.name, 0):
                    self._journal.begin_order(order.number)
                    self._handed[source.name] = order.number
                    source.order(order)

    def end(self) -> None:
        """Record the outcomes of the last orders before the database is closed. Never raises."""
        for source in self._steered:
            try:
                self._write(source)
            except StoreError as error:
                log.warning("journal of the time-lapse lacks its end", why=str(error))

    def _write(self, source: Steered) -> None:
        reports = [*self._unwritten.get(source.name, ()), *source.reports()][-_MOST:]
        self._unwritten[source.name] = reports
        if reports:
            self._journal.report(source.name, self._run, reports)
            self._unwritten[source.name] = []


def report_start(liveness: LivenessStore, now: datetime) -> Report | None:
    """Return how the daemon ended that ran before this one; None where none did.

    Raises
    ------
    StoreError
        When it cannot be read.
    """
    history = RestartHistory(liveness)
    history.recall(now)
    if history.alive_before is None:
        return None
    how = "stopped" if history.stopped_cleanly else "killed, or lost its power,"
    outcome = f"scopewatch starts again: it was {how} after"
    outcome += f" {history.alive_before:%Y-%m-%d %H:%M} UTC"
    return Report(number=None, act=Act.NOTE, at=now, done=True, outcome=outcome)


def standings_of(sources: Sequence[FrameSource]) -> list[AcquisitionStanding]:
    """Return how the time-lapses stand. Never raises; any thread."""
    standings = (source.standing() for source in _steered(sources))
    return [each for each in standings if each is not None]


def _steered(sources: Sequence[FrameSource]) -> list[Steered]:
    return [each for each in sources if isinstance(each, Steered) and each.acquires]
