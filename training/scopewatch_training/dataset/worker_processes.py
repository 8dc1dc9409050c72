"""Processes that work for this one: spawned, and gone when it is."""

import multiprocessing
import os
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.connection import wait
from typing import Any, Final

PAIRS_WORTH_A_WORKER: Final = 16
"""Loading the libraries takes a process as long as some ten pairs."""


def count_workers(pairs: int) -> int:
    """Return how many processes to prepare so many pairs with: one a core, where it is worth it."""
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

    A pool's processes outlive a parent that was killed: they would go on writing where the next
    call writes, and then wait for work for ever.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, name="parent", daemon=True).start()
