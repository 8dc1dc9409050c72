"""Which channel carries which message."""

from dataclasses import dataclass

from scopewatch.core.alerts.rules import Severity
from scopewatch.core.alerts.scope import any_match


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Which messages one channel carries. Quiet hours belong to the rules.

    Parameters
    ----------
    min_severity
        Messages of lower severity do not go there.
    runs
        Shell patterns of the runs whose messages go there; empty: all of them.
    digest
        Whether the daily digest goes there too, whatever `min_severity` is.
    """

    min_severity: Severity = Severity.INFO
    runs: tuple[str, ...] = ()
    digest: bool = True

    def takes(self, severity: Severity, run: str) -> bool:
        """Whether a message of this severity about this run goes there."""
        return severity.rank >= self.min_severity.rank and self.covers(run)

    def covers(self, run: str) -> bool:
        """Whether messages about this run go there at all."""
        return any_match(self.runs, run)
