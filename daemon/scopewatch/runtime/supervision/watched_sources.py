"""Which sources give nothing though they should, and whether all have given all there was."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from scopewatch.core.alerts.monitor import DeadSource
from scopewatch.core.source import FrameSource
from scopewatch.runtime.process.restart_history import RestartHistory


class WatchedSources:
    """The health of all sources.

    Parameters
    ----------
    troubles
        Returns why sources could not be started, by their names.
    history
        Keeps since when each is dead, over restarts.
    """

    def __init__(
        self,
        sources: Sequence[FrameSource],
        troubles: Callable[[], Mapping[str, str]],
        history: RestartHistory,
    ) -> None:
        self._sources = sources
        self._troubles = troubles
        self._history = history

    def dead(self, now: datetime) -> list[DeadSource]:
        """Return the sources that give nothing, each with its reason and since when."""
        troubles = self._troubles()
        dead: list[DeadSource] = []
        for source in self._sources:
            health = source.health()
            away = "" if health.alive else health.detail
            why = troubles.get(source.name) or health.failing or away
            # One that has given all there was need not watch any more.
            if not why or health.ended:
                self._history.is_well(source.name)
                continue
            since = self._history.dead_since(source.name, now)
            dead.append(DeadSource(name=source.name, since=since, why=why))
        return dead

    def shortfall(self) -> str:
        """Return what sources that have ended could not give; '' where nothing is missing."""
        shortfalls = ((source.name, source.health().shortfall) for source in self._sources)
        return " | ".join(f"{name}: {shortfall}" for name, shortfall in shortfalls if shortfall)

    def have_ended(self) -> bool:
        """Return whether all sources have given all there was."""
        return bool(self._sources) and all(source.health().ended for source in self._sources)
