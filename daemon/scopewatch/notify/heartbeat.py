"""Calls a service outside regularly, so that a PC that died, hangs or lost its network is missed.

Any service of the kind of https://healthchecks.io will do: it is asked for nothing, it hears a
request every few minutes and alerts people when none comes. While scopewatch is not well, the
request goes to `/fail` below the address, with what is wrong.

Nothing waits for it: it has a thread of its own, which the process's end does not wait for.
"""

import threading
import time
import urllib.request
from collections.abc import Callable, Sequence
from http.client import HTTPException
from typing import Final, Protocol
from urllib.error import HTTPError

from pydantic import SecretStr

from scopewatch import __version__
from scopewatch.core.clock import Clock
from scopewatch.event_log import get_logger

log = get_logger(__name__)

ANSWER_S: Final = 10.0
# A source on a share may take so long to be there: not yet ready is no failure before.
STARTING_S: Final = 120.0
LOOK_S: Final = 1.0
_MOST_BYTES: Final = 10_000


class Conditioned(Protocol):
    """The condition of the daemon, as the heartbeat uses it."""

    @property
    def ready(self) -> bool:
        """Whether it has started."""
        ...

    @property
    def complaints(self) -> Sequence[str]:
        """One line for each thing that is wrong."""
        ...


class Heartbeat:
    """Reports to a service outside that all is well, or what is not.

    Parameters
    ----------
    url
        The address to call; it is a secret and never logged.
    condition
        Asked before each call; any thread may ask.
    every_s
        Seconds between two calls. The first call is made as soon as the daemon is ready.
    """

    def __init__(
        self,
        url: SecretStr,
        *,
        condition: Callable[[], Conditioned],
        clock: Clock,
        every_s: float,
    ) -> None:
        self._url = url
        self._condition = condition
        self._clock = clock
        self._every_s = every_s
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._began_s = clock.monotonic()
        self._called_s = float("-inf")
        self._last_heard = True

    @property
    def running(self) -> bool:
        """Whether the thread is alive."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Start the thread."""
        self._stopping.clear()
        self._began_s = self._clock.monotonic()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        self._thread.start()

    def stop(self, _within_s: float = 0.0) -> bool:
        """Stop; a call under way may end by itself, since nothing depends on it."""
        self._stopping.set()
        return True

    def beat(self) -> bool | None:
        """Call if it is time: True when all is well was reported, False when trouble was.

        None when it was not time, or the service did not answer.
        """
        now_s = self._clock.monotonic()
        if now_s - self._called_s < self._every_s:
            return None
        condition = self._condition()
        starting = not condition.ready and now_s - self._began_s < STARTING_S
        if starting:
            return None
        self._called_s = now_s
        well = condition.ready and not condition.complaints
        lines = condition.complaints or (() if well else ("not ready to work",))
        return well if self._call(well, "\n".join(lines)) else None

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.beat()
            except Exception:
                # Thread boundary: whatever it was, the next call must still be made.
                log.exception("heartbeat failed")
            self._stopping.wait(LOOK_S)

    def _call(self, well: bool, body: str) -> bool:
        began_s = time.monotonic()
        url = self._url.get_secret_value().rstrip("/") + ("" if well else "/fail")
        request = urllib.request.Request(  # noqa: S310 - http or https, see config.delivery
            url,
            data=body.encode()[:_MOST_BYTES],
            headers={"User-Agent": f"scopewatch/{__version__}", "Content-Type": "text/plain"},
            method="POST",
        )
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_S):  # noqa: S310 - as above
                pass
        except (OSError, HTTPException, ValueError) as error:
            # Only its kind: the text of some errors holds the address.
            why = f"status {error.code}" if isinstance(error, HTTPError) else type(error).__name__
            self._tell(why, time.monotonic() - began_s)
            return False
        if not self._last_heard:
            log.info("heartbeat is heard again")
        self._last_heard = True
        return True

    def _tell(self, why: str, took_s: float) -> None:
        """Log the first failure of a row; the service itself alerts people of the silence."""
        if self._last_heard:
            event = {"why": why, "took_s": round(took_s, 1)}
            log.warning("heartbeat was not heard", **event)
        self._last_heard = False
