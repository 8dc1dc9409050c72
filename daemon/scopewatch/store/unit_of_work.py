"""The unit of work: everything that one transaction reads and writes."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from scopewatch.store.schema.engine import transaction
from scopewatch.store.write.alerts import Alerts
from scopewatch.store.write.frames import Frames
from scopewatch.store.write.outbox import Outbox
from scopewatch.store.write.plates import Plates


class UnitOfWork:
    """One transaction over one session.

    Attributes
    ----------
    frames
        The ledger of frames and their results.
    plates
        The time points that rules may step, and the states of the rules.
    alerts
        Alerts as they are raised, answered and resolved.
    outbox
        Messages on their way.
    session
        The session itself, for functions of `store.read` and `store.write`.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.frames = Frames(session)
        self.plates = Plates(session)
        self.alerts = Alerts(session)
        self.outbox = Outbox(session)

    def flush(self) -> None:
        """Send what was changed to the database, within the transaction."""
        self.session.flush()


@contextmanager
def unit_of_work(engine: Engine) -> Iterator[UnitOfWork]:
    """One transaction: all of it is committed or, after any exception, nothing.

    Raises
    ------
    StoreError
        In place of anything the database raises.
    """
    with transaction(engine) as session:
        yield UnitOfWork(session)
