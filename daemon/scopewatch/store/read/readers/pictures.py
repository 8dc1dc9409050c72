"""Reading which pictures results name, and which of them were copied or removed."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import exists, select

from scopewatch.core.imaging.frame import FrameKey
from scopewatch.store.read.frame_queries import without_result
from scopewatch.store.read.liveness import PICTURES_REMOVED, read_liveness
from scopewatch.store.read.pictures_due import read_copies, waiting_of
from scopewatch.store.read.readers.database import DatabaseReader
from scopewatch.store.schema.engine import transaction
from scopewatch.store.schema.tables import Result


class PictureReader(DatabaseReader):
    """Reads what is known of the pictures of results."""

    def has_overlay(self, relative: str) -> bool:
        """Whether the database knows an overlay of this relative path."""
        with transaction(self._engine) as session:
            return bool(session.scalar(select(exists().where(Result.overlay == relative))))

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

    def copies_owner(self) -> str:
        """Return by what name a place of copies is known to be ours; '' where there is none."""
        with transaction(self._engine) as session:
            known = read_copies(session)
        return "" if known is None else known.owner

    def uncopied(self, overlays: Collection[str]) -> set[str]:
        """Return which of these pictures wait to be copied elsewhere."""
        with transaction(self._engine) as session:
            return waiting_of(session, overlays)

    def pictures_removed_until(self) -> datetime | None:
        """Return up to when pictures were written that retention removed; None where it has not."""
        with transaction(self._engine) as session:
            record = read_liveness(session).get(PICTURES_REMOVED)
        return None if record is None else record.at
