"""Liveness records, written in place of the last one of the same name."""

from datetime import datetime

from sqlalchemy.orm import Session

from scopewatch.store.schema.tables import SignOfLife


def write_liveness(session: Session, name: str, at: datetime, detail: str) -> None:
    """Record that something happened, in place of when it last did."""
    session.merge(SignOfLife(name=name, at=at, detail=detail))
