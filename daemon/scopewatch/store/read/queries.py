"""Reading the result database: for the dashboard, `status` and `export`.

Every method is one short read of a consistent state, bounded by a limit, and safe to call from
any thread while the daemon writes. Each may raise StoreError.
"""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from typing import Final, Self

from sqlalchemy import Engine, exists, select

from scopewatch.core.acquisition.journal import JournalEntry
from scopewatch.core.imaging.frame import FrameKey
from scopewatch.core.imaging.tiling import TileScores
from scopewatch.core.well_name import WellName
from scopewatch.monitoring.acts import ActFacts
from scopewatch.monitoring.run_changes import RunResults
from scopewatch.monitoring.run_facts import RunSeen
from scopewatch.store.read.alert_queries import list_alerts, list_channels
from scopewatch.store.read.course_queries import (
    newest_course,
    newest_shots,
    outlooks_of,
    whole_course,
)
from scopewatch.store.read.final_results import RunEnd, run_ends
from scopewatch.store.read.frame_queries import every_frame, newest_frames, without_result
from scopewatch.store.read.journal import (
    act_facts,
    dead_wells,
    newest_entries,
    wells_with_sites,
)
from scopewatch.store.read.liveness import PICTURES_REMOVED, LivenessRecord, read_liveness
from scopewatch.store.read.pictures_due import read_copies, waiting_of
from scopewatch.store.read.quarantine_queries import (
    count_reasons,
    list_quarantined,
    list_refused,
)
from scopewatch.store.read.records.alerts import AlertRow, ChannelRow
from scopewatch.store.read.records.frames import Counts, FrameRecord
from scopewatch.store.read.records.quarantine import ReasonRow, RefusedRow
from scopewatch.store.read.records.runs_and_wells import (
    CoursePoint,
    Outlook,
    Overview,
    RunRow,
    Shot,
    WellRow,
)
from scopewatch.store.read.run_counts import count_frames, well_ids
from scopewatch.store.read.run_queries import list_active, list_runs, see_run
from scopewatch.store.read.run_results import read_results
from scopewatch.store.read.tile_queries import tile_scores
from scopewatch.store.read.well_counts import count_by_well
from scopewatch.store.read.well_queries import list_wells
from scopewatch.store.schema.alert_tables import Alert
from scopewatch.store.schema.engine import open_reader, transaction
from scopewatch.store.schema.place import Place
from scopewatch.store.schema.tables import Result

MOST_WELLS: Final = 5000
_BATCH: Final = 500


class Reader:
    """The read side of the database, on connections of its own that cannot write."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @classmethod
    def open(cls, place: Place, *, statement_s: float | None = None) -> Self:
        """Open the results of a place. Raises StoreError where there are none.

        Parameters
        ----------
        statement_s
            Longest time of a question on a server; None: what is usual.
        """
        return cls(open_reader(place, statement_s=statement_s))

    def close(self) -> None:
        """Close every connection; idempotent."""
        self._engine.dispose()

    def runs(self) -> list[RunRow]:
        """Return the differentiation runs, the newest first."""
        with transaction(self._engine) as session:
            return list_runs(session)

    def active_runs(self, since: datetime) -> list[str]:
        """Return the runs of which a frame was settled after a moment, the newest first."""
        with transaction(self._engine) as session:
            return list_active(session, since)

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

    def wells(self, run: str | None = None) -> list[WellRow]:
        """Return every well (of a run): newest run first, then by plate and well (A2, A10)."""
        with transaction(self._engine) as session:
            return list_wells(session, None, MOST_WELLS, run)

    def overview(self, run: str) -> Overview:
        """Return the wells of a run with the counts of its frames, which are counted once.

        Forecasts have their errors where a well is flagged.
        """
        with transaction(self._engine) as session:
            counted = count_by_well(session, well_ids(session, run))
            wells = list_wells(
                session, None, MOST_WELLS, run, counted, whole=lambda _, flagged: flagged
            )
            return Overview(wells=tuple(wells), counts=count_frames(session, run, counted))

    def flagged(self, run: str, also: WellName | None = None) -> Overview:
        """Return the wells of a run that are flagged, and one more, with the counts of the run."""
        with transaction(self._engine) as session:
            counted = count_by_well(session, well_ids(session, run))
            wells = list_wells(
                session,
                None,
                MOST_WELLS,
                run,
                counted,
                among=lambda name, flagged: flagged or name == also,
            )
            return Overview(wells=tuple(wells), counts=count_frames(session, run, counted))

    def well(self, name: WellName) -> WellRow | None:
        """Return one well, or None where there is none of that name."""
        with transaction(self._engine) as session:
            found = list_wells(session, name, 1)
        return found[0] if found else None

    def course(self, name: WellName, limit: int) -> list[CoursePoint]:
        """Return the newest `limit` time points of a well, oldest first."""
        with transaction(self._engine) as session:
            return newest_course(session, name, limit)

    def whole_course(self, name: WellName, most: int) -> list[CoursePoint]:
        """Return at most so many time points of a well, evenly from its first to its newest.

        Of a long course every n-th is read, counted back from the newest.
        """
        with transaction(self._engine) as session:
            return whole_course(session, name, most)

    def ends(self, run: str | None = None) -> list[RunEnd]:
        """Return what fluorescence measured on the final day, by run, and what was predicted."""
        with transaction(self._engine) as session:
            return run_ends(session, run)

    def outlooks(self, name: WellName, limit: int, *, errors: bool = True) -> list[Outlook]:
        """Return what was known of a well at its newest `limit` time points, oldest first.

        With it the forecast of every earlier day can be set beside what came of the well.

        Parameters
        ----------
        errors
            Whether forecasts have their errors, from which probabilities follow.
        """
        with transaction(self._engine) as session:
            return outlooks_of(session, name, limit, errors=errors)

    def shots(self, name: WellName, limit: int) -> list[Shot]:
        """Return the newest `limit` pictures of a well, newest first."""
        with transaction(self._engine) as session:
            return newest_shots(session, name, limit)

    def liveness(self) -> dict[str, LivenessRecord]:
        """Return what the daemon recorded last of each kind, by name."""
        with transaction(self._engine) as session:
            return read_liveness(session)

    def pictures_removed_until(self) -> datetime | None:
        """Return up to when pictures were written that retention removed; None where it has not."""
        with transaction(self._engine) as session:
            sign = read_liveness(session).get(PICTURES_REMOVED)
        return None if sign is None else sign.at

    def named_with(self, overlay: str) -> set[str]:
        """Return the pictures that results with this overlay name; none where none has it."""
        with transaction(self._engine) as session:
            found = session.execute(
                select(Result.overlay, Result.stain).where(Result.overlay == overlay)
            )
            return {name for row in found for name in row if name is not None}

    def without_result(self) -> list[FrameKey]:
        """Return the frames that are worked on, or were quarantined lately, and have no result."""
        with transaction(self._engine) as session:
            return without_result(session)

    def has_overlay(self, relative: str) -> bool:
        """Whether the database knows an overlay of this relative path."""
        with transaction(self._engine) as session:
            return bool(session.scalar(select(exists().where(Result.overlay == relative))))

    def copies_owner(self) -> str:
        """Return by what name a place of copies is known to be ours; '' where there is none."""
        with transaction(self._engine) as session:
            known = read_copies(session)
        return "" if known is None else known.owner

    def uncopied(self, overlays: Collection[str]) -> set[str]:
        """Return which of these pictures wait to be copied elsewhere."""
        with transaction(self._engine) as session:
            return waiting_of(session, overlays)

    def quarantined(
        self, name: WellName | None, limit: int, offset: int = 0, *, run: str | None = None
    ) -> list[RefusedRow]:
        """Return quarantined and missed frames (of a well, a run) and refused files.

        The newest come first; files that were refused count for the run that was under way.
        """
        with transaction(self._engine) as session:
            return list_quarantined(session, name, run, limit, offset)

    def reasons(self, run: str | None = None) -> list[ReasonRow]:
        """Count what is in quarantine or was missed (of a run) by reason, the commonest first."""
        with transaction(self._engine) as session:
            return count_reasons(session, run)

    def alerts(
        self,
        name: WellName | None,
        limit: int,
        *,
        open_only: bool = False,
        runs: Collection[str] | None = None,
    ) -> list[AlertRow]:
        """Return alerts, standing ones first; of one well, with those of its plate that name it.

        Parameters
        ----------
        runs
            The runs whose alerts are meant; None for all.
        """
        with transaction(self._engine) as session:
            return list_alerts(session, name, limit, open_only=open_only, runs=runs)

    def channels(self, *, delivered: bool = False) -> list[ChannelRow]:
        """Return how each alert channel fares that ever had a message.

        Parameters
        ----------
        delivered
            Whether to count the messages that it has taken, one by one.
        """
        with transaction(self._engine) as session:
            return list_channels(session, delivered=delivered)

    def newest_frames(self, limit: int) -> list[FrameRecord]:
        """Return the frames settled last, newest first."""
        with transaction(self._engine) as session:
            return newest_frames(session, limit)

    def frames(self) -> Iterator[FrameRecord]:
        """Go through every frame by run, plate, well, channel, time point and site."""
        with transaction(self._engine) as session:
            yield from every_frame(session, _BATCH)

    def refused(self) -> Iterator[RefusedRow]:
        """Go through the files that never became a frame, the newest first."""
        with transaction(self._engine) as session:
            yield from list_refused(session, _BATCH)

    def alerted_runs(self) -> list[str]:
        """Return the names of the runs that have alerts, those of the monitor among them."""
        with transaction(self._engine) as session:
            return list(session.scalars(select(Alert.experiment).distinct().order_by("experiment")))

    def tile_scores(self, key: FrameKey) -> TileScores | None:
        """Return the tile probabilities of a frame, or None where it was not judged."""
        with transaction(self._engine) as session:
            return tile_scores(session, key)
