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
from collections.abc import Callable, Sequence
from typing import Any

from scopewatch.config import MicroManagerSourceConfig
from scopewatch.core.errors import SourceError
from scopewatch.event_log import get_logger
from scopewatch.sources.micromanager.devices.bridge import give_up, within
from scopewatch.sources.micromanager.devices.cores import (
    blamed,
    core_of,
    join_core,
    start_core,
    stop_core,
)
from scopewatch.sources.micromanager.devices.engine import end_acquisition, sum_up
from scopewatch.sources.micromanager.devices.never_came import never_came
from scopewatch.sources.micromanager.devices.series import ImageSeries
from scopewatch.sources.micromanager.events import Axes, Event, never
from scopewatch.sources.micromanager.focus.drive import FocusDrive

log = get_logger(__name__)

Process = Callable[[Any, dict[str, Any]], tuple[Any, dict[str, Any]]]

_CHECK_S = 0.2
# How many images the engine knows of beyond the one it takes: enough that it never waits for the
# next, few enough that a pause is soon.
_AHEAD = 8


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
        self._series = ImageSeries((), lambda _: None)
        self._opened = False
        self._unnoted = False
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
            join_core(self._config, self._interrupted.is_set)
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
        series = self._series = ImageSeries(events, saved)
        try:
            if self._acquisition is None:
                self._acquisition = self._begin()
            begun = sum(self._ask(series, hold) for _ in range(_AHEAD))
        except Exception as error:  # pycro-manager and pyjavaz raise bare Exception
            raise self._blamed(sum_up(error)) from error
        why = self._wait(series, begun, hold)
        causes = series.missing(why)
        if why or causes:
            raise never_came(self._config, causes, len(events), ends=bool(why))
        return series.all_asked

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
        acquisition, self._acquisition = self._acquisition, None
        if acquisition is not None:
            end_acquisition(
                acquisition,
                abort=self._interrupted.is_set(),
                let_go=acquisition.let_go if self._config.backend == "java" else None,
            )
        if self._opened and self._config.backend == "python":
            stop_core()
        elif self._opened:
            give_up((self._config.port,))
        self._opened = False

    def _answering(self) -> contextlib.AbstractContextManager[None]:
        """Bound what is done over the bridge; nothing is bounded where there is none."""
        if self._config.backend == "python":
            return contextlib.nullcontext()
        ports = (self._config.port,) if self._acquisition is None else self._acquisition.ports
        return within(self._patience_s, *ports, interrupted=self._interrupted.is_set)

    def _on_image(self, axes: Axes, _data_set: object) -> None:
        """Note a saved image, in pycro-manager's thread: it must neither raise nor block."""
        try:
            self._series.note_saved(dict(axes))
        except Exception:
            # Once in a row: a traceback for each image would take longer than taking it.
            if not self._unnoted:
                log.exception("saved image could not be noted")
            self._unnoted = True
        else:
            self._unnoted = False

    def _on_failure(self, axes: Axes, why: str) -> None:
        """Note an image that failed, in the engine's thread."""
        self._series.note_failed(axes, why)

    def _ask(self, series: ImageSeries, hold: Callable[[], bool]) -> bool:
        """Have the next image taken; False where none is left, or none is to be begun."""
        if series.all_asked or hold():
            return False
        with self._answering():
            self._acquisition.acquire([series.take_next()])
        return True

    def _wait(self, series: ImageSeries, begun: int, hold: Callable[[], bool]) -> str:
        """Wait until each image came or failed; return why no more of them will, '' where all did.

        For each that did the next one is asked for, so that the engine never waits for an event.

        Raises
        ------
        SourceError
            When it was interrupted.
        """
        longest_s = series.longest_s + self._patience_s
        while begun:
            waited_s = 0.0
            while not series.wait_for_one(_CHECK_S):
                waited_s += _CHECK_S
                if self._interrupted.is_set():
                    raise self._blamed("it was stopped")
                broken_off = self._broken_off()
                if broken_off:
                    # What was saved before may still be on its way here.
                    while series.wait_for_one(_CHECK_S):
                        pass
                    return broken_off
                if waited_s > longest_s:
                    return f"no image within {longest_s:g} s"
            if self._interrupted.is_set():
                raise self._blamed("it was stopped")
            begun -= 1
            try:
                begun += self._ask(series, hold)
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
        from scopewatch.sources.micromanager.devices.bridged import BridgedAcquisition  # noqa: PLC0415

        with self._answering():
            return BridgedAcquisition(port=self._config.port, show_display=False, **given)

    def _blamed(self, why: str) -> SourceError:
        return blamed(self._config, why)
