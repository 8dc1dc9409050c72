"""The web server in a thread of its own, beside the daemon's work."""

import asyncio
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

import uvicorn
from fastapi import FastAPI

from scopewatch.core.errors import ConfigError, complaint
from scopewatch.event_log import get_logger
from scopewatch.web.access.listener import Listener

log = get_logger(__name__)


def _nothing() -> None:
    return None


_ROUND_S: Final = 0.5


class _Beating(uvicorn.Server):
    """Reports progress from within its event loop, so that a loop that hangs is noticed."""

    def __init__(self, config: uvicorn.Config, progress: Callable[[], None]) -> None:
        super().__init__(config)
        self._progress = progress

    async def main_loop(self) -> None:
        """Go round twice a second: the ten times of uvicorn are most of what an idle page costs."""
        counter = 0
        while not await self.on_tick(counter):
            await asyncio.sleep(_ROUND_S)
            # In uvicorn's own rounds, of which each tenth renews the date of answers.
            counter += round(_ROUND_S / 0.1)

    async def on_tick(self, counter: int) -> bool:
        """Beat with each round of the loop."""
        self._progress()
        return await super().on_tick(counter)


class WebServer:
    """Serves the dashboard until it is stopped.

        made --start--> serving --stop--> stopped

    Parameters
    ----------
    listener
        Where to listen; it is opened here, unless it is open already.
    progress
        Called by the event loop for as long as it goes round; must be quick.
    proxied
        A proxy on this machine names the client of each request; else anybody could claim that.
    """

    def __init__(
        self,
        app: FastAPI,
        listener: Listener,
        *,
        progress: Callable[[], None] = _nothing,
        proxied: bool = False,
    ) -> None:
        self._listener = listener
        self._progress = progress
        self._server = _Beating(
            uvicorn.Config(
                app,
                lifespan="off",
                log_config=None,
                # No page has a web socket: what would serve them is not loaded.
                ws="none",
                access_log=False,
                server_header=False,
                proxy_headers=proxied,
                limit_concurrency=64,
                timeout_keep_alive=5,
                timeout_graceful_shutdown=1,
            ),
            progress,
        )
        self._thread: threading.Thread | None = None

    def start(self, within_s: float = 10.0) -> None:
        """Listen, and return once requests are answered.

        Raises
        ------
        ConfigError
            When the port is taken or may not be used, or the server does not come up.
        """
        self._listener.open()
        # Its first sign of life, so that a loop that never goes round is missed as well.
        self._progress()
        self._thread = threading.Thread(target=self._run, name="web", daemon=True)
        self._thread.start()
        deadline = time.monotonic() + within_s
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                self.stop()
                raise ConfigError(
                    complaint(
                        "the dashboard does not start",
                        where=self.url,
                        do="see the log above; web.enabled: false runs without it",
                    )
                )
            self._thread.join(0.01)
        log.info("dashboard is served", url=self.url)

    @property
    def url(self) -> str:
        """Address of the dashboard, with the port it really got."""
        return self._listener.url

    def running(self) -> bool:
        """Whether it serves."""
        return self._thread is not None and self._thread.is_alive()

    def stop(self, within_s: float = 4.0) -> bool:
        """Answer what is being answered, then end; False when that took too long. Idempotent."""
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(within_s)
        self._listener.close()
        return not self.running()

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop."""
        self.stop()

    def _run(self) -> None:
        try:
            bound = self._listener.socket
            self._server.run(sockets=[bound] if bound else None)
        except Exception:  # the thread's boundary: the supervisor sees that it has ended
            log.exception("dashboard failed", url=self.url)
