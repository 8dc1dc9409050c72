"""Faults injected into a real daemon from outside: a call hangs in native code."""

import os
from pathlib import Path

# Python imports a module of this name at its start.
_MODULE = "sitecustomize.py"
_MODEL_HANGS_ONCE = """
import ctypes, os, threading
from scopewatch.inference.tflite import TFLiteScorer

score = TFLiteScorer.score_finely

def hang_once(self, view):
    if threading.current_thread().name == "worker":
        try:
            os.unlink(FLAG)
        except FileNotFoundError:
            pass
        else:
            ctypes.CDLL(None).sleep(1000)
    return score(self, view)

TFLiteScorer.score_finely = hang_once
"""
_SOURCE_HANGS_AT_ITS_START = """
import ctypes, os
from scopewatch.sources.folder.source import FolderSource

start = FolderSource.start

def hang_at_start(self, inbox, ledger):
    if os.path.exists(FLAG):
        ctypes.CDLL(None).sleep(1000)
    start(self, inbox, ledger)

FolderSource.start = hang_at_start
"""


class HangingModel:
    """Make the model hang in daemons that are started with its environment.

    Attributes
    ----------
    environ
        Environment variables to start the daemon with.
    """

    def __init__(self, folder: Path) -> None:
        self._flag = folder / "hang"
        self.environ = _hook(folder, _MODEL_HANGS_ONCE, self._flag)

    def hang_next(self) -> None:
        """Let the scoring of the next frame hang for ever."""
        self._flag.touch()

    @property
    def met(self) -> bool:
        """Whether the scoring of a frame has hung."""
        return not self._flag.exists()


class HangingShare:
    """Make the first listing of a folder hang at every start, until the share is back.

    Attributes
    ----------
    environ
        Environment variables to start the daemon with.
    """

    def __init__(self, folder: Path) -> None:
        self._flag = folder / "away"
        self._flag.touch()
        self.environ = _hook(folder, _SOURCE_HANGS_AT_ITS_START, self._flag)

    def come_back(self) -> None:
        """Let the next start find the share."""
        self._flag.unlink()


def _hook(folder: Path, code: str, flag: Path) -> dict[str, str]:
    """Write a start-up hook; return the environment variables that make a process load it."""
    hooks = folder / "hooks"
    hooks.mkdir()
    (hooks / _MODULE).write_text(code.replace("FLAG", repr(str(flag))), encoding="utf-8")
    paths = [str(hooks), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    return {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
