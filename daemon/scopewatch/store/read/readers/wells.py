"""Reading wells: their present state and their courses."""

from typing import Final

from scopewatch.core.well_name import WellName
from scopewatch.store.read.course_queries import (
    newest_course,
    newest_shots,
    outlooks_of,
    whole_course,
)
from scopewatch.store.read.readers.database import DatabaseReader
from scopewatch.store.read.records.runs_and_wells import (
    CoursePoint,
    Outlook,
    Overview,
    Shot,
    WellRow,
)
from scopewatch.store.read.run_counts import count_frames, well_ids
from scopewatch.store.read.well_counts import count_by_well
from scopewatch.store.read.well_queries import list_wells
from scopewatch.store.schema.engine import transaction

MOST_WELLS: Final = 5000


class WellReader(DatabaseReader):
    """Reads wells: their present state, their courses, estimates and forecasts."""

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
