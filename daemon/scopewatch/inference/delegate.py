"""XNNPACK for int8 networks under `tflite-runtime`, as `ai-edge-litert` uses by itself.

The kernels of `tflite-runtime` 2.14 that would run otherwise round twice where XNNPACK rounds once:
about one activation in three hundred comes out one step off, and what that grows to over the
layers is several steps of a tile's probability. With the same kernels both runtimes give the same
scores, and this one takes half the time.

The wheel carries XNNPACK but leaves it off for int8, and has no switch for it in Python (it was
turned on by default later: github.com/tensorflow/tensorflow, lite/delegates/xnnpack/README.md).
Its library does export the delegate's C functions, which are called here.
"""

import ctypes
from pathlib import Path
from types import ModuleType

from scopewatch.event_log import get_logger

log = get_logger(__name__)

_SIGNED_INT8 = 0x1
_LIBRARY = "_pywrap_tensorflow_interpreter_wrapper*"


class _Options(ctypes.Structure):
    """`TfLiteXNNPackDelegateOptions`, with room for fields of later releases."""

    _fields_ = (
        ("num_threads", ctypes.c_int32),
        ("flags", ctypes.c_uint32),
        ("weights_cache", ctypes.c_void_p),
        ("further", ctypes.c_uint8 * 120),
    )


class XnnpackDelegate:
    """A delegate that `Interpreter(experimental_delegates=[...])` takes.

    It exists as long as the process: the interpreter must never outlive it, and Python does not
    define which of the two goes first.
    """

    def __init__(self, library: ctypes.CDLL, threads: int) -> None:
        create = library.TfLiteXNNPackDelegateCreate
        create.restype, create.argtypes = ctypes.c_void_p, (ctypes.POINTER(_Options),)
        options = _Options(num_threads=threads, flags=_SIGNED_INT8)
        self._pointer: int | None = create(ctypes.byref(options))

    def _get_native_delegate_pointer(self) -> int | None:
        # The name that the interpreter asks its delegates for.
        return self._pointer


def open_xnnpack(package: ModuleType, threads: int) -> XnnpackDelegate | None:
    """Return the delegate of a `tflite_runtime` package; None where its library has none."""
    folder = Path(package.__file__ or "").parent
    for path in sorted(folder.glob(_LIBRARY)):
        library = ctypes.CDLL(str(path))
        if hasattr(library, "TfLiteXNNPackDelegateCreate"):
            return XnnpackDelegate(library, threads)
    log.warning(
        "tflite-runtime has no XNNPACK: slower, and scores may be a few steps off",
        folder=str(folder),
    )
    return None
