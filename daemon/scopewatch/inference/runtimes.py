"""Opens the interpreter of TFLite models: `ai-edge-litert`, or else `tflite-runtime`."""

from importlib import import_module
from types import ModuleType
from typing import Any, Literal

from scopewatch.core.errors import ModelError, complaint
from scopewatch.inference.delegate import open_xnnpack

Runtime = Literal["ai-edge-litert", "tflite-runtime"]

_MODULES: dict[Runtime, str] = {
    "ai-edge-litert": "ai_edge_litert.interpreter",
    "tflite-runtime": "tflite_runtime.interpreter",
}


def open_runtime(wanted: Runtime | None) -> tuple[Runtime, ModuleType]:
    """Import the interpreter module that is wanted, or the first that is installed."""
    choices: tuple[Runtime, ...] = (wanted,) if wanted else ("ai-edge-litert", "tflite-runtime")
    for choice in choices:
        try:
            return choice, import_module(_MODULES[choice])
        except ModuleNotFoundError as error:
            if error.name not in (_MODULES[choice], _MODULES[choice].split(".", maxsplit=1)[0]):
                raise
    raise ModelError(
        complaint(
            "no runtime for TFLite models is installed",
            where=" or ".join(choices),
            do=f"pip install {choices[0]}",
        )
    )


def acceleration(runtime: Runtime, module: ModuleType, threads: int) -> dict[str, Any]:
    """Return the interpreter's options that add XNNPACK where it is not built in."""
    if runtime != "tflite-runtime":
        return {}
    delegate = open_xnnpack(module, threads)
    if delegate is None:
        return {}
    plain = module.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    return {"experimental_delegates": [delegate], "experimental_op_resolver_type": plain}
