"""Keeps one source watching: starts it, looks after it, scans, and starts it again.

    away --start--> watching --health says dead--> away
      '--- SourceError: tried again after 1, 2, 4 ... 60 s ---'

A share may be away for a weekend, so a keeper never gives up; the delays bound what it costs. They
start over once the source has watched for a minute, and until then the same reason is logged once.
"""

import logging
from collections.abc import Sequence

from scopewatch.core.clock import Clock
from scopewatch.core.errors import SourceError
from scopewatch.core.imaging.frame import FrameTicket, Mark, Refusal
from scopewatch.core.source import FrameSource, Inbox, Ledger
from scopewatch.runtime.backoff import Backoff
from scopewatch.runtime.supervision.heartbeats import Heartbeats

log = logging.getLogger(__name__)

# A source that watches for so long is well again; one that dies before waits longer and longer.
STEADY_S = 60.0
# A scan takes a moment, and sources are tended once a second: without that much less, each scan
# would come a second late.
_EARLY_S = 0.5


class SourceKeeper:
    """Looks after one source; `tend` is called every few seconds by one thread at a time.

    It stands between its source and the inbox and ledger, so that it hears of progress.

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
        self._inbox = inbox
        self._ledger = ledger
        self._clock = clock
        self._heartbeats = heartbeats
        self._rescan_s = rescan_s
        self._backoff = Backoff()
        self._not_before_s = 0.0
        self._scanned_s = 0.0
        self._started_s = 0.0
        self._told = ""
        self._said_after: str | None = None
        self._retired = False
        self.tended = False
        self.watching = False
        # What stands for as long as the first start hangs, on a dead share say.
        self.trouble = "its start has not ended yet"
        self.failing = ""
        self.restarts = 0

    @property
    def source(self) -> FrameSource:
        """The source that is kept."""
        return self._source

    @property
    def stage(self) -> str:
        """Its name among the heartbeats."""
        return f"source {self._source.name}"

    def tend(self) -> None:
        """Start the source, or look after it; scan when it is time. Never raises."""
        if self._retired:
            return
        self._beat()
        try:
            if self.watching:
                self._check()
            if not self.watching and self._clock.monotonic() >= self._not_before_s:
                self._start()
            rested_s = self._clock.monotonic() - self._scanned_s
            if self.watching and rested_s >= self._rescan_s - _EARLY_S:
                self._scan()
        except Exception as error:
            # Thread boundary: a source that breaks its promise must not end its own keeping.
            log.exception("source failed unexpectedly", extra={"event": self._named()})
            self._lose(f"{type(error).__name__}: {error}")
        self._beat()
        self.tended = True

    def offer(self, ticket: FrameTicket) -> bool:
        """Pass a ticket on: a source that offers makes progress, however long its scan takes."""
        self._beat()
        return self._inbox.offer(ticket)

    def refuse(self, refusal: Refusal) -> bool:
        """Pass a refusal on."""
        self._beat()
        return self._inbox.refuse(refusal)

    def settled(self, source: str, found: Sequence[Mark]) -> set[str]:
        """Pass a question to the ledger on: a scan over many known files makes progress too."""
        self._beat()
        return self._ledger.settled(source, found)

    def names_changed(self, source: str) -> bool:
        """Pass a question to the ledger on."""
        self._beat()
        return self._ledger.names_changed(source)

    def acquisition(self, source: str, label: str, identity: str) -> int:
        """Pass a question to the ledger on."""
        self._beat()
        return self._ledger.acquisition(source, label, identity)

    def retire(self) -> None:
        """Stop the source for good."""
        self._retired = True
        self._heartbeats.leave(self.stage)
        self.watching = False
        self._source.stop()

    def _start(self) -> None:
        try:
            self._source.start(self, self)
        except SourceError as error:
            self._lose(str(error))
            return
        self.watching = True
        self.trouble = ""
        self._scanned_s = self._started_s = self._clock.monotonic()
        if self._said_after != self._told:
            log.info("source watching", extra={"event": self._named()})
        self._said_after = self._told

    def _check(self) -> None:
        health = self._source.health()
        self.failing = health.failing
        if health.alive:
            if self._clock.monotonic() - self._started_s >= STEADY_S:
                self._backoff.reset()
                self._told = self._said_after = ""
        else:
            self.restarts += 1
            self._lose(health.detail)

    def _lose(self, why: str) -> None:
        delay_s = self._backoff.next_s()
        self._not_before_s = self._clock.monotonic() + delay_s
        self.watching = False
        self.trouble = why
        if why != self._told:
            log.error("source not watching", extra={"event": {**self._named(), "why": why}})
        self._told = why
        self._source.stop()

    def _scan(self) -> None:
        self._source.scan()
        self._scanned_s = self._clock.monotonic()

    def _beat(self) -> None:
        if not self._retired:
            self._heartbeats.beat(self.stage)

    def _named(self) -> dict[str, object]:
        return {"source": self._source.name}
