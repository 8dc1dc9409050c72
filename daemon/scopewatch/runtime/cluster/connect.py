"""Opens a connection to a cluster, and refuses one on which results would differ."""

# Imports of Dask are within the functions: it is an extra, and takes half a second.
# ruff: noqa: PLC0415

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Final

from scopewatch.core.errors import ClusterError, ConfigError, complaint
from scopewatch.runtime.cluster.address import ClusterAddress
from scopewatch.runtime.cluster.requirements import SCORING, check_versions

if TYPE_CHECKING:
    from distributed import Client

PATIENCE_S: Final = 20.0

# Each process of a cluster samples its own stack and state many times a second: together 8 % of a
# processor for two workers that do nothing, 1 % so.
_LEAN: Final = {
    "distributed.admin.system-monitor.interval": "10s",
    "distributed.admin.tick.interval": "1s",
    # Its MALLOC_TRIM_THRESHOLD_ returns the memory of each array to the system, for the next one to
    # take page by page: a third of the processor time of a frame.
    "distributed.nanny.pre-spawn-environ": {"OMP_NUM_THREADS": 1, "OPENBLAS_NUM_THREADS": 1},
    "distributed.worker.memory.monitor-interval": "10s",
    "distributed.worker.profile.enabled": False,
}


@contextmanager
def open_cluster(
    address: ClusterAddress,
    *,
    packages: tuple[str, ...] = SCORING,
    patience_s: float = PATIENCE_S,
) -> Iterator["Client"]:
    """Connect to a cluster, or start one here that ends with the context.

    Parameters
    ----------
    packages
        What workers must have in the very versions of this process, besides Dask itself.
    patience_s
        How long to wait for the scheduler of somebody else, and then for its first worker.

    Raises
    ------
    ConfigError
        When Dask is not installed.
    ClusterError
        When the scheduler cannot be reached, has no worker, or versions differ.
    """
    _require_dask()
    scheduler = address.scheduler
    with _quiet():
        if not scheduler:
            with _start_here(address.workers) as client:
                yield client
            return
        with _connect(scheduler, patience_s) as client:
            _wait_for_workers(client, scheduler, patience_s)
            check_versions(client.get_versions(packages=list(packages)), scheduler)
            yield client


def _require_dask() -> None:
    try:
        version("distributed")
    except PackageNotFoundError as error:
        raise ConfigError(
            complaint(
                "Dask is not installed",
                where="--dask",
                expected="the package distributed",
                do="pip install 'scopewatch[dask]', or leave --dask out",
            )
        ) from error


@contextmanager
def _start_here(workers: int) -> Iterator["Client"]:
    import dask
    from distributed import Client, LocalCluster

    with (
        dask.config.set(_LEAN),
        # Addresses of this machine alone: whoever reaches a scheduler can run code in its workers.
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            memory_limit=0,
            silence_logs=logging.ERROR,
        ) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        yield client


def _connect(scheduler: str, patience_s: float) -> "Client":
    from distributed import Client

    try:
        return Client(scheduler, timeout=patience_s, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ClusterError(
            complaint(
                "Dask scheduler cannot be reached",
                where=scheduler,
                got=type(error).__name__,
                do="start it (dask scheduler), and check address, port and firewall",
            )
        ) from error


def _wait_for_workers(client: "Client", scheduler: str, patience_s: float) -> None:
    try:
        client.wait_for_workers(1, timeout=patience_s)
    except TimeoutError as error:
        raise no_workers(scheduler, patience_s) from error


def no_workers(scheduler: str, waited_s: float) -> ClusterError:
    """Return the error about a cluster that nobody works for."""
    return ClusterError(
        complaint(
            "cluster has no worker",
            where=scheduler or "processes of this machine",
            got=f"none for {waited_s:.0f} s",
            do=f"start some: dask worker {scheduler or 'tcp://HOST:PORT'} --nthreads 1",
        )
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what Dask logs of workers that come and go out of the terminal."""
    import distributed  # noqa: F401 - its import sets levels

    named = [name for name in logging.root.manager.loggerDict if name.startswith("distributed.")]
    loggers = [logging.getLogger(name) for name in ("distributed", *named)]
    before = [each.level for each in loggers]
    for each in loggers:
        each.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for each, level in zip(loggers, before, strict=True):
            each.setLevel(level)
