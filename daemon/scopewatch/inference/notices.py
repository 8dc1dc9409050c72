"""Keeps notices of the native runtime out of the log and of what programs read.

LiteRT writes `INFO: Created TensorFlow Lite XNNPACK delegate for CPU.` to the process's standard
error when tensors are allocated, whatever TF_CPP_MIN_LOG_LEVEL says; its own switch is not
exported. TensorFlow's converter writes its settings (`fully_quantize: 0, ...`) there, into the text
of a console.
"""

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

_NOTICE = re.compile(rb"^(?:INFO|VERBOSE|fully_quantize): [^\n]*\n?", re.MULTILINE)
_STDERR = 2


@contextmanager
def without_notices() -> Iterator[None]:
    """Hold standard error back while the runtime is called, and pass on all but its notices.

    What other threads write meanwhile is passed on afterwards, in its order. Where the process has
    no standard error, nothing is done.
    """
    try:
        kept = os.dup(_STDERR)
    except OSError:
        yield
        return
    sys.stderr.flush()
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), _STDERR)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(kept, _STDERR)
            os.close(kept)
            held.seek(0)
            written = _NOTICE.sub(b"", held.read())
            if written:
                os.write(_STDERR, written)
