"""Worker processes: spawned by this process, and ended with it."""

import multiprocessing
import os
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.connection import wait
from typing import Any, Final

PAIRS_WORTH_A_WORKER: Final = 16
"""Pairs that a process could prepare in the time in which it loads its libraries."""


def count_workers(pairs: int) -> int:
    """Return the number of processes for so many pairs: up to one per core."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min(cores or 1, pairs // PAIRS_WORTH_A_WORKER))


def open_pool(
    workers: int, begin: Callable[..., None] | None = None, *arguments: Any
) -> ProcessPoolExecutor:
    """Open a pool whose processes call `begin(*arguments)` first.

    Spawned, not forked: threads of numerical libraries do not survive a fork.
    """
    return ProcessPoolExecutor(
        max_workers=workers,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_begin,
        initargs=(begin, *arguments),
    )


def _begin(begin: Callable[..., None] | None, *arguments: Any) -> None:
    _end_with_parent()
    if begin is not None:
        begin(*arguments)


def _end_with_parent() -> None:
    """End this process when its parent ends.

    The processes of a pool survive a parent that is killed. They would write to the folder of the
    next call, and then wait for ever.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, name="parent", daemon=True).start()
