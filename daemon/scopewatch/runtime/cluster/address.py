"""What `--dask` names: processes of this machine, or the scheduler of a cluster."""

import os
import re
from dataclasses import dataclass

from scopewatch.core.errors import ConfigError, complaint

_LOCAL = re.compile(r"local(?::(?P<workers>[1-9]\d{0,2}))?")
_SCHEDULER = re.compile(r"(?:tcp|tls)://(?:\[[0-9A-Fa-f:.]+\]|[\w.-]+):\d{1,5}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterAddress:
    """Where work is done.

    Parameters
    ----------
    scheduler
        `tcp://HOST:PORT` of a cluster that somebody else runs; '' starts processes here.
    workers
        How many processes are started here; 0 for a cluster of somebody else.
    """

    scheduler: str = ""
    workers: int = 0


def read_address(text: str, *, threads: int = 1) -> ClusterAddress:
    """Read `local`, `local:N` or the address of a scheduler.

    `local` takes one process for each `threads` processors of this machine that may be used.

    >>> read_address("tcp://10.0.0.7:8786").scheduler, read_address("local:3").workers
    ('tcp://10.0.0.7:8786', 3)

    Raises
    ------
    ConfigError
        When it is none of them.
    """
    local = _LOCAL.fullmatch(text)
    if local is not None:
        fit = max(1, _processors() // threads)
        return ClusterAddress(workers=int(local["workers"]) if local["workers"] else fit)
    if _SCHEDULER.fullmatch(text):
        return ClusterAddress(scheduler=text)
    raise ConfigError(
        complaint(
            "cluster is not understood",
            where="--dask",
            expected="local, local:N (processes here) or tcp://HOST:PORT of a Dask scheduler",
            got=text,
            do="correct it",
        )
    )


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
