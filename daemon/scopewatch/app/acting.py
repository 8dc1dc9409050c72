"""Reads what was judged, and asks time-lapses for images beyond their plan where that is due.

What is asked for goes through the journal, as the orders of people do: so each act has its reason
there, and is asked for once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final, Protocol

from scopewatch.app.steering import standings_of
from scopewatch.config import Config
from scopewatch.core.acquisition.orders import ITSELF, Act, Target
from scopewatch.core.alerts.rules import RuleKind
from scopewatch.core.clock import Clock
from scopewatch.core.estimation.forecast import WellForecast
from scopewatch.core.source import FrameSource
from scopewatch.event_log import get_logger
from scopewatch.monitoring.acts import ActFacts, ActPolicy, ExpectedWell, decide
from scopewatch.store.read.records.runs_and_wells import WellRow

log = get_logger(__name__)

LOOK_S: Final = 2.0
# Forecasts of all wells take longer to read than the rest.
FORECASTS_S: Final = 30.0


class ActReader(Protocol):
    """The part of the database that acts follow from. Raises StoreError."""

    def act_facts(
        self, run: str, source: str, time_point: int, channel: str, now: datetime
    ) -> ActFacts:
        """Return what acts at a time point follow from, without forecasts."""
        ...

    def wells(self, run: str | None = None) -> Sequence[WellRow]:
        """Return every well of a run."""
        ...


class ActStore(Protocol):
    """The journal that acts are asked for in. Raises StoreError."""

    def order(
        self,
        source: str,
        run: str,
        act: Act,
        by: str,
        target: Target | None = None,
        reason: str = "",
    ) -> int:
        """Record an order to a time-lapse; return its number."""
        ...


class Acting:
    """Asks for acts; one thread at a time.

    Parameters
    ----------
    run, channel
        The run that is acquired, and its channel that is judged.
    policies
        What is switched on, by source.
    """

    def __init__(
        self,
        reader: ActReader,
        store: ActStore,
        sources: Sequence[FrameSource],
        clock: Clock,
        *,
        run: str,
        channel: str,
        policies: Mapping[str, ActPolicy],
    ) -> None:
        self._reader = reader
        self._store = store
        self._sources = [each for each in sources if each.name in policies]
        self._clock = clock
        self._run = run
        self._channel = channel
        self._policies = policies
        self._forecast_s: dict[str, float] = {}

    def look(self) -> None:
        """Ask for what is due. Raises StoreError."""
        for standing in standings_of(self._sources):
            if standing.held is not None or standing.due is None:
                continue
            source, now = standing.source, self._clock.now()
            facts = self._reader.act_facts(self._run, source, standing.due, self._channel, now)
            if self._policies[source].doubt is not None:
                facts = replace(facts, expected=self._expected(source, standing.due))
            for wish in decide(self._policies[source], facts):
                self._store.order(source, self._run, wish.act, ITSELF, wish.target, wish.reason)
                log.info(
                    "image beyond the plan is wanted",
                    source=source,
                    act=wish.act.value,
                    target=wish.target.text,
                    reason=wish.reason,
                )

    def _expected(self, source: str, due: int) -> tuple[ExpectedWell, ...]:
        """Return the newest forecasts, now and then; of wells that are judged up to now."""
        now_s = self._clock.monotonic()
        if now_s - self._forecast_s.get(source, float("-inf")) < FORECASTS_S:
            return ()
        self._forecast_s[source] = now_s
        return tuple(
            ExpectedWell(
                target=Target(plate=row.name.plate, well=row.name.well),
                forecast=row.outlook.forecast,
            )
            for row in self._reader.wells(self._run)
            if row.outlook is not None
            and row.outlook.time_point >= due - 1
            and isinstance(row.outlook.forecast, WellForecast)
        )


def policies_of(config: Config) -> dict[str, ActPolicy]:
    """Return what is switched on, by source; sources without any are left out."""
    rules = tuple(
        rule
        for rule in config.alert_rules()
        if rule.kind is RuleKind.WEAK_FORECAST and rule.covers(config.experiment.name)
    )
    policies = {
        source.name: ActPolicy(
            reimage=source.acts.reimage_unfit,
            refocuses=source.focus.searches,
            fluorescence=source.acts.fluorescence_of_flagged is not None,
            most=source.acts.most_per_time_point,
            doubt=None if source.acts.more_sites is None else source.acts.more_sites.doubt,
            most_wells=0 if source.acts.more_sites is None else source.acts.more_sites.most_wells,
            rules=() if source.acts.more_sites is None else rules,
        )
        for source in config.acquiring
    }
    return {name: policy for name, policy in policies.items() if policy.is_on}
