"""Delivers the messages of the outbox, and tries again until their channel has taken them.

    due -> send -> delivered
             |---> postponed   (later and later, with jitter; the channel's next ones wait for it)
                     '---> abandoned   (only where trying again cannot help)

A channel that failed several times in a row rests, see `breaker.py`; its next message is then a
probe.

At least once: a message is marked after its channel took it, so a crash between the two repeats
it, with the same idempotency key.
"""

import random
import threading
from collections.abc import Callable, Sequence
from datetime import timedelta
from math import ceil
from typing import Final

from scopewatch.core.clock import Clock
from scopewatch.core.delays import doubling_s
from scopewatch.core.errors import DeliveryError, StoreError
from scopewatch.event_log import get_logger
from scopewatch.messages.message import Message, OutboxItem, without_pictures
from scopewatch.notify.breaker import Breaker, BreakerRule, Circuit, Receiver
from scopewatch.notify.outbox import Notifier, Outbox

log = get_logger(__name__)

BATCH: Final = 20
POLL_S: Final = 2.0
MOST_S: Final = 900.0
# Some receivers refuse large files: then the words alone must arrive.
TRIES_WITH_PICTURE: Final = 3


def _nothing() -> None:
    return None


class Delivery:
    """Drains the outbox, in a thread of its own once started.

    Parameters
    ----------
    retry_s
        Delay after the first failure; it doubles with each further one, up to 15 minutes.
    channels
        Names of the channels whose receivers are reported.
    breaker
        When a channel that fails is left alone, and for how long.
    rng
        Spreads the delays, so that channels that failed together do not come back together.
    redact
        Removes secrets from the answers of receivers before they are reported.
    progress
        Called at least every few seconds while the thread runs, save while a channel is being
        spoken to or the outbox is waited for; and between any two of these.
    """

    def __init__(
        self,
        outbox: Outbox,
        notifier: Notifier,
        *,
        clock: Clock,
        retry_s: float,
        rng: random.Random,
        channels: Sequence[str] = (),
        breaker: BreakerRule | None = None,
        redact: Callable[[str], str] = str,
        progress: Callable[[], None] = _nothing,
    ) -> None:
        self._outbox = outbox
        self._notifier = notifier
        self._clock = clock
        self._retry_s = retry_s
        self._most_s = max(MOST_S, retry_s)
        self._rng = rng
        self._channels = tuple(channels)
        self._rule = breaker or BreakerRule()
        self._longest = timedelta(seconds=max(self._most_s, self._rule.rest_s))
        # Replaced, never changed: other threads read it.
        self._breakers: dict[str, Breaker] = {}
        self._redact = redact
        self._progress = progress
        self._stopping = threading.Event()
        self._woken = threading.Event()
        self._thread: threading.Thread | None = None
        self._away = ""
        # A row that was taken but could not be marked (disk full): it must not be sent again.
        # Nothing else is sent before it is marked, so there is hardly ever more than one.
        self._unmarked: set[int] = set()

    @property
    def running(self) -> bool:
        """Whether the thread is alive."""
        return self._thread is not None and self._thread.is_alive()

    def receivers(self) -> tuple[Receiver, ...]:
        """Return how the receiver of each channel answers; any thread may ask."""
        now, breakers = self._clock.now(), self._breakers
        return tuple(
            Receiver(
                channel=channel,
                circuit=(seen := breakers.get(channel, Breaker())).circuit(now),
                open_until=seen.open_until,
                failures=seen.failures,
                error=seen.error,
            )
            for channel in self._channels
        )

    def troubles(self) -> Sequence[str]:
        """Return why no message gets out at the moment, by channel; any thread may ask."""
        resting = [
            f"alert channel {receiver.channel} has failed {receiver.failures} times in a row"
            for receiver in self.receivers()
            if receiver.open_until is not None
        ]
        return [f"delivery: {self._away}", *resting] if self._away else resting

    def drain(self) -> int:
        """Try each message that is due once; return how many left the outbox.

        After a failure the later messages of that channel wait, those of others do not. Raises
        StoreError while the outbox is away.
        """
        try:
            gone = self._drain()
        except Exception as error:
            self._away = str(error) or type(error).__name__
            raise
        self._away = ""
        return gone

    def _drain(self) -> int:
        for row in sorted(self._unmarked):
            self._mark(row)
        gone = 0
        failed: set[str] = set()
        for item in self._outbox.due(self._clock.now(), BATCH, longest=self._longest):
            if self._stopping.is_set():
                break
            if item.channel in failed or self._circuit(item.channel) is Circuit.OPEN:
                continue
            self._progress()
            if self._try(item):
                gone += 1
            else:
                failed.add(item.channel)
        return gone

    def start(self) -> None:
        """Start the thread."""
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="delivery", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Look at the outbox now rather than at the next turn."""
        self._woken.set()

    def stop(self, within_s: float = 5.0) -> bool:
        """End; False when that took longer than `within_s`.

        A message that its receiver is taking stays in the outbox: it is sent again after the
        next start, with the same idempotency key.
        """
        self._stopping.set()
        self._woken.set()
        self._notifier.leave()
        if self._thread is not None:
            self._thread.join(within_s)
        return not self.running

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._progress()
            before = self._away
            try:
                idle = self.drain() == 0
            except Exception as error:  # Thread boundary: whatever it was, alerts must still leave.
                # Not at each turn: on a full disk the log would help to keep it full.
                if self._away != before:
                    unexpected = None if isinstance(error, StoreError) else error
                    log.error("outbox cannot be drained", why=self._away, exc_info=unexpected)
                # An outbox that is away comes back. Its backoff cannot be stored meanwhile, so the
                # delay is kept here.
                self._rest(self._retry_s)
                continue
            if idle:
                self._woken.wait(POLL_S)
                self._woken.clear()

    def _rest(self, seconds: float) -> None:
        for _ in range(ceil(seconds / POLL_S)):
            self._progress()
            if self._stopping.wait(POLL_S):
                return

    def _try(self, item: OutboxItem) -> bool:
        event: dict[str, object] = {
            "channel": item.channel,
            "title": item.message.title,
            "attempt": item.attempts + 1,
            "key": item.message.idempotency_key,
        }
        try:
            try:
                self._notifier.send(item.channel, _fit(item))
            finally:
                # The receiver may have taken its time, and the outbox may take as much.
                self._progress()
        except DeliveryError as error:
            if self._stopping.is_set():
                return False
            event["error"] = str(error)
            if not error.permanent:
                self._postpone(item, event)
                return False
            self._answered(item.channel)
            self._outbox.abandoned(item.row, str(error))
            log.error("alert given up", **event)
            return True
        self._answered(item.channel)
        self._mark(item.row)
        log.info("alert delivered", **event)
        return True

    def _postpone(self, item: OutboxItem, event: dict[str, object]) -> None:
        now = self._clock.now()
        until = now + timedelta(seconds=self._delay_s(item.attempts))
        before = self._breakers.get(item.channel, Breaker())
        error = self._redact(str(event["error"]))
        after = before.failed(self._rule, now, self._rng.uniform(0.5, 1.0), error)
        self._breakers = {**self._breakers, item.channel: after}
        if after.open_until is not None:
            # Not due before: else its messages would fill every look at the outbox.
            until = max(until, after.open_until)
        self._outbox.postponed(item.row, until, str(event["error"]))
        event["in_s"] = round((until - now).total_seconds())
        log.warning("alert not delivered, trying again", **event)
        if before.open_until is None and after.open_until is not None:
            rests = {"channel": item.channel, "failures": after.failures}
            log.error("channel fails again and again, it rests", **rests)

    def _answered(self, channel: str) -> None:
        answered = self._breakers.get(channel, Breaker()).answered()
        self._breakers = {**self._breakers, channel: answered}

    def _circuit(self, channel: str) -> Circuit:
        return self._breakers.get(channel, Breaker()).circuit(self._clock.now())

    def _mark(self, row: int) -> None:
        self._unmarked.add(row)
        self._outbox.delivered(row, self._clock.now())
        self._unmarked.discard(row)

    def _delay_s(self, attempts: int) -> float:
        longest = doubling_s(attempts, first_s=self._retry_s, most_s=self._most_s)
        return longest * self._rng.uniform(0.5, 1.0)


def _fit(item: OutboxItem) -> Message:
    message = item.message
    pictures = message.attachments or message.figures
    if item.attempts < TRIES_WITH_PICTURE or not pictures:
        return message
    return without_pictures(message)
