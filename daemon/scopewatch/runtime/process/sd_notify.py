"""Notifies systemd of the daemon: `Type=notify` and `WatchdogSec=`.

The protocol is a datagram of `NAME=value` lines to the socket in NOTIFY_SOCKET (sd_notify(3)).
Without that variable, on Windows for one, every call does nothing.
"""

import socket
from collections.abc import Mapping

from scopewatch.event_log import get_logger

log = get_logger(__name__)


class SystemdNotifier:
    """Sends the daemon's state to systemd.

    Parameters
    ----------
    address
        Path of the socket, or an abstract name that begins with `@`; None sends nothing.
    """

    def __init__(self, address: str | None) -> None:
        self._address = address
        self._failed = False

    @property
    def listening(self) -> bool:
        """Whether anything is listening to us."""
        return self._address is not None

    def ready(self, status: str) -> None:
        """Report that the daemon is able to work."""
        self._send("READY=1", f"STATUS={_line(status)}")

    def reloading(self, at_s: float) -> None:
        """Report that a reload begins, at `at_s` of the monotonic clock; `ready` ends it."""
        self._send("RELOADING=1", f"MONOTONIC_USEC={int(at_s * 1e6)}", "STATUS=reloading")

    def status(self, status: str) -> None:
        """Set the line that `systemctl status` shows."""
        self._send(f"STATUS={_line(status)}")

    def alive(self) -> None:
        """Feed the watchdog."""
        self._send("WATCHDOG=1")

    def starting(self, status: str, *, within_s: float) -> None:
        """Ask for `within_s` more seconds to get ready."""
        self._send(f"EXTEND_TIMEOUT_USEC={int(within_s * 1e6)}", f"STATUS={_line(status)}")

    def stopping(self) -> None:
        """Report that the daemon is stopping."""
        self._send("STOPPING=1", "STATUS=stopping")

    def _send(self, *lines: str) -> None:
        if self._address is None or not hasattr(socket, "AF_UNIX"):
            return
        # A leading @ means the NUL byte of Linux' abstract socket names.
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line_out:
                # A full receive queue must not block the supervisor.
                line_out.setblocking(False)
                line_out.sendto("\n".join(lines).encode(), address)
        except OSError as error:
            if not self._failed:
                log.warning("systemd cannot be notified", socket=self._address, error=str(error))
            self._failed = True
        else:
            self._failed = False


def notify_socket(environ: Mapping[str, str]) -> str | None:
    """Return the address systemd gave this process, if it did."""
    return environ.get("NOTIFY_SOCKET") or None


def watchdog_s(environ: Mapping[str, str], pid: int) -> float | None:
    """Return within how many seconds systemd wants a sign of life; None when it does not.

    WATCHDOG_PID names the process it is meant for: a child that inherits the environment is not.
    """
    within_us = environ.get("WATCHDOG_USEC", "")
    meant_for = environ.get("WATCHDOG_PID", str(pid))
    if not within_us.isdigit() or int(within_us) == 0 or meant_for != str(pid):
        return None
    return int(within_us) / 1e6


def _line(text: str) -> str:
    return " ".join(text.split())
