"""Reading the result database: for the dashboard, `status` and `export`.

Every method is one short read of a consistent state, bounded by a limit, and safe to call from
any thread while the daemon writes. Each may raise StoreError.
"""

from scopewatch.store.read.liveness import LivenessRecord, read_liveness
from scopewatch.store.read.readers.alerts import AlertReader
from scopewatch.store.read.readers.frames import FrameReader
from scopewatch.store.read.readers.pictures import PictureReader
from scopewatch.store.read.readers.runs import RunReader
from scopewatch.store.read.readers.wells import WellReader
from scopewatch.store.schema.engine import transaction


class Reader(RunReader, WellReader, FrameReader, PictureReader, AlertReader):
    """The read side of the database, on connections of its own that cannot write."""

    def liveness(self) -> dict[str, LivenessRecord]:
        """Return what the daemon recorded last of each kind, by name."""
        with transaction(self._engine) as session:
            return read_liveness(session)
