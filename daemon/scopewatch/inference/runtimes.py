"""The runtimes that a network may run under, and how each opens it."""

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from types import ModuleType
from typing import Any, Final, Literal

from scopewatch.core.errors import ModelError, complaint
from scopewatch.inference.delegate import open_xnnpack
from scopewatch.inference.engine import Engine
from scopewatch.inference.openvino_engine import OpenVINOEngine, import_openvino
from scopewatch.inference.tflite_engine import TFLiteEngine, bytes_per_px

Runtime = Literal["litert", "openvino", "tflite-runtime"]

REFERENCE: Final[Runtime] = "litert"
"""Of which bundles are made, and by whose scores the others are judged."""

_MODULES: dict[Runtime, str] = {
    "litert": "ai_edge_litert.interpreter",
    "openvino": "openvino",
    "tflite-runtime": "tflite_runtime.interpreter",
}
_PACKAGES: dict[Runtime, str] = {
    "litert": "ai-edge-litert",
    "openvino": "openvino",
    "tflite-runtime": "tflite-runtime",
}
_INSTALL: dict[Runtime, str] = {
    "litert": "pip install ai-edge-litert",
    "openvino": "pip install 'scopewatch[openvino]', or set model.runtime: litert",
    "tflite-runtime": "pip install tflite-runtime",
}


def open_runtime(wanted: Runtime | None) -> tuple[Runtime, ModuleType]:
    """Import the runtime that is wanted, or of both TFLite interpreters the first installed.

    Raises
    ------
    ModelError
        When it is not installed.
    """
    choices: tuple[Runtime, ...] = (wanted,) if wanted else ("litert", "tflite-runtime")
    for choice in choices:
        try:
            if choice == "openvino":
                return choice, import_openvino()
            return choice, import_module(_MODULES[choice])
        except ModuleNotFoundError as error:
            if error.name not in (_MODULES[choice], _MODULES[choice].split(".", maxsplit=1)[0]):
                raise
    raise ModelError(
        complaint(
            "no runtime for TFLite models is installed",
            where=" or ".join(_PACKAGES[choice] for choice in choices),
            do=_INSTALL[choices[0]],
        )
    )


def is_installed(runtime: Runtime) -> bool:
    """Tell whether a runtime is installed, without loading it."""
    try:
        version(_PACKAGES[runtime])
    except PackageNotFoundError:
        return False
    return True


def runtime_version(runtime: Runtime) -> str:
    """Return the version of an installed runtime."""
    return version(_PACKAGES[runtime])


def open_engine(runtime: Runtime, model: bytes, threads: int) -> Engine:
    """Open a network under a runtime.

    Raises
    ------
    ModelError
        When the runtime is not installed.
    ValueError, RuntimeError
        When it cannot open the network.
    """
    _, module = open_runtime(runtime)
    if runtime == "openvino":
        _, litert = open_runtime("litert")
        return OpenVINOEngine(module, model, threads, TFLiteEngine(litert, model, threads))
    options = _acceleration(module, threads) if runtime == "tflite-runtime" else {}
    return TFLiteEngine(module, model, threads, **options)


def memory_per_px(runtime: Runtime, model: bytes, side_px: int) -> float:
    """Return at most about how many bytes a pixel of a frame takes up during an invoke.

    Raises
    ------
    ValueError, RuntimeError
        When the network does not take a frame of `side_px`.
    """
    _, module = open_runtime("litert" if runtime == "openvino" else runtime)
    return bytes_per_px(module, model, side_px)


def _acceleration(module: ModuleType, threads: int) -> dict[str, Any]:
    """Return the interpreter's options that add XNNPACK where it is not built in."""
    delegate = open_xnnpack(module, threads)
    if delegate is None:
        return {}
    plain = module.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    return {"experimental_delegates": [delegate], "experimental_op_resolver_type": plain}
