"""A circuit breaker: a channel that fails repeatedly is not used for a while.

    closed --`after` failures in a row--> open --its rest is over--> half open --taken--> closed
                                           ^------------- the probe fails ------'

While it is open, nothing is sent and no attempt of any message is used up. Half open, one message
goes out as a probe: the channel's oldest, so that order holds. Delays between the attempts at one
message (`delivery.py`) go on beside it.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum


class Circuit(StrEnum):
    """The state of a breaker."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half open"


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerRule:
    """When to open, and for how long.

    Parameters
    ----------
    after
        Failures in a row that open it.
    rest_s
        How long it stays open before a probe, at most; the caller may shorten it by chance, so
        that channels that failed together do not come back together.
    """

    after: int = 5
    rest_s: float = 900.0

    def __post_init__(self) -> None:
        if self.after < 1 or self.rest_s <= 0:
            raise ValueError(f"after is >= 1 and rest_s > 0: {self}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """The state of one channel's breaker; `opened_at` and `open_until` are None while closed.

    `error` is of the newest of the failures in a row; empty where there is none.
    """

    failures: int = 0
    opened_at: datetime | None = None
    open_until: datetime | None = None
    error: str = ""

    def circuit(self, now: datetime) -> Circuit:
        """Return the state of the breaker."""
        if self.opened_at is None or self.open_until is None:
            return Circuit.CLOSED
        # A clock that was set back must not make it rest until it has caught up.
        return Circuit.OPEN if self.opened_at <= now < self.open_until else Circuit.HALF_OPEN

    def failed(
        self, rule: BreakerRule, now: datetime, share: float = 1.0, error: str = ""
    ) -> "Breaker":
        """Return the state after a failure, with a rest of `share` of the whole.

        A failed probe opens it again.
        """
        failures = self.failures + 1
        if failures < rule.after:
            return replace(self, failures=failures, error=error)
        until = now + timedelta(seconds=rule.rest_s * share)
        return Breaker(failures=failures, opened_at=now, open_until=until, error=error)

    def answered(self) -> "Breaker":
        """Return the state after the channel answered: taken, or refused for good."""
        return Breaker()


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """How a channel's receiver answers, as this process has seen it.

    Parameters
    ----------
    open_until
        Nothing is sent before; None while the breaker is closed.
    failures
        How many attempts in a row failed; 0 once it answered.
    error
        What the newest of them met, without secrets.
    """

    channel: str
    circuit: Circuit
    open_until: datetime | None
    failures: int
    error: str

    @property
    def text(self) -> str:
        """One line for people."""
        if not self.failures:
            return "in order"
        failed = f"{self.failures} failure{'s' if self.failures > 1 else ''} in a row"
        if self.open_until is None:
            return f"{failed}, tried again: {self.error}"
        rest = f"rests until {self.open_until:%Y-%m-%d %H:%M} UTC"
        then = rest if self.circuit is Circuit.OPEN else "is tried once more"
        return f"{then} after {failed}: {self.error}"
