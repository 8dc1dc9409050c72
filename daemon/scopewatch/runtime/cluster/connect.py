"""Opens a connection to a cluster, and refuses one on which results would differ."""

# Imports of Dask are within the functions: it is an extra, and takes half a second.
# ruff: noqa: PLC0415

import logging
import platform
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from scopewatch.core.errors import ClusterError, ConfigError, complaint
from scopewatch.runtime.cluster.address import ClusterAddress

if TYPE_CHECKING:
    from distributed import Client

PATIENCE_S: Final = 20.0
# What talks to each other, and what a score or a picture depends on.
_TALKING: Final = ("dask", "distributed", "cloudpickle", "msgpack")
_SCORING: Final = ("scopewatch", "ai-edge-litert", "numpy", "scipy", "pillow", "tifffile")

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

Versions = Mapping[str, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What workers of a cluster must have, also those that join while it works.

    Parameters
    ----------
    versions
        By package.
    paths
        Where the raw data lie.
    """

    scheduler: str
    versions: Versions
    paths: Sequence[str]

    def check(self, worker: str) -> None:
        """Compare with what this process has, which is the worker of that name.

        Raises
        ------
        ClusterError
            Naming the first difference.
        """
        there = versions_here(tuple(self.versions))
        _refuse_other(f"worker {worker}", self.scheduler, self.versions, there)
        missing = _first_missing(self.paths)
        if missing is not None:
            raise _unseen(missing, worker, self.scheduler)


def versions_here(packages: Sequence[str] = ("python", *_SCORING)) -> Versions:
    """Return which versions this process has; None for what is not installed."""
    found: dict[str, str | None] = dict.fromkeys(packages)
    for name in packages:
        with suppress(PackageNotFoundError):
            found[name] = platform.python_version() if name == "python" else version(name)
    return found


@contextmanager
def open_cluster(
    address: ClusterAddress,
    *,
    packages: tuple[str, ...] = _SCORING,
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
    with ExitStack() as held, _quiet():
        client = held.enter_context(_client(address, held, patience_s))
        if address.scheduler:
            _wait_for_workers(client, address.scheduler, patience_s)
            check_versions(client.get_versions(packages=list(packages)), address.scheduler)
        yield client


def check_versions(found: Mapping[str, Any], scheduler: str) -> None:
    """Compare what this process, the scheduler and the workers have installed.

    Parameters
    ----------
    found
        What `Client.get_versions` returns.

    Raises
    ------
    ClusterError
        Naming the first difference.
    """
    ours: Versions = found["client"]["packages"]
    others: list[tuple[str, Versions, tuple[str, ...]]] = [
        ("scheduler", found["scheduler"]["packages"], _TALKING)
    ]
    others += [
        (f"worker {name}", each["packages"], tuple(ours)) for name, each in found["workers"].items()
    ]
    for who, theirs, names in others:
        compared = {name: ours.get(name) for name in ("python", *names)}
        _refuse_other(who, scheduler, compared, theirs)


def _refuse_other(who: str, scheduler: str, ours: Versions, theirs: Versions) -> None:
    for name in ours:
        here, there = _short(name, ours[name]), _short(name, theirs.get(name))
        if here != there:
            raise ClusterError(
                complaint(
                    f"{who} of the cluster has another version of {name}",
                    where=scheduler,
                    expected=here or "none",
                    got=there or "none",
                    do="install scopewatch with the same constraints.txt on every machine",
                )
            )


def _short(name: str, found: str | None) -> str | None:
    """Return the part of a version that matters: 3.11 of a Python."""
    return ".".join(found.split(".")[:2]) if name == "python" and found else found


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
def _client(address: ClusterAddress, held: ExitStack, patience_s: float) -> Iterator["Client"]:
    import dask
    from distributed import Client, LocalCluster

    if not address.scheduler:
        held.enter_context(dask.config.set(_LEAN))
        # Addresses of this machine alone: whoever reaches a scheduler can run code in its workers.
        cluster = held.enter_context(
            LocalCluster(
                n_workers=address.workers,
                threads_per_worker=1,
                host="127.0.0.1",
                dashboard_address="127.0.0.1:0",
                memory_limit=0,
                silence_logs=logging.ERROR,
            )
        )
        with Client(cluster, set_as_default=False) as client:
            yield client
        return
    try:
        client = Client(address.scheduler, timeout=patience_s, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ClusterError(
            complaint(
                "Dask scheduler cannot be reached",
                where=address.scheduler,
                got=type(error).__name__,
                do="start it (dask scheduler), and check address, port and firewall",
            )
        ) from error
    with client:
        yield client


def _wait_for_workers(client: "Client", scheduler: str, patience_s: float) -> None:
    try:
        client.wait_for_workers(1, timeout=patience_s)
    except TimeoutError as error:
        raise no_workers(scheduler, patience_s) from error


def check_paths(client: "Client", paths: Sequence[Path], scheduler: str) -> None:
    """Refuse a cluster on which some worker does not see the raw data.

    Raises
    ------
    ClusterError
        Naming the worker and the path.
    """
    for worker, missing in client.run(_first_missing, list(map(str, paths))).items():
        if missing is not None:
            raise _unseen(missing, worker, scheduler)


def _unseen(missing: str, worker: str, scheduler: str) -> ClusterError:
    return ClusterError(
        complaint(
            "worker of the cluster does not see the files",
            where=missing,
            got=f"nothing there on {worker} of {scheduler}",
            do="mount the share there under the same path",
        )
    )


def _first_missing(paths: Sequence[str]) -> str | None:
    return next((path for path in paths if not Path(path).exists()), None)


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
