"""A microscope driven through pycro-manager, behind three calls: open, acquire, close.

Two backends: `python` runs Micro-Manager's core in this process, `java` uses the bridge of a
Micro-Manager that is running. Both write NDTiff data sets; nothing here looks at pixels.

pycro-manager swallows the device error of a lone event, so its engine is listened to (`engine`).
What counts is the images that were saved: those that do not come within `patience_s` failed too.
Events are submitted one by one, so that one stage position out of reach costs one image and not
the series, and are never merged into a hardware sequence.
"""

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from scopewatch.config import MicroManagerSourceConfig
from scopewatch.core.errors import SourceError
from scopewatch.event_log import get_logger
from scopewatch.sources.micromanager.bridge import expect_answers, give_up, probe_bridge, within
from scopewatch.sources.micromanager.cores import blamed, core_of, start_core, stop_core
from scopewatch.sources.micromanager.engine import print_to_log, sum_up
from scopewatch.sources.micromanager.events import Axes, Event, ImagesMissingError, never
from scopewatch.sources.micromanager.focus.drive import Drive, FocusDrive

log = get_logger(__name__)

Process = Callable[[Any, dict[str, Any]], tuple[Any, dict[str, Any]]]

_CLOSE_S = 10.0
# An alert is read on a telephone.
_MOST_NAMED = 3
_CHECK_S = 0.2
# How many images the engine knows of beyond the one it takes: enough that it never waits for the
# next, few enough that a pause is soon.
_AHEAD = 8


class Microscope(Protocol):
    """What a source needs of a microscope. All methods are called by one thread at a time."""

    def open(self) -> None:
        """Connect. Raises SourceError."""
        ...

    def acquire(
        self,
        events: Sequence[Event],
        saved: Callable[[Axes], None],
        hold: Callable[[], bool] = never,
    ) -> bool:
        """Take images; report each that is on disk.

        Parameters
        ----------
        hold
            Whether no further image is to be begun; False is returned then.

        Raises
        ------
        SourceError
            When some never are; ImagesMissingError where it is known why.
        """
        ...

    def focus_drive(self) -> Drive:
        """Return the focus drive. Raises SourceError."""
        ...

    def interrupt(self) -> None:
        """Make a running `acquire`, or search of the focus, return soon; any thread may call it."""
        ...

    def close(self) -> None:
        """Disconnect; idempotent, never raises."""
        ...


class PycroManagerMicroscope:
    """Micro-Manager by way of pycro-manager 1.0.

    Parameters
    ----------
    config
        Backend, adapters, hardware configuration, port.
    data_set
        Name of the data sets written into `config.path`; a number is put behind it.
    patience_s
        How long to wait for the next image beyond its exposure, and for an answer of the bridge.
    process
        pycro-manager's `image_process_fn`; None for the camera's own pixels.
    core
        Gives the core whose focus is driven.
    """

    def __init__(
        self,
        config: MicroManagerSourceConfig,
        data_set: str,
        *,
        patience_s: float = 30.0,
        process: Process | None = None,
        core: Callable[[MicroManagerSourceConfig, Callable[[], bool]], Any] = core_of,
    ) -> None:
        self._config = config
        self._data_set = data_set
        self._patience_s = patience_s
        self._process = process
        self._core = core
        self._acquisition: Any = None
        self._saved: Callable[[Axes], None] = lambda _: None
        self._failed: Callable[[Axes, str], None] = lambda _axes, _why: None
        self._opened = False
        self._unnoted = False
        self._longest_s = 0.0
        self._interrupted = threading.Event()

    def open(self) -> None:
        """Connect to the core, which loads the devices (python), or to the bridge (java).

        Raises
        ------
        SourceError
            When pycro-manager, the adapters, the configuration, the camera or the bridge is
            missing.
        """
        self._interrupted.clear()
        if self._config.backend == "java":
            self._open_bridge()
        else:
            start_core(self._config, self._on_failure)
        self._opened = True
        focus = self._config.focus
        if focus.searches:
            try:
                self.focus_drive().require(focus.device)
            except SourceError:
                self.close()
                raise

    def acquire(
        self,
        events: Sequence[Event],
        saved: Callable[[Axes], None],
        hold: Callable[[], bool] = never,
    ) -> bool:
        """Take one image per event; False where it was left off because `hold` asked for it.

        Raises
        ------
        SourceError
            When images did not arrive; those that did were reported to `saved`.
        """
        settled = threading.Semaphore(0)
        causes: list[tuple[Axes, str]] = []
        came: list[Axes] = []

        def note(axes: Axes) -> None:
            came.append(axes)
            try:
                saved(axes)
            finally:
                # The image is on disk, whatever went wrong with noting it.
                settled.release()

        def fail(axes: Axes, why: str) -> None:
            causes.append((axes, why))
            settled.release()

        self._saved, self._failed = note, fail
        left = deque(events)
        self._longest_s = max((event.get("exposure") or 0.0 for event in events), default=0) / 1000
        try:
            if self._acquisition is None:
                self._acquisition = self._begin()
            begun = sum(self._ask(left, hold) for _ in range(_AHEAD))
        except Exception as error:  # pycro-manager and pyjavaz raise bare Exception
            raise self._blamed(sum_up(error)) from error
        why = self._wait(left, begun, settled, hold)
        missing = [event["axes"] for event in events if event["axes"] not in came]
        if why or causes:
            blamed = [axes for axes, _ in causes]
            causes += [(axes, why) for axes in missing if why and axes not in blamed]
            raise self._missed(causes, len(events), ends=bool(why))
        return not left

    def focus_drive(self) -> FocusDrive:
        """Return the focus drive of the core that is open."""
        return FocusDrive(
            self._core(self._config, self._interrupted.is_set), self._interrupted.is_set
        )

    def interrupt(self) -> None:
        """Make a running `acquire` return soon."""
        self._interrupted.set()

    def close(self) -> None:
        """End the acquisition, so that its data set is complete, and let the devices go."""
        self._end_acquisition()
        if self._opened and self._config.backend == "python":
            stop_core()
        elif self._opened:
            give_up((self._config.port,))
        self._opened = False

    def _open_bridge(self) -> None:
        probe_bridge(self._config.port)
        expect_answers(self._config.port)
        print_to_log()
        try:
            camera = core_of(self._config, self._interrupted.is_set).get_camera_device()
        except SourceError:
            raise
        except Exception as error:  # pyjavaz raises bare Exception
            raise self._blamed(sum_up(error)) from error
        if not camera:
            raise self._blamed("Micro-Manager has no camera")

    def _answering(self) -> contextlib.AbstractContextManager[None]:
        """Bound what is done over the bridge; nothing is bounded where there is none."""
        if self._config.backend == "python":
            return contextlib.nullcontext()
        ports = (self._config.port,) if self._acquisition is None else self._acquisition.ports
        return within(self._patience_s, *ports, interrupted=self._interrupted.is_set)

    def _on_image(self, axes: Axes, _data_set: object) -> None:
        """Note a saved image, in pycro-manager's thread: it must neither raise nor block."""
        try:
            self._saved(dict(axes))
        except Exception:
            # Once in a row: a traceback for each image would take longer than taking it.
            if not self._unnoted:
                log.exception("saved image could not be noted")
            self._unnoted = True
        else:
            self._unnoted = False

    def _on_failure(self, axes: Axes, why: str) -> None:
        """Note an image that failed, in the engine's thread."""
        self._failed(axes, why)

    def _ask(self, left: deque[Event], hold: Callable[[], bool]) -> bool:
        """Have the next image taken; False where none is left, or none is to be begun."""
        if not left or hold():
            return False
        event = left.popleft()
        with self._answering():
            self._acquisition.acquire([event])
        return True

    def _wait(
        self,
        left: deque[Event],
        begun: int,
        settled: threading.Semaphore,
        hold: Callable[[], bool],
    ) -> str:
        """Wait until each image came or failed; return why no more of them will, '' where all did.

        For each that did the next one is asked for, so that the engine never waits for an event.

        Raises
        ------
        SourceError
            When it was interrupted.
        """
        while begun:
            waited_s = 0.0
            while not settled.acquire(timeout=_CHECK_S):
                waited_s += _CHECK_S
                if self._interrupted.is_set():
                    raise self._blamed("it was stopped")
                broken_off = self._broken_off()
                if broken_off:
                    # What was saved before may still be on its way here.
                    while settled.acquire(timeout=_CHECK_S):
                        pass
                    return broken_off
                if waited_s > self._longest_s + self._patience_s:
                    return f"no image within {self._longest_s + self._patience_s:g} s"
            if self._interrupted.is_set():
                raise self._blamed("it was stopped")
            begun -= 1
            try:
                begun += self._ask(left, hold)
            except Exception as error:  # noqa: BLE001 - as where the first ones are asked for
                return sum_up(error)
        return ""

    def _broken_off(self) -> str:
        """Say why the whole acquisition has ended; '' while it goes on."""
        try:
            with self._answering():
                self._acquisition._check_for_exceptions()
        except Exception as error:  # noqa: BLE001 - it is the reason of all its images
            where = f" ({self._config.path})" if isinstance(error, OSError) else ""
            return sum_up(error) + where
        return ""

    def _missed(self, causes: Sequence[tuple[Axes, str]], asked: int, *, ends: bool) -> SourceError:
        places: dict[str, list[str]] = {}
        for axes, why in causes:
            places.setdefault(why, []).append(_named(axes))
        lines = [
            f"{why} ({', '.join(named[:_MOST_NAMED])}"
            + (f" and {len(named) - _MOST_NAMED} more)" if len(named) > _MOST_NAMED else ")")
            for why, named in places.items()
        ]
        more = len(lines) - _MOST_NAMED
        line = "; ".join(lines[:_MOST_NAMED]) + (f"; and {more} more causes" if more > 0 else "")
        failed = self._blamed(f"{len(causes)} of {asked} images never came: {line}")
        return ImagesMissingError(str(failed), causes, ends=ends)

    def _begin(self) -> Any:
        given: dict[str, Any] = {
            "directory": str(self._config.path),
            "name": self._data_set,
            "image_process_fn": self._process,
            "image_saved_fn": self._on_image,
        }
        if self._config.backend == "python":
            from pycromanager import Acquisition  # noqa: PLC0415 - an optional extra

            return Acquisition(**given)
        from scopewatch.sources.micromanager.bridged import BridgedAcquisition  # noqa: PLC0415

        with self._answering():
            return BridgedAcquisition(port=self._config.port, show_display=False, **given)

    def _end_acquisition(self) -> None:
        acquisition, self._acquisition = self._acquisition, None
        if acquisition is None:
            return

        def end() -> None:
            data_set = acquisition.get_dataset()
            # The storage never closes the reader its writer holds.
            # https://github.com/micro-manager/NDStorage, SingleNDTiffWriter.reader
            reader = getattr(getattr(data_set, "current_writer", None), "reader", None)
            try:
                if self._interrupted.is_set():
                    acquisition.abort()
                acquisition.mark_finished()
                acquisition.await_completion()
            except Exception as error:  # noqa: BLE001
                # A thread boundary. What was saved is saved; the next time point starts again.
                event = {"reason": sum_up(error)}
                log.error("acquisition ended with an error", **event)
            finally:
                if reader is not None:
                    reader.close()
                with contextlib.suppress(OSError, AttributeError):
                    data_set.close()

        # In a thread of its own: a hung camera must not hang the daemon's end.
        thread = threading.Thread(target=end, name="end-acquisition", daemon=True)
        thread.start()
        thread.join(timeout=_CLOSE_S)
        if thread.is_alive():
            log.error("acquisition does not end: a device hangs")
        if self._config.backend == "java":
            acquisition.let_go()
            thread.join(timeout=_CLOSE_S)

    def _blamed(self, why: str) -> SourceError:
        return blamed(self._config, why)


def _named(axes: Axes) -> str:
    """Name an image of a time point by its position and channel."""
    place = f"position {axes.get('position')}"
    place += "" if axes.get("channel") is None else f" in channel {axes['channel']}"
    return place if axes.get("z") is None else f"{place}, plane {axes['z']}"
