"""Pictures from their copies, for dashboards on machines that have none of their own."""

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final, TypeVar

from scopewatch.app.copying.asking import ask_within
from scopewatch.app.copying.place import OWNER, RemotePictures, unusable
from scopewatch.core.clock import Clock
from scopewatch.core.errors import ScopewatchError, StoreError, complaint

_Answer = TypeVar("_Answer")

ANSWER_S: Final = 10.0
_LOOK_S: Final = 5.0
# After a failure nobody waits for the place for so long.
REST_S: Final = 15.0
# Of the 40 threads that answer browsers, and those that were left waiting.
_AT_ONCE: Final = 24


class CopiedPictures:
    """The copies of all daemons below one URL; thread-safe.

    What takes longer than `answer_s` is left: its thread ends by the time limits of the libraries.
    """

    def __init__(self, remote: RemotePictures, clock: Clock, *, answer_s: float = ANSWER_S) -> None:
        self._remote = remote
        self._clock = clock
        self._answer_s = answer_s
        self._free = threading.BoundedSemaphore(_AT_ONCE)
        self._rests_until_s = float("-inf")
        self._why = ""

    def prepare(self) -> None:
        """Load the libraries and open a connection, in a thread: nobody is to wait for that."""
        threading.Thread(target=self._prepare, name="picture", daemon=True).start()

    def _prepare(self) -> None:
        # Whatever it is, the first picture that is asked for says so.
        with suppress(ScopewatchError):
            self._remote.is_there(OWNER)

    @property
    def url(self) -> str:
        """Where they are."""
        return self._remote.url

    def read(self, path: str) -> bytes | None:
        """Return a picture, None where it is not there. Raises StoreError with one line."""
        return self._within(self._answer_s, lambda: self._remote.read(path))

    def is_there(self, path: str) -> bool:
        """Return whether there is a picture. Raises StoreError with one line."""
        return bool(self._within(min(_LOOK_S, self._answer_s), lambda: self._remote.is_there(path)))

    def _within(self, seconds: float, question: Callable[[], _Answer]) -> _Answer | None:
        if self._clock.monotonic() < self._rests_until_s:
            raise StoreError(self._why)
        if not self._free.acquire(timeout=seconds):
            raise unusable(self.url, "too many pictures are asked for at once")

        def ask() -> _Answer | None:
            try:
                return question()
            except FileNotFoundError:
                return None
            finally:
                self._free.release()

        try:
            return ask_within(seconds, self.url, ask)
        except ScopewatchError as error:
            self._why = str(error)
            self._rests_until_s = self._clock.monotonic() + REST_S
            raise StoreError(self._why) from error


class DaemonPictures:
    """Implements `web.overlay_images.PictureCopies` for one daemon."""

    def __init__(self, copies: CopiedPictures, daemon: str) -> None:
        self._copies = copies
        self._daemon = daemon

    def read(self, relative: str) -> bytes | None:
        """Return a picture, None where it is not there. Raises StoreError with one line."""
        return self._copies.read(f"{self._daemon}/{relative}")

    def trouble(self, relative: str) -> str:
        """Return why a picture cannot be had, in one line; '' where it can."""
        try:
            there = self._copies.is_there(f"{self._daemon}/{relative}")
        except ScopewatchError as error:
            return str(error)
        if there:
            return ""
        return complaint(
            "picture is not there",
            where=f"{self._copies.url}/{self._daemon}/{relative}",
            do="see the daemon's complaints: it may not have been copied yet",
        )


class UnreadCopies:
    """Implements `web.overlay_images.PictureCopies` where copies are, and are not asked for."""

    def __init__(self, url: str) -> None:
        self._line = complaint(
            "pictures are copied to a place that this dashboard was not given",
            where=url,
            do="start scopewatch web with --pictures and its URL, without the name of the daemon",
        )

    def read(self, relative: str) -> bytes | None:  # noqa: ARG002 - as the protocol has it
        """Raise StoreError with one line."""
        raise StoreError(self._line)

    def trouble(self, relative: str) -> str:  # noqa: ARG002
        """Return why no picture can be had."""
        return self._line
