"""Writes the daily digest from the database and puts it into the outbox, once a day."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from scopewatch.app.run_states import ACTIVE
from scopewatch.core.alerts.observation import Reading
from scopewatch.core.alerts.routing import Route
from scopewatch.core.clock import Clock
from scopewatch.core.estimation.forecast import WellForecast
from scopewatch.event_log import get_logger
from scopewatch.messages.digest import Digest, DigestWell, OpenAlert, compose_digest
from scopewatch.messages.message import Message, Style
from scopewatch.monitoring.expectation import NOTHING, Standard
from scopewatch.monitoring.policy import RunPolicy
from scopewatch.monitoring.state import Level, RunState, State
from scopewatch.store.read.records.alerts import AlertRow
from scopewatch.store.read.records.runs_and_wells import WellRow
from scopewatch.web.plate import expect

log = get_logger(__name__)

MOST_ALERTS: Final = 500


class Source(Protocol):
    """What the digest reads: the read side of the database."""

    def active_runs(self, since: datetime) -> list[str]:
        """Return the runs of which a frame was settled after a moment, the newest first."""
        ...

    def wells(self, run: str) -> list[WellRow]:
        """Return every well of a run."""
        ...

    def alerts(
        self, name: None, limit: int, *, open_only: bool = False, runs: Collection[str]
    ) -> list[AlertRow]:
        """Return alerts of some runs."""
        ...


class States(Protocol):
    """The states of the runs."""

    def of(self, run: str) -> State:
        """Return the state of a run. Raises StoreError."""
        ...

    def current(self) -> Sequence[RunState]:
        """Return the states of the runs that are watched now."""
        ...


class DailyDigest:
    """Posts the digest of each run that goes on once a day, whenever it is asked to.

    Parameters
    ----------
    announce
        Queues a message for channels, each once whatever is asked again; returns for how many.
    complaints
        Returns what is wrong with the daemon itself.
    hour, zone
        From when on a day's digest is due; `zone` None is the zone of this machine.
    states
        The states of the runs, apart from what is wrong with the daemon.
    policy
        How the run is planned.
    standard
        What the wells of a run are measured against.
    """

    def __init__(
        self,
        source: Source,
        *,
        announce: Callable[[Message, Iterable[str]], int],
        complaints: Callable[[], Sequence[str]],
        routes: Mapping[str, Route],
        style: Style,
        clock: Clock,
        hour: int,
        zone: str | None,
        states: States,
        policy: RunPolicy,
        standard: Standard,
    ) -> None:
        self._source = source
        self._announce = announce
        self._complaints = complaints
        self._routes = routes
        self._style = style
        self._clock = clock
        self._hour = hour
        self._zone = None if zone is None else ZoneInfo(zone)
        self._states = states
        self._policy = policy
        self._standard = standard
        self._posted: date | None = None

    def post(self) -> int:
        """Queue what is due; return for how many channels. A restart queues nothing twice."""
        now = self._clock.now()
        local = now.astimezone(self._zone)
        if local.hour < self._hour or local.date() == self._posted:
            return 0
        running = dict.fromkeys(self._source.active_runs(now - ACTIVE))
        # One of which no frame was ever taken in, where somebody has to see why.
        for each in self._states.current():
            if each.state.needs_somebody and not self._source.wells(each.run):
                running[each.run] = None
        queued = 0
        for run in running:
            digest = self._gather(run, now, local.date())
            message = compose_digest(digest, style=self._style)
            channels = [
                name for name, route in self._routes.items() if route.digest and route.covers(run)
            ]
            queued += self._announce(message, channels)
        if running:
            self._posted = local.date()
        if queued:
            event = {"day": str(local.date()), "channels": queued}
            log.info("digest queued", **event)
        return queued

    def _gather(self, run: str, now: datetime, on: date) -> Digest:
        rows = self._source.wells(run)
        alerts = self._source.alerts(None, MOST_ALERTS, open_only=True, runs=[run])
        state = self._states.of(run)
        over = state.level is Level.FINISHED
        return Digest(
            run=run,
            on=on,
            day=max((row.day for row in rows if row.day is not None), default=None),
            frames=sum(row.scored for row in rows),
            quarantined=sum(row.quarantined for row in rows),
            wells=tuple(self._well(row, now, over=over) for row in rows),
            alerts=tuple(_open_alert(alert) for alert in alerts if alert.subject.well is None),
            complaints=tuple(self._complaints()),
            target=self._standard.main_target(run),
            state=state.sentence,
            advice=state.advice,
            details=state.details,
            judged=state.all_clear or over,
            missing=state.needs_somebody,
        )

    def _well(self, row: WellRow, now: datetime, *, over: bool) -> DigestWell:
        outlook = row.outlook
        reading = forecast = None
        if outlook is not None:
            reading = Reading(value=outlook.now, low=outlook.low, high=outlook.high)
            if isinstance(outlook.forecast, WellForecast):
                foreseen = outlook.forecast
                forecast = Reading(value=foreseen.value, low=foreseen.low, high=foreseen.high)
        elif row.efficiency is not None:
            seen = row.efficiency
            reading = Reading(value=seen.value, low=seen.low, high=seen.high)
        return DigestWell(
            plate=row.name.plate,
            well=row.name.well,
            now=reading,
            forecast=forecast,
            alerts=tuple(
                OpenAlert(
                    kind=flag.kind,
                    severity=flag.severity,
                    name=flag.rule,
                    acknowledged=flag.acknowledged_at is not None,
                )
                for flag in row.flags
            ),
            neutral=expect(row, self._standard) is NOTHING,
            stale=row.judged_at is None or (not over and now - row.judged_at > self._policy.recent),
        )


def _open_alert(alert: AlertRow) -> OpenAlert:
    plate = alert.subject.plate
    return OpenAlert(
        kind=alert.kind,
        severity=alert.severity,
        name=alert.rule if plate is None else f"{plate}: {alert.rule}",
        acknowledged=alert.acknowledged_at is not None,
    )
