"""Takes images with a microscope, and connects to it again where they do not come.

For each time point:

    connected --take--> acquiring --all came-------> connected
                                  '-images missing-> connected again, and tried once more;
                                                     still missing: it says why
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from scopewatch.config import MicroManagerSourceConfig
from scopewatch.core.errors import SourceError
from scopewatch.core.source import Arrivals
from scopewatch.event_log import get_logger
from scopewatch.sources.micromanager.account import Account
from scopewatch.sources.micromanager.devices.microscope import Microscope
from scopewatch.sources.micromanager.events import Axes, Event, HeldError
from scopewatch.sources.micromanager.focus.drive import Drive
from scopewatch.sources.micromanager.focus.focusing import Focusing
from scopewatch.sources.micromanager.focus.kept import failure_of
from scopewatch.sources.micromanager.focus.outcome import UnfocusedError
from scopewatch.sources.micromanager.images import Place, events_of
from scopewatch.sources.micromanager.steering import Steering

log = get_logger(__name__)

_ATTEMPTS = 2


class ImageTaking:
    """The microscope of one source, and the images that are taken with it.

    Attributes
    ----------
    lock
        Held while the microscope is used: for `take_extra` and `drive` by their caller.
    connected
        Whether the microscope is.
    trying
        Whether a time point is being acquired, after a reconnection where that failed.
    failing
        Why images of the last time point that was tried are missing; '' when none are.
    """

    def __init__(
        self,
        config: MicroManagerSourceConfig,
        microscope: Microscope,
        arrivals: Arrivals,
        *,
        account: Account,
        focusing: Focusing,
        steering: Steering,
        now: Callable[[], datetime],
    ) -> None:
        self._config = config
        self._name = config.name
        self._microscope = microscope
        self._arrivals = arrivals
        self._account = account
        self._focusing = focusing
        self._steering = steering
        self._now = now
        self._stopping = False
        self._away = ""
        self.lock = threading.Lock()
        self.connected = False
        self.trying = False
        self.failing = ""

    @property
    def trouble(self) -> str:
        """Why the microscope is away, or gives no images; '' when all is well."""
        return self._away or self.failing

    def start(self) -> None:
        """Let images be taken after a `stop`; connects nothing."""
        self._stopping = False

    def connect(self) -> None:
        """Connect to the microscope. Raises SourceError."""
        with self.lock:
            try:
                self._connect()
            except SourceError as error:
                self._away = str(error)
                raise

    def drive(self) -> Drive:
        """Return the focus drive. Raises SourceError where the microscope is away."""
        if not self.connected:
            raise SourceError(self.trouble or "the microscope is not connected")
        return self._microscope.focus_drive()

    def stop(self) -> None:
        """Leave off taking images, and let go of the microscope; idempotent."""
        self._stopping = True
        self._microscope.interrupt()
        with self.lock:
            self._disconnect()

    def take_time_point(self, index: int) -> bool:
        """Take what is missing of a time point; True when it is complete. Never raises.

        When images do not come, the microscope is reconnected and they are tried once more.
        """
        with self.lock:
            self.trying = True
            try:
                return self._try(index)
            finally:
                self.trying = False

    def take_extra(self, place: Place, event: Event, *, refocus: bool) -> None:
        """Take an image beyond the plan; raises as `Focusing.take_extra`."""
        self._arrivals.write_started(self._name)
        try:
            self._focusing.take_extra(place, event, self._acquire, refocus=refocus)
        except (HeldError, UnfocusedError):
            raise
        except SourceError:
            # The next time point begins with devices that are loaded again.
            self._disconnect()
            raise
        finally:
            self._arrivals.finished(self._name)

    def _try(self, index: int) -> bool:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                self._acquire_missing(index)
            except HeldError:
                break
            except UnfocusedError as error:
                # The devices work: loading them again would bring no focus.
                self._account.blame(error)
                self._note(index, attempt, str(error))
                break
            except SourceError as error:
                if not self._stopping:
                    self._account.blame(error)
                    self._note(index, attempt, str(error))
                self._disconnect()
            except Exception as error:  # a thread boundary: the scheduler must go on
                log.exception("acquisition failed", source=self._name)
                self._note(index, attempt, f"{type(error).__name__}: {error}")
                self._disconnect()
            else:
                self.failing = ""
                return True
            if self._stopping:
                break
        return False

    def _acquire_missing(self, index: int) -> None:
        if not self._account.missing(index):
            return
        if not self.connected:
            self._connect()
        events = events_of(self._config, index)
        missing = {place: events[place] for place in self._account.missing(index)}
        self._arrivals.write_started(self._name)
        try:
            self._take(index, missing)
        finally:
            self._arrivals.finished(self._name)
        log.info("time point acquired", source=self._name, time_point=index, images=len(missing))

    def _take(self, index: int, missing: Mapping[Place, Event]) -> None:
        try:
            self._focusing.take(missing, self._now, self._acquire, self._steering.wanted)
        finally:
            if failure := failure_of(self._focusing.kept, self._config.focus, index):
                self._steering.note(failure)

    def _acquire(self, events: Sequence[Event]) -> None:
        wanted = self._account.events(events)
        if not self._microscope.acquire(wanted, self._saved, self._steering.wanted):
            raise HeldError("paused")

    def _saved(self, axes: Axes) -> None:
        self._arrivals.images_saved(self._name, 1, 0.0)
        self._account.saved(axes)

    def _connect(self) -> None:
        if not self.connected:
            self._microscope.open()
            self.connected = True
            self._away = ""

    def _disconnect(self) -> None:
        if self.connected:
            self.connected = False
            self._microscope.close()

    def _note(self, index: int, attempt: int, why: str) -> None:
        before, self.failing = self.failing, f"time point {index}: {why}"
        if self.failing != before:
            event = {"source": self._name, "time_point": index, "attempt": attempt, "reason": why}
            log.error("time point could not be acquired", **event)
