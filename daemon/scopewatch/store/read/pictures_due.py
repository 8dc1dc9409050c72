"""Pictures that are to be copied elsewhere, as the database knows them."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from json import loads
from typing import Any, Final

from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.orm import Session

from scopewatch.store.schema.picture_tables import PictureDue
from scopewatch.store.schema.tables import Result, SignOfLife
from scopewatch.store.schema.value_lists import each_text

COPIES: Final = "copies of pictures"


@dataclass(frozen=True, slots=True, kw_only=True)
class DuePicture:
    """A picture that is to be copied, or whose copy is to be removed.

    Parameters
    ----------
    path
        Relative to the folder of pictures.
    """

    number: int
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CopiesState:
    """What is known of all copies together.

    Parameters
    ----------
    owner
        Names this history of results among all that may copy to a place.
    place
        Where pictures are copied to; '' while they are not.
    following
        Pictures of results up to this frame were entered.
    until
        So far results go that were there before copies were wanted.
    """

    owner: str
    place: str
    following: int
    until: int


def picture_names(session: Session, frame_id: int) -> frozenset[str]:
    """Return the pictures that the result of a frame names."""
    found = session.execute(_named(), {"frame": frame_id}).one_or_none()
    return frozenset(name for name in found or () if name is not None)


def due_pictures(session: Session, limit: int, *, removal: bool) -> list[DuePicture]:
    """Return what is due next, in the order in which it became so."""
    rows = session.execute(
        select(PictureDue.id, PictureDue.path)
        .where(PictureDue.removal.is_(removal))
        .order_by(PictureDue.id)
        .limit(limit)
    )
    return [DuePicture(number=number, path=path) for number, path in rows]


def count_due(session: Session) -> tuple[int, int]:
    """Return how many pictures wait to be copied, and how many copies to be removed."""
    rows = session.execute(select(PictureDue.removal, func.count()).group_by(PictureDue.removal))
    counts = {bool(removal): number for removal, number in rows}
    return counts.get(False, 0), counts.get(True, 0)


def waiting_of(session: Session, paths: Collection[str]) -> set[str]:
    """Return which of these pictures wait to be copied."""
    found = select(PictureDue.path).where(
        PictureDue.path.in_(each_text(paths)), PictureDue.removal.is_(False)
    )
    return set(session.scalars(found))


def read_copies(session: Session) -> CopiesState | None:
    """Return what is known of copies; None where none were ever wanted."""
    row = session.get(SignOfLife, COPIES)
    return None if row is None else CopiesState(**loads(row.detail))


def has_copies(session: Session) -> bool:
    """Return whether pictures are copied."""
    known = read_copies(session)
    return known is not None and bool(known.place)


def has_earlier(session: Session) -> bool:
    """Return whether there are results of before whose pictures were not entered yet."""
    state = read_copies(session)
    return state is not None and state.following < state.until


@cache
def _named() -> Select[*tuple[Any, ...]]:
    return select(Result.overlay, Result.stain).where(Result.frame_id == bindparam("frame"))
