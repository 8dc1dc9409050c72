"""A fault put into a real daemon from outside: its model hangs in native code, once."""

import os
from pathlib import Path

# Python imports a module of this name by itself as it starts.
_HOOK = """
import ctypes, os, threading
from scopewatch.inference.tflite import TFLiteScorer

score = TFLiteScorer.score

def hang_once(self, view):
    if threading.current_thread().name == "worker":
        try:
            os.unlink(FLAG)
        except FileNotFoundError:
            pass
        else:
            ctypes.CDLL(None).sleep(1000)
    return score(self, view)

TFLiteScorer.score = hang_once
"""


class HangingModel:
    """Makes the model of daemons hang that are started with its environment.

    Attributes
    ----------
    environ
        What the daemon is to be started with.
    """

    def __init__(self, folder: Path) -> None:
        self._flag = folder / "hang"
        hooks = folder / "hooks"
        hooks.mkdir()
        hook = _HOOK.replace("FLAG", repr(str(self._flag)))
        (hooks / "sitecustomize.py").write_text(hook, encoding="utf-8")
        paths = [str(hooks), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
        self.environ = {"PYTHONPATH": os.pathsep.join(filter(None, paths))}

    def hang_next(self) -> None:
        """Let the next frame that is scored never end."""
        self._flag.touch()

    @property
    def met(self) -> bool:
        """Whether a frame met it."""
        return not self._flag.exists()
