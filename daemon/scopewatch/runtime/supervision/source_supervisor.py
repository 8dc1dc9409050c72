"""Keeps one source watching: starts it, checks its health, scans, and starts it again.

    away --start--> watching --health: not alive--> away
      '--- SourceError: started again after 1, 2, 4 ... 60 s ---'

A share may be away for a weekend, so the supervisor never gives up; the delays bound what that
costs. They start over once the source has watched for a minute. Until then the same reason is
logged once.
"""

from scopewatch.core.clock import Clock
from scopewatch.core.errors import SourceError
from scopewatch.core.source import FrameSource, Inbox, Ledger
from scopewatch.event_log import get_logger
from scopewatch.runtime.backoff import Backoff
from scopewatch.runtime.supervision.heartbeats import Heartbeats
from scopewatch.runtime.supervision.progress import ProgressInbox, ProgressLedger

log = get_logger(__name__)

# A source that watches for so long is well again; one that dies before waits longer and longer.
STEADY_S = 60.0
# A scan takes a moment, and sources are checked once a second: without this allowance each scan
# would come a second late.
_EARLY_S = 0.5


class SourceSupervisor:
    """Keeps one source watching; one thread at a time calls `check` every few seconds.

    Parameters
    ----------
    rescan_s
        Seconds between scans, since events get lost.
    """

    def __init__(
        self,
        source: FrameSource,
        *,
        inbox: Inbox,
        ledger: Ledger,
        clock: Clock,
        heartbeats: Heartbeats,
        rescan_s: float,
    ) -> None:
        self._source = source
        self._inbox = ProgressInbox(inbox, self._beat)
        self._ledger = ProgressLedger(ledger, self._beat)
        self._clock = clock
        self._heartbeats = heartbeats
        self._rescan_s = rescan_s
        self._backoff = Backoff()
        self._not_before_s = 0.0
        self._scanned_s = 0.0
        self._started_s = 0.0
        # The reason that was logged last, and the one that was logged before the last start.
        self._logged = ""
        self._logged_before_start: str | None = None
        self._retired = False
        self.checked = False
        self.watching = False
        # Holds while the first start hangs, on a dead share for example.
        self.trouble = "its start has not ended yet"
        self.failing = ""
        self.restarts = 0

    @property
    def source(self) -> FrameSource:
        """The supervised source."""
        return self._source

    @property
    def stage(self) -> str:
        """The name of the source among the heartbeats."""
        return f"source {self._source.name}"

    def check(self) -> None:
        """Start the source, or check its health; scan when it is time. Never raises."""
        if self._retired:
            return
        self._beat()
        try:
            if self.watching:
                self._check_health()
            if not self.watching and self._clock.monotonic() >= self._not_before_s:
                self._start()
            rested_s = self._clock.monotonic() - self._scanned_s
            if self.watching and rested_s >= self._rescan_s - _EARLY_S:
                self._scan()
        except Exception as error:
            # Thread boundary: a source that raises what it may not must not end its supervision.
            log.exception("source failed unexpectedly", **self._named())
            self._lose(f"{type(error).__name__}: {error}")
        self._beat()
        self.checked = True

    def retire(self) -> None:
        """Stop the source for good."""
        self._retired = True
        self._heartbeats.leave(self.stage)
        self.watching = False
        self._source.stop()

    def _start(self) -> None:
        try:
            self._source.start(self._inbox, self._ledger)
        except SourceError as error:
            self._lose(str(error))
            return
        self.watching = True
        self.trouble = ""
        self._scanned_s = self._started_s = self._clock.monotonic()
        if self._logged_before_start != self._logged:
            log.info("source watching", **self._named())
        self._logged_before_start = self._logged

    def _check_health(self) -> None:
        health = self._source.health()
        self.failing = health.failing
        if health.alive:
            if self._clock.monotonic() - self._started_s >= STEADY_S:
                self._backoff.reset()
                self._logged = self._logged_before_start = ""
        else:
            self.restarts += 1
            self._lose(health.detail)

    def _lose(self, why: str) -> None:
        delay_s = self._backoff.next_s()
        self._not_before_s = self._clock.monotonic() + delay_s
        self.watching = False
        self.trouble = why
        if why != self._logged:
            log.error("source not watching", **self._named(), why=why)
        self._logged = why
        self._source.stop()

    def _scan(self) -> None:
        self._source.scan()
        self._scanned_s = self._clock.monotonic()

    def _beat(self) -> None:
        if not self._retired:
            self._heartbeats.beat(self.stage)

    def _named(self) -> dict[str, object]:
        return {"source": self._source.name}
