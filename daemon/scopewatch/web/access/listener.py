"""The port of a dashboard: it can be held before FastAPI is loaded, and requests wait in it."""

import os
import socket

from scopewatch.core.errors import ConfigError, complaint


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


class Listener:
    """Holds the port of a dashboard from `open` to `close`.

    Parameters
    ----------
    host, port
        Where to listen; port 0 takes any free one, see `url`.
    """

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self.socket: socket.socket | None = None

    @property
    def url(self) -> str:
        """Address of the dashboard, with the port it really got."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}/"

    def open(self) -> None:
        """Take the port; nothing happens where it is held already.

        Raises
        ------
        ConfigError
            When the port is taken or may not be used.
        """
        if self.socket is not None:
            return
        try:
            self.socket = listen(self._host, self._port)
        except OSError as error:
            raise ConfigError(
                complaint(
                    "the dashboard cannot listen",
                    where=self.url,
                    got=error.strerror or error,
                    do="stop the program that has the port, or set another web.port",
                )
            ) from error
        self._port = self.socket.getsockname()[1]

    def close(self) -> None:
        """Release the port. Idempotent."""
        if self.socket is not None:
            self.socket.close()
            self.socket = None
