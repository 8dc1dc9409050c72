"""Reading runs: their state, their final results, and the journals of their time-lapses."""

from datetime import datetime, timedelta

from scopewatch.core.acquisition.journal import JournalEntry
from scopewatch.monitoring.acts import ActFacts
from scopewatch.monitoring.run_changes import RunResults
from scopewatch.monitoring.run_facts import RunSeen
from scopewatch.store.read.final_results import RunEnd, run_ends
from scopewatch.store.read.journal import act_facts, dead_wells, newest_entries, wells_with_sites
from scopewatch.store.read.readers.database import DatabaseReader
from scopewatch.store.read.records.frames import Counts
from scopewatch.store.read.records.runs_and_wells import RunRow
from scopewatch.store.read.run_counts import count_frames
from scopewatch.store.read.run_queries import list_active, list_runs, see_run
from scopewatch.store.read.run_results import read_results
from scopewatch.store.schema.engine import transaction


class RunReader(DatabaseReader):
    """Reads differentiation runs and the journals of their time-lapses."""

    def runs(self) -> list[RunRow]:
        """Return the differentiation runs, the newest first."""
        with transaction(self._engine) as session:
            return list_runs(session)

    def active_runs(self, since: datetime) -> list[str]:
        """Return the runs of which a frame was settled after a moment, the newest first."""
        with transaction(self._engine) as session:
            return list_active(session, since)

    def counts(self, run: str | None = None) -> Counts:
        """Count the frames of a run, or of the whole database."""
        with transaction(self._engine) as session:
            return count_frames(session, run)

    def run_seen(self, name: str, *, recent: timedelta, now: datetime) -> RunSeen:
        """Return what the state of a run follows from; quick whatever the history."""
        with transaction(self._engine) as session:
            return see_run(session, name, recent=recent, now=now)

    def run_results(self, name: str | None = None) -> RunResults | None:
        """Return what the results of a run were made with: the newest, unless one is named."""
        with transaction(self._engine) as session:
            return read_results(session, name)

    def ends(self, run: str | None = None) -> list[RunEnd]:
        """Return what fluorescence measured on the final day, by run, and what was predicted."""
        with transaction(self._engine) as session:
            return run_ends(session, run)

    def journal(self, run: str | None, limit: int) -> list[JournalEntry]:
        """Return the newest entries of the journal (of a run), oldest first."""
        with transaction(self._engine) as session:
            return newest_entries(session, run, limit)

    def dead_wells(self, run: str) -> list[JournalEntry]:
        """Return the entry of each well of a run that is marked dead, oldest first."""
        with transaction(self._engine) as session:
            return dead_wells(session, run)

    def wells_with_sites(self, run: str) -> list[JournalEntry]:
        """Return the entry of each well of a run that has further sites, oldest first."""
        with transaction(self._engine) as session:
            return wells_with_sites(session, run)

    def act_facts(
        self, run: str, source: str, time_point: int, channel: str, now: datetime
    ) -> ActFacts:
        """Return what acts of a time-lapse at a time point follow from."""
        with transaction(self._engine) as session:
            return act_facts(session, run, source, time_point, channel, now)
