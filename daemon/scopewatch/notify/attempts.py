"""Attempts to send, each in a thread of its own, so that no caller waits for one that hangs.

A receiver may take a connection and never answer. Whoever sends waits so long and no longer, and
the process may end meanwhile: the threads are daemons, unlike those of Apprise's own pool, which
Python joins at exit (https://docs.python.org/3/library/threading.html#threading.Thread.daemon).

An attempt that was left may still succeed. It is taken up again by the next attempt at the same
message, so that a slow receiver does not get everything twice.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from scopewatch.core.errors import DeliveryError, complaint

# Between two signs of life of a caller that waits.
BEAT_S: Final = 2.0


def _nothing() -> None:
    return None


@dataclass(slots=True, eq=False)
class _Attempt:
    key: str
    ended: bool = False
    error: BaseException | None = None


class Attempts:
    """At most one attempt under way per channel; for one caller, and `leave` for any thread.

    Parameters
    ----------
    within_s
        Longest time in seconds that a caller waits for one attempt.
    progress
        Called every `beat_s` seconds while a caller waits: a wait is bounded, so it does not
        count as a stall, whatever `runtime.stall_s` is.
    """

    def __init__(
        self,
        *,
        within_s: float,
        progress: Callable[[], None] = _nothing,
        beat_s: float = BEAT_S,
    ) -> None:
        self._within_s = within_s
        self._progress = progress
        self._beat_s = beat_s
        self._changed = threading.Condition()
        self._under_way: dict[str, _Attempt] = {}
        self._leaving = False

    def make(self, channel: str, key: str, work: Callable[[], None]) -> None:
        """Do `work` and return, or raise what it raised.

        Raises
        ------
        DeliveryError
            It is not done in time, the channel is still busy with an earlier message, or `leave`
            was called. None of them means that the message was not taken.
        """
        with self._changed:
            attempt = self._under_way.get(channel)
            if attempt is not None and not attempt.ended and attempt.key != key:
                raise _busy(channel)
            if attempt is None or attempt.key != key or (attempt.ended and attempt.error):
                attempt = _Attempt(key)
                self._under_way[channel] = attempt
                self._begin(channel, attempt, work)
            self._wait(attempt)
            if not attempt.ended:
                raise _left(channel, self._within_s, leaving=self._leaving)
            del self._under_way[channel]
        if attempt.error is not None:
            raise attempt.error

    def leave(self) -> None:
        """End every wait, now and from now on: the process is about to end."""
        with self._changed:
            self._leaving = True
            self._changed.notify_all()

    def _wait(self, attempt: _Attempt) -> None:
        left_s = self._within_s
        while left_s > 0:
            beat_s = min(left_s, self._beat_s)
            if self._changed.wait_for(lambda: attempt.ended or self._leaving, beat_s):
                return
            left_s -= beat_s
            self._progress()

    def _begin(self, channel: str, attempt: _Attempt, work: Callable[[], None]) -> None:
        def run() -> None:
            try:
                work()
            except BaseException as error:  # noqa: BLE001 - kept for the caller that waits, or asks later
                attempt.error = error
            with self._changed:
                attempt.ended = True
                self._changed.notify_all()

        threading.Thread(target=run, name=f"send to {channel}", daemon=True).start()


def _busy(channel: str) -> DeliveryError:
    return DeliveryError(
        complaint(
            "the receiver has not answered to an earlier message yet",
            where=f"channel {channel}",
            do="see whether it hangs; it is tried again",
        ),
        permanent=False,
    )


def _left(channel: str, within_s: float, *, leaving: bool) -> DeliveryError:
    got = "the end of scopewatch" if leaving else f"no answer in {within_s:g} s"
    return DeliveryError(
        complaint(
            "the receiver has not answered",
            where=f"channel {channel}",
            got=got,
            do="see whether it hangs; it is tried again",
        ),
        permanent=False,
    )
