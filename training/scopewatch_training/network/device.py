"""Sets up TensorFlow: threads, determinism, a GPU where there is one."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module


def use_device(threads: int) -> str:
    """Start TensorFlow for this process and return the name of its device.

    Must be called before anything else imports TensorFlow. Operations are made deterministic, so
    that a seed gives the same network again on the same machine.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    leave_out_warnings()
    with _quiet_standard_error():
        tensorflow = import_module("tensorflow")
        tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
        tensorflow.config.threading.set_inter_op_parallelism_threads(1)
        tensorflow.config.experimental.enable_op_determinism()
        graphics = tensorflow.config.list_physical_devices("GPU")
        for card in graphics:
            # Otherwise TensorFlow takes all of its memory at once, also from other users.
            tensorflow.config.experimental.set_memory_growth(card, True)
        # TensorFlow looks for devices once, and warns of missing ones.
        tensorflow.constant(0)
    if graphics:
        details = tensorflow.config.experimental.get_device_details(graphics[0])
        return f"GPU {details.get('device_name', graphics[0].name)}"
    return f"CPU, {threads} of {os.cpu_count()} threads"


def leave_out_warnings() -> None:
    """Keep TensorFlow's warnings out of the console.

    Each fold has a network of its own, and TensorFlow warns that it compiles each.
    """
    logging.getLogger("tensorflow").setLevel(logging.ERROR)


def tensorflow_version() -> str:
    """Return it, whatever TensorFlow was installed as (`tensorflow`, `tensorflow-cpu`, a build)."""
    return str(import_module("tensorflow").__version__)


@contextmanager
def _quiet_standard_error() -> Iterator[None]:
    """Discard what C++ code writes to standard error.

    TensorFlow writes its first messages before it reads its log level; they would precede the one
    line of an error. Python's own errors are raised as usual.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(nowhere)
        os.close(kept)
