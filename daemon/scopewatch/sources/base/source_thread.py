"""Thread of a source: repeats one step and survives any error in it."""

import threading
import time
from collections.abc import Callable

from scopewatch.core.errors import ScopewatchError
from scopewatch.event_log import get_logger

log = get_logger(__name__)

# Most steps between two tries of what failed have nothing to do and succeed.
TROUBLE_LASTS_S = 5.0


class SourceThread:
    """Repeats a step until stopped; steps never overlap.

    Parameters
    ----------
    name
        Name of the source.
    step
        One look; called with `full`, which is True when the runtime asked for a scan.
    tick_s
        Returns how long to sleep before the next step.
    rest_s
        Returns how long to sleep on top of that, which `wake` ends: 0 while anything waits.
    now_s
        Seconds of a steady clock.
    """

    def __init__(
        self,
        name: str,
        step: Callable[[bool], None],
        tick_s: Callable[[], float],
        now_s: Callable[[], float] = time.monotonic,
        rest_s: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self._name = name
        self._step = step
        self._tick_s = tick_s
        self._now_s = now_s
        self._rest_s = rest_s
        self._failed_s = 0.0
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._woken = threading.Event()
        self._thread: threading.Thread | None = None
        self.trouble = ""

    @property
    def stopping(self) -> bool:
        """Whether a long step should end early."""
        return self._stop.is_set()

    def start(self) -> None:
        """Start the thread."""
        self._stop.clear()
        self._thread = threading.Thread(target=self._run, name=f"source-{self._name}", daemon=True)
        self._thread.start()

    def alive(self) -> bool:
        """Return whether the thread runs."""
        thread = self._thread
        return thread is not None and thread.is_alive()

    def step(self, *, full: bool) -> None:
        """Run one step in the thread of the caller. Never raises."""
        with self._lock:
            if self._stop.is_set():
                return
            try:
                self._step(full)
            except ScopewatchError as error:
                self._note(str(error))
            except Exception as error:  # a thread boundary: record and go on
                self._note(f"{type(error).__name__}: {' '.join(str(error).split())}")
                log.exception("source failed", source=self._name)
            else:
                # A scan tries everything. Other steps may have been without a task.
                if full or self._now_s() >= self._failed_s + TROUBLE_LASTS_S:
                    self.trouble = ""

    def wake(self) -> None:
        """End a rest: something came. Any thread may call it, as often as it likes."""
        self._woken.set()

    def stop(self) -> None:
        """Stop the thread; idempotent."""
        self._stop.set()
        self._woken.set()
        thread, self._thread = self._thread, None
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout=10)

    def _note(self, trouble: str) -> None:
        if trouble != self.trouble:
            log.warning("source has trouble", source=self._name, reason=trouble)
        self.trouble = trouble
        self._failed_s = self._now_s()

    def _run(self) -> None:
        while not self._stop.wait(self._tick_s()):
            self.step(full=False)
            self._woken.wait(self._rest_s())
            self._woken.clear()
