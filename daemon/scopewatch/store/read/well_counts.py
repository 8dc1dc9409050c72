"""How many frames the wells have, by state."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.orm import Session

from scopewatch.store.schema.columns import FrameState
from scopewatch.store.schema.tables import FrameRow, Well


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """The frames of a well by state, and when the newest of each state was settled."""

    frames: Mapping[FrameState, int]
    settled_at: Mapping[FrameState, datetime | None]

    @property
    def last_at(self) -> datetime | None:
        """When the newest of all was settled."""
        return max((at for at in self.settled_at.values() if at is not None), default=None)


_STATES: Final = tuple(FrameState)
NO_FRAMES: Final = Counted(frames=dict.fromkeys(_STATES, 0), settled_at=dict.fromkeys(_STATES))


@lru_cache(maxsize=1)
def _select_counts() -> "Select[Any]":
    """Select the frames of wells by state, and when the newest of each state was settled.

    Each count is one range of an index, and each newest moment one place in it: some times quicker
    than to group the same rows.
    """
    of_state = [(FrameRow.well_id == Well.id, FrameRow.state == state) for state in _STATES]
    counts = [
        select(func.count()).select_from(FrameRow).where(*each).correlate(Well).scalar_subquery()
        for each in of_state
    ]
    newest = [
        select(func.max(FrameRow.settled_at)).where(*each).correlate(Well).scalar_subquery()
        for each in of_state
    ]
    return select(Well.id, *counts, *newest).where(Well.id.in_(bindparam("ids", expanding=True)))


def count_by_well(session: Session, ids: Sequence[int]) -> dict[int, Counted]:
    """Count the frames of wells by state."""
    width = len(_STATES)
    return {
        row[0]: Counted(
            frames=dict(zip(_STATES, row[1 : 1 + width], strict=True)),
            settled_at=dict(zip(_STATES, row[1 + width :], strict=True)),
        )
        for row in session.execute(_select_counts(), {"ids": list(ids)})
    }
