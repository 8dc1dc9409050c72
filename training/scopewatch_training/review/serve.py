"""Serves a review on this machine until the person ends it."""

import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import uvicorn
from fastapi import FastAPI

from scopewatch.core.errors import ConfigError, complaint
from scopewatch.web.access import listener

HOST: Final = "127.0.0.1"


def serve(app: FastAPI, port: int, started: Callable[[int], None]) -> None:
    """Serve on 127.0.0.1 until Ctrl-C.

    Parameters
    ----------
    port
        0 takes a free one.
    started
        Called with the port once connections are taken.

    Raises
    ------
    ConfigError
        When the port is taken or may not be used.
    """
    with listen(port) as bound:
        started(bound.getsockname()[1])
        config = uvicorn.Config(
            app,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=1,
        )
        # Uvicorn ends in order, and then raises the signal again.
        with suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[bound])


def listen(port: int) -> socket.socket:
    """Return a socket that listens on 127.0.0.1; port 0 takes a free one.

    Raises
    ------
    ConfigError
        When the port is taken or may not be used.
    """
    try:
        return listener.listen(HOST, port)
    except OSError as error:
        raise ConfigError(
            complaint(
                "the review cannot be served",
                where=f"{HOST}:{port}",
                got=error.strerror or error,
                do="leave --port out, which takes a free one",
            )
        ) from error
