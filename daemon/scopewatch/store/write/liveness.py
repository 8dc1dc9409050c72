"""Liveness records, written in place of the last one of the same name."""

import json
from datetime import datetime

from sqlalchemy.orm import Session

from scopewatch.core.source import KnownFolder
from scopewatch.store.read.liveness import folder_record
from scopewatch.store.schema.tables import SignOfLife


def write_liveness(session: Session, name: str, at: datetime, detail: str) -> None:
    """Record that something happened, in place of when it last did."""
    session.merge(SignOfLife(name=name, at=at, detail=detail))


def record_folder(
    session: Session, source: str, run: str, path: str, folder: KnownFolder, now: datetime
) -> None:
    """Record that the folder of a source is there, in place of what was recorded of it before."""
    detail = json.dumps({"run": run, "path": path, "mounted": folder.mounted})
    write_liveness(session, folder_record(source), now, detail)
