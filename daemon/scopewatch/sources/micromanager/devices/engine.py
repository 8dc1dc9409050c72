"""Records what pycro-manager's engine only prints: which image failed, and the core's error.

pycro-manager 1.0.2 tries a command of the hardware six times, drops the error that the core gave,
raises another one within a future that nobody asks, and prints tracebacks and retries to the
terminal (`acq_eng_py/internal/engine.py`). So its engine is given a core that notes each error, and
its modules a `traceback` and a `print` that write to the log.
"""

import contextlib
import importlib
import re
import threading
import traceback
from collections.abc import Callable
from typing import Any

from scopewatch.event_log import get_logger

log = get_logger(__name__)

# A line of a Java stack trace, which the bridge puts behind the message of an exception.
_JAVA_FRAME = re.compile(r"^\s*(at )?[\w.$]+\.[\w$<>]+\([^()\n]*\)\s*$", re.MULTILINE)
_PRINTING = (
    "pycromanager.acquisition.acq_eng_py.internal.engine",
    "pycromanager.acquisition.acq_eng_py.main.AcqEngPy_Acquisition",
    "pycromanager.acquisition.acq_eng_py.main.acq_eng_metadata",
    "pycromanager.acquisition.java_backend_acquisitions",
    "pycromanager.acquisition.python_backend_acquisitions",
)

_CLOSE_S = 10.0

Failed = Callable[[dict[str, Any], str], None]


class ListeningCore:
    """A core that passes every call on and keeps the last error."""

    def __init__(self, core: Any) -> None:
        self._core = core
        self.last_error = ""

    def __getattr__(self, name: str) -> Any:
        """Return what the core has of that name; calls of it are listened to."""
        found = getattr(self._core, name)
        if not callable(found) or isinstance(found, type):
            return found

        def call(*args: Any, **options: Any) -> Any:
            try:
                return found(*args, **options)
            except Exception as error:
                self.last_error = sum_up(error)
                raise

        # Found at once the next time.
        setattr(self, name, call)
        return call


class _Logged:
    """Replaces the module `traceback`: what would be printed goes to the log."""

    def __getattr__(self, name: str) -> Any:
        return getattr(traceback, name)

    def print_exc(self, *_args: object, **_options: object) -> None:
        log.debug("acquisition engine met an error", exc_info=True)


def listen(failed: Failed) -> None:
    """Make the started engine report which image failed, with the core's error.

    Parameters
    ----------
    failed
        Called in the engine's thread with the axes of the image and one line; it must not raise.
    """
    from pycromanager.acquisition.acq_eng_py.internal.engine import Engine  # noqa: PLC0415

    engine = Engine.get_instance()
    core = engine.core = ListeningCore(engine.core)
    execute = engine.execute_acquisition_event

    def execute_and_tell(event: Any) -> None:
        core.last_error = ""
        try:
            execute(event)
        except Exception as error:
            failed(dict(event.axisPositions_), core.last_error or sum_up(error))
            raise

    engine.execute_acquisition_event = execute_and_tell


def print_to_log() -> None:
    """Let the modules of pycro-manager write to the log what they would print."""
    for name in _PRINTING:
        module = importlib.import_module(name)
        vars(module)["traceback"] = _Logged()
        vars(module)["print"] = _print


def sum_up(error: BaseException) -> str:
    """Return what an error says, in one line."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    line = " ".join(_JAVA_FRAME.sub("", str(error)).split())
    return line or type(error).__name__


def _print(*texts: object, **_options: object) -> None:
    printed = " ".join(" ".join(str(each) for each in texts).split())
    log.debug("acquisition engine says", text=printed)


def end_acquisition(
    acquisition: Any, *, abort: bool, let_go: Callable[[], None] | None = None
) -> None:
    """End an acquisition of pycro-manager, so that its data set is complete. Never raises.

    Parameters
    ----------
    abort
        Whether images that it was asked for and has not taken yet are given up.
    let_go
        Ends what a hung call waits for.
    """

    def end() -> None:
        data_set = acquisition.get_dataset()
        # The storage never closes the reader its writer holds.
        # https://github.com/micro-manager/NDStorage, SingleNDTiffWriter.reader
        reader = getattr(getattr(data_set, "current_writer", None), "reader", None)
        try:
            if abort:
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
    if let_go is not None:
        let_go()
        thread.join(timeout=_CLOSE_S)
