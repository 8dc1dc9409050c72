"""A microscope driven through pycro-manager, behind three calls: open, acquire, close.

Two backends: `python` runs Micro-Manager's core in this process, `java` uses the bridge of a
Micro-Manager that is running. Both write NDTiff data sets; nothing here looks at pixels.

pycro-manager swallows the device error of a lone event, so its engine is listened to (`engine`).
What counts is the images that were saved: those that do not come within `patience_s` failed too.
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
from scopewatch.sources.micromanager.engine import listen, print_to_log, sum_up
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
# An alert is read on a telephone.
_MOST_NAMED = 3
_CHECK_S = 0.2


class ImagesMissingError(SourceError):
    """Some images did not come.

    Parameters
    ----------
    line
        What is to be shown.
    causes
        Of each image that is known to have failed, its axes and why, in one line.
    """

    def __init__(self, line: str, causes: Sequence[tuple[Axes, str]]) -> None:
        super().__init__(line)
        self.causes = tuple(causes)


class Microscope(Protocol):
    """What a source needs of a microscope. All methods are called by one thread at a time."""

    def open(self) -> None:
        """Connect. Raises SourceError."""
        ...

    def acquire(self, events: Sequence[Event], saved: Callable[[Axes], None]) -> None:
        """Take images; report each that is on disk.

        Raises
        ------
        SourceError
            When some never are; ImagesMissingError where it is known why.
        """
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
        self._failed: Callable[[Axes, str], None] = lambda _axes, _why: None
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
        try:
            if self._acquisition is None:
                self._acquisition = self._begin()
            for event in events:
                self._acquisition.acquire([event])
        except Exception as error:  # pycro-manager and pyjavaz raise bare Exception
            raise self._blamed(sum_up(error)) from error
        why = self._wait(events, settled)
        missing = [event["axes"] for event in events if event["axes"] not in came]
        if why or causes:
            blamed = [axes for axes, _ in causes]
            causes += [(axes, why) for axes in missing if why and axes not in blamed]
            raise self._missed(causes, len(events))

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

    def _on_failure(self, axes: Axes, why: str) -> None:
        """Note an image that failed, in the engine's thread."""
        self._failed(axes, why)

    def _wait(self, events: Sequence[Event], settled: threading.Semaphore) -> str:
        """Wait until each image came or failed; return why no more of them will, '' where all did.

        Raises
        ------
        SourceError
            When it was interrupted.
        """
        longest_s = max((event.get("exposure") or 0.0 for event in events), default=0.0) / 1000
        for _ in events:
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
                if waited_s > longest_s + self._patience_s:
                    return f"no image within {longest_s + self._patience_s:g} s"
            if self._interrupted.is_set():
                raise self._blamed("it was stopped")
        return ""

    def _broken_off(self) -> str:
        """Say why the whole acquisition has ended; '' while it goes on."""
        try:
            self._acquisition._check_for_exceptions()
        except Exception as error:  # noqa: BLE001 - whatever it was is said of the images
            where = f" ({self._config.path})" if isinstance(error, OSError) else ""
            return sum_up(error) + where
        return ""

    def _missed(self, causes: Sequence[tuple[Axes, str]], asked: int) -> SourceError:
        places: dict[str, list[str]] = {}
        for axes, why in causes:
            places.setdefault(why, []).append(_named(axes))
        told = [
            f"{why} ({', '.join(named[:_MOST_NAMED])}"
            + (f" and {len(named) - _MOST_NAMED} more)" if len(named) > _MOST_NAMED else ")")
            for why, named in places.items()
        ]
        more = len(told) - _MOST_NAMED
        line = "; ".join(told[:_MOST_NAMED]) + (f"; and {more} more causes" if more > 0 else "")
        failed = self._blamed(f"{len(causes)} of {asked} images never came: {line}")
        return ImagesMissingError(str(failed), causes)

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
        print_to_log()
        try:
            start_headless(
                str(adapters), str(setup), python_backend=True, buffer_size_mb=_SEQUENCE_MB
            )
            self._opened = True
            listen(self._on_failure)
            camera = Core().get_camera_device()
        except Exception as error:  # device adapters raise what they like
            stop_core()
            raise self._blamed(sum_up(error)) from error
        if not camera:
            # An Acquisition without a camera would leave a thread that never ends.
            stop_core()
            raise self._blamed("the configuration has no camera")

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
                # A thread boundary. What was saved is saved; the next time point starts anew.
                event = {"reason": sum_up(error)}
                log.error("acquisition ended with an error", extra={"event": event})
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

    def _blamed(self, why: str) -> SourceError:
        return SourceError(
            complaint(
                "microscope failed",
                where=f"{self._config.backend} backend",
                got=why,
                do="check the devices, the presets and the disk; does Micro-Manager take an image?",
            )
        )


def _named(axes: Axes) -> str:
    """Name an image of a time point by its position and channel."""
    place = f"position {axes.get('position')}"
    channel = axes.get("channel")
    return place if channel is None else f"{place} in channel {channel}"


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
    except Exception as error:  # noqa: BLE001
        # Device adapters raise what they like, and this core is given up anyway.
        log.error("devices did not unload", extra={"event": {"reason": sum_up(error)}})
    # pycro-manager 1.0.2 keeps an engine with a dead core and ended executors otherwise.
    if hasattr(Engine, "singleton"):
        del Engine.singleton
