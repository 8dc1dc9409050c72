"""Pictures that are to be copied elsewhere, or whose copies are to be removed.

What changes a result writes in the same transaction which of its pictures are due, and whoever
copies them forgets each once it is done: nothing is left out by a crash, and what was done just
before it is done again. Results of before copies were wanted are entered bit by bit
(`queue_earlier`).
"""

from collections.abc import Collection, Iterable
from dataclasses import asdict, replace
from datetime import datetime
from functools import cache
from json import dumps

from sqlalchemy import Delete, delete, func, insert, select
from sqlalchemy.orm import Session

from scopewatch.core.imaging.overlay import OverlayFiles
from scopewatch.store.read.pictures_due import COPIES, CopiesState, read_copies
from scopewatch.store.schema.columns import table_of
from scopewatch.store.schema.picture_tables import PictureDue
from scopewatch.store.schema.tables import Result
from scopewatch.store.schema.value_lists import each_number, each_text, each_text_of
from scopewatch.store.write.liveness import write_liveness


def replace_pictures(session: Session, former: Collection[str], files: OverlayFiles) -> None:
    """Have the pictures of a result copied, and copies removed of those it no longer names."""
    new = [name for name in (files.overlay, files.stain) if name is not None]
    queue_pictures(session, new, removal=False)
    queue_pictures(session, set(former) - set(new), removal=True)


def queue_pictures(session: Session, paths: Iterable[str], *, removal: bool) -> None:
    """Enter pictures in place of what was due for them."""
    entered = sorted(set(paths))
    if entered:
        session.execute(_drop(), {"paths": entered})
        rows = [{"path": path, "removal": removal} for path in entered]
        session.execute(insert(table_of(PictureDue)), rows)


def forget_due(session: Session, numbers: Collection[int]) -> None:
    """Forget what was done, unless something else became due for the same picture since."""
    pictures = table_of(PictureDue)
    session.execute(delete(pictures).where(pictures.c.id.in_(each_number(numbers))))


def put_last(session: Session, number: int, path: str) -> None:
    """Let others go before a picture that could not be copied, where it is still due."""
    pictures = table_of(PictureDue)
    still = select(pictures.c.id).where(pictures.c.id == number)
    if session.scalar(still) is not None:
        session.execute(delete(pictures).where(pictures.c.id == number))
        session.execute(insert(pictures), {"path": path, "removal": False})


def write_copies(session: Session, state: CopiesState, now: datetime) -> None:
    """Record what is known of copies."""
    write_liveness(session, COPIES, now, dumps(asdict(state)))


def begin_copies(session: Session, place: str, owner: str, now: datetime) -> CopiesState:
    """Copy to a place from now on; to another one than before, earlier pictures as well.

    Parameters
    ----------
    owner
        A new name of this history, where it has none yet.
    """
    known = read_copies(session)
    if known is not None and known.place == place:
        return known
    session.execute(delete(table_of(PictureDue)))
    state = CopiesState(
        owner=owner if known is None else known.owner,
        place=place,
        following=0,
        until=session.scalar(select(func.max(Result.frame_id))) or 0,
    )
    write_copies(session, state, now)
    return state


def end_copies(session: Session, now: datetime) -> None:
    """Copy nothing from now on: nothing is due any more."""
    known = read_copies(session)
    if known is not None and known.place:
        session.execute(delete(table_of(PictureDue)))
        write_copies(session, replace(known, place="", following=0, until=0), now)


def queue_earlier(session: Session, limit: int, now: datetime) -> None:
    """Enter pictures of some results of before copies were wanted.

    What is due for a picture already stays as it is.
    """
    state = read_copies(session)
    if state is None:
        return
    rows = session.execute(
        select(Result.frame_id, Result.overlay, Result.stain)
        .where(Result.frame_id > state.following, Result.frame_id <= state.until)
        .order_by(Result.frame_id)
        .limit(limit)
    ).all()
    names = sorted({name for _, *both in rows for name in both if name is not None})
    known = set(
        session.scalars(select(PictureDue.path).where(PictureDue.path.in_(each_text(names))))
    )
    new = [{"path": name, "removal": False} for name in names if name not in known]
    if new:
        session.execute(insert(table_of(PictureDue)), new)
    following = rows[-1].frame_id if len(rows) == limit else state.until
    write_copies(session, replace(state, following=following), now)


# What is asked at each commit is put together once.


@cache
def _drop() -> Delete:
    pictures = table_of(PictureDue)
    return delete(pictures).where(pictures.c.path.in_(each_text_of("paths")))
