"""A microscope driven through pycro-manager, behind three calls: open, acquire, close.

Two backends: `python` runs Micro-Manager's core in this process, `java` uses the bridge of a
Micro-Manager that is running. Both write NDTiff data sets; nothing here looks at pixels.

pycro-manager swallows the device error of a lone event (its engine's future is never asked), so
what counts is the images that were saved: those that do not come within `patience_s` failed.
Events are submitted one by one, so that one stage position out of reach costs one image and not
the series, and are never merged into a hardware sequence.
"""

import contextlib
import logging
import socket
import threading
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from scopewatch.config import MicroManagerSourceConfig
from scopewatch.core.errors import SourceError, complaint
from scopewatch.sources.micromanager.setup_files import INSTALL, adapters_folder, hardware_file

log = logging.getLogger(__name__)

Event = dict[str, Any]
Axes = dict[str, Any]
Process = Callable[[Any, dict[str, Any]], tuple[Any, dict[str, Any]]]

_CLOSE_S = 10.0
# Memory the core sets aside for hardware sequences, of which there are none here; its default
# of 1 GB takes seconds to get.
_SEQUENCE_MB = 64
_BRIDGE_S = 2.0
_CHECK_S = 0.2


class Microscope(Protocol):
    """What a source needs of a microscope. All methods are called by one thread at a time."""

    def open(self) -> None:
        """Connect. Raises SourceError."""
        ...

    def acquire(self, events: Sequence[Event], saved: Callable[[Axes], None]) -> None:
        """Take images; report each that is on disk. Raises SourceError when some never are."""
        ...

    def interrupt(self) -> None:
        """Make a running `acquire` return soon; may be called by another thread."""
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
        How long to wait for the next image beyond its exposure.
    process
        pycro-manager's `image_process_fn`; None for the camera's own pixels.
    """

    def __init__(
        self,
        config: MicroManagerSourceConfig,
        data_set: str,
        *,
        patience_s: float = 30.0,
        process: Process | None = None,
    ) -> None:
        self._config = config
        self._data_set = data_set
        self._patience_s = patience_s
        self._process = process
        self._acquisition: Any = None
        self._saved: Callable[[Axes], None] = lambda _: None
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
            probe_bridge(self._config.port)
        else:
            self._open_core()
        self._opened = True

    def acquire(self, events: Sequence[Event], saved: Callable[[Axes], None]) -> None:
        """Take one image per event.

        Raises
        ------
        SourceError
            When images did not arrive; those that did were reported to `saved`.
        """
        arrived = threading.Semaphore(0)

        def note(axes: Axes) -> None:
            try:
                saved(axes)
            finally:
                # The image is on disk, whatever went wrong with noting it.
                arrived.release()

        self._saved = note
        try:
            if self._acquisition is None:
                self._acquisition = self._begin()
            for event in events:
                self._acquisition.acquire([event])
        except Exception as error:  # pycro-manager and pyjavaz raise bare Exception
            raise self._failed(f"{type(error).__name__}: {error}") from error
        self._wait(events, arrived)

    def interrupt(self) -> None:
        """Make a running `acquire` return soon."""
        self._interrupted.set()

    def close(self) -> None:
        """End the acquisition, so that its data set is complete, and let the devices go."""
        self._end_acquisition()
        if self._opened and self._config.backend == "python":
            stop_core()
        self._opened = False

    def _on_image(self, axes: Axes, _data_set: object) -> None:
        """Note a saved image, in pycro-manager's thread: it must neither raise nor block."""
        try:
            self._saved(dict(axes))
        except Exception:
            # Once in a row: a traceback for each image would take longer than taking it.
            if not self._unnoted:
                log.exception("saved image could not be noted", extra={"event": {}})
            self._unnoted = True
        else:
            self._unnoted = False

    def _wait(self, events: Sequence[Event], arrived: threading.Semaphore) -> None:
        longest_s = max((event.get("exposure") or 0.0 for event in events), default=0.0) / 1000
        for index in range(len(events)):
            waited_s = 0.0
            if self._interrupted.is_set():
                raise self._failed("it was stopped")
            while not arrived.acquire(timeout=_CHECK_S):
                waited_s += _CHECK_S
                if self._interrupted.is_set():
                    raise self._failed("it was stopped")
                if waited_s > longest_s + self._patience_s:
                    raise self._failed(f"{len(events) - index} of {len(events)} images never came")

    def _begin(self) -> Any:
        from pycromanager import Acquisition  # noqa: PLC0415 - an optional extra

        only_java: dict[str, Any] = {"port": self._config.port, "show_display": False}
        return Acquisition(
            directory=str(self._config.path),
            name=self._data_set,
            image_process_fn=self._process,
            image_saved_fn=self._on_image,
            **(only_java if self._config.backend == "java" else {}),
        )

    def _open_core(self) -> None:
        try:
            from mmpycorex import Core  # noqa: PLC0415
            from pycromanager import start_headless  # noqa: PLC0415
        except ImportError as error:
            raise SourceError(
                complaint("pycro-manager is not installed", where=error.name, do=INSTALL)
            ) from error
        adapters = adapters_folder(self._config)
        setup = hardware_file(self._config, adapters)
        try:
            start_headless(
                str(adapters), str(setup), python_backend=True, buffer_size_mb=_SEQUENCE_MB
            )
            self._opened = True
            camera = Core().get_camera_device()
        except Exception as error:  # device adapters raise what they like
            stop_core()
            raise self._failed(f"{type(error).__name__}: {error}") from error
        if not camera:
            # An Acquisition without a camera would leave a thread that never ends.
            stop_core()
            raise self._failed("the configuration has no camera")

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
            except Exception:
                # A thread boundary. What was saved is saved; the next time point starts anew.
                log.exception("acquisition ended with an error", extra={"event": {}})
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
            log.error("acquisition does not end: a device hangs", extra={"event": {}})

    def _failed(self, why: str) -> SourceError:
        return SourceError(
            complaint(
                "microscope failed",
                where=f"{self._config.backend} backend",
                got=why,
                do="see the core's log, check the devices in Micro-Manager",
            )
        )


def require_pycromanager() -> None:
    """Raise SourceError where pycro-manager is not installed."""
    try:
        import pycromanager  # noqa: F401, PLC0415 - an optional extra
    except ImportError as error:
        raise SourceError(
            complaint("pycro-manager is not installed", where=error.name, do=INSTALL)
        ) from error


def probe_bridge(port: int) -> None:
    """Ask for the bridge by a plain connection: pyjavaz would leave a thread behind.

    Raises
    ------
    SourceError
        When pycro-manager is not installed, or no Micro-Manager answers.
    """
    require_pycromanager()
    try:
        socket.create_connection(("127.0.0.1", port), timeout=_BRIDGE_S).close()
    except OSError as error:
        raise SourceError(
            complaint(
                "no Micro-Manager answers",
                where=f"127.0.0.1:{port}",
                got=error.strerror or str(error),
                do="start Micro-Manager and tick Tools > Options > Run server on port",
            )
        ) from error


def stop_core() -> None:
    """Let the core go so that it can be started again in this process."""
    from pycromanager import stop_headless  # noqa: PLC0415
    from pycromanager.acquisition.acq_eng_py.internal.engine import Engine  # noqa: PLC0415

    try:
        stop_headless()
    except Exception:
        # Device adapters raise what they like, and this core is given up anyway.
        log.exception("devices did not unload", extra={"event": {}})
    # pycro-manager 1.0.2 keeps an engine with a dead core and ended executors otherwise.
    if hasattr(Engine, "singleton"):
        del Engine.singleton
