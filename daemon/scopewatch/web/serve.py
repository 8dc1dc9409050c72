"""The web server in a thread of its own, beside the daemon's work."""

import asyncio
import os
import socket
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

import uvicorn
from fastapi import FastAPI

from scopewatch.core.errors import ConfigError, complaint
from scopewatch.event_log import get_logger

log = get_logger(__name__)


def _nothing() -> None:
    return None


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens; port 0 takes a free one.

    Raises
    ------
    OSError
        When the port is taken or may not be used, or the host has no address.
    """
    family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    bound = socket.socket(family, kind)
    try:
        # On Windows the option would let two programs share the port.
        if os.name == "posix":
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        bound.listen(64)
    except OSError:
        bound.close()
        raise
    return bound


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
    host, port
        Where to listen; port 0 takes any free one, see `url`.
    progress
        Called by the event loop for as long as it goes round; must be quick.
    proxied
        A proxy on this machine names the client of each request; else anybody could claim that.
    """

    def __init__(
        self,
        app: FastAPI,
        *,
        host: str,
        port: int,
        progress: Callable[[], None] = _nothing,
        proxied: bool = False,
    ) -> None:
        self._host, self._port = host, port
        self._progress = progress
        self._server = _Beating(
            uvicorn.Config(
                app,
                lifespan="off",
                log_config=None,
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
        self._socket: socket.socket | None = None

    def start(self, within_s: float = 10.0) -> None:
        """Listen, and return once requests are answered.

        Raises
        ------
        ConfigError
            When the port is taken or may not be used, or the server does not come up.
        """
        self._socket = self._listen()
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
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}/"

    def running(self) -> bool:
        """Whether it serves."""
        return self._thread is not None and self._thread.is_alive()

    def stop(self, within_s: float = 4.0) -> bool:
        """Answer what is being answered, then end; False when that took too long. Idempotent."""
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(within_s)
        if self._socket is not None:
            self._socket.close()
            self._socket = None
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

    def _listen(self) -> socket.socket:
        """Bind here and not in the thread, so that the caller gets the error of a taken port."""
        try:
            bound = listen(self._host, self._port)
        except OSError as error:
            raise ConfigError(
                complaint(
                    "the dashboard cannot listen",
                    where=self.url,
                    got=error.strerror or error,
                    do="stop the program that has the port, or set another web.port",
                )
            ) from error
        self._port = bound.getsockname()[1]
        return bound

    def _run(self) -> None:
        try:
            self._server.run(sockets=[self._socket] if self._socket else None)
        except Exception:  # the thread's boundary: the supervisor sees that it has ended
            log.exception("dashboard failed", url=self.url)
