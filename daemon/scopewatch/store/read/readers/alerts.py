"""Reading alerts and their delivery."""

from collections.abc import Collection

from sqlalchemy import select

from scopewatch.core.well_name import WellName
from scopewatch.store.read.alert_queries import list_alerts, list_channels
from scopewatch.store.read.readers.database import DatabaseReader
from scopewatch.store.read.records.alerts import AlertRow, ChannelRow
from scopewatch.store.schema.alert_tables import Alert
from scopewatch.store.schema.engine import transaction


class AlertReader(DatabaseReader):
    """Reads alerts, and how the channels of their messages fare."""

    def alerts(
        self,
        name: WellName | None,
        limit: int,
        *,
        open_only: bool = False,
        runs: Collection[str] | None = None,
        courses: bool = True,
    ) -> list[AlertRow]:
        """Return alerts, standing ones first; of one well, with those of its plate that name it.

        Parameters
        ----------
        runs
            The runs whose alerts are meant; None for all.
        courses
            Whether evidence holds all points of a course, and not the newest alone.
        """
        with transaction(self._engine) as session:
            return list_alerts(
                session, name, limit, open_only=open_only, runs=runs, courses=courses
            )

    def wider_alerts(self, limit: int, *, runs: Collection[str]) -> list[AlertRow]:
        """Return open alerts of plates and of the monitor, newest first."""
        with transaction(self._engine) as session:
            return list_alerts(
                session, None, limit, open_only=True, runs=runs, of_wells=False, courses=False
            )

    def alerted_runs(self) -> list[str]:
        """Return the names of the runs that have alerts, those of the monitor among them."""
        with transaction(self._engine) as session:
            return list(session.scalars(select(Alert.experiment).distinct().order_by("experiment")))

    def channels(self, *, delivered: bool = False) -> list[ChannelRow]:
        """Return how each alert channel fares that ever had a message.

        Parameters
        ----------
        delivered
            Whether to count the messages that it has taken, one by one.
        """
        with transaction(self._engine) as session:
            return list_channels(session, delivered=delivered)
