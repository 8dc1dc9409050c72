"""Answers to alerts, orders and retries from the dashboard over all daemons."""

from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from datetime import datetime

from scopewatch.core.acquisition.orders import Act, Target
from scopewatch.core.clock import Clock
from scopewatch.store.database import Database
from scopewatch.store.read.records.quarantine import RetryAnswer, RetrySelection
from scopewatch.store.schema.engine import open_reader, open_writer
from scopewatch.store.schema.place import Server


class Answers:
    """Implements `web.monitor_store.AlertAnswers`: each answer opens the database, and closes it.

    A dashboard over a hundred daemons would otherwise hold a hundred connections that write.
    """

    def __init__(self, server: Server, clock: Clock) -> None:
        self._server = server
        self._clock = clock

    def acknowledge(self, alert: int, now: datetime) -> None:
        """Acknowledge an alert."""
        with self._database() as database:
            database.acknowledge(alert, now)

    def snooze(self, alert: int, until: datetime) -> None:
        """Snooze an alert until then."""
        with self._database() as database:
            database.snooze(alert, until)

    def take_back(self, alert: int) -> None:
        """Forget the answer that was given."""
        with self._database() as database:
            database.take_back(alert)

    def order(
        self,
        source: str,
        run: str,
        act: Act,
        by: str,
        target: Target | None = None,
        reason: str = "",
    ) -> int:
        """Write down what somebody wants of a time-lapse; return its number."""
        with self._database() as database:
            return database.order(source, run, act, by, target, reason)

    def ask_again(
        self, wanted: RetrySelection, sources: Collection[str], asked_by: str
    ) -> RetryAnswer:
        """Have what is selected in quarantine tried again."""
        with self._database() as database:
            return database.ask_again(wanted, sources, asked_by)

    @contextmanager
    def _database(self) -> Iterator[Database]:
        # First: it refuses tables of another version, which a writer would bring up to date.
        reader = open_reader(self._server)
        try:
            writer = open_writer(self._server)
        except BaseException:
            reader.dispose()
            raise
        with closing(Database(writer, reader, clock=self._clock)) as database:
            yield database
