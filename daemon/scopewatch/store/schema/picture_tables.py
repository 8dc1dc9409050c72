"""The table of pictures whose copies elsewhere are not what they should be."""

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from scopewatch.store.schema.columns import Base


class PictureDue(Base):
    """A picture that is to be copied, or whose copy is to be removed; gone once that is done.

    Each picture has one row at most, for what came last: a copy is never removed by what was wanted
    before it. `path` is relative to the folder of pictures.
    """

    __tablename__ = "pictures_due"
    __table_args__ = (
        UniqueConstraint("path", name="uq_pictures_due"),
        Index("ix_pictures_due", "removal", "id"),
        # A number that was given is not given again: it names what is marked as done.
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    path: Mapped[str]
    removal: Mapped[bool]
