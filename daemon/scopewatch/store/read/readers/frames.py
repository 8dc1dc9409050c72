"""Reading frames: their results, and what is in quarantine."""

from collections.abc import Iterator
from typing import Final

from scopewatch.core.imaging.frame import FrameKey
from scopewatch.core.imaging.tiling import TileScores
from scopewatch.core.well_name import WellName
from scopewatch.store.read.frame_queries import every_frame, newest_frames
from scopewatch.store.read.quarantine_queries import count_reasons, list_quarantined, list_refused
from scopewatch.store.read.readers.database import DatabaseReader
from scopewatch.store.read.records.frames import FrameRecord
from scopewatch.store.read.records.quarantine import ReasonRow, RefusedRow
from scopewatch.store.read.tile_queries import tile_scores
from scopewatch.store.schema.engine import transaction

_BATCH: Final = 500


class FrameReader(DatabaseReader):
    """Reads frames, their scores, and what could not be judged."""

    def newest_frames(self, limit: int) -> list[FrameRecord]:
        """Return the frames settled last, newest first."""
        with transaction(self._engine) as session:
            return newest_frames(session, limit)

    def frames(self) -> Iterator[FrameRecord]:
        """Go through every frame by run, plate, well, channel, time point and site."""
        with transaction(self._engine) as session:
            yield from every_frame(session, _BATCH)

    def tile_scores(self, key: FrameKey) -> TileScores | None:
        """Return the tile probabilities of a frame, or None where it was not judged."""
        with transaction(self._engine) as session:
            return tile_scores(session, key)

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

    def refused(self) -> Iterator[RefusedRow]:
        """Go through the files that never became a frame, the newest first."""
        with transaction(self._engine) as session:
            yield from list_refused(session, _BATCH)
